"""Reads the fields of a request, each by the name under which the client knows it: `input[0].content[1].type`.

`null` means "not given", as everywhere in this API. Raises InvalidRequest with that name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from llamero.models.errors import InvalidRequest
from llamero.models.responses import Item

T = TypeVar("T")
_WORDS: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "list",
    dict: "object",
}


class Fields:
    """An object of the request, and where in it that object stands."""

    def __init__(self, values: Mapping[str, object], place: str = "") -> None:
        self.values = values
        self._place = place

    def name(self, field: str) -> str:
        """The whole name of a field."""
        return f"{self._place}.{field}" if self._place else field

    def optional(self, field: str, kind: type[T]) -> T | None:
        """A value of this type; None where it is not given."""
        value = self.values.get(field)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong_type(field, _WORDS[kind])
        return value

    def required(self, field: str, kind: type[T]) -> T:
        """A value of this type, which must be given."""
        value = self.optional(field, kind)
        if value is None:
            raise InvalidRequest("request_error-missing_param", param=self.name(field))
        return value

    def number(self, field: str, lowest: int, highest: int) -> int | None:
        """A whole number in this range."""
        value = self.optional(field, int)
        if value is not None and not lowest <= value <= highest:
            raise InvalidRequest("request_error-out_of_range", param=self.name(field), minimum=lowest, maximum=highest)
        return value

    def one_of(self, field: str, *choices: str) -> str | None:
        """One of these words."""
        value = self.optional(field, str)
        if value is not None and value not in choices:
            raise self.wrong_type(field, " or ".join(f'"{choice}"' for choice in choices))
        return value

    def object(self, field: str) -> Fields:
        """An object; an empty one where it is not given."""
        return Fields(self.optional(field, dict) or {}, self.name(field))

    def objects(self, field: str) -> Iterator[Fields]:
        """The objects of a list; none where it is not given."""
        for number, value in enumerate(self.optional(field, list) or ()):
            name = f"{self.name(field)}[{number}]"
            if not isinstance(value, dict):
                raise InvalidRequest("request_error-wrong_type", param=name, expected="object")
            yield Fields(value, name)

    def item(self) -> Item:
        """All of it, as the client sent it."""
        return dict(self.values)

    def wrong_type(self, field: str, expected: str) -> InvalidRequest:
        """What to raise where a value is of another kind."""
        return InvalidRequest("request_error-wrong_type", param=self.name(field), expected=expected)

    def unsupported(self, field: str, value: str = "") -> InvalidRequest:
        """What to raise for something that the API has and Llamero has not; `value` where only that one is missing."""
        return InvalidRequest("request_error-unsupported", param=self.name(field), value=value)
