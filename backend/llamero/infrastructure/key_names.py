"""The names of the keys that lie in the system's keyring, in a file: `remote-key-names.json`, which holds no key.

A keyring cannot be asked what it has of ours. The names are in the database, too, but whoever removes all of Llamero's
data must find the keys also where that is broken. A name is written down before its key is kept, and stays until the
key is gone, so what is here is never too little.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from llamero.infrastructure.private_file import read_private_file, write_private_file

FILE_NAME = "remote-key-names.json"


class KeyNames:
    """Those of one data directory. Blocks."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / FILE_NAME

    def read(self) -> frozenset[str]:
        """Return all of them. Raises OSError where the file is there and makes no sense."""
        content = read_private_file(self.file)
        if content is None and not self.file.exists():
            return frozenset()
        try:
            return msgspec.json.decode(content or b"", type=frozenset[str])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OSError(f"{self.file} is damaged") from error

    def change(self, name: str, *, there: bool) -> None:
        """Write down that a key is there, or is gone. Raises OSError; a file that is damaged is begun anew."""
        try:
            names = self.read()
        except OSError:
            names = frozenset()
        changed = names | {name} if there else names - {name}
        if changed == names:
            return
        if changed:
            write_private_file(self.file, msgspec.json.encode(sorted(changed)))
        else:
            self.file.unlink(missing_ok=True)
