"""Llamero started when its user logs in: one entry where each system looks for such things, written and removed by us.

Linux: a desktop entry in the user's autostart folder (freedesktop.org's Desktop Application Autostart Specification).
macOS: a launch agent (launchd.plist(5)). Windows: a value below the user's `Run` key. An entry that is not ours, such
as one that the desktop's own settings have made, is left alone.
"""

from __future__ import annotations

import hashlib
import importlib
import plistlib
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from llamero.infrastructure.private_file import read_private_file, write_private_file

BACKGROUND = "--background"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
_OURS = "X-Llamero-Start-At-Login=true"
# What the Desktop Entry Specification has escaped inside quotes.
_ESCAPED = str.maketrans({char: f"\\{char}" for char in '\\"`$'})


class LoginPlace(Protocol):
    """Where a system keeps what is started at login. Each raises OSError where that cannot be."""

    def read(self) -> str | None:
        """What stands there, None for nothing. What is not ours reads as it is."""

    def write(self, content: str) -> None:
        """Put it there."""

    def remove(self) -> None:
        """Take it away."""


class StartAtLogin:
    """The entry for one command."""

    def __init__(self, place: LoginPlace, content: str, is_ours: Callable[[str], bool] = lambda _: True) -> None:
        self._place = place
        self._content = content
        self._is_ours = is_ours

    def apply(self, wanted: bool) -> None:
        """Let the entry be there, current, or not. Blocks. Raises OSError."""
        there = self._place.read()
        if there is not None and not self._is_ours(there):
            return
        if wanted and there != self._content:
            self._place.write(self._content)
        elif not wanted and there is not None:
            self._place.remove()


def start_at_login(command: Sequence[str], system: str, home: Path, environment: Mapping[str, str]) -> StartAtLogin:
    """The entry of a system for a command; `system` is as `sys.platform` has it."""
    name = f"llamero{_suffix(command)}"
    if system == "win32":
        return StartAtLogin(RunKey(name), subprocess.list2cmdline(command))
    if system == "darwin":
        return StartAtLogin(EntryFile(home / "Library" / "LaunchAgents" / f"{name}.plist"), launch_agent(name, command))
    config = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(config) if Path(config).is_absolute() else home / ".config"
    return StartAtLogin(EntryFile(folder / "autostart" / f"{name}.desktop"), desktop_entry(command), _is_our_entry)


def login_command(data_dir: Path | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    """How this program is started again: an AppImage by its own file, a package by its executable."""
    if image := environment.get("APPIMAGE"):
        program: tuple[str, ...] = (image,)
    elif getattr(sys, "frozen", False):
        program = (sys.executable,)
    else:
        program = (sys.executable, "-m", "llamero")
    where = () if data_dir is None else ("--data-dir", str(data_dir.absolute()))
    return (*program, *where, BACKGROUND)


def desktop_entry(command: Sequence[str]) -> str:
    """The text of an autostart entry."""
    line = " ".join(_quoted(word) for word in command)
    return f"[Desktop Entry]\nType=Application\nName=Llamero\nIcon=llamero\nTerminal=false\nExec={line}\n{_OURS}\n"


def launch_agent(label: str, command: Sequence[str]) -> str:
    """The text of a launch agent."""
    content = {"Label": label, "ProgramArguments": list(command), "RunAtLoad": True, "ProcessType": "Interactive"}
    return plistlib.dumps(content).decode("utf-8")


class EntryFile:
    """See `LoginPlace`: a file of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str | None:
        """The file's text."""
        content = read_private_file(self.path)
        return None if content is None else content.decode("utf-8", "replace")

    def write(self, content: str) -> None:
        """Replace the file."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private_file(self.path, content.encode("utf-8"), 0o644)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


class RunKey:
    """See `LoginPlace`: a value of the registry. `registry` is the module `winreg`."""

    def __init__(self, name: str, registry: Any = None) -> None:
        self._name = name
        self._registry: Any = registry or importlib.import_module("winreg")

    def read(self) -> str | None:
        """The value."""
        try:
            with self._registry.OpenKey(self._registry.HKEY_CURRENT_USER, RUN_KEY) as key:
                return str(self._registry.QueryValueEx(key, self._name)[0])
        except FileNotFoundError:
            return None

    def write(self, content: str) -> None:
        """Set the value."""
        with self._registry.CreateKey(self._registry.HKEY_CURRENT_USER, RUN_KEY) as key:
            self._registry.SetValueEx(key, self._name, 0, self._registry.REG_SZ, content)

    def remove(self) -> None:
        """Delete the value."""
        with self._registry.CreateKey(self._registry.HKEY_CURRENT_USER, RUN_KEY) as key:
            self._registry.DeleteValue(key, self._name)


def _is_our_entry(content: str) -> bool:
    return _OURS in content


def _suffix(command: Sequence[str]) -> str:
    """Two data directories do not share an entry; the usual one needs no name of its own."""
    if "--data-dir" not in command:
        return ""
    return "-" + hashlib.sha256(command[command.index("--data-dir") + 1].encode()).hexdigest()[:8]


def _quoted(word: str) -> str:
    """A word of an `Exec` line: quoted as the specification says, then escaped once more as every string value is."""
    escaped = word.translate(_ESCAPED).replace("%", "%%")
    return f'"{escaped}"'.replace("\\", "\\\\")
