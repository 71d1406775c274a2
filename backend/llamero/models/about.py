"""What the page says about the program itself: which build, on what, where it keeps its things, whose work is in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from llamero.models.build import BuildInfo

LicenseName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class PlaceName(StrEnum):
    """What is kept in a place. The page names it by this word, never by a path."""

    DATA = "data"
    MODELS = "models"
    LOGS = "logs"
    CACHE = "cache"
    SETTINGS = "settings"
    UPDATES = "updates"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of Llamero's, or the settings file."""

    name: PlaceName
    path: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """`engine` is what models run on where nothing else is said, in words; empty where there is none."""

    build: BuildInfo
    engine: str
    system: str
    python: str
    places: tuple[Place, ...]


class LicenseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A work of others that is part of Llamero; `license` is the short name of its terms."""

    name: str
    version: str
    license: str


class OpenPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Show a place in the system's own file manager; the settings file in a program for text."""

    place: PlaceName


class LicenseRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One work of others."""

    name: LicenseName
