"""The Responses API as OpenAI's own package uses it, against a real `llamero serve` with the embedded engine."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from openai.types.responses import FunctionToolParam, Response, ResponseFunctionToolCall, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from tests.process.cli import Home, serving, until

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
LONG: dict[str, Any] = {"temperature": 0, "max_output_tokens": 1000, "extra_body": {"ignore_eos": True}}
ENDLESS: dict[str, Any] = {"temperature": 0, "extra_body": {"ignore_eos": True}}
LOOK = FunctionToolParam(
    type="function",
    name="look",
    description="Looks at a place.",
    strict=False,
    parameters={"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


@pytest.fixture
def openai(served: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as openai:
        yield openai


@contextmanager
def client(home: Home) -> Iterator[OpenAI]:
    """A client of a Llamero of its own, for what ends one."""
    with serving(home, "--port", "0") as server:
        with OpenAI(base_url=f"{server.url()}/v1", api_key="none", max_retries=0) as openai:
            yield openai
        assert server.end().status == 0


def checked(response: Response) -> Response:
    """The package does not check what it gets; this does."""
    Response.model_validate(json.loads(response.model_dump_json()))
    return response


def ended(openai: OpenAI, id: str) -> Response:
    def look() -> Response | None:
        response = openai.responses.retrieve(id)
        return None if response.status in ("queued", "in_progress") else response

    found: Response = until(look)
    return checked(found)


def engine_of(home: Home) -> psutil.Process:
    for pid in home.members():
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if any("llama.embedded" in word for word in process.cmdline()):
                return process
    raise AssertionError("no engine runs")


def test_sdk_creates_retrieves_and_deletes_a_response(openai: OpenAI) -> None:
    response = checked(openai.responses.create(model="demo", input="Hello", temperature=0, metadata={"a": "b"}))
    assert response.status == "completed"
    assert response.output_text.startswith("Hello! I am the Llamero demo")
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert response.metadata == {"a": "b"}
    assert openai.responses.retrieve(response.id) == response
    openai.responses.delete(response.id)
    with pytest.raises(NotFoundError):
        openai.responses.retrieve(response.id)


def test_sdk_stream_has_every_event_in_order_and_the_same_text(openai: OpenAI) -> None:
    whole = openai.responses.create(model="demo", input="Hello", temperature=0)
    events = list(openai.responses.create(model="demo", input="Hello", temperature=0, stream=True))
    for event in events:
        EVENT.validate_python(json.loads(event.model_dump_json()))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    names = [event.type for event in events]
    assert names[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert names[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 10
    assert "".join(deltas) == whole.output_text


def test_sdk_stream_helper_ends_with_the_final_response(openai: OpenAI) -> None:
    with openai.responses.stream(model="demo", input="Hello", temperature=0) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert snapshots[-1] == final.output_text


def test_sdk_reasoning_is_an_item_of_its_own(openai: OpenAI) -> None:
    response = checked(openai.responses.create(model="think", input="Why?", temperature=0))
    reasoning, message = response.output
    assert reasoning.type == "reasoning"
    assert reasoning.content and reasoning.content[0].text
    assert message.type == "message"
    assert reasoning.content[0].text not in response.output_text
    with openai.responses.stream(model="think", input="Why?", temperature=0) as stream:
        names = {event.type for event in stream}
        assert stream.get_final_response().output_text == response.output_text
    assert {"response.reasoning_text.delta", "response.reasoning_text.done"} <= names
    followed = openai.responses.create(model="think", input="And?", previous_response_id=response.id, temperature=0)
    assert followed.status == "completed"


@pytest.mark.parametrize("stored", [True, False], ids=["by-id", "sent-again"])
def test_sdk_calls_a_function_and_is_told_what_it_returned(stored: bool, openai: OpenAI) -> None:
    asked: dict[str, Any] = {"model": "tools", "tools": [LOOK], "temperature": 0, "store": stored}
    question: list[Any] = [{"role": "user", "content": "What is there?"}]
    response = checked(openai.responses.create(input=question, **asked))
    call = response.output[-1]
    assert isinstance(call, ResponseFunctionToolCall)
    assert call.name == "look"
    assert isinstance(json.loads(call.arguments), dict)
    returned: list[Any] = [{"type": "function_call_output", "call_id": call.call_id, "output": "a llama"}]
    if stored:
        answer = openai.responses.create(input=returned, previous_response_id=response.id, **asked)
    else:
        answer = openai.responses.create(input=[*question, *response.output, *returned], **asked)
    assert answer.status == "completed"
    assert checked(answer).output[0].type == "message"
    with openai.responses.stream(input=question, **asked) as stream:
        pieces = [event.delta for event in stream if event.type == "response.function_call_arguments.delta"]
        last = stream.get_final_response().output[-1]
    assert last.type == "function_call"
    assert "".join(pieces) == last.arguments == call.arguments


def test_sdk_named_function_is_called(openai: OpenAI) -> None:
    """The demo model would call nothing by itself: the engine's grammar makes it."""
    other = {**LOOK, "name": "hear"}
    response = openai.responses.create(
        model="demo",
        input="Hello",
        tools=[LOOK, other],  # type: ignore[list-item]
        tool_choice={"type": "function", "name": "hear"},
        max_output_tokens=400,
    )
    calls = [item.name for item in response.output if item.type == "function_call"]
    assert response.status == "incomplete" or calls == ["hear"]
    assert "look" not in calls


