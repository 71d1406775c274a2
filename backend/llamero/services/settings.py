"""The settings while Llamero runs: shown with where each came from, changed in the file, one change at a time.

What is written counts as a start would read it, so an environment variable or the command line stays stronger than the
file. Settings of the tables in `LIVE` count at once; all others at the next start, and until then the report says what
Llamero still goes by. The page cannot name a program to be run: model output is shown in it (`FIXED`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from llamero.infrastructure.messages import Messages
from llamero.infrastructure.settings_schema import Key, bounds, convert, expected, kind_of, schema
from llamero.models.errors import Conflict, InvalidRequest, NotFound
from llamero.models.settings import ResolvedSettings, Settings, Source
from llamero.models.settings_report import Setting, SettingsReport, SettingValue

LIVE = frozenset({"desktop", "updates"})
FIXED = frozenset({"engine.path"})

logger = logging.getLogger(__name__)


class Store(Protocol):
    """Where settings are read and written: `infrastructure.settings_store.SettingsStore`."""

    @property
    def place(self) -> str:
        """The file, for people."""
        ...

    def load(self) -> ResolvedSettings: ...  # noqa: D102
    def write(self, key: Key, value: SettingValue | None) -> None: ...  # noqa: D102


class SettingsService:
    """`running` is what this Llamero was started with."""

    def __init__(self, store: Store, running: ResolvedSettings, messages: Messages) -> None:
        self._store = store
        self._running = running.settings
        self._resolved = running
        self._messages = messages
        self._writing = asyncio.Lock()
        self._watchers: list[Callable[[Settings], None]] = []

    @property
    def now(self) -> Settings:
        """What counts now in the tables of `LIVE`, and will count at the next start in the others."""
        return self._resolved.settings

    def watch(self, changed: Callable[[Settings], None]) -> None:
        """Call `changed` after every change."""
        self._watchers.append(changed)

    async def report(self) -> SettingsReport:
        """Every setting as the file says now; a person may have edited it meanwhile."""
        async with self._writing:
            self._take(await asyncio.to_thread(self._store.load))
        return self._report()

    async def change(self, path: str, value: SettingValue | None) -> SettingsReport:
        """Write one setting into the file, or take it out.

        Raises NotFound, InvalidRequest for a value out of range, Conflict where something stronger than the file
        decides or the file is broken, and IoFailed.
        """
        key = _find(path)
        if path in FIXED:
            raise InvalidRequest("settings_error-only_by_hand", param=path, path=self._store.place)
        converted = None if value is None else self._converted(key, value)
        async with self._writing:
            source = self._resolved.sources[path]
            if source in (Source.ENVIRONMENT, Source.COMMAND_LINE):
                raise Conflict("settings_error-decided_elsewhere", key=path, place=self._place(key, source))
            await asyncio.to_thread(self._store.write, key, converted)
            self._take(await asyncio.to_thread(self._store.load))
        logger.info("settings: %s was changed in the window", path)
        return self._report()

    def _converted(self, key: Key, value: SettingValue) -> SettingValue:
        try:
            converted: SettingValue = convert(key, value)
        except (msgspec.ValidationError, OverflowError):
            words = expected(key, self._messages)
            raise InvalidRequest("settings_error-does_not_fit", param=key.path, expected=words) from None
        return converted

    def _take(self, resolved: ResolvedSettings) -> None:
        changed = resolved.settings != self._resolved.settings
        self._resolved = resolved
        if changed:
            for watcher in self._watchers:
                watcher(resolved.settings)

    def _report(self) -> SettingsReport:
        return SettingsReport(
            file=self._store.place,
            settings=tuple(self._setting(key) for key in schema()),
            problems=tuple(problem.reason for problem in self._resolved.problems),
        )

    def _setting(self, key: Key) -> Setting:
        value, running = _value(self._resolved.settings, key), _value(self._running, key)
        source = self._resolved.sources[key.path]
        least, most = bounds(key) or (None, None)
        words = f"{key.table}-{key.name}"
        return Setting(
            path=key.path,
            kind=kind_of(key),
            label=self._messages.text(f"setting-label-{words}"),
            help=self._messages.text(f"setting-{words}"),
            value=value,
            default=key.default,
            source=source,
            place=self._place(key, source),
            variable=key.variable,
            fixed=self._fixed(key, source),
            running=running if key.table not in LIVE and running != value else None,
            least=least,
            most=most,
        )

    def _place(self, key: Key, source: Source) -> str:
        match source:
            case Source.FILE:
                return self._store.place
            case Source.ENVIRONMENT:
                return key.variable
            case Source.COMMAND_LINE:
                return self._messages.text("settings-place-command-line")
        return ""

    def _fixed(self, key: Key, source: Source) -> str | None:
        arguments: Mapping[str, str] = {"key": key.path, "place": self._place(key, source), "path": self._store.place}
        if source in (Source.ENVIRONMENT, Source.COMMAND_LINE):
            return self._messages.text("settings_error-decided_elsewhere", arguments)
        if key.path in FIXED:
            return self._messages.text("settings_error-only_by_hand", arguments)
        return None


def _find(path: str) -> Key:
    for key in schema():
        if key.path == path:
            return key
    raise NotFound("settings_error-no_such_setting", key=path)


def _value(settings: Settings, key: Key) -> Any:
    return getattr(getattr(settings, key.table), key.name)
