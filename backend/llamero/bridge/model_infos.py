"""What is shown about a model: its parameters, and what its file says of itself.

A file that is missing or cannot be read is shown as far as it is known: the list of models must never fail because of
one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from llamero.infrastructure.model_headers import ModelHeaders
from llamero.models.bridge.servers import ModelInfo
from llamero.models.gguf import GgufHeader, ModelFileFacts
from llamero.models.llama import LlamaCppConfig


class ModelInfos:
    """Describes models. `sees` says which of them take pictures."""

    def __init__(
        self,
        headers: ModelHeaders,
        demo: Path | None = None,
        sees: Callable[[LlamaCppConfig], bool | None] = lambda config: None,
    ) -> None:
        self._headers = headers
        self._sees = sees
        self._demo = None if demo is None else str(demo.absolute())

    async def of(self, config: LlamaCppConfig) -> ModelInfo:
        """Describe one model."""
        (info,) = await self.of_all((config,))
        return info

    async def of_all(self, configs: Iterable[LlamaCppConfig]) -> tuple[ModelInfo, ...]:
        """Describe models, in their order."""
        wanted = tuple(configs)
        facts = await self._headers.facts(config.model.path for config in wanted)
        return tuple([self._describe(config, facts.get(config.model.path)) for config in wanted])

    async def check(self, path: Path) -> GgufHeader:
        """Read a file's header. Raises ModelFileNotFound or BadModelFile."""
        return await self._headers.check(path)

    def _describe(self, config: LlamaCppConfig, facts: ModelFileFacts | None) -> ModelInfo:
        header = facts.header if facts is not None else None
        return ModelInfo(
            alias=config.model.alias,
            path=config.model.path,
            is_demo=config.model.path == self._demo,
            size_bytes=header.file_size if header else None,
            architecture=(header.architecture or None) if header else None,
            trained_context=header.context_length if header else None,
            layers=header.block_count if header else None,
            embedding=config.embedding or (header is not None and header.is_embedding),
            context_length=config.context_length,
            gpu_layers=config.gpu_layers,
            threads=config.threads,
            keep_alive_s=config.keep_alive_s,
            missing=facts is None,
            sees=self._sees(config),
        )
