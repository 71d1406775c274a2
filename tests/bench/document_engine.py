"""An engine that answers every question with one markdown document at a fixed rate, and hands the rest to a real one.

usage: document_engine.py [llama-server's flags] with DOCUMENT (a file), RATE (pieces per second) and, for llama.cpp's
own page, UPSTREAM (the address of a real llama-server) in the environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from aiohttp import ClientSession, web

CHARACTERS = 4
DOCUMENT = Path(os.environ["DOCUMENT"]).read_text()
HOP_BY_HOP = ("transfer-encoding", "content-length", "connection")


def chunk(delta: dict[str, str | None], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = {"id": "chatcmpl-document", "object": "chat.completion.chunk", "created": 1, "choices": [choice]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


async def chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if not body.get("stream"):
        message = {"role": "assistant", "content": "A document"}
        return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    text, rate = DOCUMENT, float(os.environ["RATE"])
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await reply.prepare(request)
    await reply.write(chunk({"role": "assistant", "content": None}))
    begin = time.monotonic()
    for number, start in enumerate(range(0, len(text), CHARACTERS)):
        pause = begin + number / rate - time.monotonic()
        if pause > 0.001:
            await asyncio.sleep(pause)
        await reply.write(chunk({"content": text[start : start + CHARACTERS]}))
    await reply.write(chunk({}, "stop") + b"data: [DONE]\n\n")
    return reply


async def other(request: web.Request) -> web.Response:
    upstream = os.environ.get("UPSTREAM", "")
    if not upstream:
        allowed = request.headers.get("Authorization") == f"Bearer {os.environ.get('LLAMA_API_KEY', '')}"
        return web.json_response({}, status=401 if request.path == "/props" and not allowed else 200)
    headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    async with (
        ClientSession(auto_decompress=False) as session,
        session.request(
            request.method, upstream + request.path_qs, headers=headers, data=await request.read() or None
        ) as answer,
    ):
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        return web.Response(status=answer.status, body=await answer.read(), headers=kept)


def main() -> None:
    if "--help" in sys.argv:
        from paced_engine import HELP  # beside this file

        print(HELP)
        return
    app = web.Application(client_max_size=1 << 28)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_route("*", "/{path:.*}", other)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]), print=None)


if __name__ == "__main__":
    main()
