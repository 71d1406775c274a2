"""A client that notes when every event of its streams arrives. Runs as a process of its own; prints JSON.

usage: python -m tests.bench.stream_client HOST:PORT STREAMS MAX_TOKENS MODEL KEY [--probe]
Latencies in ms, from the stamp in a token (`paced_engine`) to its arrival; times in s. With `--probe` one
request after the other is made for a single token while the streams last, so that there are first tokens to count.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable

PROBE_EVERY_S = 0.05
BODY = {
    "model": "bench",
    "stream": True,
    "temperature": 0,
    "ignore_eos": True,
    "messages": [{"role": "user", "content": "Tell me about llamas"}],
}


async def stream(
    address: str,
    max_tokens: int,
    model: str,
    key: str,
    latencies: list[float],
    begun: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps({**BODY, "model": model, "max_tokens": max_tokens}, separators=(",", ":")).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    begin = time.monotonic()
    writer.write(head.encode() + body)
    first = 0.0
    events = 0
    tail = b""
    while b"data: [DONE]" not in tail:
        data = await reader.read(65536)
        now = time.monotonic_ns()
        if not data:
            raise SystemExit(f"the stream ended early: {tail[-300:]!r}")
        tail = tail[-64:] + data if len(data) < 64 else data
        count = data.count(b'"content":"')
        if count and not first:
            first = now / 1e9 - begin
            begun()
        events += count
        for piece in data.split(b'"content":"')[1:]:
            stamp = piece.split(b" ", 1)[0]
            if stamp.isdigit() and len(stamp) > 10:
                latencies.append((now - int(stamp)) / 1e6)
    writer.close()
    return {"first": first, "seconds": time.monotonic() - begin, "events": events}


async def probe(
    address: str, model: str, key: str, all_begun: asyncio.Event, streaming: asyncio.Future[list[dict[str, float]]]
) -> list[float]:
    """How long first tokens take beside the streams once these all run, in ms."""
    firsts: list[float] = []
    await all_begun.wait()
    while not streaming.done():
        firsts.append((await stream(address, 1, model, key, []))["first"] * 1000)
        await asyncio.wait({streaming}, timeout=PROBE_EVERY_S)
    return firsts


async def main() -> None:
    address, streams, max_tokens, model = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    key = sys.argv[5]
    latencies: list[float] = []
    waiting, all_begun = streams, asyncio.Event()

    def begun() -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            all_begun.set()

    streaming = asyncio.gather(*(stream(address, max_tokens, model, key, latencies, begun) for _ in range(streams)))
    firsts = await probe(address, model, key, all_begun, streaming) if "--probe" in sys.argv else []
    results = await streaming
    print(
        json.dumps(
            {
                "first_s": sorted(r["first"] for r in results)[len(results) // 2],
                "seconds": max(r["seconds"] for r in results),
                "events": sum(r["events"] for r in results),
                "latencies_ms": latencies,
                "firsts_ms": firsts,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
