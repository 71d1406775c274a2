"""Decodes a command's arguments; what is wrong is said with the name of the parameter.

msgspec says what it expected and where only as text (`Expected `int` >= 16 - at `$.context_length``); the forms that it
has are taken apart here and nowhere else. A form that is not known still becomes a typed error.
"""

from __future__ import annotations

import re

import msgspec

from llamero.models.errors import InvalidRequest

_PLACE = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]+)`")
_TEXT_LIMIT = 200


def decode_arguments(decoder: msgspec.json.Decoder[msgspec.Struct], body: bytes) -> msgspec.Struct:
    """Decode a body. Raises InvalidRequest with `param` set where one parameter is at fault."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from None
    except msgspec.DecodeError as error:
        raise InvalidRequest("request_error-not_json", reason=str(error)) from None
    except UnicodeDecodeError:
        raise InvalidRequest("request_error-not_json", reason="invalid UTF-8") from None
    except RecursionError:
        raise InvalidRequest("request_error-not_json", reason="nested too deeply") from None


def _explain(text: str) -> InvalidRequest:
    place = _PLACE.search(text)
    reason = text[: place.start()] if place else text
    path = place["path"].lstrip(".") if place else ""
    for pattern, code in ((_MISSING, "request_error-missing_param"), (_UNKNOWN, "bridge_error-unknown_field")):
        field = pattern.search(reason)
        if field:
            param = ".".join(part for part in (path, field["field"]) if part)
            return InvalidRequest(code, param=param[:_TEXT_LIMIT])
    return InvalidRequest(
        "bridge_error-wrong_argument",
        param=path[:_TEXT_LIMIT] or "arguments",
        reason=reason.replace("`", "")[:_TEXT_LIMIT],
    )
