"""What `build/package.py` can make on Linux, by the words that ask for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from linux.appimage import write_appdir, write_appimage
from linux.deb import write_deb
from linux.product import Product, debian_architecture, source_moment
from linux.tarball import write_tarball
from llamero import __version__

Writer = Callable[[Product, Path], Path]
# The AppImage is not among what `linux` makes, as what wraps it is only to be had where releases are made.
KINDS: dict[str, tuple[tuple[Writer, ...], str]] = {
    "linux": ((write_deb, write_tarball, write_appdir), "the three that follow"),
    "deb": ((write_deb,), "a package for Debian and its relatives"),
    "tar": ((write_tarball,), "an archive with install.sh, for one user or anywhere"),
    "appdir": ((write_appdir,), "a folder that runs from where it lies"),
    "appimage": ((write_appimage,), "that folder as one file; needs appimagetool"),
}


def add_commands(kinds: argparse._SubParsersAction[argparse.ArgumentParser], windows: tuple[str, ...]) -> None:
    """Add a command for every kind."""
    for kind, (_, meaning) in KINDS.items():
        parser = kinds.add_parser(kind, help=meaning)
        parser.add_argument("--bundle", type=Path, metavar="DIR", help="a bundle that is there (make one)")
        parser.add_argument("--window", choices=windows, default="qt", help="as for bundle")
        parser.add_argument(
            "--machine", metavar="NAME", help="x86_64 or aarch64, where the bundle is for another (this)"
        )


def make(options: argparse.Namespace, bundle: Callable[[str], Path], folder: Path) -> list[Path]:
    """Make what was asked for in `folder`, and return where it lies."""
    found = options.bundle.resolve() if options.bundle else bundle(options.window)
    product = Product(found, __version__, debian_architecture(options.machine), source_moment())
    return [write(product, folder) for write in KINDS[options.kind][0]]
