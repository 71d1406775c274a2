"""The inspector on its own: what a trace measures by its clock, what it masks, and how much it may keep."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress
from typing import Any

import pytest

from llamero.infrastructure.secret_masking import register_secret
from llamero.models.chat import TokenCounts
from llamero.models.errors import NotFound, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.models.inspector import ListRequests, Outcome, PhaseKind, RequestSummary
from llamero.models.settings import InspectorSettings
from llamero.services.inspection.events import EVENT_COST, PAGE_BYTES, KeptEvents
from llamero.services.inspection.inspector import Inspector
from llamero.services.inspection.notes import note_sent
from llamero.services.inspection.recording_sink import RecordingSink
from llamero.services.inspection.trace import CONTENT_BYTES, MAX_MARKS, MAX_SENT, Origin, Trace, current_trace
from llamero.services.llama.passing import Passing, PassingSink
from llamero.services.llama.received import Received
from tests.fakes.clock import FakeClock

MEBIBYTE = 1024 * 1024
ORIGIN = Origin(dialect="openai", route="/v1/chat/completions", path="/v1/chat/completions", client="test")
TOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
PROGRESS = b'data: {"choices":[],"prompt_progress":{"total":9,"processed":3}}\n\n'
END = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    b'"timings":{"prompt_n":9,"prompt_ms":100,"predicted_n":40,"predicted_ms":2000}}\n\ndata: [DONE]\n\n'
)


class NoReplayer:
    async def send(self, url: str, body: bytes, content_type: str, ticket: str) -> None:
        raise UpstreamFailed(reason="nobody listens")


def inspector(clock: FakeClock | None = None, **settings: Any) -> Inspector:
    made = InspectorSettings(**settings)
    return Inspector(made, clock or FakeClock(), None, NoReplayer(), str)  # type: ignore[arg-type]


def begun(made: Inspector, origin: Origin = ORIGIN) -> Trace:
    trace = made.begin(origin)
    assert trace is not None
    return trace


def summary(made: Inspector, trace: Trace) -> RequestSummary:
    found = made.summary(trace.id)
    assert found is not None
    return found


def test_trace_measures_each_phase_by_its_clock() -> None:
    clock = FakeClock()
    made = inspector(clock)
    trace = begun(made)
    with trace.followed():
        trace.is_streamed = True
        clock.advance(1)
        trace.enter(PhaseKind.QUEUE)
        clock.advance(2)
        load_began = clock.now
        clock.advance(4)
        load_ended = clock.now
        clock.advance(0.5)
        trace.be_granted((load_began, load_ended))
        trace.send("/v1/chat/completions", "POST", b"{}", "application/json")
        clock.advance(3)
        trace.add(PROGRESS)
        trace.add(b": waiting\n\n")
        clock.advance(5)
        trace.add(TOKEN)
        clock.advance(2)
        trace.recover()
        trace.enter(PhaseKind.QUEUE)
        trace.send("/v1/chat/completions", "POST", b"{}", "application/json")
        clock.advance(6)
        trace.add(TOKEN)
        clock.advance(1)
    phases = summary(made, trace).phases
    assert [(one.kind.value, one.end_ms - one.start_ms) for one in phases] == [
        ("receive", 1000),
        ("queue", 2000),
        ("load", 4000),
        ("queue", 500),
        ("prompt", 8000),
        ("generation", 2000),
        ("recovery", 6000),
        ("generation", 1000),
    ]
    assert summary(made, trace).duration_ms == 24_500


def test_trace_of_a_loaded_model_has_no_load() -> None:
    clock = FakeClock()
    made = inspector(clock)
    trace = begun(made)
    clock.advance(1)
    trace.enter(PhaseKind.QUEUE)
    clock.advance(1)
    trace.be_granted((clock.now - 90, clock.now - 80))
    assert PhaseKind.LOAD not in [one.kind for one in summary(made, trace).phases]


def test_answer_in_one_piece_is_divided_by_the_engines_own_clock() -> None:
    clock = FakeClock()
    made = inspector(clock)
    trace = begun(made)
    with trace.followed():
        trace.send("/v1/chat/completions", "POST", b"{}", "application/json")
        clock.advance(3)
        trace.add(b'{"choices":[{"message":{"content":"hi"}}],"timings":{"predicted_n":40,"predicted_ms":2000}}')
        trace.respond(200)
    shown = summary(made, trace)
    assert [(one.kind.value, one.end_ms - one.start_ms) for one in shown.phases] == [
        ("prompt", 1000),
        ("generation", 2000),
    ]
    assert shown.tokens_per_second == 20
    assert made.details(trace.id).answer == "hi"


def test_tokens_of_a_server_that_does_not_count_are_read_off_its_last_events() -> None:
    made = inspector()
    trace = begun(made)
    with trace.followed():
        trace.is_streamed = True
        trace.add(TOKEN)
        trace.add(b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}\n\ndata: [DONE]\n\n')
    shown = summary(made, trace)
    assert (shown.prompt_tokens, shown.generated_tokens) == (5, 6)


def test_speed_is_the_engines_own_where_nothing_was_recovered() -> None:
    made = inspector()
    trace = begun(made)
    with trace.followed():
        trace.is_streamed = True
        trace.add(TOKEN)
        trace.add(END)
        trace.tokens = TokenCounts(9, 40)
    assert summary(made, trace).tokens_per_second == 20


def test_bodies_and_events_are_kept_up_to_their_bounds() -> None:
    made = inspector()
    trace = begun(made)
    trace.receive(b"x" * (CONTENT_BYTES + 1), "application/json")
    for _ in range(20_000):
        trace.add(TOKEN)
    details = made.details(trace.id)
    assert (len(details.body.text or ""), details.body.size, details.body.is_cut) == (
        CONTENT_BYTES,
        CONTENT_BYTES + 1,
        True,
    )
    assert sum(len(event.text) for event in details.events) <= CONTENT_BYTES
    assert details.events_are_cut
    assert not details.can_replay


def test_phases_and_requests_sent_are_bounded_however_often_a_server_dies() -> None:
    made = inspector()
    trace = begun(made)
    trace.is_streamed = True
    for _ in range(10_000):
        trace.send("/v1/chat/completions", "POST", b"{}", "application/json")
        trace.add(TOKEN)
        trace.recover()
    assert len(trace.marks) <= MAX_MARKS
    assert len(made.details(trace.id).sent) == MAX_SENT
    assert trace.recoveries == 10_000


def test_ten_thousand_requests_stay_within_the_bounds() -> None:
    made = inspector(max_mb=2, max_requests=200)
    for number in range(10_000):
        trace = begun(made)
        with trace.followed():
            trace.receive(b"x" * 60_000, "application/json")
            trace.add(TOKEN)
            trace.respond(200)
        assert made.bytes_kept <= 2 * MEBIBYTE, number
    listed = made.listed().requests
    assert len(listed) == 200
    assert listed[0].has_content
    assert not listed[-1].has_content, "the oldest content goes first, and its request stays"


def test_requests_under_way_stay_within_the_bounds_together() -> None:
    made = inspector(max_mb=1, max_requests=200)
    traces = [begun(made) for _ in range(100)]
    for trace in traces:
        trace.receive(b"x" * 100_000, "application/json")
    for _ in range(500):
        for trace in traces:
            trace.add(TOKEN)
        assert made.bytes_kept <= MEBIBYTE


def test_all_content_is_given_back_when_requests_are_forgotten() -> None:
    made = inspector(max_requests=3)
    for _ in range(10):
        trace = begun(made)
        with trace.followed():
            trace.receive(b"x" * 1000, "application/json")
            trace.send("/v1/chat/completions", "POST", b"y" * 1000, "application/json")
            trace.add(TOKEN)
    made.clear()
    assert made.bytes_kept == 0
    assert made.listed().requests == ()
    with pytest.raises(NotFound):
        made.details(trace.id)


def test_request_under_way_outlives_clearing() -> None:
    made = inspector()
    trace = begun(made)
    made.clear()
    assert summary(made, trace).outcome is Outcome.RUNNING


def test_secrets_in_a_clients_name_and_in_an_error_are_masked() -> None:
    register_secret("a-secret-of-ours-42")
    made = inspector()
    trace = begun(made, Origin(dialect="openai", route="/", client="tool api_key=abcdefghij a-secret-of-ours-42"))
    trace.fail(UpstreamFailed(reason="Authorization: Bearer abcdefghijkl a-secret-of-ours-42"))
    shown = str(summary(made, trace))
    for secret in ("abcdefghij", "a-secret-of-ours-42"):
        assert secret not in shown


def test_error_that_is_kept_holds_nothing_of_the_request_in_memory() -> None:
    class Large:
        pass

    def fail() -> weakref.ref[Large]:
        large = Large()
        with suppress(UpstreamFailed), trace.followed():
            raise UpstreamFailed(reason=f"in a frame with {large}")
        return weakref.ref(large)

    trace = begun(inspector())
    large = fail()
    gc.collect()
    assert trace.failure is not None
    assert large() is None


def test_no_requests_are_kept_where_the_settings_say_none() -> None:
    made = inspector(max_requests=0)
    assert made.begin(ORIGIN) is None
    assert not made.listed().enabled


def test_notes_without_a_trace_are_for_nobody() -> None:
    assert current_trace() is None
    note_sent("/", "POST", b"", "")


def test_answer_that_goes_on_after_its_client_was_answered_is_seen_to_its_end() -> None:
    clock = FakeClock()
    made = inspector(clock)
    trace = begun(made)
    with trace.followed():
        trace.respond(200)
    assert summary(made, trace).outcome is Outcome.FINISHED
    with trace.held():
        trace.ask(InferenceRequest(model="m"))
        assert summary(made, trace).outcome is Outcome.RUNNING
        clock.advance(7)
    shown = summary(made, trace)
    assert (shown.outcome, shown.duration_ms, shown.model) == (Outcome.FINISHED, 7000, "m")


def test_content_that_is_forgotten_leaves_nothing_of_what_was_said() -> None:
    """A request that goes on still says how it ended, by its last events; one that has ended keeps none of them."""
    made = inspector()
    ended, running = begun(made), begun(made)
    with running.followed():
        running.is_streamed = True
        running.add(TOKEN)
        with ended.held():
            ended.is_streamed = True
            ended.add(TOKEN)
        made.keep_content(False)
        assert ended.events.last == ()
        running.add(END)
        running.respond(200)
    assert (running.events.said, running.events.kept, running.events.last) == (b"", [], ())
    assert summary(made, running).tokens_per_second == 20.0
    assert (made.bytes_kept, made.details(ended.id).events) == (0, ())


def test_events_that_a_new_page_has_no_room_for_are_not_kept_but_the_last_are() -> None:
    taken: list[int] = []

    def take(size: int) -> bool:
        taken.append(size)
        return len(taken) < 2

    events = KeptEvents(lambda: 7.0, take, CONTENT_BYTES)
    fitting = PAGE_BYTES // (len(TOKEN) + EVENT_COST)
    for _ in range(fitting + 5):
        events.add(TOKEN)
    assert (events.kept, events.are_cut) == ([(7.0, TOKEN)] * fitting, True)
    assert taken == [PAGE_BYTES, PAGE_BYTES]  # who was told that there is no room does not ask again
    assert events.last == (TOKEN, TOKEN, TOKEN)
    assert events.give_back_room() == PAGE_BYTES - fitting * (len(TOKEN) + EVENT_COST)


def pushing(trace: Trace) -> PassingSink:
    """Where an engine's bytes go on their way to a client, recorded."""
    return PassingSink(Passing(Received(), is_read=True), RecordingSink(Swallowing(), trace.events))