class Place(BaseModel):
    """A schema with few ways to fill it in."""

    llama: bool


def test_sdk_schema_is_held_to(openai: OpenAI) -> None:
    parsed = openai.responses.parse(model="demo", input="Is it one?", text_format=Place, temperature=0)
    assert isinstance(parsed.output_parsed, Place)
    with openai.responses.stream(model="demo", input="Is it one?", text_format=Place, temperature=0) as stream:
        assert stream.get_final_response().output_parsed == parsed.output_parsed


def test_sdk_logprobs_come_where_they_are_asked_for(openai: OpenAI) -> None:
    response = openai.responses.create(
        model="demo", input="Hello", include=["message.output_text.logprobs"], top_logprobs=2, max_output_tokens=5
    )
    (message,) = response.output
    assert message.type == "message"
    (text,) = message.content
    assert text.type == "output_text"
    assert text.logprobs and len(text.logprobs) == 5
    assert len(text.logprobs[0].top_logprobs) == 2
    checked(response)


def test_sdk_answer_that_reaches_its_limit_is_incomplete(openai: OpenAI) -> None:
    response = checked(openai.responses.create(model="demo", input="Hello", max_output_tokens=5))
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage is not None
    assert response.usage.output_tokens == 5


def test_sdk_conversation_goes_on_after_a_restart(home: Home) -> None:
    asked: dict[str, Any] = {"model": "demo", "temperature": 0, "max_output_tokens": 5}
    with client(home) as openai:
        first = openai.responses.create(input="one", instructions="Be brief.", **asked)
        second = openai.responses.create(input="two", previous_response_id=first.id, **asked)
    with client(home) as openai:
        third = openai.responses.create(input="three", previous_response_id=second.id, **asked)
        said: list[Any] = []
        for question, answer in (("one", first), ("two", second)):
            said += [{"role": "user", "content": question}, {"role": "assistant", "content": answer.output_text}]
        sent_again = openai.responses.create(input=[*said, {"role": "user", "content": "three"}], **asked)
        assert third.usage is not None and sent_again.usage is not None
        assert third.usage.input_tokens == sent_again.usage.input_tokens
        assert third.output_text == sent_again.output_text
        assert third.previous_response_id == second.id
        openai.responses.delete(first.id)
        with pytest.raises(BadRequestError) as refused:
            openai.responses.create(input="four", previous_response_id=third.id, **asked)
        assert refused.value.code == "previous_response_not_found"
        assert refused.value.param == "previous_response_id"


def test_sdk_input_items_are_listed_page_by_page(openai: OpenAI) -> None:
    said: list[Any] = [{"role": "user", "content": str(number)} for number in range(7)]
    response = openai.responses.create(model="demo", input=said, max_output_tokens=2)
    page = openai.responses.input_items.list(response.id, limit=3, order="asc")
    texts = [item.content[0].text for item in page if item.type == "message"]  # type: ignore[union-attr]
    assert texts == [str(number) for number in range(7)]
    newest = openai.responses.input_items.list(response.id, limit=1).data[0]
    assert newest.type == "message" and newest.content[0].text == "6"  # type: ignore[union-attr]


def test_sdk_item_is_sent_again_or_referred_to_with_the_same_effect(openai: OpenAI) -> None:
    said = openai.responses.create(model="demo", input="Hello", max_output_tokens=9).output[0]
    question: Any = {"role": "user", "content": "So?"}
    counts = []
    for answer in (said, {"type": "item_reference", "id": said.id}):
        answered: Any = [answer, question]
        usage = openai.responses.create(model="demo", input=answered, max_output_tokens=2).usage
        counts.append(usage and usage.input_tokens)
    assert counts[0] == counts[1]
    assert counts[0]


def test_sdk_background_response_is_polled_and_cancelled(openai: OpenAI) -> None:
    begun = checked(openai.responses.create(model="demo", input="Hello", background=True, temperature=0))
    assert begun.status == "queued"
    assert ended(openai, begun.id).output_text.startswith("Hello!")
    endless = openai.responses.create(model="demo", input="Hello", background=True, **ENDLESS)
    until(lambda: openai.responses.retrieve(endless.id).status == "in_progress")
    cancelled = checked(openai.responses.cancel(endless.id))
    assert cancelled.status == "cancelled"
    assert openai.responses.cancel(endless.id) == cancelled
    with pytest.raises(BadRequestError):
        openai.responses.cancel(openai.responses.create(model="demo", input="x", max_output_tokens=1).id)


