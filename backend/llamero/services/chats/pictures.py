"""What a picture's first bytes say of it: its format and how large it is. Nothing is decoded. Pure.

Formats: PNG (RFC 2083, 11.2.2), GIF (GIF89a, 18), JPEG (ITU-T T.81, B.2.2), WebP (RFC 9649). What a header says may be
a lie, but a decoder makes room by the same numbers, so a bound on them is one on what it takes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import msgspec

Size = tuple[int, int]

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # those between are tables and an extension
_JPEG_MARKER = re.compile(rb"\xff+([^\xff\x00])")
_MOST_SEGMENTS = 1000  # cameras write a few dozen before the frame; millions would take seconds to pass
_WEBP_LARGEST = (1 << 14) - 1


class Picture(msgspec.Struct, frozen=True):
    """A picture's format and, where its header says so, its width and height in pixels."""

    media_type: str
    size: Size | None


def read_picture(body: bytes) -> Picture | None:
    """Tell what picture this is; None where it is none of those that are known here."""
    for magic, media_type, size_of in _FORMATS:
        if magic.match(body):
            try:
                size = size_of(body)
            except struct.error:  # the header is cut off
                size = None
            return Picture(media_type, size if size and min(size) > 0 else None)
    return None


def _png(body: bytes) -> Size | None:
    kind, *size = struct.unpack_from(">4sII", body, 12)
    return (size[0], size[1]) if kind == b"IHDR" else None


def _gif(body: bytes) -> Size | None:
    width, height = struct.unpack_from("<HH", body, 6)
    return width, height


def _jpeg(body: bytes) -> Size | None:
    """Go from segment to segment until one begins a frame."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if (marker := _JPEG_MARKER.match(body, at)) is None:
            break
        length, height, width = struct.unpack_from(">HxHH", body, marker.end())
        if marker[1][0] in _JPEG_FRAMES:
            return width, height
        at = marker.end() + max(length, 2)
    return None


def _webp(body: bytes) -> Size | None:
    """The first chunk is one of three kinds, of which the simple lossless one packs both sides into 28 bits."""
    kind = body[12:16]
    if kind == b"VP8 ":
        mark, width, height = struct.unpack_from("<3sHH", body, 23)
        return (width & _WEBP_LARGEST, height & _WEBP_LARGEST) if mark == b"\x9d\x01\x2a" else None
    if kind == b"VP8L":
        mark, sides = struct.unpack_from("<cI", body, 20)
        return ((sides & _WEBP_LARGEST) + 1, (sides >> 14 & _WEBP_LARGEST) + 1) if mark == b"\x2f" else None
    if kind == b"VP8X":
        low, high, low_height, high_height = struct.unpack_from("<HBHB", body, 24)
        return (low | high << 16) + 1, (low_height | high_height << 16) + 1
    return None


_FORMATS: tuple[tuple[re.Pattern[bytes], str, Callable[[bytes], Size | None]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png", _png),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg", _jpeg),
    (re.compile(rb"GIF8[79]a"), "image/gif", _gif),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp", _webp),
)
