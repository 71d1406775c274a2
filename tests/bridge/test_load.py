"""Thirty windows at once, each following an answer of two thousand deltas a second: bounded, whole, and affordable."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from llamero.bridge.windows import HubLimits
from llamero.models.bridge.chats import ChatFrame
from tests.bridge.harness import Bridge, Page, running_bridge

WINDOWS = 30
DELTAS = 2000
# 2,000 a second, in bursts as they come from an engine's socket.
BURST = 20


async def follow(bridge: Bridge, window: str, ready: asyncio.Event) -> Page:
    async with bridge.page(window) as page:
        await page.frame()
        ready.set()
        await page.until(lambda frame: frame.get("end") is True)
        return page


async def test_thirty_windows_at_two_thousand_deltas_a_second_stay_bounded(tmp_path: Path) -> None:
    limits = HubLimits(max_windows=WINDOWS)
    async with running_bridge(tmp_path, hub_limits=limits) as bridge:
        ready = [asyncio.Event() for _ in range(WINDOWS)]
        pages = [asyncio.create_task(follow(bridge, f"w{n}", ready[n])) for n in range(WINDOWS)]
        for event in ready:
            await event.wait()
        channels = [bridge.hub.channel(f"window:w{n}", 1) for n in range(WINDOWS)]
        loop = asyncio.get_running_loop()
        started, most = loop.time(), 0
        spent = time.process_time()
        for burst in range(DELTAS // BURST):
            for number in range(BURST):
                frame = ChatFrame(text=f"{burst * BURST + number} ")
                for channel in channels:
                    channel.send(frame)
            most = max(most, bridge.hub.held)
            due = started + (burst + 1) * BURST / 2000
            await asyncio.sleep(max(0.0, due - loop.time()))
        for channel in channels:
            channel.end()
        read = await asyncio.gather(*pages)
        spent = time.process_time() - spent
    wanted = "".join(f"{number} " for number in range(DELTAS))
    assert all(page.text(1) == wanted for page in read)
    # What is held is what may be asked for again, and it is the frames themselves, not the deltas.
    assert most < WINDOWS * (limits.max_replay + 64 * 1024)
    frames = sum(len(page.frames) for page in read)
    assert frames < WINDOWS * DELTAS / 4
    print(f"{WINDOWS * DELTAS} deltas in {frames} frames, {spent:.2f} s of CPU, at most {most / 1024:.0f} KiB held")
