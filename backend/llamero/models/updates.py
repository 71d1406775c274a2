"""What a release feed says, and what the page is told of it."""

from __future__ import annotations

from typing import Annotated

import msgspec

MEBIBYTE = 1024 * 1024

Version = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,6}(\.[0-9]{1,6}){1,3}\Z")]
# It becomes the name of a file here, so it may neither climb nor hide.
FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,120}\Z")]
Target = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9_-]{1,60}\Z")]
Address = Annotated[str, msgspec.Meta(max_length=2048)]


class ReleaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """One package of a release. `size` in bytes; `sha256` in lower-case hex."""

    name: FileName
    target: Target
    url: Address
    size: Annotated[int, msgspec.Meta(ge=1, le=4096 * MEBIBYTE)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The newest release, as its signed feed has it. `page` is where a person reads about it."""

    version: Version
    page: Address
    files: Annotated[tuple[ReleaseFile, ...], msgspec.Meta(max_length=100)] = ()


class UpdateReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of newer releases.

    `possible`: this build knows a feed. `newest` is None until one was asked; `file` is what suits this system, where
    there is one; `done` and `total` in bytes while it is fetched; `path` where it lies, verified.
    """

    possible: bool
    current: str
    newest: str | None = None
    newer: bool = False
    page: str | None = None
    file: str | None = None
    done: int | None = None
    total: int | None = None
    path: str | None = None
