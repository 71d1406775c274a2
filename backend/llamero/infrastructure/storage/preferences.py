"""What is remembered besides conversations: how the page looks, and the models that were opened with their parameters.

A value that this version cannot read counts as not remembered; it stays on the disk until it is replaced.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import msgspec

from llamero.infrastructure.storage.database import Database
from llamero.models.llama import LlamaCppConfig

T = TypeVar("T")

logger = logging.getLogger(__name__)


class PreferenceStore:
    """Values by key, and models by alias. Every method raises IoFailed when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def value(self, key: str, kind: type[T]) -> T | None:
        """What was last set under this key; None when there is nothing of that kind."""
        found = await self._database.read(
            lambda connection: connection.execute("SELECT value FROM ui_state WHERE key = ?", (key,)).fetchone()
        )
        return None if found is None else _decode(found[0], kind, f"ui_state {key}")

    async def set_value(self, key: str, value: object) -> None:
        """Remember a value that msgspec can write as JSON."""
        data = msgspec.json.encode(value)
        await self._database.write(_executing("REPLACE INTO ui_state (key, value) VALUES (?, ?)", key, data))

    async def models(self) -> tuple[LlamaCppConfig, ...]:
        """Every model that was saved, in the order in which they became known."""
        rows = await self._database.read(
            lambda connection: connection.execute("SELECT alias, config FROM models ORDER BY seq").fetchall()
        )
        decoded = [_decode(data, LlamaCppConfig, f"model {alias}") for alias, data in rows]
        return tuple([config for config in decoded if config is not None])

    async def save_model(self, config: LlamaCppConfig) -> None:
        """Know a model and its parameters from now on; one of the same alias is replaced and keeps its place."""
        data = msgspec.json.encode(config)
        save = (
            "INSERT INTO models (alias, config) VALUES (?, ?) "
            "ON CONFLICT (alias) DO UPDATE SET config = excluded.config"
        )
        await self._database.write(_executing(save, config.model.alias, data), durable=True)

    async def forget_model(self, alias: str) -> None:
        """No longer know a model; without effect when it is not known. Its file stays."""
        await self._database.write(_executing("DELETE FROM models WHERE alias = ?", alias), durable=True)


def _executing(statement: str, *values: str | bytes) -> Callable[[sqlite3.Connection], None]:
    def execute(connection: sqlite3.Connection) -> None:
        connection.execute(statement, values)

    return execute


def _decode(data: bytes | str, kind: type[T], what: str) -> T | None:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        logger.warning("%s is not what it should be, so it is left out: %s", what, error)
        return None
