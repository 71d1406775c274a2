"""A Windows to install into, played by Wine in a prefix of the test's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

WINE = shutil.which("wine64") or next((str(path) for path in (Path("/usr/lib/wine/wine64"),) if path.exists()), None)
_WAIT_S = 60.0


class Windows:
    """One Windows 10. Files are found below `drive`, its C:."""

    def __init__(self, prefix: Path) -> None:
        assert WINE is not None
        self.drive = prefix / "drive_c"
        # Neither Wine's own browser nor .NET, and no entries in this machine's menus.
        disabled = "mscoree,mshtml,winemenubuilder.exe="
        self._environment = {
            **os.environ, "WINEPREFIX": str(prefix), "WINEARCH": "win64", "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": disabled, "DISPLAY": "", "USER": "person", "LOGNAME": "person",
        }  # fmt: skip

    def start(self) -> None:
        self.run("wineboot", "-i", check=False)
        self.be_version("win10")

    def be_version(self, version: str) -> None:
        self.run("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", version, "/f")

    @property
    def local_data(self) -> Path:
        """%LOCALAPPDATA%."""
        return next((self.drive / "users").glob("*/AppData/Local"))

    @property
    def start_menu(self) -> Path:
        return self.local_data.parent / "Roaming/Microsoft/Windows/Start Menu/Programs"

    def run(self, program: Path | str, *arguments: str, check: bool = True) -> int:
        """Run a program to its end, and return its exit status."""
        done = subprocess.run(self._command(program, arguments), env=self._environment, timeout=_WAIT_S,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        assert not check or done.returncode == 0, f"{program} {arguments}: {done.returncode}"
        return done.returncode

    @contextmanager
    def running(self, program: Path) -> Iterator[None]:
        process = subprocess.Popen(
            self._command(program, ()), env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            process.kill()
            process.communicate()

    def registry(self, key: str) -> dict[str, str]:
        """Every value below a key: `subkey\\name` → text; `(Default)` is the unnamed one. Empty without the key."""
        done = subprocess.run(
            self._command("reg", ("query", key, "/s")), env=self._environment, capture_output=True, timeout=_WAIT_S
        )
        found, place = {}, ""
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            value = re.match(r"\s+(.+?)\s+REG_(?:SZ|DWORD|EXPAND_SZ)\s*(.*)", line)
            if value:
                found[str(PureWindowsPath(place, value[1]))] = value[2].strip()
            elif line.startswith("HKEY_"):
                place = line.strip().partition(key.partition("\\")[2])[2].strip("\\")
        return found

    def end(self) -> None:
        """End whatever runs in this Windows, and wait for it."""
        server = shutil.which("wineserver64") or "/usr/lib/wine/wineserver64"
        subprocess.run([server, "-k", "-w"], env=self._environment, timeout=_WAIT_S, check=False)

    @staticmethod
    def _command(program: Path | str, arguments: tuple[str, ...]) -> list[str]:
        assert WINE is not None
        return [WINE, str(program), *arguments]


def make_program(path: Path, script: str) -> None:
    """Make a small program for Windows, by NSIS: it runs these lines of NSIS script, silently."""
    source = textwrap.dedent(f"""\
        Unicode true
        Target amd64-unicode
        OutFile "{path}"
        RequestExecutionLevel user
        SilentInstall silent
        Section
        {script}
        SectionEnd
        """)
    subprocess.run(["makensis", "-V1", "-"], input=source.encode(), check=True)
