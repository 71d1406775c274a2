"""Request bodies as typed data, with the field at fault named where they are not what they should be."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from llamero.models.errors import InvalidRequest

T = TypeVar("T")

# How msgspec says it: "Expected `str`, got `int` - at `$.messages[0].role`".
_COMPLAINT = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<place>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")


def converted(body: object, wanted: type[T]) -> T:
    """Return a decoded JSON document as `wanted`. Raises InvalidRequest with the path of the field as its `param`."""
    try:
        return msgspec.convert(body, wanted)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None


def _invalid(complaint: str) -> InvalidRequest:
    found = _COMPLAINT.fullmatch(complaint)
    reason, place = (found["reason"], found["place"] or "") if found else (complaint, "")
    missing = _MISSING.fullmatch(reason)
    if missing:
        return InvalidRequest("request_error-missing_param", param=f"{place}.{missing['name']}".lstrip("."))
    return InvalidRequest(param=place or None, reason=f"{place}: {reason}" if place else reason)
