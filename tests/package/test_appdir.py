"""The AppDir: a folder that runs where it lies, for a user who may write nothing there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.desktop.x11 import Display
from tests.package.debian_system import DebianSystem
from tests.package.machine import running
from tests.process.cli import until


def test_appdir_on_a_read_only_place_opens_its_window(
    prepared_system: DebianSystem, packages: Path, display: Display
) -> None:
    with running(prepared_system, packages / "Llamero.AppDir") as machine:
        assert machine.run("touch", "/mnt/here").returncode != 0
        done = machine.run("/mnt/AppRun", "--selftest", environment={"DISPLAY": display.name})
        report = json.loads(done.stdout.splitlines()[-1])
        assert (done.returncode, report["ok"], report["loaded"]) == (0, True, True), done.stderr
        until(lambda: not machine.processes(), 5.0, "every process of the app has ended")


def test_appdir_has_at_its_top_what_a_file_manager_looks_for(packages: Path) -> None:
    appdir = packages / "Llamero.AppDir"
    assert (appdir / "llamero.desktop").read_bytes().startswith(b"[Desktop Entry]")
    for image in (appdir / ".DirIcon", appdir / "llamero.png"):
        assert image.read_bytes().startswith(b"\x89PNG")
