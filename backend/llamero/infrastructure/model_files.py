"""Finds the model files on this machine: in the models folders and in the cache of Hugging Face's hub.

A look costs one `stat` for everything it rests on while nothing changes. It comes back in bounded time whatever is in
the folders, and says once in the log what it left out: a split model with parts missing, a file that is no model, a
name that cannot be one, a folder that is too large.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from llamero.infrastructure.directory_walk import Stamp, Walk, stamp_of
from llamero.infrastructure.hub_cache import hub_files
from llamero.infrastructure.model_names import ENDING, Group, can_name, grouped, hub_name, is_projector
from llamero.infrastructure.plain_text import one_line
from llamero.models.errors import LlameroError
from llamero.models.gguf import GgufHeader
from llamero.models.model_files import FileLook, FoundModels, ModelFile

HeaderReader = Callable[[Path], GgufHeader]

# Log lines about files that are left out; a folder of 20,000 broken ones should not fill the log.
_TOLD_LIMIT = 200

logger = logging.getLogger(__name__)


class ModelFiles:
    """Looks for models. Not for several threads at once: each look builds on the last."""

    def __init__(
        self,
        folders: Sequence[Path],
        hub_cache: Path | None,
        read_header: HeaderReader,
        walk: Callable[[], Walk] = Walk,
    ) -> None:
        self._folders = folders
        self._hub_cache = hub_cache
        self._read_header = read_header
        self._walk = walk
        self._headers: dict[str, tuple[Stamp, GgufHeader | None]] = {}
        self._told: set[str] = set()
        self._last: tuple[tuple[str, ...], dict[str, Stamp | None], FoundModels] | None = None

    def look(self, others: Iterable[str] = ()) -> FoundModels:
        """Find all models, and see how `others`, further model files, look. Blocks for a few seconds at most."""
        wanted = tuple(others)
        if self._last is not None:
            asked, stamps, found = self._last
            if asked == wanted and all(stamp_of(path) == stamp for path, stamp in stamps.items()):
                return found
        walk = self._walk()
        found = self._find(walk, wanted)
        self._headers = {path: known for path, known in self._headers.items() if path in walk.stamps}
        if walk.cut:
            self._tell("", f"looking for models ended early, since there is too much to look at (limit: {walk.cut})")
        # What ran out of time has read more headers by now, so the next look gets further.
        self._last = None if walk.cut == "time" else (wanted, walk.stamps, found)
        return found

    def _find(self, walk: Walk, others: Iterable[str]) -> FoundModels:
        models: list[ModelFile] = []
        for folder in self._folders:
            groups = grouped([p for p in walk.files(str(folder), ENDING, follow=True) if not is_projector(p)])
            models += [model for group in groups if (model := self._model(walk, group, group.stem)) is not None]
        if self._hub_cache is not None:
            models += self._in_hub(walk, self._hub_cache)
        looks = {path: look for path in others if (look := self._look(walk, (path,))) is not None}
        return FoundModels(tuple(_once_each(models)), looks)

    def _in_hub(self, walk: Walk, cache: Path) -> list[ModelFile]:
        repositories: dict[str, list[str]] = {}
        for file in hub_files(cache, walk):
            repositories.setdefault(file.repository, []).append(file.path)
        models: list[ModelFile] = []
        for repository, paths in repositories.items():
            # All files of a repository are of one model, so its projector fits each of them.
            projector = next((path for path in paths if is_projector(path)), "")
            for group in grouped([path for path in paths if not is_projector(path)]):
                model = self._model(walk, group, hub_name(repository, group.stem))
                if model is not None:
                    models.append(replace(model, projector=projector, from_hub=True))
        return models

    def _model(self, walk: Walk, group: Group, name: str) -> ModelFile | None:
        path = group.paths[0] if group.paths else ""
        if group.missing:
            self._tell(path, f"parts of the model {group.stem} are missing ({group.missing}), so it is left out")
            return None
        if not can_name(name):
            self._tell(path, f"{path} cannot be the name of a model, so it is left out")
            return None
        look = self._look(walk, group.paths)
        return None if look is None else ModelFile(name=name, path=path, look=look)

    def _look(self, walk: Walk, paths: Sequence[str]) -> FileLook | None:
        """How the files of one model look; None where they are no model."""
        stamps = [walk.stamp(path) for path in paths]
        seen = [stamp for stamp in stamps if stamp is not None]
        if len(seen) < len(paths) or not walk.in_time():
            return None
        header = self._header(paths[0], seen[0])
        if header is None or header.is_mmproj:
            return None
        return FileLook(
            size_bytes=sum(stamp[1] for stamp in seen),
            modified=max(stamp[2] for stamp in seen) // 1_000_000_000,
            embedding=header.is_embedding,
        )

    def _header(self, path: str, stamp: Stamp) -> GgufHeader | None:
        known = self._headers.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        header: GgufHeader | None = None
        try:
            header = self._read_header(Path(path))
        except LlameroError as error:
            self._tell(path, f"{path} is left out, since it cannot be read as a model: {error}")
        self._headers[path] = (stamp, header)
        return header

    def _tell(self, path: str, line: str) -> None:
        """Say something about a file once."""
        if path not in self._told and len(self._told) < _TOLD_LIMIT:
            self._told.add(path)
            logger.info("%s", one_line(line))


def _once_each(models: Iterable[ModelFile]) -> list[ModelFile]:
    """Leave out a folder's link to a file that was found already."""
    seen: set[Path] = set()
    kept: list[ModelFile] = []
    for model in models:
        real = _real(model.path)
        if model.from_hub or real not in seen:
            kept.append(model)
        seen.add(real)
    return kept


def _real(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):
        return Path(path)
