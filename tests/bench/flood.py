"""What an engine that writes 50 MB/s does to the app: its event loop, its memory, and the log view beside it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from tests.bench.measures import Figure, at_most
from tests.bench.rigs import REPOSITORY
from tests.fakes.launch import fake_engine

FLOOD_MB_PER_S = 50
SECONDS = 8.0
WINDOW = "bench"


def flood() -> Iterator[Figure]:
    """An engine floods, with nobody looking and with the log view open."""
    for watching in (False, True):
        note = ", log view open" if watching else ""
        figures, batches, largest = asyncio.run(_flooded(watching))
        name = f"engine floods {FLOOD_MB_PER_S} MB/s{note}"
        yield Figure(f"no flood{note}: event loop p99 lag", figures["calm_p99_ms"], "ms", "", True)
        yield at_most(f"{name}: event loop p99 lag", figures["p99_ms"], 50, "ms")
        yield Figure(f"{name}: longest lag", figures["longest_ms"], "ms", "", True)
        yield at_most(f"{name}: memory grown", figures["grown_mb"], 20, "MB")
        if watching:
            yield at_most(f"{name}: batches per second", batches / SECONDS, 10.5, "")
            yield Figure(f"{name}: largest batch", largest / 1000, "kB", "", True)


async def _flooded(watching: bool) -> tuple[dict[str, float], int, int]:
    with tempfile.TemporaryDirectory(prefix="llamero-bench-") as folder:
        engine = fake_engine(Path(folder) / "engine", flood_mb_per_s=FLOOD_MB_PER_S)
        data = Path(folder) / "data"
        data.mkdir()
        (data / "settings.toml").write_text(f"[engine]\npath = {json.dumps(engine.command[0])}\n")
        command = [sys.executable, "-m", "tests.bench.flooded", str(data), str(SECONDS)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        assert process.stdin is not None
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        view = asyncio.create_task(_watch(url)) if watching else None
        process.stdin.write(b"\n")
        result = await process.stdout.readline()
        await process.wait()
        batches, largest = await view if view is not None else (0, 0)
        return json.loads(result), batches, largest


async def _watch(url: str) -> tuple[int, int]:
    """Be the log view, until the app ends: how many batches came, and the largest in bytes."""
    parts = urlsplit(url)
    origin, token = f"{parts.scheme}://{parts.netloc}", parts.fragment.removeprefix("t=")
    headers = {"Authorization": f"Bearer {token}", "X-Llamero-Window": WINDOW}
    batches = largest = 0
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{origin}/bridge/events", protocols=("llamero.v1", f"bearer.{token}"), origin=origin, max_msg_size=0
        ) as socket,
    ):
        await socket.send_json({"hello": {"window": WINDOW}})
        await socket.receive()
        async with session.post(f"{origin}/bridge/watch_logs", json={"watching": True}, headers=headers) as reply:
            assert reply.status == 200
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT and '"ev":"logs"' in message.data[:60]:
                batches += 1
                largest = max(largest, len(message.data))
    return batches, largest
