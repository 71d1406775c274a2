"""The bundle where starting is hard: started by an ordinary user, from a place with an odd name where it may not write.

It has the system's commands, no Python, and no home unless a test gives it one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.desktop.x11 import Display, virtual_display
from tests.fakes.unprivileged import NOBODY, reachable_directory
from tests.process.cli import FAMILY, Chat, Home, until

LIMIT_S = 60.0
# The tests of processes hold it to one second; here a browser ends, too, on a machine that has just built a package.
GONE_S = 5.0


class Installed(Home):
    """The bundle in its place, and an ordinary user with a directory of their own."""

    def __init__(self, program: Path, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory
        self.program = program
        self.variables = {"PATH": "/usr/bin:/bin", "HOME": str(directory), FAMILY: self._mark}

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**self.variables, **(extra or {})}

    def command(self, *arguments: str | Path) -> list[str]:
        prefix = []
        if os.geteuid() == 0:
            prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        return [*prefix, str(self.program), *map(str, arguments)]

    def ended(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run to the end, and check that whatever went wrong was told as a person can read it."""
        command, environment = self.command(*arguments), self.environment(variables)
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", env=environment, cwd="/", timeout=LIMIT_S, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr
        assert "unexpected" not in done.stderr
        return done

    @contextmanager
    def started(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=self.environment(variables),
            cwd="/",
        )
        try:
            yield process
        finally:
            self.end_all()
            process.communicate()


@pytest.fixture(scope="module")
def program(bundle: Path) -> Iterator[Path]:
    """The bundle's program, in a folder that its user may read and not change."""
    with reachable_directory() as directory:
        place = directory / "Zoë’s Programme (βeta)" / "llamero"
        shutil.copytree(bundle, place, symlinks=True, copy_function=_link)
        folders = [folder for folder in (place, *place.rglob("*")) if folder.is_dir() and not folder.is_symlink()]
        for folder in folders:
            folder.chmod(0o555)
        yield place / "llamero"
        for folder in folders:
            folder.chmod(0o755)


@pytest.fixture
def installed(program: Path) -> Iterator[Installed]:
    with reachable_directory() as directory:
        home = directory / "home"
        home.mkdir()
        if os.geteuid() == 0:
            os.chown(home, NOBODY, NOBODY)
        installed = Installed(program, home)
        yield installed
        installed.end_all()


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    with virtual_display() as shown:
        yield shown


def test_bundle_from_an_odd_and_read_only_place_finds_nothing_wrong(installed: Installed) -> None:
    done = installed.ended("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ Engine" in done.stdout
    assert "✓ Database" in done.stdout


def test_bundle_answers_with_the_model_and_the_engine_that_it_brings(installed: Installed) -> None:
    done = installed.ended("run", "demo", "Hello")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.split()) > 5
    assert installed.members() == []


def test_bundle_shows_its_page_without_a_message_bus(installed: Installed, display: Display) -> None:
    done = installed.ended(
        "--selftest",
        DISPLAY=display.name,
        LLAMERO_GUI="qt",
        DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere",
        XDG_RUNTIME_DIR="/nowhere",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["ok"], report["renderer"]) == (True, "qtwebengine")
    until(lambda: installed.members() == [], GONE_S)


def test_bundle_without_a_display_says_so_and_serves_the_page_to_a_browser(installed: Installed) -> None:
    with installed.started() as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert "no display" in lines[0]
        assert any("http://127.0.0.1:" in line for line in lines)
        os.kill(_program_of(installed, process), signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0


def test_bundle_that_must_show_a_window_and_cannot_leaves_with_a_status(installed: Installed) -> None:
    done = installed.ended("--selftest")
    assert done.returncode == 1
    assert "no display" in done.stderr


@pytest.mark.parametrize("home", ["unset", "missing", "read-only"])
@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("run", "demo", "Hello"), ("doctor",)], ids=" ".join)
def test_bundle_without_a_home_to_write_to_says_what_is_missing(
    home: str, arguments: tuple[str, ...], installed: Installed
) -> None:
    if home == "unset":
        del installed.variables["HOME"]
    elif home == "missing":
        installed.variables["HOME"] = "/nowhere/at/all"
    else:
        installed.directory.chmod(0o555)
        if os.geteuid() == 0:
            os.chown(installed.directory, 0, 0)
    done = installed.ended(*arguments)
    assert done.returncode == 1
    if arguments == ("doctor",):
        assert "✗ Data" in done.stdout
    else:
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("llamero: ")
        assert "--data-dir" in done.stderr


def test_bundle_in_the_role_of_the_engine_ends_with_0_when_it_is_told_to_while_streaming(installed: Installed) -> None:
    model = installed.program.parent / "_internal" / "llamero" / "assets" / "demo.gguf"
    with tempfile.TemporaryFile("w+") as log:
        engine = subprocess.Popen(
            installed.command("--embedded-engine", "--model", model, "--port", "0"),
            stderr=log,
            env=installed.environment(),
            cwd="/",
        )
        try:
            chat = Chat(until(lambda: _port_in(log.fileno()), LIMIT_S), "demo", max_tokens=100_000, ignore_eos=True)
            events = iter(chat)
            next(events)
            next(events)
            os.kill(_program_of(installed, engine), signal.SIGTERM)
            assert engine.wait(LIMIT_S) == 0
            chat.close()
        finally:
            engine.kill()
            engine.wait()


def test_bundle_that_is_killed_leaves_nothing_running(installed: Installed) -> None:
    with installed.started("serve", "--port", "0") as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        chat = Chat(port, "demo", max_tokens=100_000, ignore_eos=True)
        next(iter(chat))
        assert len(installed.members()) >= 3, "the program, its guardian and an engine"
        os.kill(_program_of(installed, process), signal.SIGKILL)
        until(lambda: installed.members() == [], GONE_S)
        chat.close()


def test_bundle_starts_other_programs_with_the_users_own_libraries(installed: Installed) -> None:
    """Else the user's `llama-server`, browser or `nvidia-smi` would load libraries that are not theirs."""
    folder, shown = installed.directory / "bin", installed.directory / "shown"
    folder.mkdir()
    server = folder / "llama-server"
    server.write_text(f"#!/bin/sh\nenv > '{shown}'\necho version: 1\n")
    server.chmod(0o755)
    installed.ended("doctor", PATH=f"{folder}:/usr/bin:/bin", LD_LIBRARY_PATH="/of/the/user")
    variables = dict(line.partition("=")[::2] for line in shown.read_text().splitlines())
    assert variables["LD_LIBRARY_PATH"] == "/of/the/user"
    assert [name for name in variables if name.startswith(("_PYI", "LD_LIBRARY_PATH_", "QT_", "QML"))] == []


def test_bundle_brings_the_terms_of_all_that_it_contains(bundle: Path) -> None:
    text = (bundle / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    for name in ("aiohttp ", "katex ", "llama.cpp ", "OpenSSL ", "pyside6-essentials ", "Python "):
        assert f"\n{name}" in text


def _link(source: str, target: str) -> None:
    """A second name where the file system allows, since the bundle is large."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _program_of(installed: Installed, process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> int:
    """`setpriv` becomes the program that it starts, so they are one process."""
    assert process.pid in installed.members()
    return process.pid


def _port_in(log: int) -> int:
    text = os.pread(log, 1 << 20, 0).decode(errors="replace")
    _, listening, rest = text.partition("server is listening on http://127.0.0.1:")
    return int(rest.split()[0]) if listening and "\n" in rest else 0