def test_sdk_background_stream_is_taken_up_where_it_was_left(openai: OpenAI) -> None:
    seen = []
    with openai.responses.create(model="demo", input="Hello", background=True, stream=True, temperature=0) as stream:
        for event in stream:
            seen.append(event)
            if event.sequence_number == 10:
                break
    created = seen[0]
    assert created.type == "response.created"
    rest = list(openai.responses.retrieve(created.response.id, stream=True, starting_after=10))
    assert [event.sequence_number for event in rest] == list(range(11, 11 + len(rest)))
    text = "".join(event.delta for event in [*seen, *rest] if event.type == "response.output_text.delta")
    final = ended(openai, created.response.id)
    assert text == final.output_text
    with openai.responses.stream(response_id=final.id, starting_after=10) as again:
        assert again.get_final_response().output_text == text


def test_sdk_background_response_has_failed_after_llamero_was_killed(home: Home) -> None:
    with client_killed(home) as id, client(home) as openai:
        failed = checked(openai.responses.retrieve(id))
        assert failed.status == "failed"
        assert failed.error is not None
        assert "before this response was complete" in failed.error.message


@contextmanager
def client_killed(home: Home) -> Iterator[str]:
    """The id of a response that a Llamero was writing when it was killed."""
    with serving(home, "--port", "0") as server:
        with OpenAI(base_url=f"{server.url()}/v1", api_key="none", max_retries=0) as openai:
            begun = openai.responses.create(model="demo", input="Hello", background=True, **ENDLESS)
            until(lambda: openai.responses.retrieve(begun.id).status == "in_progress")
        server.process.kill()
        server.process.communicate()
        until(lambda: not home.members(), what="nothing is left")
    yield begun.id


def test_sdk_stream_is_whole_although_its_engine_was_killed(home: Home) -> None:
    home.write_settings('[servers]\ncrash_limit = 1000\n[engine]\narguments = ["--threads 1"]\n')
    log = home.data / "logs" / "llamero.log"
    with client(home) as openai:
        for _ in range(10):  # now and then the engine has sent everything before it dies
            undisturbed = openai.responses.create(model="demo", input="Hello", **LONG)
            engine, events = engine_of(home), []
            with openai.responses.stream(model="demo", input="Hello", **LONG) as stream:
                for event in stream:
                    events.append(event)
                    if len(events) == 20:
                        engine.kill()
            final = events[-1]
            assert final.type == "response.completed" or final.type == "response.incomplete"
            assert final.response.output_text == undisturbed.output_text
            assert final.response.usage == undisturbed.usage
            assert openai.responses.retrieve(final.response.id).output_text == undisturbed.output_text
            if "engine died" in log.read_text():
                return
    raise AssertionError("no answer was disturbed")


def test_sdk_client_that_leaves_stops_the_engine_and_leaves_a_cancelled_response(openai: OpenAI) -> None:
    with openai.responses.create(model="demo", input="Hello", stream=True, **ENDLESS) as stream:
        created = next(iter(stream))
    assert created.type == "response.created"
    assert ended(openai, created.response.id).status == "cancelled"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"temperature": 9}, "temperature"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"model": "nobody"}, "model"),
    ],
)
def test_sdk_is_told_what_cannot_be(fields: dict[str, Any], param: str, openai: OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises((BadRequestError, NotFoundError)) as refused:
            openai.responses.create(**{"model": "demo", "input": "Hello", "stream": stream, **fields})
        assert refused.value.param == param
        assert isinstance(refused.value.code, str)


def test_sdk_conversation_beyond_the_context_has_the_code_that_clients_look_for(openai: OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(BadRequestError) as refused:
            openai.responses.create(model="demo", input="llama " * 200_000, stream=stream)
        assert refused.value.code == "context_length_exceeded"
    turns: list[Any] = [{"role": "user", "content": f"{number} llama" * 500} for number in range(100)]
    shortened = openai.responses.create(model="demo", input=turns, truncation="auto", max_output_tokens=5)
    assert shortened.usage is not None
    assert shortened.usage.input_tokens > 500


async def test_sdk_sixteen_at_once_are_all_whole(served: str) -> None:
    async with AsyncOpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as openai:

        async def ask() -> str:
            async with openai.responses.stream(model="demo", input="Hello", temperature=0) as stream:
                return (await stream.get_final_response()).output_text

        began = time.monotonic()
        answers = await asyncio.gather(*(ask() for _ in range(16)))
    print(f"16 answers in {time.monotonic() - began:.2f} s")
    assert len(set(answers)) == 1
