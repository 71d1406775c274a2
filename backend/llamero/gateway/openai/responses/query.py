"""What stands behind the `?` of the routes of the Responses API. Raises InvalidRequest by the parameter's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from llamero.models.errors import InvalidRequest

_LARGEST_PAGE = 100
_PAGE = 20
_LAST_EVENT = 2**31 - 1


class PageWanted(NamedTuple):
    """Which part of a list; the API shows the newest first unless told otherwise."""

    limit: int
    newest_first: bool
    after: str | None


def page_wanted(query: Mapping[str, str]) -> PageWanted:
    """Read `limit`, `order` and `after`."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest("request_error-wrong_type", param="order", expected='"asc" or "desc"')
    limit = _number(query, "limit", 1, _LARGEST_PAGE)
    return PageWanted(_PAGE if limit is None else limit, order == "desc", query.get("after") or None)


def is_streamed(query: Mapping[str, str]) -> bool:
    """Read `stream`."""
    match query.get("stream", "false").lower():
        case "true" | "1":
            return True
        case "false" | "0" | "":
            return False
    raise InvalidRequest("request_error-wrong_type", param="stream", expected="boolean")


def starting_after(query: Mapping[str, str]) -> int:
    """Read `starting_after`: the number of the last event that the client has; -1 for none."""
    after = _number(query, "starting_after", 0, _LAST_EVENT)
    return -1 if after is None else after


def _number(query: Mapping[str, str], name: str, lowest: int, highest: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise InvalidRequest("request_error-wrong_type", param=name, expected="integer")
    if len(text) > len(str(highest)) or not lowest <= int(text) <= highest:
        raise InvalidRequest("request_error-out_of_range", param=name, minimum=lowest, maximum=highest)
    return int(text)
