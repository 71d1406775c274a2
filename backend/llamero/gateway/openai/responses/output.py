"""The items of a response while the model writes them, and the events that tell of each piece.

Source: the streaming events of the Responses API. A text and a reasoning are told in the same four steps; a call of a
function has no parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from llamero.models.chat import Logprob
from llamero.models.responses import (
    FunctionCall,
    Item,
    ItemStatus,
    OutputItem,
    OutputMessage,
    OutputText,
    Reasoning,
    ReasoningText,
)

Event = tuple[str, Item]
"""The name of an event, and its fields without `type` and `sequence_number`."""


class Writing(Protocol):
    """An item that is being written."""

    def item(self) -> OutputItem:
        """How it stands."""
        ...

    def close(self, status: ItemStatus) -> Iterator[Event]:
        """End it; without effect when it has ended."""
        ...


class TextWriting:
    """A message with one text. `reasoning_text` instead of `output_text` makes it the reasoning."""

    def __init__(self, id: str, index: int, kind: type[OutputText] | type[ReasoningText]) -> None:
        self.kind = kind
        self.status = ItemStatus.IN_PROGRESS
        self._place: Item = {"item_id": id, "output_index": index, "content_index": 0}
        self._id = id
        self._index = index
        self._pieces: list[str] = []
        self._logprobs: list[Logprob] = []
        self._name = "response.output_text" if kind is OutputText else "response.reasoning_text"

    def open(self) -> Iterator[Event]:
        """Tell that it begins."""
        yield "response.output_item.added", {"output_index": self._index, "item": self._item(())}
        yield "response.content_part.added", {**self._place, "part": self._part("", ())}

    def add(self, piece: str, logprobs: tuple[Logprob, ...] = ()) -> Event:
        """Write on."""
        self._pieces.append(piece)
        self._logprobs.extend(logprobs)
        return f"{self._name}.delta", {**self._place, "delta": piece, **self._told(logprobs)}

    def close(self, status: ItemStatus) -> Iterator[Event]:
        """End it; without effect when it has ended."""
        if self.status is not ItemStatus.IN_PROGRESS:
            return
        self.status = status
        part = self._whole()
        yield f"{self._name}.done", {**self._place, "text": part.text, **self._told(tuple(self._logprobs))}
        yield "response.content_part.done", {**self._place, "part": part}
        yield "response.output_item.done", {"output_index": self._index, "item": self.item()}

    def item(self) -> OutputItem:
        """How it stands."""
        return self._item((self._whole(),))

    def _whole(self) -> OutputText | ReasoningText:
        self._pieces = ["".join(self._pieces)]
        return self._part(self._pieces[0], tuple(self._logprobs))

    def _part(self, text: str, logprobs: tuple[Logprob, ...]) -> OutputText | ReasoningText:
        return OutputText(text, logprobs=logprobs) if self.kind is OutputText else ReasoningText(text)

    def _item(self, parts: tuple[OutputText | ReasoningText, ...]) -> OutputItem:
        if self.kind is OutputText:
            texts = tuple([part for part in parts if isinstance(part, OutputText)])
            return OutputMessage(id=self._id, status=self.status, content=texts)
        thoughts = tuple([part for part in parts if isinstance(part, ReasoningText)])
        return Reasoning(id=self._id, status=self.status, content=thoughts)

    def _told(self, logprobs: tuple[Logprob, ...]) -> Item:
        return {"logprobs": logprobs} if self.kind is OutputText else {}


class CallWriting:
    """A call of a function."""

    def __init__(self, id: str, index: int, call_id: str, name: str) -> None:
        self.call_id = call_id
        self.status = ItemStatus.IN_PROGRESS
        self._place: Item = {"item_id": id, "output_index": index}
        self._id = id
        self._index = index
        self._name = name
        self._pieces: list[str] = []

    def open(self) -> Iterator[Event]:
        """Tell that it begins."""
        yield "response.output_item.added", {"output_index": self._index, "item": self.item()}

    def add(self, piece: str) -> Event:
        """Write on."""
        self._pieces.append(piece)
        return "response.function_call_arguments.delta", {**self._place, "delta": piece}

    def close(self, status: ItemStatus) -> Iterator[Event]:
        """End it; without effect when it has ended."""
        if self.status is not ItemStatus.IN_PROGRESS:
            return
        self.status = status
        arguments = {"name": self._name, "arguments": "".join(self._pieces)}
        yield "response.function_call_arguments.done", {**self._place, **arguments}
        yield "response.output_item.done", {"output_index": self._index, "item": self.item()}

    def item(self) -> FunctionCall:
        """How it stands."""
        arguments = "".join(self._pieces)
        return FunctionCall(id=self._id, status=self.status, call_id=self.call_id, name=self._name, arguments=arguments)
