"""However often and wherever a window's connection breaks: no gap, nothing twice, everything in order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llamero.bridge.windows import HubLimits
from llamero.models.bridge.chats import ChatFrame
from llamero.models.conversations import Conversation
from tests.bridge.harness import Page, eventually, running_bridge

WINDOW = "window:w1"

# What happens next: a piece of text, an event, frames being read, a break (before or after what is on its way is read),
# another connection that takes over while the first is still open.
STEP = st.one_of(
    st.tuples(st.just("text"), st.integers(1, 3)),
    st.tuples(st.just("event"), st.integers(1, 3)),
    st.tuples(st.just("read"), st.integers(1, 4)),
    st.tuples(st.just("turn"), st.integers(1, 3)),
    st.tuples(st.just("break"), st.just(0)),
    st.tuples(st.just("take over"), st.just(0)),
)


class Reader:
    """A page over several connections: it remembers the last frame it saw, as the browser's does."""

    def __init__(self) -> None:
        self.epoch = ""
        self.seq = 0
        self.texts: dict[int, str] = {}
        self.titles: dict[str, str] = {}
        self.ended: set[int] = set()

    async def read(self, page: Page) -> None:
        frame = await page.frame()
        if "snapshot" in frame:
            assert not self.epoch, "an unneeded snapshot"
            self.epoch, self.seq = frame["epoch"], frame["seq"]
            return
        if len(frame) == 1:
            assert frame["seq"] == self.seq
            return
        assert frame["seq"] == self.seq + 1
        self.seq = frame["seq"]
        if "ev" in frame:
            self.titles[frame["d"]["id"]] = frame["d"]["title"]
        elif frame.get("end"):
            self.ended.add(frame["ch"])
        else:
            assert frame["ch"] not in self.ended
            self.texts[frame["ch"]] = self.texts.get(frame["ch"], "") + frame["d"]["text"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=40))
def test_window_with_random_breaks_gets_everything_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder), steps))


async def _play(folder: Path, steps: list[tuple[str, int]]) -> None:
    async with running_bridge(folder, hub_limits=HubLimits(frame_interval_s=0.0)) as bridge:
        reader = Reader()
        wanted: dict[int, str] = {}
        titles: dict[str, str] = {}
        connection = bridge.page()
        page = await connection.__aenter__()
        await reader.read(page)
        page.seq = reader.seq
        channels = {number: bridge.hub.channel(WINDOW, number) for number in (1, 2, 3)}
        for count, (what, number) in enumerate(steps):
            if what == "text":
                channels[number].send(ChatFrame(text=f"{count},"))
                wanted[number] = wanted.get(number, "") + f"{count},"
            elif what == "event":
                titles[str(number)] = str(count)
                known = Conversation(id=str(number), title=str(count), created_at=1.0, updated_at=1.0)
                bridge.hub.event("conversation", known)
            elif what == "turn":
                for _ in range(number):
                    await asyncio.sleep(0)
            elif what == "read":
                for _ in range(number):
                    if reader.texts == wanted and reader.titles == titles:
                        break
                    await reader.read(page)
            else:
                former = connection
                if what == "break":
                    await former.__aexit__(None, None, None)
                connection = bridge.page(resume=(reader.epoch, reader.seq))
                page = await connection.__aenter__()
                page.seq = reader.seq
                if what == "take over":
                    await reader.read(page)  # so the new connection has been taken up
                    await former.__aexit__(None, None, None)
        for number, channel in channels.items():
            channel.end()
            while number not in reader.ended:
                await reader.read(page)
        assert reader.texts == wanted
        assert reader.titles == titles
        await connection.__aexit__(None, None, None)
        await eventually(lambda: not bridge.hub.connected())
