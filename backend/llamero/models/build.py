"""Which build of Llamero this is, and what others have made of it."""

from __future__ import annotations

import msgspec


class BuildInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where the running program comes from.

    `commit` is the whole hash, None where it is not known. `built` is the time of packaging, ISO 8601 in UTC, and None
    when the program runs from its sources.
    """

    version: str
    commit: str | None = None
    built: str | None = None


class ThirdPartyLicense(msgspec.Struct, frozen=True, kw_only=True):
    """A work of others in the package: `license` is the short name of its terms, as its makers call them."""

    name: str
    version: str
    license: str
    text: str
