"""`llamero bench`: the figures on stdout, what happens on stderr, and what was measured is kept, also after Ctrl+C."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.cli import Home, Typist, everyone_gone, serving


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def test_cli_bench_measures_the_only_model_and_compares_with_the_time_before(home: Home) -> None:
    with serving(home, "--port", "0") as server:  # it works beside a running Llamero
        server.port()
        first = home.run("bench", "--quick", timeout_s=60)
        assert (first.status, first.stderr) == (0, "")
        lines = first.stdout.splitlines()
        assert re.match(r"demo: embedded cpu \d+ \(xllamacpp [\d.]+\), ", lines[0])
        assert re.search(r"cores?, [\d.]+ GB", lines[1])
        rows = [line.split()[:2] for line in lines[4:7]]
        assert [row[1] for row in rows] == ["1", "1", "4"]
        assert abs(int(rows[0][0]) - 128) < 32
        assert "Compared" not in first.stdout
        assert server.end().status == 0
    again = home.run("bench", "demo", "--quick", "--json", timeout_s=60)
    assert again.status == 0
    [report] = json.loads(again.stdout)
    assert (report["run"]["id"], report["run"]["end"]) == (2, "complete")
    assert (report["comparison"]["id"], report["comparison"]["differences"]) == (1, [])
    assert len(report["comparison"]["changes"]) == 3
    listed = home.run("bench", "--list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["NUMBER", "2", "1"]
    assert [run["id"] for run in json.loads(home.run("bench", "--list", "--json").stdout)] == [2, 1]
    assert everyone_gone(home)


def test_cli_bench_of_two_models_needs_a_name(home: Home, demo_model: Path) -> None:
    for name in ("one", "two"):
        assert home.run("alias", "set", name, "--file", demo_model).status == 0
    result = home.run("bench")
    assert (result.status, result.stdout) == (1, "")
    assert result.stderr == "llamero: Several models are known, so name the ones to measure: one, two\n"


def test_cli_bench_stopped_by_ctrl_c_keeps_what_was_measured(home: Home) -> None:
    person = Typist(home, "bench", "demo")
    try:
        person.see(r"FIRST TOKEN\r\n +\d+ +1 .* ms")
        person.type(Typist.CTRL_C)
        person.see("Stopped. ")
        assert person.leave() == 130
    finally:
        person.close()
    [run] = json.loads(home.run("bench", "--list", "--json").stdout)
    assert run["end"] == "stopped"
    assert 1 <= len(run["results"]) < run["planned"]
    assert everyone_gone(home)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("nobody",), "model 'nobody' not found"), (("embedder",), "embedder makes embeddings and writes no text")],
)
def test_cli_bench_that_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], said: str, home: Home, embed_model: Path
) -> None:
    assert home.run("alias", "set", "embedder", "--file", embed_model).status == 0
    result = home.run("bench", *arguments)
    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert said in result.stderr
    assert "llamero bench ALIAS" in home.run("bench", "--list").stderr


def test_cli_bench_of_a_model_elsewhere_is_measured_end_to_end(home: Home, tmp_path: Path) -> None:
    elsewhere = Home(tmp_path / "elsewhere")
    try:
        with serving(elsewhere, "--port", "0") as server:
            url = f"{server.url()}/v1"
            assert home.run("alias", "api", "far", "--url", url, "--prefix", "far/", "--model", "demo").status == 0
            result = home.run("bench", "far/demo", "--quick", timeout_s=60)
            assert (result.status, result.stderr) == (0, "")
            assert result.stdout.startswith("far/demo: measured end to end, network and waiting included\n")
            [run] = json.loads(home.run("bench", "--list", "--json").stdout)
            assert (run["place"], run["engine"]) == ("remote", None)
            assert all(one["prompt_speed"] > 0 and one["total_speed"] > 0 for one in run["results"])
            assert server.end().status == 0
    finally:
        elsewhere.end_all()
