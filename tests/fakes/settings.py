"""Settings of a test: a real file in a folder of its own, an environment and a command line that the test writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.settings_store import SettingsStore
from llamero.services.settings import SettingsService


def settings_in(
    folder: Path,
    text: str | None = None,
    environment: Mapping[str, str] | None = None,
    command_line: Mapping[str, object] | None = None,
) -> SettingsService:
    """The settings of a Llamero that was started with what stands in `folder`."""
    file = folder / "settings.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    store = SettingsStore(file, environment or {}, command_line or {})
    return SettingsService(store, store.load(), default_messages())
