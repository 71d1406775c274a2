"""What the command answers at once, and how it starts in its other roles."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamero import __version__
from llamero.infrastructure.build_info import version_text
from tests.fakes.launch import REPOSITORY
from tests.process.cli import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-m", "llamero"], [str(Path(sys.executable).with_name("llamero"))]],
    ids=["-m", "script"],
)
def test_cli_version_is_one_line(command: list[str]) -> None:
    done = subprocess.run([*command, "--version"], capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == (f"llamero {version_text()}\n", "")
    assert done.stdout.startswith(f"llamero {__version__} (")
    assert done.stdout.endswith("source)\n")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["serve", "--help"], ["sing"]], ids=" ".join)
def test_cli_that_only_answers_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "llamero", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "llamero.cli" in imported
    assert not imported & {"aiohttp", "asyncio", "msgspec", "psutil", "xllamacpp", "fluent.runtime", "sqlite3"}


def test_cli_serve_imports_no_engine_and_no_message_catalogue_before_it_is_needed() -> None:
    """Either would cost a good part of the start, and the first some 100 MB of memory."""
    code = "import sys, llamero.commands.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert not set(done.stdout.split()) & {"xllamacpp", "fluent.runtime", "babel", "pynvml", "platformdirs"}


def test_cli_global_options_may_stand_before_and_behind_the_command(tmp_path: Path) -> None:
    for position in (0, 1):
        data = tmp_path / str(position)
        arguments = ["doctor"]
        arguments[position:position] = ["--data-dir", str(data)]
        command = [sys.executable, "-m", "llamero", *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=REPOSITORY)
        assert str(data) in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["doctor"]], ids=" ".join)
def test_cli_reader_that_has_gone_is_no_reason_to_complain(arguments: list[str], home: Home) -> None:
    process = subprocess.Popen(
        home.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=home.environment()
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(20) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["--version"], ["doctor"], ["run", "demo", "Hello"]], ids=" ".join)
def test_cli_output_to_a_full_disk_says_so(arguments: list[str], home: Home) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            home.command(*arguments),
            stdout=full,
            stderr=subprocess.PIPE,
            env=home.environment(),
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("llamero: input/output error: No space left on device; free disk")
    assert "Traceback" not in done.stderr
    assert home.members() == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_cli_works_without_standard_streams(closed: str, home: Home, demo_model: Path) -> None:
    command = shlex.join(home.command("run", demo_model, "Hello"))
    assert subprocess.run(["sh", "-c", f"{command} {closed}"], env=home.environment(), check=False).returncode == 0
    assert home.members() == []


def test_cli_in_the_role_of_the_embedded_engine_is_the_engine(home: Home) -> None:
    command = [sys.executable, "-m", "llamero", "--embedded-engine", "--no-such-flag"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "invalid argument: --no-such-flag" in done.stderr


def test_cli_in_the_role_of_the_guardian_waits_for_the_end_of_its_app() -> None:
    command = [sys.executable, "-m", "llamero", "--guardian", "0" * 32]
    done = subprocess.run(command, input=b"bye\n", capture_output=True, check=False, timeout=10)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_cli_log_has_what_was_asked_for(home: Home, demo_model: Path) -> None:
    log = home.data / "logs" / "llamero.log"
    assert home.run("--log-level", "error", "run", demo_model, "Hello").status == 0
    assert log.read_text() == ""
    assert home.run("run", demo_model, "Hello", "--log-level", "debug").status == 0
    assert "llamero.engine" in log.read_text()
