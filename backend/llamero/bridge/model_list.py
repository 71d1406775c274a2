"""The list of models that a page shows, and telling every window when it changes.

A page does not wait for the disk or for remote servers: it gets what is known, and the rest as the event `models` once
it is. While a window is connected, names are looked at every few seconds, so that an edit by another process and a
file that was copied into a folder are seen; without a window nothing is done. Remote servers are asked when a window
comes or something has changed, never merely because time passes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from llamero.bridge.hub import Hub
from llamero.bridge.model_infos import ModelInfos
from llamero.infrastructure.clock import Clock
from llamero.models.aliases import AliasKind, ListedModel
from llamero.models.bridge.servers import ModelInfo
from llamero.models.errors import LlameroError
from llamero.models.llama import LlamaCppConfig

INTERVAL_S = 5.0
# A remote server may have thousands; nobody chooses among so many from a menu.
REMOTE_LIMIT = 500

logger = logging.getLogger(__name__)


class Names(Protocol):
    """The names of models: `services.routing.Router`."""

    async def listed(self, *, wait: bool = True) -> Sequence[ListedModel]: ...  # noqa: D102
    async def configurations(self) -> Mapping[str, LlamaCppConfig]: ...  # noqa: D102


class ModelList:
    """Describes all models, and tells windows. `follow` runs until it is cancelled."""

    def __init__(self, names: Names, infos: ModelInfos, hub: Hub, clock: Clock) -> None:
        self._names = names
        self._infos = infos
        self._hub = hub
        self._clock = clock
        self._told: tuple[ModelInfo, ...] | None = None
        self._look = asyncio.Event()
        hub.watch(self.changed)

    def changed(self) -> None:
        """Look now instead of later: a window has come, or something is known to have changed."""
        self._look.set()

    async def now(self) -> tuple[ModelInfo, ...]:
        """What is known now, without waiting. Raises IoFailed when the aliases cannot be read."""
        return await self._describe(await self._names.listed(wait=False))

    async def tell(self, *, wait: bool = True) -> None:
        """Tell the windows when the list is not what they were told last. Raises IoFailed.

        Without `wait` by what is known now, with it by a new look at everything.
        """
        models = await self._describe(await self._names.listed(wait=wait))
        if models != self._told:
            self._told = models
            self._hub.event("models", models)

    async def follow(self) -> None:
        """Tell what changes while somebody looks."""
        while True:
            if self._hub.connected():
                changed = await self._clock.wait(self._look, INTERVAL_S)
            else:
                changed = await self._look.wait()
            self._look.clear()
            if self._hub.connected():
                try:
                    await self.tell(wait=changed)
                except LlameroError as error:
                    logger.warning("the list of models cannot be made: %s", error)

    async def _describe(self, listed: Sequence[ListedModel]) -> tuple[ModelInfo, ...]:
        configs = await self._names.configurations()
        local = [configs[model.id] for model in listed if model.id in configs]
        known = {info.alias: info for info in await self._infos.of_all(local)}
        remote = [model.id for model in listed if model.kind is AliasKind.API]
        left_out = frozenset(remote[REMOTE_LIMIT:])
        return tuple([_info(model, known.get(model.id)) for model in listed if model.id not in left_out])


def _info(model: ListedModel, known: ModelInfo | None) -> ModelInfo:
    if known is not None:
        return replace(known, kind=model.kind)
    missing = model.kind in (AliasKind.USER, AliasKind.MODEL)
    return ModelInfo(alias=model.id, path=model.path, kind=model.kind, embedding=model.embedding, missing=missing)
