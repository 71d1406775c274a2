"""Keeps the catalog true to the disk: looks for models when somebody asks for names, at most every few seconds.

A look happens in a thread. Whoever asks waits for it, but not for long: a disk that does not answer costs a moment,
and then the last known models are used until it does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.daemon_call import in_daemon_thread
from llamero.models.model_files import FoundModels
from llamero.services.catalog import ModelCatalog

INTERVAL_S = 3.0
PATIENCE_S = 3.0

logger = logging.getLogger(__name__)


class Scan(Protocol):
    """Looks at the disk: `infrastructure.model_files.ModelFiles`."""

    def look(self, others: Iterable[str] = ()) -> FoundModels:
        """Find all models, and see how further files look. Blocks."""
        ...


class ModelDiscovery:
    """Brings what a scan finds into the catalog."""

    def __init__(
        self,
        scan: Scan,
        catalog: ModelCatalog,
        clock: Clock,
        *,
        interval_s: float = INTERVAL_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._scan = scan
        self._catalog = catalog
        self._clock = clock
        self._interval_s = interval_s
        self._patience_s = patience_s
        self._looking: asyncio.Future[FoundModels] | None = None
        self._looked_at: float | None = None
        self.has_looked = False
        """Was the disk looked at, at least once and to the end?"""
        self._asked: frozenset[str] = frozenset()
        self._found = FoundModels()
        self._watchers: list[Callable[[], None]] = []

    def watch(self, told: Callable[[], None]) -> None:
        """Tell `told` whenever something else was found than before; it must be quick."""
        self._watchers.append(told)

    def begin(self, others: Iterable[str] | None = None) -> None:
        """Look again without waiting for it, unless that was done a moment ago.

        `others` are the further files to look at, by default those of the last time; new ones are looked at now.
        """
        wanted = self._asked if others is None else self._asked | frozenset(others)
        if self._looking is not None or not self._due(wanted):
            return
        self._looked_at = self._clock.monotonic()
        self._asked = wanted
        try:
            looking = in_daemon_thread(lambda: self._scan.look(sorted(wanted)), "looking for models")
        except RuntimeError as error:
            logger.warning("models cannot be looked for now: %s", error)
            return
        self._looking = looking
        looking.add_done_callback(self._take)

    async def refresh(self, others: Iterable[str] | None = None) -> None:
        """Look again as `begin` does and wait for it, but no longer than the patience."""
        self.begin(others)
        if self._looking is not None and self._looked_at is not None:
            left = self._looked_at + self._patience_s - self._clock.monotonic()
            await asyncio.wait({self._looking}, timeout=max(0.0, left))

    def _due(self, wanted: frozenset[str]) -> bool:
        if self._looked_at is None or not wanted <= self._asked:
            return True
        return self._clock.monotonic() - self._looked_at >= self._interval_s

    def _take(self, looking: asyncio.Future[FoundModels]) -> None:
        self._looking = None
        if looking.cancelled():
            return
        self.has_looked = True
        error = looking.exception()
        if error is not None:
            logger.error("looking for models failed unexpectedly", exc_info=error)
        elif looking.result() != self._found:
            self._found = looking.result()
            self._catalog.use_found(self._found)
            for told in self._watchers:
                told()
