"""Writes GGUF headers byte by byte, true or not."""

from __future__ import annotations

import struct
from collections.abc import Sequence

U8, U32, TEXT, ARRAY, U64 = 0, 4, 8, 9, 10
FILLING = b"\0" * 4096  # room, so that a header is not refused for being at the end of its file


def _string(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(encoded)) + encoded


def pair(key: str, kind: int, value: bytes) -> bytes:
    """A key with a value of that type, as raw bytes."""
    return _string(key) + struct.pack("<I", kind) + value


def text(key: str, value: str) -> bytes:
    """A key with a text."""
    return pair(key, TEXT, _string(value))


def number(key: str, value: int) -> bytes:
    """A key with an unsigned number of 32 bits."""
    return pair(key, U32, struct.pack("<I", value))


def numbers(key: str, values: Sequence[int]) -> bytes:
    """A key with an array of such numbers."""
    return pair(key, ARRAY, struct.pack(f"<IQ{len(values)}I", U32, len(values), *values))


def texts(key: str, values: Sequence[str]) -> bytes:
    """A key with an array of texts."""
    return pair(key, ARRAY, struct.pack("<IQ", TEXT, len(values)) + b"".join(map(_string, values)))


def header(pairs: Sequence[bytes], *, version: int = 3, tensor_count: int = 0, pair_count: int | None = None) -> bytes:
    """A file with these pairs; `pair_count` is what it declares."""
    declared = len(pairs) if pair_count is None else pair_count
    return struct.pack("<4sIQQ", b"GGUF", version, tensor_count, declared) + b"".join(pairs) + FILLING
