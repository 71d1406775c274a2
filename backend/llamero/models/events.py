"""What state listeners are told, as `vectors/routing.json` names it."""

from __future__ import annotations

import msgspec

from llamero.models.llama import ModelId


class Start(msgspec.Struct, frozen=True, tag=True):
    """A server became ready."""

    model: ModelId


class Stop(msgspec.Struct, frozen=True, tag=True):
    """A server's process tree is gone, asked for or not."""

    model: ModelId


class ChatCompletions(msgspec.Struct, frozen=True, tag=True):
    """A request ended, whether it succeeded or not."""

    alias: str


class Variant(msgspec.Struct, frozen=True, tag=True):
    """Another engine variant is in use from now on."""

    variant: str


StateEvent = Start | Stop | ChatCompletions | Variant
