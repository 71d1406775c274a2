"""What llama-server says of the requests that it takes at once: `GET /props` and `GET /slots`, as of b11434.

Both are documents of a program that changes every day. What is not there, or is not what it was, is not known: nothing
here raises.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.llama import ServerLimits
from llamero.models.metrics import SlotUse

_Tokens = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_Count = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]


class _Defaults(msgspec.Struct):
    n_ctx: _Count | None = None


class _Properties(msgspec.Struct):
    total_slots: _Count | None = None
    default_generation_settings: _Defaults = msgspec.field(default_factory=_Defaults)


class _NextToken(msgspec.Struct):
    n_decoded: _Tokens = 0


class _Slot(msgspec.Struct):
    is_processing: bool = False
    n_prompt_tokens_processed: _Tokens | None = None
    n_prompt_tokens_cache: _Tokens = 0
    next_token: tuple[_NextToken, ...] = ()

    @property
    def tokens(self) -> int | None:
        """What it holds: what was read of the prompt or known from before, and what was written since."""
        if self.n_prompt_tokens_processed is None:
            return None
        written = sum(token.n_decoded for token in self.next_token)
        return self.n_prompt_tokens_cache + self.n_prompt_tokens_processed + written


def limits_of(properties: bytes) -> ServerLimits:
    """Read the body of `GET /props`. The context there is that of one slot."""
    try:
        told = msgspec.json.decode(properties, type=_Properties)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ServerLimits()
    return ServerLimits(slots=told.total_slots, context=told.default_generation_settings.n_ctx)


def slots_in_use(slots: bytes) -> SlotUse | None:
    """Read the body of `GET /slots`; None where it is something else."""
    try:
        told = msgspec.json.decode(slots, type=tuple[_Slot, ...])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    busy = [slot for slot in told if slot.is_processing]
    return SlotUse(busy=len(busy), context_tokens=max((slot.tokens or 0 for slot in busy), default=None) or None)
