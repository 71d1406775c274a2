"""What the window's parts tell each other, and what they keep on disk. Lengths are in logical pixels."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

Argument = Annotated[str, msgspec.Meta(max_length=8192)]


class Toolkit(StrEnum):
    """What draws the window; the values are pywebview's names."""

    QT = "qt"
    GTK = "gtk"
    EDGE = "edgechromium"
    COCOA = "cocoa"


class WindowUnavailable(msgspec.Struct, frozen=True, kw_only=True):
    """Why there can be no window. `code` and `arguments` name a sentence `window-…` in `locale/`, with what to do."""

    code: str
    arguments: dict[str, str] = {}


class WindowGeometry(msgspec.Struct, frozen=True, kw_only=True):
    """Size and place of the window when it is not maximized. Without a place it stands in the middle of a screen."""

    width: int = 1280
    height: int = 800
    x: int | None = None
    y: int | None = None
    maximized: bool = False


class ScreenArea(msgspec.Struct, frozen=True):
    """One screen's part of the desktop."""

    x: int
    y: int
    width: int
    height: int


class InstanceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Where the Llamero that holds a data directory can be asked to come forward. Only its user may read it."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    pid: Annotated[int, msgspec.Meta(ge=1)]


class Activate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second start hands over its command line; relative paths in it are below `working_directory`."""

    arguments: Annotated[tuple[Argument, ...], msgspec.Meta(max_length=100)] = ()
    working_directory: Argument = ""


class Activated(msgspec.Struct, frozen=True, kw_only=True):
    """The process that has come forward."""

    pid: int
