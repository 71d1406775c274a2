"""Pictures by their first bytes: their size is known without decoding, and a lying header costs nothing."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.models.conversations import AttachmentKind
from llamero.models.errors import InvalidRequest, PayloadTooLarge
from llamero.services.chats.attachments import LIMITS, MOST_PIXELS, judge
from llamero.services.chats.pictures import Picture, read_picture

EXIF = b"\xff\xe1" + struct.pack(">H", 2002) + b"\xff\xc0" * 1000  # what looks like a frame lies in a segment
TABLES = b"\xff\xc4\x00\x06abcd\xff\xff\xdb\x00\x04ef"


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02\0\0\0"


def jpeg(width: int, height: int, frame: int = 0xC0) -> bytes:
    return b"\xff\xd8" + EXIF + TABLES + struct.pack(">BBHBHH", 0xFF, frame, 17, 8, height, width) + b"\x03"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def webp(chunk: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


LOSSY = webp(b"VP8 \x20\0\0\0" + b"\x30\x01\0\x9d\x01\x2a" + struct.pack("<HH", 640 | 1 << 14, 480 | 2 << 14))
LOSSLESS = webp(b"VP8L\x20\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14 | 1 << 28))
EXTENDED = webp(b"VP8X\x0a\0\0\0\x10\0\0\0" + b"\x7f\x02\x00" + b"\xdf\x01\x00")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (png(640, 480), "image/png"),
        (jpeg(640, 480), "image/jpeg"),
        (jpeg(640, 480, frame=0xC2), "image/jpeg"),
        (gif(640, 480), "image/gif"),
        (LOSSY, "image/webp"),
        (LOSSLESS, "image/webp"),
        (EXTENDED, "image/webp"),
    ],
    ids=["png", "jpeg", "progressive jpeg", "gif", "lossy webp", "lossless webp", "extended webp"],
)
def test_picture_is_known_by_its_content_and_measured_by_its_header(body: bytes, media_type: str) -> None:
    assert read_picture(body) == Picture(media_type, (640, 480))
    judged = judge("notes.txt", body)
    assert (judged.kind, judged.media_type, judged.body) == (AttachmentKind.IMAGE, media_type, body)


@pytest.mark.parametrize(
    "body", [png(0, 5), jpeg(640, 480)[:-6], gif(5, 0), b"\x89PNG\r\n\x1a\n", LOSSY[:20], LOSSLESS[:22]]
)
def test_picture_that_does_not_say_how_large_it_is_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="image_damaged"):
        judge("a.png", body)


def test_decompression_bomb_is_refused_by_its_header() -> None:
    assert judge("a.png", png(8000, 8000)).kind is AttachmentKind.IMAGE
    with pytest.raises(InvalidRequest, match="image_too_many_pixels") as refused:
        judge("bomb.png", png(2**31 - 1, 2**31 - 1))
    assert refused.value.arguments == {"name": "bomb.png", "limit": MOST_PIXELS // 1_000_000}


def test_picture_over_the_limit_is_refused() -> None:
    body = png(10, 10).ljust(LIMITS.image_bytes, b"x")
    assert judge("a.png", body).kind is AttachmentKind.IMAGE
    with pytest.raises(PayloadTooLarge, match="image_too_large"):
        judge("a.png", body + b"x")


def test_drawing_that_is_a_program_is_text() -> None:
    judged = judge("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    assert (judged.kind, judged.media_type) == (AttachmentKind.TEXT, "text/plain")


def test_jpeg_of_nothing_but_segments_is_given_up_at_once() -> None:
    began = time.monotonic()
    assert read_picture(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 2_500_000) == Picture("image/jpeg", None)
    assert time.monotonic() - began < 0.5


@given(
    st.sampled_from([png(1, 1)[:8], b"\xff\xd8\xff", b"GIF89a", webp(b"VP8 "), webp(b"VP8L"), webp(b"VP8X")]),
    st.binary(max_size=200),
)
def test_picture_of_any_bytes_has_a_size_or_none(magic: bytes, rest: bytes) -> None:
    picture = read_picture(magic + rest)
    assert picture is not None and (picture.size is None or min(picture.size) > 0)
