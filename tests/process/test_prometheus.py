"""A real Prometheus scrapes a real `llamero serve`, and every panel of the dashboard that we ship finds its numbers."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.launch import REPOSITORY
from tests.process.cli import Chat, Home, get, serving, until

DASHBOARD = json.loads((REPOSITORY / "build" / "grafana" / "llamero.json").read_text(encoding="utf-8"))
# What a healthy machine without a GPU has nothing to tell about.
MAY_BE_EMPTY = {"Recoveries", "GPU memory of engines", "GPU load", "GPU memory", "GPU temperature", "GPU power"}
# What Grafana puts in the place of its variables; a counter needs two scrapes within the window.
VARIABLES = {"$__rate_interval": "30s", "$model": ".*", "$job": ".*"}
SCRAPE_S = 1

CONFIGURATION = """\
global: {{scrape_interval: {seconds}s, scrape_timeout: {seconds}s}}
scrape_configs:
  - job_name: llamero
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    home.write_settings("[metrics]\nidle_interval_s = 1.0\n")
    yield home
    home.end_all()


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


class Prometheus:
    """A Prometheus that keeps what it scrapes in a directory of the test's."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}", timeout=10) as answer:
            document = json.load(answer)
        assert document["status"] == "success", document
        return document["data"]

    def value(self, expression: str) -> list[Any]:
        result: list[Any] = self.ask("query", query=expression)["result"]
        return result


@contextmanager
def scraping(port: int, directory: Path) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    assert program, "Debian's package prometheus is missing: tests/install_system_packages.sh installs it"
    directory.mkdir()
    configuration = directory / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(port=port, seconds=SCRAPE_S))
    log = directory / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, f"--config.file={configuration}", f"--storage.tsdb.path={directory / 'data'}",
             "--web.listen-address=127.0.0.1:0"],
            stdout=output, stderr=output, cwd=directory,
        )  # fmt: skip
    try:
        # It chooses the port, and says which only in its log.
        said = until(
            lambda: re.search(r"Listening on\" address=127\.0\.0\.1:(\d+)", log.read_text()), 20.0, "Prometheus listens"
        )
        prometheus = Prometheus(int(said[1]))
        until(lambda: _is_ready(prometheus.port), 20.0, "Prometheus is ready")
        yield prometheus
    finally:
        process.terminate()
        process.wait(timeout=20)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200
    return False


def filled_in(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def ask_for_something(port: int) -> None:
    """Requests of every kind that a panel tells about."""
    for number in range(3):
        Chat(port, "demo", temperature=0, max_tokens=20, seed=number).text()
    assert get(port, "/v1/models")[0] == 200
    assert get(port, "/v1/models/nobody")[0] == 404


def test_every_panel_of_the_dashboard_has_what_it_shows(home: Home, tmp_path: Path) -> None:
    with serving(home, "--port", "0") as server:
        port = server.port()
        ask_for_something(port)
        with scraping(port, tmp_path / "prometheus") as prometheus:
            until(lambda: prometheus.value('up{job="llamero"} == 1'), 20.0, "the first scrape")
            ask_for_something(port)
            until(lambda: _grown(prometheus), 20.0, "a scrape that sees more requests than the one before")
            # A scrape that was late on a busy machine makes everything empty until the next one.
            with suppress(AssertionError):
                until(lambda: not empty_panels(prometheus), 20.0)
            assert empty_panels(prometheus) == []
            for variable in DASHBOARD["templating"]["list"]:
                if variable["type"] == "query":
                    name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
                    assert prometheus.ask(f"label/{label}/values", **{"match[]": name}), variable["name"]
        assert server.end().status == 0


def empty_panels(prometheus: Prometheus) -> list[tuple[str, str]]:
    """Ask for every expression of every panel; return those without a number, of the panels that must have one."""
    answers = [
        (panel["title"], target["expr"], prometheus.value(filled_in(target["expr"])))
        for panel in panels()
        for target in panel["targets"]
    ]
    return [(title, expression) for title, expression, found in answers if not found and title not in MAY_BE_EMPTY]


def _grown(prometheus: Prometheus) -> list[Any]:
    return prometheus.value("sum(increase(llamero_first_token_seconds_count[30s])) > 0")


def test_page_for_prometheus_has_no_fault_that_promtool_knows(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        port = server.port()
        ask_for_something(port)
        until(lambda: b"llamero_cpu_ratio " in page(port), 10.0, "the hardware is measured")
        checked = subprocess.run(["promtool", "check", "metrics"], input=page(port), capture_output=True, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
        assert server.end().status == 0


def page(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        content: bytes = answer.read()
        return content


def test_dashboard_is_laid_out_without_overlap_and_takes_any_data_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in panels():
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"] == [
        "Requests",
        "Speed",
        "Engines",
        "Hardware",
    ]
