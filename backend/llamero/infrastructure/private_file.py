"""Small files for the user alone (0600), replaced as a whole: a reader sees the old content or the new one."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

READ_LIMIT = 64 * 1024
PRIVATE = 0o600


def write_private_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Replace the file. The new content is on disk before it takes the old one's name. Raises `OSError`.

    `mode` is for a file whose user has opened it to others.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode != PRIVATE:
            temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def read_private_file(path: Path) -> bytes | None:
    """Return the content; None when there is no file, or one that cannot be read or is too large to be ours."""
    try:
        with path.open("rb") as file:
            content = file.read(READ_LIMIT + 1)
    except OSError:
        return None
    return content if len(content) <= READ_LIMIT else None
