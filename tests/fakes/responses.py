"""Responses in a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.responses import ResponseStore
from llamero.models.settings import ResponsesSettings
from llamero.services.responses.service import ResponseService


@asynccontextmanager
async def open_responses(
    directory: Path,
    clock: Clock | None = None,
    settings: ResponsesSettings | None = None,
    kind: type[ResponseService] = ResponseService,
) -> AsyncIterator[ResponseService]:
    database = await Database.open(directory / "llamero.db")
    try:
        store = ResponseStore(database)
        service = kind(store, clock or SystemClock(), settings or ResponsesSettings(), default_messages().error)
        await service.recover()
        yield service
    finally:
        await database.close()
