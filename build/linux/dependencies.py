"""Which Debian packages the bundle's programs need from the system.

What every executable and library is linked to is read from its dynamic section; what the bundle brings is taken away;
the machine that builds says which package has the rest. So the machine that builds has to be the oldest one that is to
be supported, and has to have those packages. Only the C library gets a version, since its symbols carry theirs: it is
what decides on how old a system the bundle runs. (dpkg-shlibdeps finds the same packages, and takes four minutes.)

Engines that come along besides the embedded one need more, such as Vulkan's loader or an NVIDIA driver, and are passed
over where they do not start. So theirs is recommended, as far as this machine knows of it, and never depended on.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from linux.programs import dynamic_sections
from llamero.infrastructure.llama.bundled import FOLDER_NAME

# What is loaded by name and therefore linked by nothing: OpenGL's dispatch libraries, which pick the driver.
LOADED_BY_NAME = ("libegl1", "libgl1")
# What makes a window read well and links open; any desktop has it.
RECOMMENDED = ("fonts-dejavu-core | fonts-freefont-ttf", "hicolor-icon-theme", "shared-mime-info", "xdg-utils")
# Keeps the keys of remote servers; without it they are in a file for the user alone.
SUGGESTED = ("gnome-keyring | kwalletmanager",)
_NEEDED = re.compile(r"^  NEEDED +(\S+)$", re.MULTILINE)
_GLIBC = re.compile(r" GLIBC_(\d+)\.(\d+)(?:\.\d+)?$", re.MULTILINE)
_LOADER = re.compile(r"ld-linux.*\.so\.\d+|linux-vdso\.so\.\d+")
_CACHED = re.compile(r"^\t(\S+) \((?:libc6|ELF),(?:x86-64|AArch64)\b.*\) => (\S+)$", re.MULTILINE)


def needed_packages(bundle: Path) -> tuple[str, ...]:
    """Return the value of `Depends`, one relation per element, sorted.

    Raises SystemExit when a library is neither in the bundle nor on this machine, or belongs to no package.
    """
    engines = bundle / FOLDER_NAME
    own = [path for path in sorted(bundle.rglob("*")) if not path.is_relative_to(engines)]
    text = dynamic_sections(own)
    wanted = _wanted(text, own)
    places = _library_places()
    missing = sorted(wanted - places.keys())
    if missing:
        raise SystemExit(f"The bundle needs what is neither in it nor on this machine: {', '.join(missing)}")
    packages = {_package_of(places[name]) for name in wanted}
    glibc = max((int(major), int(minor)) for major, minor in _GLIBC.findall(text))
    packages = {f"libc6 (>= {glibc[0]}.{glibc[1]})" if name == "libc6" else name for name in packages}
    return tuple(sorted({*packages, *LOADED_BY_NAME}))


def recommended_packages(bundle: Path) -> tuple[str, ...]:
    """Return the value of `Recommends`: what every bundle is better with, and what its engines are linked to."""
    paths = sorted((bundle / FOLDER_NAME).rglob("*"))
    places = _library_places() if paths else {}
    wanted = _wanted(dynamic_sections(paths), paths) & places.keys() if paths else set()
    linked = {_package_of(places[name]) for name in wanted} - {"libc6"}
    return (*RECOMMENDED, *sorted(linked))


def _wanted(sections: str, paths: Iterable[Path]) -> set[str]:
    """The libraries that are linked to and not among these."""
    names = {path.name for path in paths}
    return {name for name in _NEEDED.findall(sections) if name not in names and not _LOADER.fullmatch(name)}


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
