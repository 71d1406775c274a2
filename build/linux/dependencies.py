"""Which Debian packages the bundle's programs need from the system.

What every executable and library is linked to is read from its dynamic section; what the bundle brings is taken away;
the machine that builds says which package has the rest. So the machine that builds has to be the oldest one that is to
be supported, and has to have those packages. Only the C library gets a version, since its symbols carry theirs: it is
what decides on how old a system the bundle runs. (dpkg-shlibdeps finds the same packages, and takes four minutes.)
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

# What is loaded by name and therefore linked by nothing: OpenGL's dispatch libraries, which pick the driver.
LOADED_BY_NAME = ("libegl1", "libgl1")
# What makes a window read well and links open; any desktop has it.
RECOMMENDED = ("fonts-dejavu-core | fonts-freefont-ttf", "hicolor-icon-theme", "shared-mime-info", "xdg-utils")
# Keeps the keys of remote servers; without it they are in a file for the user alone.
SUGGESTED = ("gnome-keyring | kwalletmanager",)
_ELF = b"\x7fELF"
_NEEDED = re.compile(r"^  NEEDED +(\S+)$", re.MULTILINE)
_GLIBC = re.compile(r" GLIBC_(\d+)\.(\d+)(?:\.\d+)?$", re.MULTILINE)
_LOADER = re.compile(r"ld-linux.*\.so\.\d+|linux-vdso\.so\.\d+")
_CACHED = re.compile(r"^\t(\S+) \((?:libc6|ELF),(?:x86-64|AArch64)\b.*\) => (\S+)$", re.MULTILINE)


def needed_packages(bundle: Path) -> tuple[str, ...]:
    """Return the value of `Depends`, one relation per element, sorted.

    Raises SystemExit when a library is neither in the bundle nor on this machine, or belongs to no package.
    """
    names = {path.name for path in bundle.rglob("*")}
    text = _dynamic_sections(path for path in sorted(bundle.rglob("*")) if _is_elf(path))
    wanted = {name for name in _NEEDED.findall(text) if name not in names and not _LOADER.fullmatch(name)}
    places = _library_places()
    missing = sorted(wanted - places.keys())
    if missing:
        raise SystemExit(f"The bundle needs what is neither in it nor on this machine: {', '.join(missing)}")
    packages = {_package_of(places[name]) for name in wanted}
    glibc = max((int(major), int(minor)) for major, minor in _GLIBC.findall(text))
    packages = {f"libc6 (>= {glibc[0]}.{glibc[1]})" if name == "libc6" else name for name in packages}
    return tuple(sorted({*packages, *LOADED_BY_NAME}))


def _dynamic_sections(programs: Iterable[Path]) -> str:
    command = ["objdump", "--private-headers", *map(str, programs)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _library_places() -> dict[str, str]:
    """Where the loader of this machine finds each library."""
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return dict(reversed(_CACHED.findall(listing)))


def _package_of(library: str) -> str:
    """The package that has a library, whether it still calls its place `/lib` or already `/usr/lib`."""
    for place in (library, f"/usr{library}", library.removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "--search", place], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.partition(":")[0]
    raise SystemExit(f"{library} belongs to no package; the bundle has to bring it along, or do without.")


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
