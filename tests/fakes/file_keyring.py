"""A keyring of a test: a file that `FILE_KEYRING` names. Choose it by `PYTHON_KEYRING_BACKEND`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class FileKeyring(KeyringBackend):
    """Keeps passwords as `{service: {name: password}}`."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        kept = self._read()
        kept.setdefault(service, {})[username] = password
        self._file().write_text(json.dumps(kept))

    def delete_password(self, service: str, username: str) -> None:
        kept = self._read()
        del kept[service][username]
        self._file().write_text(json.dumps(kept))

    def _read(self) -> dict[str, dict[str, str]]:
        file = self._file()
        kept: dict[str, dict[str, str]] = json.loads(file.read_text()) if file.exists() else {}
        return kept

    def _file(self) -> Path:
        return Path(os.environ["FILE_KEYRING"])
