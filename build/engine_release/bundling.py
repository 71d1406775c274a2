"""From a wish to a folder that a package can take along: one folder per variant, and the manifest beside them.

    engines/engines.json        what is in it: models/bundled_engines.py
    engines/<variant>/          llama-server, its libraries and its license

Invariant: the folder is whole or not there. One build at a time works on it, held off by a lock on a file.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from engine_release.archives import unpack
from engine_release.download import fetch
from engine_release.refusal import BuildRefused
from engine_release.releases import find_assets
from engine_release.table import TARGETS, Asset, Part, choose
from engine_release.web import Web
from engine_release.wish import Wish
from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.models.bundled_engines import MANIFEST_NAME, BundledEngine, BundledEngines, EngineArchive
from llamero.models.errors import IoFailed

LICENSE_NAME = "LICENSE"
_LICENSE_TEXT = Path(__file__).with_name("llama.cpp-LICENSE.txt")
_LIBRARIES = (".dll", ".dylib", ".so", ".metal")


def bundle(wish: Wish, out: Path, work: Path, web: Web, api: str, say: Callable[[str], None]) -> None:
    """Replace `out` by what is wished for. `work` keeps downloads for the next time; `say` is told what happens.

    Raises BuildRefused; `out` is then what it was.
    """
    work.mkdir(parents=True, exist_ok=True)
    try:
        with DataDirLock(work):
            _bundle(wish, out, work, web, api, say)
    except IoFailed as error:
        raise BuildRefused(f"{work} is in use by another build: {error}") from error
    except OSError as error:
        raise BuildRefused(f"the disk: {error}") from error


def _bundle(wish: Wish, out: Path, work: Path, web: Web, api: str, say: Callable[[str], None]) -> None:
    assets = find_assets(web, wish.release, api)
    # All are chosen before the first is fetched: what is missing is said within seconds.
    chosen = {variant: choose(assets, wish.target, variant, wish.release) for variant in wish.variants}
    made = work / "engines"
    _remove(made)
    made.mkdir()
    engines = []
    for variant, files in chosen.items():
        for asset, _ in files:
            say(f"{variant}: {asset.name}, {asset.size:,} bytes")
        engines.append(_make(wish, variant, files, made / variant, work, web))
    manifest = BundledEngines(default=wish.default, engines=tuple(engines))
    (made / MANIFEST_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    _take_its_place(made, out, work / "former")


def _make(
    wish: Wish, variant: str, files: tuple[tuple[Asset, Part], ...], folder: Path, work: Path, web: Web
) -> BundledEngine:
    """Fetch, unpack and put together one variant."""
    program = TARGETS[wish.target].program
    folder.mkdir()
    for asset, _ in files:
        unpacked = work / "unpacked"
        _remove(unpacked)
        unpack(fetch(web, asset, work), unpacked)
        _take_over(_contents(unpacked, program, asset.name, asset is files[0][0]), folder, asset.name)
        _remove(unpacked)
    for link in folder.iterdir():
        if not link.exists():
            raise BuildRefused(f"the link {variant}/{link.name} leads nowhere")
    if not (folder / LICENSE_NAME).exists():  # the archives for Windows come without
        shutil.copyfile(_LICENSE_TEXT, folder / LICENSE_NAME)
    path = folder / program
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    archives = tuple(
        EngineArchive(name=asset.name, size=asset.size, sha256=asset.sha256, license=part.license)
        for asset, part in files
    )
    return BundledEngine(variant=variant, program=program, release=wish.release, target=wish.target, archives=archives)


def _contents(unpacked: Path, program: str, name: str, is_engine: bool) -> list[Path]:
    """What an engine needs of an archive: the program and all that lies beside it; of a runtime its libraries."""
    if not is_engine:
        found = [path for path in unpacked.rglob("*") if _is_library(path.name)]
        if not found:
            raise BuildRefused(f"{name} has no libraries in it")
        return found
    programs = [path for path in unpacked.rglob(program) if path.is_file() and not path.is_symlink()]
    if len(programs) != 1:
        raise BuildRefused(f"{name} has {len(programs)} files called {program}, where one is expected")
    beside = programs[0].parent.iterdir()
    return [path for path in beside if path.name == program or _is_library(path.name) or _is_license(path.name)]


def _is_library(name: str) -> bool:
    return name.endswith(_LIBRARIES) or ".so." in name


def _is_license(name: str) -> bool:
    return name.upper().startswith("LICENSE")


def _take_over(paths: Iterable[Path], folder: Path, name: str) -> None:
    for path in paths:
        target = folder / path.name
        if target.is_symlink() or target.exists():
            raise BuildRefused(f"{name} has a second {path.name}")
        path.rename(target)


def _take_its_place(made: Path, out: Path, former: Path) -> None:
    """Put the new folder where the old one is. A build that is killed in between leaves no folder, never a mixture."""
    out.parent.mkdir(parents=True, exist_ok=True)
    _remove(former)
    if out.exists():
        out.rename(former)
    made.rename(out)
    _remove(former)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
