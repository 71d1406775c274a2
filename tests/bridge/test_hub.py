"""Windows on real sockets: slow, gone, back again, replaced, too many."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.hub import Hub
from llamero.bridge.windows import GOING_AWAY, NO_GREETING, REPLACED, TOO_SLOW, TRY_AGAIN_LATER, HubLimits
from llamero.models.bridge.chats import ChatFrame, ConversationRef
from llamero.models.bridge.window import UiState
from llamero.models.conversations import Conversation
from llamero.models.errors import IoFailed
from tests.bridge.harness import eventually, frame, running_bridge

QUICK = HubLimits(frame_interval_s=0.001)
W1 = "window:w1"


def conversation(title: str, key: str = "c1") -> Conversation:
    return Conversation(id=key, title=title, created_at=1.0, updated_at=1.0)


async def test_window_that_says_hello_gets_a_snapshot_first(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        first = await page.frame()
        assert first["seq"] == 1
        assert len(first["epoch"]) == 16
        snapshot = first["snapshot"]
        assert snapshot["conversations"][0]["id"] == "c1"
        assert snapshot["gateway_url"] == "http://127.0.0.1:5526"
        assert snapshot["metrics"]["hardware"]["cpu"] == 12.5
        assert snapshot["notices"] == ["a notice"]
        assert snapshot == (await bridge.call("get_snapshot")).json()


async def test_channel_frames_arrive_in_order_and_end(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await page.frame()
        channel = bridge.hub.channel(W1, 7)
        for number in range(100):
            channel.send(frame(f"{number} "))
            if number % 10 == 0:
                await asyncio.sleep(0)
        channel.end()
        channel.send(frame("too late"))
        await page.until(lambda got: got.get("end") is True)
        assert page.text(7) == "".join(f"{number} " for number in range(100))
        assert channel.void


async def test_channel_opened_before_the_window_connects_keeps_its_frames(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        bridge.hub.channel(W1, 7).send(frame("early"))
        async with bridge.page() as page:
            assert "snapshot" in await page.frame()
            assert (await page.frame())["d"] == {"text": "early"}


async def test_first_frame_is_not_delayed_and_what_follows_is_collected(tmp_path: Path) -> None:
    limits = HubLimits(frame_interval_s=0.25)
    async with running_bridge(tmp_path, hub_limits=limits) as bridge, bridge.page() as page:
        await page.frame()
        channel = bridge.hub.channel(W1, 7)
        loop = asyncio.get_running_loop()
        started = loop.time()
        channel.send(frame("a"))
        assert (await page.frame())["d"] == {"text": "a"}
        assert loop.time() - started < 0.1
        channel.send(frame("b"))
        await asyncio.sleep(0)
        channel.send(frame("c"))
        assert (await page.frame())["d"] == {"text": "bc"}


async def test_window_that_comes_back_misses_nothing(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        async with bridge.page() as page:
            await page.frame()
            channel = bridge.hub.channel(W1, 7)
            channel.send(frame("a"))
            await page.frame()
            seen = page.seq
            channel.send(frame("b"))
            await page.frame()  # arrived, but the page behaves as if it had not
        await eventually(lambda: not bridge.hub.connected())
        channel.send(frame("c"))
        bridge.hub.event("conversation", conversation("x"))
        async with bridge.page(resume=(page.epoch, seen)) as again:
            again.seq = seen
            assert await again.frame() == {"seq": seen}
            assert (await again.frame())["d"] == {"text": "b"}
            assert (await again.frame())["d"] == {"text": "c"}
            assert (await again.frame())["ev"] == "conversation"
            channel.send(frame("d"))
            assert (await again.frame())["d"] == {"text": "d"}


@pytest.mark.parametrize(("epoch", "seq"), [("0" * 16, 1), ("", 0), (None, 10**9)])
async def test_window_that_asks_for_what_is_not_known_gets_a_snapshot(
    tmp_path: Path, epoch: str | None, seq: int
) -> None:
    async with running_bridge(tmp_path) as bridge:
        async with bridge.page() as page:
            await page.frame()
        await eventually(lambda: not bridge.hub.connected())
        async with bridge.page(resume=(page.epoch if epoch is None else epoch, seq)) as again:
            first = await again.frame()
            assert "snapshot" in first
            assert first["seq"] == 1
            assert first["epoch"] != page.epoch


async def test_window_behind_the_replay_buffer_gets_a_snapshot(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, hub_limits=HubLimits(frame_interval_s=0, max_replay_frames=3)) as bridge:
        async with bridge.page() as page:
            await page.frame()
            for number in range(5):
                bridge.hub.event("conversation", conversation("x", str(number)))
                await page.frame()
        await eventually(lambda: not bridge.hub.connected())
        async with bridge.page(resume=(page.epoch, page.seq - 4)) as again:
            assert "snapshot" in await again.frame()
        await eventually(lambda: not bridge.hub.connected())
        async with bridge.page(resume=(again.epoch, 1)) as third:
            assert await third.frame() == {"seq": 1}


async def test_page_that_begins_anew_voids_the_channels_of_the_one_before(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        async with bridge.page() as page:
            await page.frame()
            old = bridge.hub.channel(W1, 7)
        await eventually(lambda: not bridge.hub.connected())
        old.send(frame("nobody will read this"))
        async with bridge.page() as reloaded:
            assert "snapshot" in await reloaded.frame()
            assert old.void
            assert bridge.chats.forgotten == [W1]
            old.send(frame("nor this"))
            new = bridge.hub.channel(W1, 7)
            new.send(frame("new"))
            old.end()
            assert (await reloaded.frame())["d"] == {"text": "new"}
            assert not new.void


async def test_second_connection_of_a_window_takes_over_without_a_gap(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as first:
        await first.frame()
        channel = bridge.hub.channel(W1, 7)
        channel.send(frame("a"))
        await first.frame()
        async with bridge.page(resume=(first.epoch, first.seq)) as second:
            second.seq = first.seq
            assert await second.frame() == {"seq": first.seq}
            assert await first.closed() == REPLACED
            channel.send(frame("b"))
            assert (await second.frame())["d"] == {"text": "b"}
        await eventually(lambda: not bridge.hub.connected())


async def test_tab_cannot_take_the_place_of_the_apps_own_window(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page("w1") as window:
        await window.frame()
        async with bridge.page("w1", kind=WindowKind.TAB) as tab:
            await tab.frame()
            bridge.hub.channel(W1, 7).send(frame("for the window"))
            assert (await window.frame())["d"] == {"text": "for the window"}
            bridge.hub.event("ui", UiState(theme="dark"))
            assert (await tab.frame())["ev"] == "ui"


async def test_event_reaches_every_window_but_the_one_it_came_from(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page("w1") as first, bridge.page("w2") as second:
        await first.frame()
        await second.frame()
        changed = await bridge.call("set_ui_state", {"ui": {"theme": "dark"}}, window="w1")
        assert changed.status == 200
        bridge.hub.event("conversation_deleted", ConversationRef(conversation_id="c1"))
        assert (await first.frame())["ev"] == "conversation_deleted"
        assert (await second.frame())["d"]["theme"] == "dark"
        assert (await second.frame())["d"] == {"conversation_id": "c1"}


def test_event_with_a_payload_of_another_type_is_refused() -> None:
    hub = Hub()
    with pytest.raises(TypeError):
        hub.event("conversation", UiState())
    with pytest.raises(TypeError):
        hub.event("models", (UiState(),))
    with pytest.raises(KeyError):
        hub.event("anything", UiState())


async def test_slow_window_delays_nobody_and_is_bounded(tmp_path: Path) -> None:
    """One page stops reading in the middle of an answer; its text is merged, until it is too much."""
    limits = HubLimits(frame_interval_s=0.001, max_pending=300_000, max_replay=100_000)
    async with running_bridge(tmp_path, hub_limits=limits, kernel_buffer=4096) as bridge:
        async with bridge.page("slow", read_limit=1) as slow, bridge.page("w1") as quick:
            await slow.frame()
            await quick.frame()
            behind, ahead = bridge.hub.channel("window:slow", 1), bridge.hub.channel(W1, 1)
            piece = "x" * 1000
            most = sent = 0
            # aiohttp's client stops reading from its socket once nobody takes its messages.
            while "window:slow" in bridge.hub.connected():
                assert sent < 5000, "the slow window takes everything"
                behind.send(frame(piece))
                ahead.send(frame(f"{sent} "))
                sent += 1
                assert (await quick.until(lambda got, n=sent - 1: f"{n} " in got["d"]["text"]))["ch"] == 1  # type: ignore[misc]
                most = max(most, bridge.hub.held)
            assert most < limits.max_pending + 2 * limits.max_replay + 200_000
            assert behind.void
            assert quick.text(1) == "".join(f"{number} " for number in range(sent))
            assert await slow.closed() in (TOO_SLOW, 1006, None)
        async with bridge.page("slow", resume=(slow.epoch, slow.seq)) as again:
            assert "snapshot" in await again.frame()


async def test_window_away_for_too_much_text_gets_a_snapshot(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, hub_limits=HubLimits(max_pending=1000)) as bridge:
        async with bridge.page() as page:
            await page.frame()
            channel = bridge.hub.channel(W1, 1)
        await eventually(lambda: not bridge.hub.connected())
        for _ in range(100):
            channel.send(frame("x" * 100))
        assert bridge.hub.held < 1200
        async with bridge.page(resume=(page.epoch, page.seq)) as again:
            assert "snapshot" in await again.frame()


async def test_window_that_stays_away_is_forgotten(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, hub_limits=HubLimits(remember_s=0.05)) as bridge:
        async with bridge.page() as page:
            await page.frame()
            channel = bridge.hub.channel(W1, 1)
        await eventually(lambda: not bridge.hub.known())
        assert channel.void
        assert bridge.chats.forgotten == [W1]
        channel.send(frame("x"))
        assert bridge.hub.held == 0


async def test_windows_beyond_the_limit_are_sent_away_and_those_that_left_make_room(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, hub_limits=HubLimits(max_windows=2)) as bridge, bridge.page("w1") as first:
        await first.frame()
        async with bridge.page("w2") as second:
            await second.frame()
            async with bridge.page("w3") as third:
                assert await third.closed() == TRY_AGAIN_LATER
            assert bridge.hub.channel("window:w3", 1).void
        await eventually(lambda: len(bridge.hub.connected()) == 1)
        async with bridge.page("w3") as third:
            assert "snapshot" in await third.frame()
            assert bridge.hub.known() == {W1, "window:w3"}


def test_channels_beyond_the_limit_void_the_oldest() -> None:
    async def run() -> None:
        hub = Hub(HubLimits(max_channels=2))
        channels = [hub.channel(W1, number) for number in range(3)]
        assert [channel.void for channel in channels] == [True, False, False]
        hub.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "greeting",
    [b"", b"{}", b"not json", b'{"hello":{}}', b'{"hello":{"window":"../.."}}', b'{"resume":{"window":"w","seq":-1}}'],
)
async def test_connection_without_a_proper_greeting_is_closed(tmp_path: Path, greeting: bytes) -> None:
    async with running_bridge(tmp_path) as bridge, aiohttp.ClientSession() as session:
        protocols = ("llamero.v1", f"bearer.{bridge.tokens[WindowKind.TAB]}")
        async with session.ws_connect(f"{bridge.url}/bridge/events", protocols=protocols) as ws:
            assert ws.protocol == "llamero.v1"
            await ws.send_str(greeting.decode())
            message = await ws.receive(timeout=5)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, NO_GREETING)
        assert not bridge.hub.known()


async def test_connection_that_never_greets_is_closed(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, hub_limits=HubLimits(hello_timeout_s=0.05)) as bridge:
        protocols = ("llamero.v1", f"bearer.{bridge.tokens[WindowKind.TAB]}")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{bridge.url}/bridge/events", protocols=protocols) as ws,
        ):
            message = await ws.receive(timeout=5)
            assert message.data == NO_GREETING


async def test_snapshot_that_cannot_be_made_closes_the_connection_and_the_command_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_bridge(tmp_path) as bridge:

        async def fail() -> tuple[Conversation, ...]:
            raise IoFailed(reason="disk")

        bridge.chats.conversations = fail  # type: ignore[method-assign]
        async with bridge.page() as page:
            assert await page.closed() == 1011
        response = await bridge.call("get_snapshot")
        assert (response.status, response.json()["code"]) == (500, "server_error-io_error")
    assert any("no snapshot" in record.getMessage() for record in caplog.records)


async def test_slow_sensor_does_not_hold_up_the_first_picture(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        bridge.engines.measuring = asyncio.Event()
        async with bridge.page() as page:
            assert (await page.frame())["snapshot"]["metrics"] is None


async def test_stop_closes_every_connection_promptly(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page("w1") as first, bridge.page("w2") as second:
        await first.frame()
        await second.frame()
        loop = asyncio.get_running_loop()
        started = loop.time()
        stopping = asyncio.create_task(bridge.front.stop())
        assert await first.closed() == GOING_AWAY
        assert await second.closed() == GOING_AWAY
        await stopping
        assert loop.time() - started < 2


async def test_connection_leaves_no_task(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running_bridge(tmp_path) as bridge:
        for _ in range(3):
            async with bridge.page() as page:
                await page.frame()
        await eventually(lambda: not bridge.hub.connected())
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_answer_asked_for_by_command_arrives_on_its_channel(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page("w1") as page:
        await page.frame()
        asked = await bridge.call("send_chat_message", {"text": "hi", "model": "m", "on": "__CHANNEL__:42"})
        assert asked.json()["assistant_message"]["id"] == "m2"
        bridge.chats.channels[0].send(ChatFrame(text="Hello"))
        bridge.chats.channels[0].end()
        assert await page.frame() == {"seq": 2, "ch": 42, "d": {"text": "Hello"}}
        assert await page.frame() == {"seq": 3, "ch": 42, "end": True}


async def test_connection_that_answers_no_ping_is_gone(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, hub_limits=HubLimits(heartbeat_s=0.1)) as bridge:
        protocols = ("llamero.v1", f"bearer.{bridge.tokens[WindowKind.WINDOW]}")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{bridge.url}/bridge/events", protocols=protocols, autoping=False) as ws,
        ):
            await ws.send_str(json.dumps({"hello": {"window": "w1"}}))
            await eventually(lambda: bridge.hub.connected() == {W1})
            await eventually(lambda: not bridge.hub.connected())


async def test_replaced_connection_takes_nothing_that_is_for_the_new_one(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await page.frame()
        channel = bridge.hub.channel(W1, 7)
        channel.send(frame("for the new connection"))  # wakes the old one's sender, which is not needed any more
        window, link = bridge.hub.connect(W1)
        assert await page.closed() == REPLACED
        assert [b"for the new connection" in sent for sent in window.take()] == [True]
        bridge.hub.disconnect(window, link)
