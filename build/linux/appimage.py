"""The AppDir, and the AppImage that it becomes: one file that runs where it lies, and needs no installing.

An AppDir runs by itself, also from a read-only place. What makes one file of it is the runtime that `appimagetool` puts
before a squashed file system; neither is in Debian or on PyPI, so the release workflow brings them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from linux.product import PACKAGE, Product
from linux.share import DESKTOP_ENTRY, ICONS, write_share
from linux.tree import copy_bundle, normalize
from whole import whole

APPDIR = "Llamero.AppDir"
TOOL_VARIABLE, RUNTIME_VARIABLE = "APPIMAGETOOL", "APPIMAGE_RUNTIME"
_ICON = "llamero-256.png"


def write_appdir(product: Product, folder: Path) -> Path:
    """Lay the AppDir down, in place of one that is there, and return its path: `<folder>/Llamero.AppDir`."""
    program = Path("usr", "lib", PACKAGE)
    with whole(folder / APPDIR) as root:
        copy_bundle(product.bundle, root / program)
        write_share(product, root / "usr")
        (root / "usr/bin").mkdir()
        (root / "usr/bin" / PACKAGE).symlink_to(Path("..", "lib", PACKAGE, PACKAGE))
        (root / "AppRun").symlink_to(program / PACKAGE)
        shutil.copy(DESKTOP_ENTRY, root)
        shutil.copy(ICONS / "png" / _ICON, root / "llamero.png")
        (root / ".DirIcon").symlink_to("llamero.png")
        normalize(root, product.moment)
    return folder / APPDIR


def write_appimage(product: Product, folder: Path) -> Path:
    """Wrap the AppDir and return the path: `<folder>/Llamero-<version>-<machine>.AppImage`.

    `appimagetool` is looked for on PATH or where `APPIMAGETOOL` says; `APPIMAGE_RUNTIME` is the runtime's file, without
    which the tool downloads one. Raises SystemExit where there is no tool.
    """
    tool = os.environ.get(TOOL_VARIABLE) or shutil.which("appimagetool")
    if tool is None:
        raise SystemExit(f"Wrapping an AppImage needs appimagetool, on PATH or named by {TOOL_VARIABLE}.")
    target = folder / f"Llamero-{product.version}-{product.machine}.AppImage"
    runtime = os.environ.get(RUNTIME_VARIABLE)
    options = ["--no-appstream", *(["--runtime-file", runtime] if runtime else [])]
    environment = {**os.environ, "ARCH": product.machine, "SOURCE_DATE_EPOCH": str(product.moment)}
    appdir = write_appdir(product, folder)
    with whole(target) as part:
        subprocess.run([tool, *options, str(appdir), str(part)], env=environment, check=True)
    return target
