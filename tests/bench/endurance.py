"""What the gateway keeps up: many connections at once, thousands of requests, one model after the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measures import Figure, at_most
from tests.bench.rigs import DEMO, EMBEDDED, Streamed, bare_engine, client, gateway, paced_program, poll_health

IDLE, STREAMS = 500, 64
WARM_UP, REQUESTS, SENDERS = 1_000, 10_000, 8


def connections(seconds: float = 5.0, rate: int = 60) -> Iterator[Figure]:
    """500 connections that asked once and wait, while 64 streams run; then each of the 500 asks again."""
    tokens = int(seconds * rate)
    with paced_program() as program, gateway(f'[engine]\npath = "{program}"\n') as llamero:
        client(llamero.address, 1, 1)
        dropped, streamed = asyncio.run(_beside_idle_connections(llamero.address, tokens))
    yield at_most(f"{IDLE} idle connections: dropped", dropped, 0, "")
    yield at_most(f"{STREAMS} streams beside them: tokens lost", STREAMS * tokens - len(streamed.latencies_ms), 0, "")


async def _beside_idle_connections(address: str, tokens: int) -> tuple[int, Streamed]:
    idle = [await Connection.open(address) for _ in range(IDLE)]
    for connection in idle:
        await connection.exchange("GET", "/health")
    streamed = await asyncio.to_thread(client, address, STREAMS, tokens)
    kept = 0
    for connection in idle:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            kept += await connection.exchange("GET", "/health") == 200
        connection.close()
    return IDLE - kept, streamed


def memory() -> Iterator[Figure]:
    """Resident memory after a thousand requests, and after ten thousand more; half of them streamed."""
    with paced_program() as program, gateway(f'[engine]\npath = "{program}"\n') as llamero:
        asyncio.run(_ask_often(llamero.address, WARM_UP))
        before = llamero.process.memory_info().rss
        began = time.monotonic()
        asyncio.run(_ask_often(llamero.address, REQUESTS))
        seconds = time.monotonic() - began
        grown = llamero.process.memory_info().rss - before
    yield at_most(f"memory grown over {REQUESTS:,} requests", grown / 1e6, 5, "MB")
    yield Figure(f"{SENDERS} clients: requests per second", REQUESTS / seconds, "/s", "", True)


async def _ask_often(address: str, requests: int) -> None:
    async def ask(count: int) -> None:
        connection = await Connection.open(address)
        for number in range(count):
            body = {"model": "demo", "stream": bool(number % 2), "messages": [], "max_tokens": 0}
            if await connection.exchange("POST", "/v1/chat/completions", json.dumps(body).encode()) != 200:
                raise SystemExit("a request failed")
        connection.close()

    await asyncio.gather(*(ask(requests // SENDERS) for _ in range(SENDERS)))


def switching(rounds: int = 12) -> Iterator[Figure]:
    """From a request for the model that is not loaded to its first token, against a stop and a start by hand."""
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as directory:
        other = Path(directory, "other.gguf")
        shutil.copyfile(DEMO, other)
        with gateway("", "--model", str(other)) as llamero:
            client(llamero.address, 1, 1, model="other")
            for _ in range(rounds):
                ours += [client(llamero.address, 1, 1, model=name).first_s for name in ("demo", "other")]
                bare.append(_by_hand())
    yield Figure("by hand: stop, start, first token", statistics.median(bare) * 1000, "ms", "", True)
    yield at_most("switching models ÷ by hand", statistics.median(ours) / statistics.median(bare), 1.10, "×")


def _by_hand() -> float:
    with bare_engine(EMBEDDED) as (address, former):
        poll_health(address, 0.005)
        client(address, 1, 1)
        begin = time.monotonic()
        former.terminate()
        former.wait()
        with bare_engine(EMBEDDED) as (next_address, _):
            poll_health(next_address, 0.005)
            ready = time.monotonic() - begin
            return ready + client(next_address, 1, 1).first_s


class Connection:
    """One kept HTTP/1.1 connection that reads whole replies, by length or in chunks."""

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._address = address
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: str) -> Connection:
        host, port = address.rsplit(":", 1)
        return cls(address, *await asyncio.open_connection(host, int(port)))

    async def exchange(self, method: str, path: str, body: bytes = b"") -> int:
        """Send a request, read its reply to the end, and return the status."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._address}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
        if headers.get(b"transfer-encoding") == b"chunked":
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readuntil(b"\r\n")
        else:
            await self._reader.readexactly(int(headers.get(b"content-length", b"0")))
        return int(lines[0].split()[1])

    def close(self) -> None:
        self._writer.close()
