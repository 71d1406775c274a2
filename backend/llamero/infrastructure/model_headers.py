"""What the model files of this machine say about themselves, read once for each state of a file.

The state of a file is its size, time and inode. A file that cannot be read is known without its header: no list of
models may fail because of one of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from llamero.models.errors import LlameroError
from llamero.models.gguf import GgufHeader, ModelFileFacts

HeaderReader = Callable[[Path], GgufHeader]

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class ModelHeaders:
    """The facts about model files. `read_header` blocks and raises LlameroError; so all of it is done in a thread."""

    def __init__(self, read_header: HeaderReader) -> None:
        self._read_header = read_header
        self._known: dict[str, tuple[_Stamp, ModelFileFacts]] = {}

    async def facts(self, paths: Iterable[str]) -> Mapping[str, ModelFileFacts]:
        """Return the facts by path. A path that leads to no file is left out."""
        wanted = tuple(dict.fromkeys(paths))
        return await asyncio.to_thread(self._look_at, wanted)

    async def check(self, path: Path) -> GgufHeader:
        """Read a file's header. Raises ModelFileNotFound or BadModelFile."""
        return await asyncio.to_thread(self._read_header, path)

    def _look_at(self, paths: Iterable[str]) -> Mapping[str, ModelFileFacts]:
        found = {path: self._look(path) for path in paths}
        return {path: facts for path, facts in found.items() if facts is not None}

    def _look(self, path: str) -> ModelFileFacts | None:
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            self._known.pop(path, None)
            return None
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            header = self._read(path)
            size = header.file_size if header is not None else status.st_size
            facts = ModelFileFacts(size_bytes=size, modified=status.st_mtime, header=header)
            known = self._known[path] = (stamp, facts)
        return known[1]

    def _read(self, path: str) -> GgufHeader | None:
        try:
            return self._read_header(Path(path))
        except LlameroError as error:
            logger.info("the header of a model cannot be read: %s", error)
            return None
