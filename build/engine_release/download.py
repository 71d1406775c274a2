"""Fetches a file of a release, going on where an earlier attempt broke off.

Invariant: a file under its own name has the size and the SHA-256 that the release tells. What is not whole yet is
called `.part` and survives the build, so that the next one need not begin anew.
"""

from __future__ import annotations

import hashlib
import re
import urllib.error
from pathlib import Path

from engine_release.refusal import BuildRefused
from engine_release.table import Asset
from engine_release.web import FAILURES, Reply, Web

_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


def fetch(web: Web, asset: Asset, folder: Path) -> Path:
    """The file, from `folder` where it is there already. Raises BuildRefused."""
    # The digest is part of the name, so what is left of another file of the same name is never gone on with.
    path = folder / f"{asset.sha256[:16]}-{asset.name}"
    if _is_whole(path, asset):
        return path
    part = path.with_name(f"{path.name}.part")
    if part.is_file() and part.stat().st_size >= asset.size and not _is_whole(part, asset):
        part.unlink()
    # What an earlier build left may be wrong, and is then fetched anew; what this one fetched whole may not.
    for _ in range(2 if part.is_file() else 1):
        _complete(web, asset, part)
        if _is_whole(part, asset):
            part.replace(path)
            return path
        part.unlink()
    raise BuildRefused(f"{asset.name} does not have the SHA-256 that its release tells; it was thrown away")


def _complete(web: Web, asset: Asset, part: Path) -> None:
    """Ask for what is missing until nothing is. An attempt that brought something starts the count anew."""
    attempt = 1
    while (have := part.stat().st_size if part.is_file() else 0) < asset.size:
        try:
            _append(web, asset, part, have)
            if part.stat().st_size < asset.size:
                raise ConnectionResetError("the connection was cut")
        except FAILURES as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                error.close()
                part.unlink()  # what is here does not fit what is there
            grown = part.is_file() and part.stat().st_size > have
            attempt = 1 if grown else attempt
            web.wait_out(asset.url, _passing(error), attempt)
            attempt = attempt if grown else attempt + 1


def _append(web: Web, asset: Asset, part: Path, have: int) -> None:
    headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with web.open(asset.url, headers) as reply:
        start = _start(reply)
        if start not in (0, have):
            raise ConnectionError(f"asked for what follows byte {have}, got what follows byte {start}")
        with part.open("ab" if start else "wb") as file:
            room = asset.size - start
            while piece := reply.read(min(_PIECE, room + 1)):
                room -= len(piece)
                if room < 0:
                    raise BuildRefused(f"{asset.name} is larger than the {asset.size} bytes that its release tells")
                file.write(piece)


def _start(reply: Reply) -> int:
    """Where in the file this answer begins: servers may send all of it whatever was asked."""
    if reply.status != 206:
        return 0
    match = _RANGE.fullmatch(reply.headers.get("content-range", ""))
    if match is None:
        raise ConnectionError("part of the file without saying which")
    return int(match[1])


def _passing(error: Exception) -> Exception:
    """A range that does not fit was mended by beginning anew, so it may be tried again."""
    if isinstance(error, urllib.error.HTTPError) and error.code == 416:
        return ConnectionError("the part that was here does not fit")
    return error


def _is_whole(path: Path, asset: Asset) -> bool:
    if not path.is_file() or path.stat().st_size != asset.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == asset.sha256
