"""What llama-server says of the requests that it takes at once: `GET /props` and `GET /slots`, as of b11434.

Both are documents of a program that changes every day. What is not there, or is not what it was, is not known: nothing
here raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from llamero.models.llama import ServerLimits
from llamero.models.metrics import SlotUse

SHARED = frozenset({"-kvu", "--kv-unified"})
NUMBER_OF_SLOTS = frozenset({"-np", "--parallel"})

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


def limits_of(properties: bytes, arguments: Sequence[str]) -> ServerLimits:
    """Read the body of `GET /props`. The context there is that of one slot.

    Whether slots share it is not said there; it is so unless somebody has chosen how many there are, or if they say so.
    """
    try:
        told = msgspec.json.decode(properties, type=_Properties)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ServerLimits()
    given = {argument.partition("=")[0] for argument in arguments}
    is_shared = bool(given & SHARED) or not given & NUMBER_OF_SLOTS
    return ServerLimits(slots=told.total_slots, context=told.default_generation_settings.n_ctx, is_shared=is_shared)


def slots_in_use(slots: bytes) -> SlotUse | None:
    """Read the body of `GET /slots`; None where it is something else."""
    try:
        told = msgspec.json.decode(slots, type=tuple[_Slot, ...])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    busy = [slot for slot in told if slot.is_processing]
    tokens = [slot.tokens for slot in busy if slot.tokens]
    return SlotUse(busy=len(busy), fullest=max(tokens, default=None), all=sum(tokens) if tokens else None)
