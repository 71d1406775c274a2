"""An API key, the gateway's or that of a remote server: from a file or the environment and never from the command line,
which anyone can list.

A key is one line of printable ASCII without spaces: anything else could not arrive in a header, so no client would ever
be let in.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from llamero.infrastructure.logs import register_secret
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import IoFailed

VARIABLE = "LLAMERO_API_KEY"
_SIZE_LIMIT = 4096
_USABLE = re.compile(r"[\x21-\x7e]{1,4096}")

_log = logging.getLogger(__name__)


def read_api_key(file: Path | None, environment: Mapping[str, str], variable: str = VARIABLE) -> str | None:
    """Return the key of the file, else that of the environment's `variable`, else None; logs mask it from then on.

    An empty variable counts as unset, an empty file is an error: someone meant it to hold a key. Warns when others may
    read the file. Raises `IoFailed`: `key_error-file_unreadable`, `-file_empty` or `-invalid`.
    """
    if file is not None:
        key, place = _read(file), str(file)
        if not key:
            raise IoFailed("key_error-file_empty", path=place)
    else:
        key, place = environment.get(variable, "").strip(), variable
        if not key:
            return None
    register_secret(key)
    if not _USABLE.fullmatch(key):
        raise IoFailed("key_error-invalid", place=place)
    return key


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            content = opened.read(_SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else None
        raise IoFailed("key_error-file_unreadable", path=str(file), reason=reason or str(error)) from error
    if os.name == "posix" and stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
        _log.warning("%s", default_messages().text("key-file-shared", {"path": str(file)}))
    return content.decode("utf-8-sig", "replace").strip()
