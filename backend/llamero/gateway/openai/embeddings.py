"""Completes what engines pass over of an embedding request.

`encoding_format: base64`, which the official clients ask for, where an engine answers with numbers, and `dimensions`.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Mapping

import msgspec

from llamero.gateway.vectors import shortened
from llamero.models.errors import InvalidRequest, UpstreamFailed

_NUMBERS = re.compile(rb'"embedding"\s*:\s*\[')
_FLOAT_BYTES = 4


def completion(body: Mapping[str, object]) -> Callable[[bytes], bytes] | None:
    """Return what makes of an engine's answer the one that the request asks for; None where every answer is."""
    in_base64 = body.get("encoding_format") == "base64"
    dimensions = body.get("dimensions")
    if isinstance(dimensions, int | float):
        return lambda answer: _rewritten(answer, in_base64=in_base64, dimensions=int(dimensions))
    if in_base64:
        return lambda answer: _rewritten(answer, in_base64=True) if _NUMBERS.search(answer) else answer
    return None


def _rewritten(answer: bytes, *, in_base64: bool, dimensions: int | None = None) -> bytes:
    """The answer with its vectors as they are wanted. Raises UpstreamFailed, InvalidRequest for too many dimensions."""
    try:
        document = msgspec.json.decode(answer)
        for entry in document["data"]:
            entry["embedding"] = _wanted(entry["embedding"], in_base64=in_base64, dimensions=dimensions)
    except (ValueError, KeyError, TypeError, struct.error, OverflowError) as error:
        raise UpstreamFailed(reason=f"embeddings that cannot be read: {error}") from error
    return msgspec.json.encode(document)


def _wanted(told: str | list[float], *, in_base64: bool, dimensions: int | None) -> str | list[float]:
    vector = _unpacked(told) if isinstance(told, str) else told
    if dimensions is not None:
        if dimensions > len(vector):
            raise InvalidRequest("request_error-out_of_range", param="dimensions", minimum=1, maximum=len(vector))
        vector = shortened(vector, dimensions)
    return _packed(vector) if in_base64 else vector


def _packed(vector: list[float]) -> str:
    """The base64 of little-endian floats of 32 bits."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _unpacked(text: str) -> list[float]:
    content = base64.b64decode(text, validate=True)
    return list(struct.unpack(f"<{len(content) // _FLOAT_BYTES}f", content))
