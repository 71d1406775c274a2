"""Debian as it comes, in a folder: made by debootstrap once, and copied for every test that wants one.

Where packages come from is what the machine's own apt is set up with, and is asked at run time. Needs root,
debootstrap, and for the first time a network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

SUITE = "bookworm"
USER, USER_ID = "ada", 1000
# Kept between runs. The archive is of this form; a changed recipe gets a new number.
_CACHE = Path(__file__).resolve().parent.parent / "artifacts" / "debian"
_BASE = f"{SUITE}-1"
_FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CODENAME) $(ORIGIN)"
# Nothing asks, nothing is started, nothing is synced to a disk that is thrown away.
_APT = ("apt-get", "--yes", "--quiet", "--no-install-recommends", "-o", "Dpkg::Options::=--force-unsafe-io")


class DebianSystem:
    """The file tree of a machine that does not run. `machine.running` starts it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def home(self) -> Path:
        """The home of the one ordinary user."""
        return self.root / "home" / USER

    def install(self, *packages: str | Path) -> str:
        """Have apt install packages by name, or from files with all that they depend on; returns what apt wrote."""
        names = []
        for package in packages:
            if isinstance(package, Path):
                shutil.copy(package, self.root / "tmp")
                names.append(f"/tmp/{package.name}")
            else:
                names.append(package)
        output = self._apt("install", *names)
        for package in packages:
            if isinstance(package, Path):
                (self.root / "tmp" / package.name).unlink()
        return output

    def purge(self, package: str) -> str:
        """Have apt remove a package and its settings; what it depended on stays."""
        return self._apt("purge", package)

    def run(self, *command: str) -> str:
        """Run a command of this system as its root."""
        return _within(self.root, command)

    def _apt(self, *arguments: str) -> str:
        return _within(self.root, (*_APT, *arguments))


@contextmanager
def debian_system(folder: Path) -> Iterator[DebianSystem]:
    """A fresh system below `folder`, which is taken away at the end."""
    root = folder / "debian"
    root.mkdir(parents=True)
    try:
        subprocess.run(["tar", "--extract", "--file", _base(), "--directory", root, "--numeric-owner"], check=True)
        (root / "tmp/.X11-unix").mkdir(mode=0o1777)  # where a display is, once the machine runs
        yield DebianSystem(root)
    finally:
        subprocess.run(["rm", "-rf", root], check=True)


def _base() -> Path:
    """The archive that systems are copied from, made where there is none."""
    if os.geteuid() != 0:
        pytest.fail("a Debian system is made by root: run the tests as root")
    archive = _CACHE / f"{_BASE}.tar"
    if not archive.exists():
        root = _CACHE / f"{_BASE}.making"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        sources = list(_sources())
        mirror = next(uri for uri, release, _ in sources if release == SUITE)
        # In a namespace of its own: what it mounts is gone with it, also when it is killed on the way.
        alone = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        command = [*alone, "debootstrap", "--variant=minbase", SUITE, str(root), mirror]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=600, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        _set_up(root, sources)
        partial = archive.with_suffix(".partial")
        subprocess.run(["tar", "--create", "--file", partial, "--directory", root, "--numeric-owner", "."], check=True)
        partial.rename(archive)
        subprocess.run(["rm", "-rf", root], check=True)
    return archive


def _set_up(root: Path, sources: Sequence[tuple[str, str, str]]) -> None:
    """What every machine has that somebody uses: names, a user, somewhere to get packages."""
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    lines = (f"deb {uri} {release} {component}\n" for uri, release, component in sources)
    (root / "etc/apt/sources.list").write_text("".join(lines))
    settings = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, encoding="utf-8", check=True)
    (root / "etc/apt/apt.conf.d/99machine").write_text(settings.stdout)
    _within(root, ("useradd", "--create-home", "--uid", str(USER_ID), "--shell", "/bin/sh", USER))
    # What any desktop has, and what the caches of desktops are kept by.
    _within(root, (*_APT[:1], "--quiet", "update"))
    _within(
        root, (*_APT, "install", "desktop-file-utils", "shared-mime-info", "hicolor-icon-theme", "fonts-dejavu-core")
    )


def _sources() -> Iterator[tuple[str, str, str]]:
    """Address, release and component of every Debian archive of this suite that the machine's apt uses."""
    command = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    listing = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    for line in sorted(set(listing.splitlines())):
        parts = re.fullmatch(rf"(\S+) ({SUITE}\S*) (\S+) \S+ Debian(?:-Security)?", line)
        if parts:
            yield parts[1], parts[2], parts[3]


def _within(root: Path, command: Sequence[str]) -> str:
    """Run a command in a tree with the network and the devices of this machine, and the packages of earlier runs."""
    packages = _CACHE / "packages"
    (packages / "partial").mkdir(parents=True, exist_ok=True)
    script = f"""set -e
        mount --make-rprivate /
        mount -t proc proc "{root}/proc"
        mount --rbind /dev "{root}/dev"
        mount --bind "{packages}" "{root}/var/cache/apt/archives"
        exec chroot "{root}" "$@"
    """
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", *command],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