class Swallowing:
    """A sink that has room for everything."""

    def write(self, data: bytes) -> bool:
        return True

    async def drained(self) -> None:
        raise AssertionError("there is room")


def test_token_that_is_pushed_ends_the_prompt_also_after_news_of_its_progress() -> None:
    clock = FakeClock()
    made = inspector(clock)
    trace = begun(made)
    with trace.followed():
        trace.is_streamed = True
        trace.send("/v1/chat/completions", "POST", b"{}", "application/json")
        sink = pushing(trace)
        for event in (PROGRESS, PROGRESS, TOKEN, TOKEN):
            clock.advance(1)
            sink.write(event)
        clock.advance(1)
    phases = summary(made, trace).phases
    assert [(one.kind, one.end_ms - one.start_ms) for one in phases] == [
        (PhaseKind.PROMPT, 3000),
        (PhaseKind.GENERATION, 2000),
    ]
    assert [event.text.encode() for event in made.details(trace.id).events] == [PROGRESS, PROGRESS, TOKEN, TOKEN]


def test_events_that_are_pushed_are_kept_from_the_beginning_without_a_gap() -> None:
    """What is small enough for the room that is left does not follow what was too large for it."""
    made = inspector(max_mb=1)
    trace = begun(made)
    sink = pushing(trace)
    large, other = (TOKEN.replace(b'"a"', b'"%b"' % text) for text in (b"x" * CONTENT_BYTES, b"b"))
    for event in (TOKEN, large, TOKEN, other):
        sink.write(event)
    assert ([event for _, event in trace.events.kept], trace.events.are_cut) == ([TOKEN], True)
    assert trace.events.last == (large, TOKEN, other)
    taken = made.bytes_kept
    for _ in range(10_000):
        sink.write(TOKEN)
    assert made.bytes_kept == taken
    assert trace.events.last == (TOKEN, TOKEN, TOKEN)


