"""What fields of many commands are: names, texts and paths of a length that can be dealt with."""

from __future__ import annotations

from typing import Annotated

import msgspec

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ChannelId = Annotated[str, msgspec.Meta(pattern=r"^__CHANNEL__:[0-9]{1,15}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=4 * 1024 * 1024)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
WindowId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Empty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""
