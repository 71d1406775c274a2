"""What is kept of responses: conversations built on each other, deleting for good, age and size, and the next start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from llamero.models.errors import Conflict, InvalidRequest, NotFound, PreviousResponseNotFound
from llamero.models.responses import (
    FunctionCall,
    Item,
    ItemStatus,
    OutputMessage,
    OutputText,
    Response,
    ResponseStatus,
)
from llamero.models.settings import DAY_S, ResponsesSettings
from llamero.services.responses.service import PRUNE_EVERY, ResponseService
from tests.fakes.clock import FakeClock
from tests.fakes.responses import open_responses


def said(text: str, id: str = "msg_in") -> Item:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "id": id, "role": "user", "status": "completed", "content": content}


def message(text: str, id: str) -> OutputMessage:
    return OutputMessage(id=id, status=ItemStatus.COMPLETED, content=(OutputText(text),))


def begun(id: str, previous: str | None = None, **more: Any) -> Response:
    fields: dict[str, Any] = {"created_at": 1_800_000_000, "status": ResponseStatus.IN_PROGRESS, "model": "m", **more}
    return Response(id=id, previous_response_id=previous, **fields)


async def turn(
    responses: ResponseService, id: str, previous: str | None = None, size: int = 0, **more: Any
) -> Response:
    """A turn that says its id, in and out."""
    response = begun(id, previous, **more)
    await responses.begin(response, [said(f"{id} in{'x' * size}", f"in_{id}")])
    done = replace(response, status=ResponseStatus.COMPLETED, output=(message(f"{id} out", f"out_{id}"),))
    await responses.update(done)
    return done


def texts(items: Any) -> list[str]:
    return [item["content"][0]["text"] for item in items]


async def test_response_is_found_again_as_it_ended_also_after_a_restart(tmp_path: Path) -> None:
    call = FunctionCall(id="fc_1", status=ItemStatus.COMPLETED, call_id="c", name="f", arguments="{}")
    async with open_responses(tmp_path) as responses:
        done = replace(await turn(responses, "a"), id="b", output=(message("x", "m1"), call), metadata={"k": "é"})
        await responses.begin(replace(done, status=ResponseStatus.IN_PROGRESS, output=()), [])
        await responses.update(done)
    async with open_responses(tmp_path) as responses:
        assert await responses.find("b") == done
        with pytest.raises(NotFound):
            await responses.find("c")


async def test_conversation_is_every_turn_in_order_and_then_the_new_items(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await turn(responses, "a")
        await turn(responses, "other", "a")
        await turn(responses, "b", "a")
        await turn(responses, "c", "b")
    async with open_responses(tmp_path) as responses:
        told = await responses.conversation([said("new")], "c")
        assert texts(told) == ["a in", "a out", "b in", "b out", "c in", "c out", "new"]
        assert texts(await responses.conversation([said("new")], None)) == ["new"]


async def test_conversation_of_five_hundred_turns_is_whole(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        for number in range(500):
            await turn(responses, f"r{number}", f"r{number - 1}" if number else None)
        told = await responses.conversation([], "r499")
    assert texts(told)[::2] == [f"r{number} in" for number in range(500)]


async def test_conversation_with_a_deleted_turn_cannot_go_on(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await turn(responses, "a")
        await turn(responses, "b", "a")
        await responses.delete("a")
        for unknown, missing in (("b", "a"), ("nothing", "nothing")):
            with pytest.raises(PreviousResponseNotFound) as refused:
                await responses.conversation([], unknown)
            assert refused.value.arguments == {"id": missing}
            assert refused.value.param == "previous_response_id"


async def test_conversation_waits_for_no_turn_that_is_still_written(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await responses.begin(begun("a"), [said("x")])
        with pytest.raises(Conflict):
            await responses.conversation([], "a")


async def test_deleting_is_final_also_while_the_response_is_written(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        response = begun("a")
        await responses.begin(response, [said("x")])
        await responses.delete("a")
        await responses.update(replace(response, status=ResponseStatus.COMPLETED, output=(message("x", "m"),)))
        for gone in (responses.find("a"), responses.delete("a"), responses.events("a")):
            with pytest.raises(NotFound):
                await gone
        with pytest.raises(NotFound):
            await responses.conversation([{"type": "item_reference", "id": "m"}], None)


async def test_response_that_has_ended_stays_as_it_ended(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        done = await turn(responses, "a")
        await responses.update(replace(done, status=ResponseStatus.CANCELLED, output=()))
        assert await responses.find("a") == done


async def test_item_that_a_client_has_named_cannot_be_referred_to_by_another(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await turn(responses, "a")
        for id in ("in_a", "nothing"):
            with pytest.raises(NotFound):
                await responses.conversation([{"type": "item_reference", "id": id}], None)


async def test_reference_stands_for_what_a_model_has_written(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await turn(responses, "a")
        reference = {"type": "item_reference", "id": "out_a"}
        assert texts(await responses.conversation([reference, said("new")], None)) == ["a out", "new"]
        # One that was kept as part of a turn is resolved in the next turn, too.
        await responses.begin(begun("b"), [reference])
        await responses.update(begun("b", status=ResponseStatus.COMPLETED))
        assert texts(await responses.conversation([], "b")) == ["a out"]
        await responses.delete("a")
        with pytest.raises(NotFound) as refused:
            await responses.conversation([], "b")
        assert refused.value.param == "input"


async def test_unfinished_response_has_failed_after_the_next_start(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await responses.begin(begun("a", status=ResponseStatus.QUEUED, background=True), [])
        await responses.begin(begun("b"), [])
        await turn(responses, "c")
    async with open_responses(tmp_path) as responses:
        for id in "ab":
            found = await responses.find(id)
            assert found.status is ResponseStatus.FAILED
            assert found.error is not None
            assert found.error.code == "server_error"
            assert "before this response was complete" in found.error.message
        assert (await responses.find("c")).status is ResponseStatus.COMPLETED


async def test_old_conversations_are_forgotten_and_what_young_ones_build_on_is_not(tmp_path: Path) -> None:
    clock, settings = FakeClock(), ResponsesSettings(keep_days=10)
    now = int(clock.time())
    old = now - int(11 * DAY_S)
    async with open_responses(tmp_path, clock, settings) as responses:
        await turn(responses, "old", created_at=old)
        await turn(responses, "root", created_at=old)
        await turn(responses, "middle", "root", created_at=old)
        await turn(responses, "young", "middle", created_at=now)
    async with open_responses(tmp_path, clock, settings) as responses:
        with pytest.raises(NotFound):
            await responses.find("old")
        assert len(await responses.conversation([], "young")) == 6


async def test_least_recent_are_forgotten_beyond_the_size_that_is_kept(tmp_path: Path) -> None:
    async with open_responses(tmp_path, FakeClock(), ResponsesSettings(max_mb=1)) as responses:
        await turn(responses, "root")
        for number in range(PRUNE_EVERY - 10):
            await turn(responses, f"r{number}", size=20_000)
        await turn(responses, "again", "root", created_at=1_800_000_100)
        for number in range(10):
            await turn(responses, f"s{number}", created_at=1_800_000_200)
        for forgotten in ("r0", "r30"):
            with pytest.raises(NotFound):
                await responses.find(forgotten)
        for kept in ("r60", "r89", "s0", "s9", "again"):
            assert (await responses.find(kept)).id == kept
        assert len(await responses.conversation([], "again")) == 4


async def test_what_was_deleted_does_not_count_for_the_size(tmp_path: Path) -> None:
    async with open_responses(tmp_path, FakeClock(), ResponsesSettings(max_mb=1)) as responses:
        for number in range(PRUNE_EVERY * 2):
            await turn(responses, f"r{number}", "r0" if number else None, size=20_000)
            if number:
                await responses.delete(f"r{number}")
        assert (await responses.find("r0")).id == "r0"


async def test_nothing_of_a_forgotten_response_is_left(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_responses(tmp_path, clock) as responses:
        await turn(responses, "a", created_at=int(clock.time() - 31 * DAY_S))
    async with open_responses(tmp_path, clock):
        pass
    with closing(sqlite3.connect(tmp_path / "llamero.db")) as connection:
        for table in ("response_conversations", "responses", "response_items"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)


async def test_events_of_a_stream_come_back_one_by_one(tmp_path: Path) -> None:
    events = [f"event: e{number}\ndata: {{}}\n\n".encode() for number in range(3)]
    async with open_responses(tmp_path) as responses:
        await responses.begin(begun("a"), [])
        await responses.update(begun("a", status=ResponseStatus.COMPLETED), events)
        assert await responses.events("a") == events
        await turn(responses, "b")
        with pytest.raises(InvalidRequest):
            await responses.events("b")


@pytest.mark.parametrize(
    ("limit", "newest_first", "after", "ids", "more"),
    [
        (2, False, None, ["i0", "i1"], True),
        (2, False, "i1", ["i2", "i3"], True),
        (2, False, "i3", ["i4"], False),
        (5, False, None, ["i0", "i1", "i2", "i3", "i4"], False),
        (2, True, None, ["i4", "i3"], True),
        (9, True, "i3", ["i2", "i1", "i0"], False),
        (9, True, "i0", [], False),
    ],
)
async def test_input_items_come_in_pages(
    tmp_path: Path, limit: int, newest_first: bool, after: str | None, ids: list[str], more: bool
) -> None:
    async with open_responses(tmp_path) as responses:
        await responses.begin(begun("a"), [said("x", f"i{number}") for number in range(5)])
        page = await responses.input_items("a", limit=limit, newest_first=newest_first, after=after)
    assert [item["id"] for item in page.data] == ids
    assert page.has_more is more
    assert (page.first_id, page.last_id) == ((ids[0], ids[-1]) if ids else (None, None))


async def test_input_items_after_an_unknown_item_are_refused(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        await turn(responses, "a")
        with pytest.raises(InvalidRequest) as refused:
            await responses.input_items("a", limit=1, newest_first=True, after="nothing")
        assert refused.value.param == "after"
        with pytest.raises(NotFound):
            await responses.input_items("b", limit=1, newest_first=True, after=None)
