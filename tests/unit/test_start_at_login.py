"""The entry that starts Llamero at login: real files for Linux and macOS, a small registry for Windows."""

from __future__ import annotations

import json
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llamero.infrastructure.start_at_login import (
    RUN_KEY,
    RunKey,
    StartAtLogin,
    desktop_entry,
    login_command,
    start_at_login,
)

COMMAND = ("/opt/Llamero/llamero", "--background")
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return tmp_path / ".config" / "autostart" / "llamero.desktop"


def test_entry_of_linux_is_written_and_removed(tmp_path: Path, entry: Path) -> None:
    login = start_at_login(COMMAND, "linux", tmp_path, {})
    login.apply(True)
    assert 'Exec="/opt/Llamero/llamero" "--background"\n' in entry.read_text()
    if validate := shutil.which("desktop-file-validate"):
        assert subprocess.run([validate, entry], capture_output=True, text=True, check=False).stdout == ""
    login.apply(False)
    assert not entry.exists()
    login.apply(False)


def test_entry_of_an_older_place_is_written_anew(tmp_path: Path, entry: Path) -> None:
    start_at_login(("/old/llamero",), "linux", tmp_path, {}).apply(True)
    start_at_login(COMMAND, "linux", tmp_path, {}).apply(True)
    assert "/opt/Llamero/llamero" in entry.read_text()


def test_entry_that_the_desktop_has_made_is_left_alone(tmp_path: Path, entry: Path) -> None:
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nExec=llamero\n")
    for wanted in (True, False):
        start_at_login(COMMAND, "linux", tmp_path, {}).apply(wanted)
        assert entry.read_text() == "[Desktop Entry]\nExec=llamero\n"


def test_entry_goes_where_the_user_keeps_configuration(tmp_path: Path) -> None:
    start_at_login(COMMAND, "linux", tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "mine")}).apply(True)
    assert (tmp_path / "mine" / "autostart" / "llamero.desktop").is_file()
    start_at_login(COMMAND, "linux", tmp_path, {"XDG_CONFIG_HOME": "relative"}).apply(True)
    assert (tmp_path / ".config" / "autostart" / "llamero.desktop").is_file()


def test_entries_of_two_data_directories_are_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        start_at_login((*COMMAND, "--data-dir", folder), "linux", tmp_path, {}).apply(True)
    assert len(list((tmp_path / ".config" / "autostart").iterdir())) == 2


@pytest.mark.skipif(not Path(SYSTEM_PYTHON).is_file(), reason="this system has no Python of its own")
def test_entry_with_any_path_starts_exactly_that(tmp_path: Path) -> None:
    """GLib reads the line as desktops do."""
    script, told = tmp_path / "tell.py", tmp_path / "told.json"
    script.write_text("import json, sys\njson.dump(sys.argv[2:], open(sys.argv[1], 'w'))\n")
    words = ["--data-dir", "/home/a b/100%/“ü”", 'a"b', "c\\d", "$HOME", "`id`", "e'f", "--background"]
    file = tmp_path / "llamero.desktop"
    file.write_text(desktop_entry([sys.executable, str(script), str(told), *words]))
    launch = (
        "import sys, gi; from gi.repository import Gio, GLib\n"
        "flags = GLib.SpawnFlags.DO_NOT_REAP_CHILD | GLib.SpawnFlags.SEARCH_PATH\n"
        "loop, pids = GLib.MainLoop(), []\n"
        "info = Gio.DesktopAppInfo.new_from_filename(sys.argv[1])\n"
        "info.launch_uris_as_manager([], None, flags, None, None, lambda info, pid, data: pids.append(pid), None)\n"
        "import os; [os.waitpid(pid, 0) for pid in pids]\n"
    )
    done = subprocess.run([SYSTEM_PYTHON, "-c", launch, file], capture_output=True, text=True, timeout=30, check=False)
    if "No module named 'gi'" in done.stderr:
        pytest.skip("this system has no PyGObject")
    assert done.returncode == 0, done.stderr
    assert json.loads(told.read_text()) == words


def test_entry_of_macos_is_a_launch_agent(tmp_path: Path) -> None:
    login = start_at_login(COMMAND, "darwin", tmp_path, {})
    login.apply(True)
    file = tmp_path / "Library" / "LaunchAgents" / "llamero.plist"
    agent = plistlib.loads(file.read_bytes())
    assert (agent["Label"], agent["ProgramArguments"], agent["RunAtLoad"]) == ("llamero", list(COMMAND), True)
    login.apply(False)
    assert not file.exists()


class Registry:
    """What of `winreg` is used, in memory."""

    HKEY_CURRENT_USER, REG_SZ = "HKCU", 1

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def CreateKey(self, root: str, path: str) -> Any:  # noqa: N802
        assert (root, path) == ("HKCU", RUN_KEY)
        return self

    OpenKey = CreateKey

    def __enter__(self) -> SimpleNamespace:
        return SimpleNamespace()

    def __exit__(self, *error: object) -> None:
        return None

    def QueryValueEx(self, key: object, name: str) -> tuple[str, int]:  # noqa: N802
        if name not in self.values:
            raise FileNotFoundError(name)
        return self.values[name], self.REG_SZ

    def SetValueEx(self, key: object, name: str, reserved: int, kind: int, value: str) -> None:  # noqa: N802
        self.values[name] = value

    def DeleteValue(self, key: object, name: str) -> None:  # noqa: N802
        del self.values[name]


def test_entry_of_windows_is_a_value_of_the_run_key() -> None:
    registry = Registry()
    login = StartAtLogin(RunKey("llamero", registry), subprocess.list2cmdline(["C:\\My Programs\\llamero.exe", "-b"]))
    login.apply(False)
    login.apply(True)
    assert registry.values == {"llamero": '"C:\\My Programs\\llamero.exe" -b'}
    login.apply(False)
    assert registry.values == {}


def test_command_of_an_appimage_is_its_own_file_and_names_the_data_directory(tmp_path: Path) -> None:
    assert login_command(None, {"APPIMAGE": "/home/a/Llamero.AppImage"}) == ("/home/a/Llamero.AppImage", "--background")
    assert login_command(tmp_path, {})[-3:] == ("--data-dir", str(tmp_path), "--background")
