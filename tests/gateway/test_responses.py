"""The routes of the Responses API around a scripted engine: their answers, events, refusals and ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llamero.gateway.limits import Limits
from llamero.models.errors import IoFailed, UpstreamFailed
from llamero.models.responses import UNFINISHED, Item, Response
from llamero.services.access import AccessService
from llamero.services.responses.service import ResponseService
from tests.fakes.clock import FakeClock
from tests.fakes.responses import open_responses
from tests.gateway.harness import (
    Gateway,
    RawResponse,
    Script,
    Step,
    event,
    eventually,
    forever,
    read_chunk,
    request_bytes,
    running_gateway,
    send,
)
from tests.gateway.test_access import Keys, bearer, key

ASKED: dict[str, Any] = {"model": "m", "input": "hi"}
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ANSWER: tuple[Step, ...] = (event("a"), event("b"), STOP, DONE)
HANGING: tuple[Step, ...] = (event("a"), forever)


@asynccontextmanager
async def gateway_of(
    directory: Path,
    steps: tuple[Step, ...] = ANSWER,
    kind: type[ResponseService] = ResponseService,
    **options: Any,
) -> AsyncIterator[tuple[Gateway, ResponseService]]:
    async with open_responses(directory, kind=kind) as responses:
        script = options.pop("script", Script(steps=steps))
        async with running_gateway(script, responses=responses, **options) as gateway:
            yield gateway, responses


async def post(gateway: Gateway, target: str = "/v1/responses", **body: Any) -> RawResponse:
    return await send(gateway, "POST", target, {}, json.dumps(body).encode())


def events_of(response: RawResponse) -> list[dict[str, Any]]:
    assert response.headers["content-type"] == "text/event-stream"
    blocks = [block for block in response.body.decode().split("\n\n") if block.startswith("event: ")]
    return [json.loads(block.partition("\ndata: ")[2]) for block in blocks]


def text_of_response(response: dict[str, Any]) -> str:
    return "".join(item["content"][0]["text"] for item in response["output"])


async def test_response_is_asked_for_as_a_stream_and_answered_whole(tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, _):
        answered = (await post(gateway, **ASKED, seed=7)).json()
        again = (await send(gateway, "GET", f"/v1/responses/{answered['id']}")).json()
        (request,) = gateway.inference.requests
    assert (answered["status"], text_of_response(answered)) == ("completed", "ab")
    assert again == answered
    assert request.endpoint == "/v1/chat/completions"
    assert request.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_stream_begins_with_created_and_ends_with_completed(tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, responses):
        told = events_of(await post(gateway, **ASKED, stream=True))
        assert told[0]["type"] == "response.created"
        assert told[-1]["type"] == "response.completed"
        assert [event["sequence_number"] for event in told] == list(range(len(told)))
        kept = await responses.find(told[0]["response"]["id"])
        assert kept.status.value == "completed"


async def test_next_turn_may_follow_as_soon_as_the_end_is_told(tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, _):
        previous = None
        for turn in range(5):
            told = events_of(
                await post(gateway, **ASKED, stream=True, previous_response_id=previous, instructions=f"i{turn}")
            )
            previous = told[-1]["response"]["id"]
        messages = gateway.inference.requests[-1].body["messages"]
    assert isinstance(messages, list)
    # Instructions hold for one turn.
    assert messages[0] == {"role": "system", "content": "i4"}
    assert [message["role"] for message in messages[1:]] == ["user", "assistant"] * 4 + ["user"]


async def test_response_that_is_not_to_be_stored_is_not(tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, _):
        answered = (await post(gateway, **ASKED, store=False)).json()
        assert answered["store"] is False
        missing = await send(gateway, "GET", f"/v1/responses/{answered['id']}")
        assert (missing.status, missing.error()["code"]) == (404, "not_found")
        refused = await post(gateway, **ASKED, previous_response_id=answered["id"])
    assert refused.status == 400
    assert refused.error()["code"] == "previous_response_not_found"
    assert refused.error()["param"] == "previous_response_id"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/responses/resp_0"),
        ("GET", "/v1/responses/resp_0?stream=true"),
        ("DELETE", "/v1/responses/resp_0"),
        ("POST", "/v1/responses/resp_0/cancel"),
        ("GET", "/v1/responses/resp_0/input_items"),
    ],
)
async def test_response_that_is_not_there_is_not_found(method: str, target: str, tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, _):
        response = await send(gateway, method, target)
    assert (response.status, response.error()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=x", "limit"),
        ("order=up", "order"),
        ("after=nothing", "after"),
    ],
)
async def test_page_that_cannot_be_is_refused_by_name(query: str, param: str, tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, _):
        id = (await post(gateway, **ASKED)).json()["id"]
        response = await send(gateway, "GET", f"/v1/responses/{id}/input_items?{query}")
    assert (response.status, response.error()["param"]) == (400, param)


async def test_refusal_is_an_error_of_the_surface_and_nothing_is_kept(tmp_path: Path) -> None:
    body = b'{"error":{"code":400,"message":"bad grammar","type":"invalid_request_error"}}'
    script = Script(steps=(body,), status=400, headers={"Content-Type": "application/json"})
    async with gateway_of(tmp_path, script=script) as (gateway, responses):
        for stream in (False, True):
            response = await post(gateway, **ASKED, stream=stream)
            assert response.status == 400
            assert "bad grammar" in response.error()["message"]
        unknown = await post(gateway, model="nobody", input="hi", stream=True)
        assert (unknown.status, unknown.error()["code"]) == (404, "model_not_found")
        assert await responses._store.unfinished() == ()


@pytest.mark.parametrize(
    "steps",
    [
        (event("a"), UpstreamFailed(reason="broke")),
        (event("a"), b'data: {"error":{"message":"broke","code":500}}\n\n'),
        (event("a"), DONE),
        (event("a"), b"data: nonsense\n\n"),
        (event("a"), RuntimeError("broke")),
    ],
    ids=["broken", "told", "without-an-end", "nonsense", "crash"],
)
async def test_answer_that_breaks_is_failed_in_the_stream_and_in_what_is_kept(
    steps: tuple[Step, ...], tmp_path: Path
) -> None:
    async with gateway_of(tmp_path, steps) as (gateway, responses):
        told = events_of(await post(gateway, **ASKED, stream=True))
        assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
        failed = told[-1]["response"]
        assert (failed["status"], text_of_response(failed)) == ("failed", "a")
        assert failed["error"]["code"] == "server_error"
        kept = await responses.find(failed["id"])
        assert (kept.status.value, kept.error.message if kept.error else "") == ("failed", failed["error"]["message"])
        whole = await post(gateway, **ASKED)
        assert whole.status >= 500
        assert whole.error()["code"] == told[-2]["code"]


async def test_client_gone_in_mid_stream_leaves_a_cancelled_response_and_nothing_else(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, HANGING) as (gateway, responses):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps({**ASKED, "stream": True}).encode()
        writer.write(request_bytes("POST", "/v1/responses", {"Host": gateway.host}, body))
        await reader.readuntil(b"\r\n\r\n")
        created = await read_chunk(reader)
        id = json.loads(created.decode().split("\ndata: ")[1].split("\n\n")[0])["response"]["id"]
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        writer.close()
        within = await eventually(lambda: gateway.inference.open == 0)
        assert within < 0.2
        assert (await until_ended(responses, id)) == "cancelled"
        assert not [task for task in asyncio.all_tasks() if "response" in task.get_name()]


async def until_ended(responses: ResponseService, id: str) -> str:
    async with asyncio.timeout(5):
        while (status := (await responses.find(id)).status) in UNFINISHED:  # noqa: ASYNC110 - nobody tells of a row
            await asyncio.sleep(0.005)
    return status.value


async def test_client_gone_before_a_whole_answer_leaves_a_cancelled_response(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, HANGING) as (gateway, responses):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(request_bytes("POST", "/v1/responses", {"Host": gateway.host}, json.dumps(ASKED).encode()))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        (begun,) = await responses._store.unfinished()
        writer.close()
        await eventually(lambda: gateway.inference.open == 0)
        assert (await until_ended(responses, begun.id)) == "cancelled"


class SlowDisk(ResponseService):
    """Has written that a response begins, and takes for ever to say so."""

    async def begin(self, response: Response, items: Sequence[Item]) -> None:
        await super().begin(response, items)
        await forever()


async def test_client_gone_while_the_beginning_is_kept_leaves_a_cancelled_response(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, kind=SlowDisk) as (gateway, responses):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(request_bytes("POST", "/v1/responses", {"Host": gateway.host}, json.dumps(ASKED).encode()))
        async with asyncio.timeout(5):
            while not (begun := await responses._store.unfinished()):  # noqa: ASYNC110 - nobody tells of a row
                await asyncio.sleep(0.005)
        writer.close()
        assert (await until_ended(responses, begun[0].id)) == "cancelled"


async def test_beginning_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    class NoDisk(ResponseService):
        async def begin(self, response: Response, items: Sequence[Item]) -> None:
            raise IoFailed("storage_error-full", path="llamero.db")

    async with gateway_of(tmp_path, kind=NoDisk) as (gateway, _):
        for more in ({}, {"stream": True}, {"background": True}):
            response = await post(gateway, **ASKED, **more)
            assert (response.status, response.error()["code"]) == (500, "storage_error-full")
        assert gateway.inference.open == 0
        assert (await post(gateway, **ASKED, store=False)).status == 200


async def test_closing_tells_the_client_and_keeps_the_failure(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        async with running_gateway(Script(steps=HANGING), responses=responses) as gateway:
            asking = asyncio.create_task(post(gateway, **ASKED, stream=True))
            await eventually(lambda: gateway.inference.sent_bytes > 0)
            await gateway.server.stop()
            told = events_of(await asking)
        assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
        assert told[-2]["code"] == "server_error-shutting_down"
        assert (await responses.find(told[-1]["response"]["id"])).status.value == "failed"


async def test_waiting_client_is_kept_company_and_told_in_order(tmp_path: Path) -> None:
    ready = asyncio.Event()

    async def wait() -> None:
        await ready.wait()

    async with gateway_of(tmp_path, (wait, *ANSWER), limits=Limits(silence_s=0.02)) as (gateway, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps({**ASKED, "stream": True}).encode()
        writer.write(request_bytes("POST", "/v1/responses", {"Host": gateway.host, "Connection": "close"}, body))
        await reader.readuntil(b":\n\n")
        ready.set()
        told = await reader.read()
        writer.close()
    assert told.rpartition(b"event: ")[2].startswith(b"response.completed\n")


# In the background


async def test_background_response_is_queued_and_then_there(tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, responses):
        begun = (await post(gateway, **ASKED, background=True)).json()
        assert (begun["status"], begun["output"], begun["background"]) == ("queued", [], True)
        assert await until_ended(responses, begun["id"]) == "completed"
        assert text_of_response((await send(gateway, "GET", f"/v1/responses/{begun['id']}")).json()) == "ab"


async def test_background_response_is_in_progress_until_it_is_cancelled(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, HANGING) as (gateway, responses):
        begun = (await post(gateway, **ASKED, background=True)).json()
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        assert (await responses.find(begun["id"])).status.value == "in_progress"
        followed = await send(gateway, "GET", f"/v1/responses/{begun['id']}?stream=true")
        assert (followed.status, followed.error()["param"]) == (400, "stream")
        for _ in range(2):
            cancelled = (await post(gateway, f"/v1/responses/{begun['id']}/cancel")).json()
            assert (cancelled["status"], text_of_response(cancelled)) == ("cancelled", "a")
        assert gateway.inference.open == 0


async def test_background_response_is_deleted_while_it_is_written(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, HANGING) as (gateway, _):
        begun = (await post(gateway, **ASKED, background=True)).json()
        deleted = await send(gateway, "DELETE", f"/v1/responses/{begun['id']}")
        assert deleted.json() == {"id": begun["id"], "object": "response", "deleted": True}
        assert gateway.inference.open == 0
        assert (await send(gateway, "GET", f"/v1/responses/{begun['id']}")).status == 404


async def test_only_what_is_in_the_background_can_be_cancelled(tmp_path: Path) -> None:
    async with gateway_of(tmp_path) as (gateway, _):
        answered = (await post(gateway, **ASKED)).json()
        refused = await post(gateway, f"/v1/responses/{answered['id']}/cancel")
    assert refused.status == 400


async def test_background_stream_is_followed_again_from_any_event(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def wait() -> None:
        await go_on.wait()

    async with gateway_of(tmp_path, (event("a"), wait, *ANSWER)) as (gateway, responses):
        first = asyncio.create_task(post(gateway, **ASKED, background=True, stream=True))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        (begun,) = await responses._store.unfinished()
        target = f"/v1/responses/{begun.id}?stream=true"
        late = asyncio.create_task(send(gateway, "GET", f"{target}&starting_after=3"))
        await asyncio.sleep(0.02)
        go_on.set()
        told = events_of(await first)
        assert told[-1]["type"] == "response.completed"
        assert events_of(await late) == told[4:]
        await until_ended(responses, begun.id)
        for after in (0, 5, len(told) - 2, len(told) - 1):
            again = await send(gateway, "GET", f"{target}&starting_after={after}")
            assert events_of(again) == told[after + 1 :]
        assert events_of(await send(gateway, "GET", target)) == told


async def test_background_stream_outlives_its_client(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def wait() -> None:
        await go_on.wait()

    async with gateway_of(tmp_path, (event("a"), wait, *ANSWER)) as (gateway, responses):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps({**ASKED, "stream": True, "background": True}).encode()
        writer.write(request_bytes("POST", "/v1/responses", {"Host": gateway.host}, body))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        writer.close()
        (begun,) = await responses._store.unfinished()
        await asyncio.sleep(0.02)
        go_on.set()
        assert await until_ended(responses, begun.id) == "completed"


async def test_background_responses_take_room_like_any_other(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, HANGING, limits=Limits(max_streams=1)) as (gateway, _):
        begun = (await post(gateway, **ASKED, background=True)).json()
        refused = await post(gateway, **ASKED, background=True)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        await post(gateway, f"/v1/responses/{begun['id']}/cancel")
        assert (await post(gateway, **ASKED, background=True)).status == 200


async def test_background_response_counts_for_the_key_that_asked_for_it(tmp_path: Path) -> None:
    access = AccessService(Keys(key("k", streams=1)), FakeClock(), required=True)
    async with gateway_of(tmp_path, HANGING, access=access) as (gateway, _):
        body = json.dumps({**ASKED, "background": True}).encode()
        begun = (await send(gateway, "POST", "/v1/responses", bearer("k"), body)).json()
        refused = await send(gateway, "POST", "/v1/responses", bearer("k"), body)
        assert (refused.status, refused.error()["code"]) == (429, "rate_limit_exceeded")
        await send(gateway, "POST", f"/v1/responses/{begun['id']}/cancel", bearer("k"))
        assert (await send(gateway, "POST", "/v1/responses", bearer("k"), body)).status == 200
    await access.close()


class FullDisk(ResponseService):
    """Keeps that a response begins, and has no room for its end."""

    async def update(self, response: Response, events: Sequence[bytes] = ()) -> None:
        raise IoFailed("storage_error-full", path="llamero.db")


async def test_answer_that_cannot_be_kept_is_still_an_answer(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, kind=FullDisk) as (gateway, _):
        assert text_of_response((await post(gateway, **ASKED)).json()) == "ab"
        for background in (False, True):
            told = events_of(await post(gateway, **ASKED, stream=True, background=background))
            assert told[-1]["type"] == "response.completed"


async def test_background_response_that_fails_says_why_when_it_is_asked_for(tmp_path: Path) -> None:
    async with gateway_of(tmp_path, (event("a"), UpstreamFailed(reason="broke"))) as (gateway, responses):
        begun = (await post(gateway, **ASKED, background=True)).json()
        assert await until_ended(responses, begun["id"]) == "failed"
        unknown = (await post(gateway, model="nobody", input="x", background=True)).json()
        assert await until_ended(responses, unknown["id"]) == "failed"
        kept = await responses.find(unknown["id"])
        assert kept.error is not None
        assert "nobody" in kept.error.message


async def test_closing_fails_what_is_in_the_background(tmp_path: Path) -> None:
    async with open_responses(tmp_path) as responses:
        async with running_gateway(Script(steps=HANGING), responses=responses) as gateway:
            begun = (await post(gateway, **ASKED, background=True)).json()
            await eventually(lambda: gateway.inference.sent_bytes > 0)
        kept = await responses.find(begun["id"])
        assert kept.status.value == "failed"
        assert kept.error is not None
        assert "shutting_down" in kept.error.message


async def test_without_a_place_to_keep_them_there_are_no_responses() -> None:
    async with running_gateway() as gateway:
        assert (await post(gateway, **ASKED)).status == 404
