"""A client that notes when every event of its streams arrives. Runs as a process of its own; prints JSON.

usage: python -m tests.bench.stream_client HOST:PORT STREAMS MAX_TOKENS [KEY]
Latencies in ms, from the stamp in a token (`paced_engine`) to its arrival; times in s.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

BODY = {
    "model": "bench",
    "stream": True,
    "temperature": 0,
    "ignore_eos": True,
    "messages": [{"role": "user", "content": "Tell me about llamas"}],
}


async def stream(address: str, max_tokens: int, model: str, key: str, latencies: list[float]) -> dict[str, float]:
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
        events += count
        for piece in data.split(b'"content":"')[1:]:
            stamp = piece.split(b" ", 1)[0]
            if stamp.isdigit() and len(stamp) > 10:
                latencies.append((now - int(stamp)) / 1e6)
    writer.close()
    return {"first": first, "seconds": time.monotonic() - begin, "events": events}


async def main() -> None:
    address, streams, max_tokens, model = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    key = sys.argv[5] if len(sys.argv) > 5 else "none"
    latencies: list[float] = []
    results = await asyncio.gather(*(stream(address, max_tokens, model, key, latencies) for _ in range(streams)))
    latencies.sort()
    share = lambda q: latencies[min(len(latencies) - 1, int(q * len(latencies)))] if latencies else 0.0  # noqa: E731
    print(
        json.dumps(
            {
                "first_s": sorted(r["first"] for r in results)[len(results) // 2],
                "seconds": max(r["seconds"] for r in results),
                "events": sum(r["events"] for r in results),
                "tokens": len(latencies),
                "p50_ms": share(0.5),
                "p99_ms": share(0.99),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
