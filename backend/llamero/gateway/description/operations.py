"""What is said about a route."""

from __future__ import annotations

from typing import Any

import msgspec


class Parameter(msgspec.Struct, frozen=True):
    """A part of the path, or of the query. All are text; `example` works as it stands."""

    name: str
    text: str
    example: str
    place: str = "path"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One route, named as in the table of rules: `POST /v1/chat/completions`.

    `request` and `response` are the types of the JSON bodies; `example` is a request that works as it stands.
    `events` says what is streamed in place of the response when it is asked for, and as which type. `content` is the
    type of an answer that is no JSON; `form` of a request that is none, where `request` describes its fields.
    """

    route: str
    summary: str
    text: str = ""
    request: Any = None
    response: Any = None
    example: dict[str, object] | list[object] | None = None
    parameters: tuple[Parameter, ...] = ()
    events: tuple[str, str] | None = None
    content: str = "application/json"
    form: bool = False

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        """The route's template."""
        return self.route.partition(" ")[2]


SERVER_SENT_EVENTS = "text/event-stream"
NDJSON = "application/x-ndjson"
