"""Nothing is fetched for a request to a model on this machine: an address within it would make the engine ask for it.

llama-server takes pictures, sounds and videos by their address, and gets what it names from wherever that is, so that
whoever may ask a model could reach what only this machine can: the router's page, a cloud's metadata, a service on
loopback. What is to be seen or heard comes within the request, in base64 or as a `data:` address. Servers elsewhere are
asked as the client wants it: they fetch for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llamero.models.errors import InvalidRequest

# What llama-server fetches begins with `http`, whatever follows; the rest is for engines to come.
_FETCHED = ("http", "ftp:")
# It looks under either for any kind of part (`handle_media` in tools/server/server-common.cpp, b11549).
_PLACES = ("url", "data")


def refuse_addresses(body: Mapping[str, object]) -> None:
    """Raise InvalidRequest naming the first part of a message that the engine would have to fetch."""
    messages = body.get("messages")
    for number, message in enumerate(messages if isinstance(messages, list) else ()):
        content = message.get("content") if isinstance(message, dict) else None
        for place, part in enumerate(content if isinstance(content, list) else ()):
            for name, address in _addresses(part):
                if address.strip().lower().startswith(_FETCHED):
                    param = f"messages[{number}].content[{place}].{name}"
                    raise InvalidRequest("request_error-not_fetched", param=param)


def _addresses(part: object) -> Iterator[tuple[str, str]]:
    """Whatever could be an address in a part that is not text. No format begins with what `http` is in base64."""
    if not isinstance(part, dict) or part.get("type") == "text":
        return
    for name, value in part.items():
        if isinstance(value, str) and name.endswith("_url"):
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", value[key]) for key in _PLACES if isinstance(value.get(key), str))
