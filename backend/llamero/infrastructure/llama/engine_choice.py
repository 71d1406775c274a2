"""Chooses the engine to start, and does without the one that came along where it does not start on this machine.

A package's own engine may want a library or a processor that this machine lacks. It is therefore asked something before
it is relied upon, and where it does not answer the embedded engine stands in for it and says so. Nothing else is ever
replaced: what a person has named, installed or put on PATH is used or refused with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from llamero.infrastructure.llama.engines import EMBEDDED_VARIANT, find_engine
from llamero.infrastructure.llama.exit_reasons import engine_exit_sentence
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import EngineFailed, EngineNotFound, LlameroError
from llamero.models.llama import Engine, EngineKind, PassedOver
from llamero.models.settings import EngineSettings

# A first start may read gigabytes of libraries, and have them searched by a virus scanner.
PATIENCE_S = 60.0
_logger = logging.getLogger(__name__)

Find = Callable[[EngineSettings, Path], Engine]


class Check(Protocol):
    """Asks an engine something that every engine answers."""

    async def __call__(self, engine: Engine, *, timeout: float) -> object:
        """Raises EngineNotFound, or EngineFailed when there is no good answer within `timeout` seconds."""
        ...


class EngineChoice:
    """Chooses, and remembers what did not start."""

    def __init__(self, data_dir: Path, check: Check, find: Find = find_engine) -> None:
        self._data_dir = data_dir
        self._check = check
        self._find = find
        self._passed_over: dict[Engine, PassedOver] = {}

    async def choose(self, settings: EngineSettings) -> Engine:
        """The engine to use; its `instead_of` says for which one it stands in. Raises EngineNotFound, EngineFailed."""
        engine = await asyncio.to_thread(self._find, settings, self._data_dir)
        if engine.kind is not EngineKind.BUNDLED or settings.variant:
            return engine
        known = self._passed_over.get(engine)
        if known is not None:
            return await self._embedded(settings, known)
        try:
            await self._check(engine, timeout=PATIENCE_S)
        except (EngineFailed, EngineNotFound) as error:
            passed_over = PassedOver(variant=engine.variant, reason=_reason(error))
            try:
                embedded = await self._embedded(settings, passed_over)
            except EngineNotFound:
                raise error from None
            self._passed_over[engine] = passed_over
            _logger.warning("%s", default_messages().text(PassedOver.CODE, msgspec.structs.asdict(passed_over)))
            return embedded
        return engine

    def forget(self) -> None:
        """Ask again what did not start before."""
        self._passed_over.clear()

    async def _embedded(self, settings: EngineSettings, passed_over: PassedOver) -> Engine:
        only = msgspec.structs.replace(settings, variant=EMBEDDED_VARIANT)
        embedded = await asyncio.to_thread(self._find, only, self._data_dir)
        return msgspec.structs.replace(embedded, instead_of=passed_over)


def _reason(error: LlameroError) -> str:
    """Why it does not start, as part of a sentence."""
    if not isinstance(error, EngineFailed):
        return default_messages().error(error).rstrip(".")
    if error.exit_status:
        return engine_exit_sentence(error.exit_status, error.log_tail)
    return str(error.arguments["reason"])
