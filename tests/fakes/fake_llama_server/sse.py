"""Events as the bytes of a stream, in every form that the standard allows or a network makes of it.

The format is that of the WHATWG HTML standard, section "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.fakes.fake_llama_server.options import Switches
from tests.fakes.fake_llama_server.wire import Reply

NEWLINES = {"lf": "\n", "cr": "\r", "crlf": "\r\n"}
DONE = "[DONE]"


def encode(event: dict[str, Any] | str, switches: Switches) -> bytes:
    """One event, a JSON object or the literal `[DONE]`, with the blank line that ends it."""
    if not isinstance(event, str) and switches.multi_line:
        # A newline is white space to JSON wherever this layout puts one, so the lines join to the same object.
        text = json.dumps(event, ensure_ascii=False, indent=1)
    else:
        text = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    lines = [f"data: {line}" for line in text.split("\n")]
    if switches.event_name is not None:
        lines.insert(0, f"event: {switches.event_name}")
    if switches.comments:
        lines = [":", ": keep-alive", *lines]
    newline = NEWLINES[switches.newline]
    return (newline.join(lines) + newline * 2).encode()


async def send(reply: Reply, data: bytes, switches: Switches) -> None:
    """Send one encoded event, in the pieces that the switches ask for."""
    if switches.split_bytes:
        for index in range(len(data)):
            await reply.send(data[index : index + 1])
            await asyncio.sleep(0)
    elif switches.cut_utf8 and (cut := _inside_a_character(data)):
        await reply.send(data[:cut])
        await asyncio.sleep(0.002)  # long enough for the reader to see the two halves apart
        await reply.send(data[cut:])
    else:
        await reply.send(data)


def _inside_a_character(data: bytes) -> int:
    """The first position that is inside a multi-byte character, 0 when there is none."""
    return next((index for index, byte in enumerate(data) if byte & 0xC0 == 0x80), 0)
