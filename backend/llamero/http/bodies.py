"""Reads request bodies: bounded in size, in time and in depth, and never unpacked.

Nothing is asked of the client before its request has been let in: `100 Continue` is sent here and not earlier.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from llamero.http.limits import Limits
from llamero.http.nesting import Nesting
from llamero.models.errors import InvalidRequest, PayloadTooLarge, RequestTimedOut, UnsupportedMediaType

T = TypeVar("T")
_object_decoder = msgspec.json.Decoder(dict[str, object])
_list_decoder = msgspec.json.Decoder(list[dict[str, object]])
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Whoever wants to see a request's body, once it is whole, puts itself here.
BODY_READER: web.RequestKey[Callable[[bytes], None]] = web.RequestKey("body_reader")


async def read_json_object(request: web.Request, limits: Limits) -> dict[str, object]:
    """Return the body as a JSON object, whatever its declared type. Raises as `read_body` and `decode_object` do."""
    return decode_object(await _read_json(request, limits), limits.max_json_depth)


async def read_json_list(request: web.Request, limits: Limits) -> list[dict[str, object]]:
    """Return the body as a JSON list of objects. Raises as `read_json_object` does."""
    return _decode(_list_decoder, await _read_json(request, limits), limits.max_json_depth)


async def read_body(request: web.Request, limits: Limits) -> bytes:
    """Return the whole body. Raises what `body_pieces` does, `RequestTimedOut` also for the body as a whole."""
    return await _read(request, limits, body_pieces(request, limits.max_body_bytes))


async def _read_json(request: web.Request, limits: Limits) -> bytes:
    return await _read(request, limits, _shallow_pieces(request, limits))


async def _shallow_pieces(request: web.Request, limits: Limits) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Raises `InvalidRequest` as soon as it is too deep, without reading on."""
    nesting = Nesting(limits.max_json_depth)
    async for piece in body_pieces(request, limits.max_body_bytes):
        # The last piece, which is nearly always the only one, is judged with the whole when that is decoded.
        if not request.content.at_eof() and nesting.exceeded_by(piece):
            raise InvalidRequest("request_error-too_deep", limit=limits.max_json_depth)
        yield piece


async def _read(request: web.Request, limits: Limits, pieces: AsyncIterator[bytes]) -> bytes:
    whole = _arrived(request, limits.max_body_bytes)
    if whole is None:
        whole = await _awaited(limits, pieces)
    if (reader := request.get(BODY_READER)) is not None:
        reader(whole)
    return whole


def _arrived(request: web.Request, max_bytes: int) -> bytes | None:
    """The body, if it has come with the head, as small ones do. None: wait for it. Raises as `body_pieces` does."""
    content = request.content
    if not content.is_eof() or content.exception() is not None:
        return None
    _check_announced(request, max_bytes)
    body = content.read_nowait()
    if len(body) > max_bytes:
        raise PayloadTooLarge(limit=max_bytes)
    return body


async def _awaited(limits: Limits, pieces: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            async for piece in pieces:
                body += piece
    except TimeoutError:
        raise RequestTimedOut(seconds=round(limits.body_timeout_s)) from None
    return bytes(body)


async def body_pieces(request: web.Request, max_bytes: int, silence_s: float | None = None) -> AsyncIterator[bytes]:
    """Yield the body as it arrives.

    Raises `UnsupportedMediaType` for a compressed one, `PayloadTooLarge` without reading on, `InvalidRequest` for
    broken chunks, and `RequestTimedOut` when nothing comes for `silence_s`.
    """
    _check_announced(request, max_bytes)
    await _invite_body(request)
    size = 0
    while piece := await _piece(request, silence_s):
        size += len(piece)
        if size > max_bytes:
            raise PayloadTooLarge(limit=max_bytes)
        yield piece


def _check_announced(request: web.Request, max_bytes: int) -> None:
    for encoding in request.headers.getall("Content-Encoding", ()):
        if encoding.strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType(content_type=encoding[:100])
    if (request.content_length or 0) > max_bytes:
        raise PayloadTooLarge(limit=max_bytes)


async def _piece(request: web.Request, silence_s: float | None) -> bytes:
    try:
        if silence_s is None:
            return await request.content.readany()
        return await _piece_within(request, silence_s)
    except web.RequestPayloadError:
        raise InvalidRequest() from None


async def _piece_within(request: web.Request, silence_s: float) -> bytes:
    waiting = asyncio.timeout(silence_s)
    try:
        async with waiting:
            return await request.content.readany()
    except TimeoutError:
        if not waiting.expired():
            raise
        raise RequestTimedOut(seconds=round(silence_s)) from None


def decode_object(body: bytes, max_depth: int) -> dict[str, object]:
    """Decode a JSON object strictly: UTF-8, no NaN or Infinity, numbers within range, at most `max_depth` levels.

    Integers of any size up to Python's limit stay exact. Of a repeated key the last one counts, and as what is passed
    on is encoded anew, nobody behind us can see another one.
    """
    return _decode(_object_decoder, body, max_depth)


def _decode(decoder: msgspec.json.Decoder[T], body: bytes, max_depth: int) -> T:
    try:
        document = decoder.decode(body.removeprefix(BYTE_ORDER_MARK))
    except RecursionError:
        raise InvalidRequest("request_error-too_deep", limit=max_depth) from None
    except UnicodeDecodeError:
        raise InvalidRequest("request_error-not_json", reason="invalid UTF-8") from None
    except msgspec.DecodeError as error:
        raise InvalidRequest("request_error-not_json", reason=str(error)) from None
    # Fewer brackets than levels cannot be too deep, and that is nearly every request.
    if body.count(b"{") + body.count(b"[") > max_depth and is_deeper_than(document, max_depth):
        raise InvalidRequest("request_error-too_deep", limit=max_depth)
    return document


def is_deeper_than(document: object, max_depth: int) -> bool:
    """Tell whether lists and objects are nested more than `max_depth` levels, without recursion."""
    level = [document]
    for _ in range(max_depth):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(item for item in value.values() if isinstance(item, dict | list))
            elif isinstance(value, list):
                inner.extend(item for item in value if isinstance(item, dict | list))
        if not inner:
            return False
        level = inner
    return True


async def _invite_body(request: web.Request) -> None:
    """Answer `Expect: 100-continue`, which clients send before a large body."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer proper has not begun


async def expect_later(request: web.Request) -> None:
    """Leave `Expect` to `read_body`. As a route's expect handler it replaces aiohttp's, which invites anybody."""
