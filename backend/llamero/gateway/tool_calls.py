"""Tool calls put together from their pieces, for dialects in which arguments are an object and not a text."""

from __future__ import annotations

import secrets

import msgspec

from llamero.models.chat import ToolCallDelta
from llamero.models.errors import UpstreamFailed


class WholeCall(msgspec.Struct, frozen=True):
    """A tool call with its arguments as an object."""

    id: str
    name: str
    arguments: dict[str, object]


class GrowingCall:
    """One tool call while its pieces come. An engine that gives it no id gets one here."""

    def __init__(self, first: ToolCallDelta) -> None:
        self.index = first.index
        self.id = first.id or f"call_{secrets.token_hex(12)}"
        self.name = first.name or ""
        self._arguments = [first.arguments]

    def add(self, delta: ToolCallDelta) -> None:
        """Take the next piece."""
        self.name = self.name or delta.name or ""
        self._arguments.append(delta.arguments)

    def whole(self) -> WholeCall | None:
        """Return the call, or None where its arguments are not an object yet. No text at all stands for none."""
        text = "".join(self._arguments)
        try:
            arguments = msgspec.json.decode(text, type=dict[str, object]) if text.strip() else {}
        except (msgspec.DecodeError, UnicodeError):
            return None
        return WholeCall(self.id, self.name, arguments)


def finished(call: GrowingCall, *, cut_short: bool) -> WholeCall | None:
    """Return a call that gets no more pieces; None where the token limit cut it short: half a call is none.

    Raises UpstreamFailed where the engine itself ended it before it was whole.
    """
    whole = call.whole()
    if whole is None and not cut_short:
        raise UpstreamFailed(reason=f"the arguments of its call of {call.name or 'a tool'} are no JSON object")
    return whole
