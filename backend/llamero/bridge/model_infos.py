"""What is shown about a model: its parameters, and what its file says of itself.

A header is read once for each state of a file (size, time, inode). A file that is missing or cannot be read is shown as
far as it is known: the list of models must never fail because of one of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from llamero.models.bridge import ModelInfo
from llamero.models.errors import LlameroError
from llamero.models.gguf import GgufHeader
from llamero.models.llama import LlamaCppConfig

HeaderReader = Callable[[Path], GgufHeader]

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class ModelInfos:
    """Describes models. `read_header` blocks and raises LlameroError."""

    def __init__(self, read_header: HeaderReader, demo: Path | None = None) -> None:
        self._read_header = read_header
        self._demo = None if demo is None else str(demo.absolute())
        self._headers: dict[str, tuple[_Stamp, GgufHeader | None]] = {}

    async def of(self, config: LlamaCppConfig) -> ModelInfo:
        """Describe one model."""
        return await asyncio.to_thread(self._describe, config)

    async def of_all(self, configs: Iterable[LlamaCppConfig]) -> tuple[ModelInfo, ...]:
        """Describe models, in their order."""
        wanted = tuple(configs)
        return await asyncio.to_thread(lambda: tuple([self._describe(config) for config in wanted]))

    async def check(self, path: Path) -> GgufHeader:
        """Read a file's header. Raises ModelFileNotFound or BadModelFile."""
        return await asyncio.to_thread(self._read_header, path)

    def _describe(self, config: LlamaCppConfig) -> ModelInfo:
        path = config.model.path
        missing, header = self._look(path)
        return ModelInfo(
            alias=config.model.alias,
            path=path,
            is_demo=path == self._demo,
            size_bytes=header.file_size if header else None,
            architecture=(header.architecture or None) if header else None,
            trained_context=header.context_length if header else None,
            layers=header.block_count if header else None,
            embedding=config.embedding or (header is not None and header.is_embedding),
            context_length=config.context_length,
            gpu_layers=config.gpu_layers,
            threads=config.threads,
            keep_alive_s=config.keep_alive_s,
            missing=missing,
        )

    def _look(self, path: str) -> tuple[bool, GgufHeader | None]:
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            self._headers.pop(path, None)
            return True, None
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._headers.get(path)
        if known is None or known[0] != stamp:
            known = self._headers[path] = (stamp, self._read(path))
        return False, known[1]

    def _read(self, path: str) -> GgufHeader | None:
        try:
            return self._read_header(Path(path))
        except LlameroError as error:
            logger.info("the header of a model cannot be read: %s", error)
            return None
