"""State listeners: each hears everything once and in order, and holds up nobody."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import msgspec
import pytest

from llamero.models.events import ChatCompletions, Start, StateEvent, Stop, Variant
from llamero.models.llama import ModelId
from llamero.services.llama import listeners as module
from llamero.services.llama.listeners import Listeners

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "routing.json").read_text())["listeners"]
EVENTS: list[StateEvent] = [ChatCompletions(str(number)) for number in range(50)]


class Recorder:
    """Keeps what it hears. `gate`, when closed, holds it up in the first event."""

    def __init__(self) -> None:
        self.heard: list[StateEvent] = []
        self.changed = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, event: StateEvent) -> None:
        await self.gate.wait()
        self.heard.append(event)
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.changed.clear()
                await self.changed.wait()


def test_events_are_those_of_the_vectors() -> None:
    model = ModelId("m", "/m.gguf")
    kinds = [Start(model), Stop(model), ChatCompletions("m"), Variant("cpu")]
    assert [event.split()[0] for event in VECTORS["events"]] == [type(kind).__name__ for kind in kinds]
    assert {"alias", "variant"} <= {name for kind in kinds for name in msgspec.structs.asdict(kind)}


async def test_listener_hears_each_event_once_and_in_order() -> None:
    listeners, first, second = Listeners(), Recorder(), Recorder()
    listeners.subscribe(first)
    listeners.subscribe(second)
    for event in EVENTS:
        listeners.tell(event)
    await first.until(len(EVENTS))
    await second.until(len(EVENTS))
    assert first.heard == second.heard == EVENTS
    await listeners.close()


async def test_slow_listener_delays_nobody() -> None:
    listeners, slow, quick = Listeners(), Recorder(), Recorder()
    slow.gate.clear()
    listeners.subscribe(slow)
    listeners.subscribe(quick)
    for event in EVENTS:
        listeners.tell(event)
    await quick.until(len(EVENTS))
    assert slow.heard == []
    slow.gate.set()
    await slow.until(len(EVENTS))
    assert slow.heard == EVENTS
    await listeners.close()


@pytest.mark.parametrize("failure", [RuntimeError("no"), asyncio.CancelledError()])
async def test_failing_listener_delays_nobody_and_hears_the_next_event(
    failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    listeners, quick, failing = Listeners(), Recorder(), Recorder()

    async def fail_first(event: StateEvent) -> None:
        if event == EVENTS[0]:
            raise failure
        await failing(event)

    listeners.subscribe(fail_first)
    listeners.subscribe(quick)
    for event in EVENTS:
        listeners.tell(event)
    await quick.until(len(EVENTS))
    await failing.until(len(EVENTS) - 1)
    assert failing.heard == EVENTS[1:]
    assert len(caplog.records) == 1
    await listeners.close()


async def test_listener_too_far_behind_loses_the_oldest_and_is_named_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MAX_BACKLOG", 10)
    listeners, slow = Listeners(), Recorder()
    listeners.subscribe(slow)
    with caplog.at_level(logging.WARNING):
        for event in EVENTS:
            listeners.tell(event)
    await slow.until(10)
    assert slow.heard == EVENTS[-10:]
    assert len(caplog.records) == 1
    await listeners.close()


async def test_cancelled_subscription_hears_nothing_more_and_is_forgotten() -> None:
    listeners, gone, stays = Listeners(), Recorder(), Recorder()
    subscription = listeners.subscribe(gone)
    listeners.subscribe(stays)
    await subscription.cancel()
    await subscription.cancel()
    listeners.tell(EVENTS[0])
    await stays.until(1)
    assert gone.heard == []
    await listeners.close()


async def test_listener_may_cancel_itself() -> None:
    listeners, stays, heard = Listeners(), Recorder(), []

    async def once(event: StateEvent) -> None:
        heard.append(event)
        await subscription.cancel()

    subscription = listeners.subscribe(once)
    listeners.subscribe(stays)
    for event in EVENTS:
        listeners.tell(event)
    await stays.until(len(EVENTS))
    assert heard == EVENTS[:1]
    await listeners.close()


async def test_close_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    listeners = Listeners()
    for _ in range(5):
        listeners.subscribe(Recorder())
    await listeners.close()
    assert asyncio.all_tasks() == before