async def test_search_through_all_that_may_be_kept_lets_streams_go_on() -> None:
    made = inspector(max_mb=32)
    for number in range(120):
        trace = begun(made)
        with trace.followed():
            trace.is_streamed = True
            trace.receive(b"x" * (CONTENT_BYTES - 1) + (b"!" if number == 7 else b"x"), "application/json")
            trace.respond(200)
    assert made.bytes_kept > 29 * MEBIBYTE
    turns = 0
    searching = asyncio.create_task(made.find(ListRequests(text="X!")))
    while not searching.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    (found,) = (await searching).requests
    assert found.id == made.listed().requests[-8].id


async def test_request_that_is_forgotten_during_a_search_is_not_found() -> None:
    made = inspector(max_requests=2)
    trace = begun(made)
    with trace.followed():
        trace.receive(b"x" * CONTENT_BYTES, "application/json")
    searching = asyncio.create_task(made.find(ListRequests(text="xx")))
    searching_in_vain = asyncio.create_task(made.find(ListRequests(text="yy")))
    await asyncio.sleep(0)
    made.clear()
    assert (await searching_in_vain).requests == ()
    assert made.bytes_kept == 0
    assert {one.id for one in (await searching).requests} <= {trace.id}


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n',
        b'event: error\ndata: {"type":"error","error":{"message":"Context size has been exceeded."}}\n\n',
    ],
)
def test_stream_that_ends_with_an_error_has_failed_and_says_why(event: bytes) -> None:
    """The engine tells what befell it in mid-answer by an event, when the status has long been sent."""
    made = inspector()
    trace = begun(made)
    with trace.followed():
        trace.is_streamed = True
        trace.respond(200)
        trace.add(TOKEN)
        trace.add(event)
    shown = summary(made, trace)
    assert (shown.outcome, shown.status) == (Outcome.FAILED, 200)
    assert made.details(trace.id).summary.error
    assert "Context size has been exceeded." in str(trace.failure.arguments if trace.failure else "")
