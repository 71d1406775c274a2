"""An engine that only keeps time: answers as llama-server does, at a fixed rate, each token carrying when it was sent.

A raw asyncio protocol, so that its own cost hardly shows. The stamp is CLOCK_MONOTONIC in ns, which all processes of a
machine share. Takes llama-server's command line, so that Llamero starts it like any engine.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time

RATE = float(os.environ.get("PACED_RATE", "60"))
HELP = """----- common params -----

-m,    --model FNAME                    model path
-a,    --alias STRING                   names
--embedding                             embeddings only
-c,    --ctx-size N                     size of the prompt context

----- server-specific params -----

--port PORT                             port to listen on
"""


def _chunk(delta: str, finish: str = "null") -> bytes:
    choice = f'{{"finish_reason":{finish},"index":0,"delta":{delta}}}'
    event = f'{{"choices":[{choice}],"created":1,"id":"chatcmpl-paced","object":"chat.completion.chunk"}}'
    body = b"data: " + event.encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(body), body)


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; understands just what its two clients send."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        length = 0
        if b"content-length:" in lower:
            length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        path = head.split(b" ")[1]
        key = os.environ.get("LLAMA_API_KEY", "")
        if path == b"/props" and f"bearer {key}".lower().encode() not in lower:
            self.reply(b"401 Unauthorized", b"{}")
        elif path == b"/v1/chat/completions":
            tokens = int(rest.split(b'"max_tokens":')[1].split(b",")[0].split(b"}")[0])
            self.task = asyncio.ensure_future(self.stream(tokens))
        else:
            self.reply(b"200 OK", b"{}")

    def reply(self, status: bytes, body: bytes) -> None:
        self.transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
        )

    async def stream(self, tokens: int) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            + _chunk('{"role":"assistant","content":null}')
        )
        # The first token at once, the others in a phase of each stream's own.
        start = time.monotonic() - random.random() / RATE
        for number in range(tokens):
            pause = start + number / RATE - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            self.transport.write(_chunk(f'{{"content":"{time.monotonic_ns()} "}}'))
        done = b"data: [DONE]\n\n"
        self.transport.write(_chunk("{}", '"stop"') + b"%x\r\n%s\r\n0\r\n\r\n" % (len(done), done))


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", port)
    print(f"main: server is listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if "--help" in sys.argv:
        print(HELP)
    elif "--version" in sys.argv:
        print("version: 1 (paced)")
    else:
        asyncio.run(serve(int(sys.argv[sys.argv.index("--port") + 1])))
