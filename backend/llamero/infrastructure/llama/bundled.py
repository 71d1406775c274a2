"""The engines that a package brings along: where they are, and which one it prefers.

`build/engines.py` makes the folder, and the package has it beside its program; a Llamero that runs from its sources has
none. What the manifest says is not believed beyond names inside of that folder.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import msgspec

from llamero.infrastructure.packaged import is_packaged
from llamero.models.bundled_engines import MANIFEST_NAME, BundledEngines
from llamero.models.llama import Engine, EngineKind

FOLDER_NAME = "engines"
_MANIFEST_LIMIT = 1024 * 1024
_logger = logging.getLogger(__name__)


def bundled_folder() -> Path | None:
    """Where this package has its engines, if it is one."""
    return engines_of(Path(sys.executable).resolve()) if is_packaged() else None


def engines_of(program: Path) -> Path:
    """Where the package of this program has its engines: beside it, in a macOS app among the resources."""
    beside = program.parent
    if beside.name == "MacOS" and beside.parent.name == "Contents":
        return beside.parent / "Resources" / FOLDER_NAME
    return beside / FOLDER_NAME


def bundled_engine(folder: Path | None, variant: str = "") -> Engine | None:
    """The engine of that variant, without one the preferred; None where the package has none that can be started."""
    manifest = read_manifest(folder) if folder is not None else None
    if folder is None or manifest is None:
        return None
    found = manifest.find(variant or manifest.default)
    if found is None or Path(found.program).name != found.program:
        return None
    path = folder / found.variant / found.program
    if not (path.is_file() and os.access(path, os.X_OK)):
        _logger.warning("the engine %s that came along is not there or not executable", path)
        return None
    return Engine(EngineKind.BUNDLED, (str(path),), found.variant)


def read_manifest(folder: Path) -> BundledEngines | None:
    """What the folder holds; None where there is none, or nothing that can be read."""
    try:
        with (folder / MANIFEST_NAME).open("rb") as file:
            return msgspec.json.decode(file.read(_MANIFEST_LIMIT), type=BundledEngines)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        _logger.warning("the engines that came along are not used: %s", error)
        return None
