"""Completes `encoding_format: base64`, which the official clients ask for, where an engine answers with numbers."""

from __future__ import annotations

import base64
import re
import struct

import msgspec

from llamero.models.errors import UpstreamFailed

_NUMBERS = re.compile(rb'"embedding"\s*:\s*\[')


def in_base64(body: bytes) -> bytes:
    """The answer with every vector as the base64 of its little-endian 32-bit floats. Raises UpstreamFailed."""
    if not _NUMBERS.search(body):
        return body
    try:
        document = msgspec.json.decode(body)
        for entry in document["data"]:
            if isinstance(entry["embedding"], list):
                entry["embedding"] = _packed(entry["embedding"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, struct.error, OverflowError) as error:
        raise UpstreamFailed(reason=f"embeddings that cannot be read: {error}") from error
    return msgspec.json.encode(document)


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
