"""Chunks of a chat in, events and a response out. Every event is checked against the types of OpenAI's own package."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import msgspec
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from llamero.gateway.openai.responses.building import ResponseBuilder
from llamero.models.chat import StreamChunk
from llamero.models.responses import Response, ResponseError, ResponseStatus

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
STARTED = ["created", "in_progress"]
TEXT_BEGINS = ["output_item.added", "content_part.added"]
TEXT_ENDS = ["output_text.done", "content_part.done", "output_item.done"]
THOUGHT_ENDS = ["reasoning_text.done", "content_part.done", "output_item.done"]
CALL_ENDS = ["function_call_arguments.done", "output_item.done"]


class Told:
    """What a builder told, decoded and checked."""

    def __init__(self, **begun: Any) -> None:
        numbers = count(1)
        response = Response(id="resp_1", created_at=1, status=ResponseStatus.IN_PROGRESS, model="m", **begun)
        self.builder = ResponseBuilder(response, lambda prefix: f"{prefix}_{next(numbers)}", lambda: 2.5)
        self.events: list[dict[str, Any]] = []
        self.take(self.builder.begin() + self.builder.start())

    def take(self, encoded: list[bytes]) -> None:
        for raw in encoded:
            name, _, rest = raw.decode().partition("\n")
            assert rest.startswith("data: ") and rest.endswith("\n\n")
            event = json.loads(rest[6:])
            assert name == f"event: {event['type']}"
            assert event["sequence_number"] == len(self.events)
            EVENT.validate_python(event)
            self.events.append(event)

    def add(self, delta: dict[str, Any] | None = None, reason: str | None = None, **more: Any) -> Told:
        choice = {"index": 0, "delta": delta or {}, "finish_reason": reason, **more}
        return self.add_chunk({"choices": [choice]})

    def add_chunk(self, chunk: dict[str, Any]) -> Told:
        self.take(self.builder.add(msgspec.convert(chunk, StreamChunk)))
        return self

    def finish(self) -> Told:
        self.take(self.builder.finish())
        return self

    @property
    def names(self) -> list[str]:
        return [event["type"].removeprefix("response.") for event in self.events]

    @property
    def response(self) -> dict[str, Any]:
        """The response as its last event told it."""
        response: dict[str, Any] = self.events[-1]["response"]
        assert response == msgspec.json.decode(msgspec.json.encode(self.builder.response))
        return response


def call(index: int, id: str | None = None, name: str | None = None, arguments: str | None = None) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]}


def test_text_is_told_piece_by_piece_and_then_whole() -> None:
    told = Told().add({"role": "assistant", "content": None}).add({"content": "a"}).add({"content": "b"})
    told.add({}, "stop").finish()
    assert told.names == [*STARTED, *TEXT_BEGINS, *["output_text.delta"] * 2, *TEXT_ENDS, "completed"]
    assert [event["delta"] for event in told.events if "delta" in event] == ["a", "b"]
    assert told.response["status"] == "completed"
    assert told.response["completed_at"] == 2
    text = {"type": "output_text", "text": "ab", "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]}
    assert told.response["output"] == [message]


def test_reasoning_comes_before_the_text_as_an_item_of_its_own() -> None:
    told = Told().add({"reasoning_content": "h"}).add({"reasoning_content": "m"}).add({"content": "a"}, "stop").finish()
    thought = [*TEXT_BEGINS, *["reasoning_text.delta"] * 2, *THOUGHT_ENDS]
    assert told.names == [*STARTED, *thought, *TEXT_BEGINS, "output_text.delta", *TEXT_ENDS, "completed"]
    reasoning, message = told.response["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert (reasoning["summary"], reasoning["status"], message["type"]) == ([], "completed", "message")
    places = [event["output_index"] for event in told.events if "output_index" in event]
    assert places == [0] * 7 + [1] * 6


def test_calls_are_items_with_the_ids_of_the_engine() -> None:
    told = Told().add({"content": "so"})
    told.add(call(0, "c1", "look", "")).add(call(0, arguments='{"a"')).add(call(0, arguments=":1}"))
    told.add(call(1, "c2", "hear", "{}"), "tool_calls").finish()
    first = ["output_item.added", *["function_call_arguments.delta"] * 2]
    second = ["output_item.added", "function_call_arguments.delta"]
    text = [*TEXT_BEGINS, "output_text.delta", *TEXT_ENDS]
    assert told.names == [*STARTED, *text, *first, *second, *CALL_ENDS, *CALL_ENDS, "completed"]
    calls = [(item["call_id"], item["name"], item["arguments"]) for item in told.response["output"][1:]]
    assert calls == [("c1", "look", '{"a":1}'), ("c2", "hear", "{}")]


def test_calls_whose_pieces_alternate_stay_apart() -> None:
    told = Told().add(call(0, "c1", "a", "1")).add(call(1, "c2", "b", "2")).add(call(0, arguments="1"))
    told.add(call(1, arguments="2"), "tool_calls").finish()
    assert [item["arguments"] for item in told.response["output"]] == ["11", "22"]


def test_calls_without_numbers_are_told_apart_by_their_ids() -> None:
    told = Told().add(call(0, "c1", "a", "1")).add(call(0, "c2", "b", "2"), "tool_calls").finish()
    assert [item["call_id"] for item in told.response["output"]] == ["c1", "c2"]


def test_call_without_an_id_gets_one() -> None:
    told = Told().add(call(0, None, "a", "{}"), "stop").finish()
    assert told.response["output"][0]["call_id"].startswith("call_")


@pytest.mark.parametrize(("reason", "said"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_answer_that_was_cut_short_is_incomplete_and_says_why(reason: str, said: str) -> None:
    told = Told().add({"content": "a"}).add({}, reason).finish()
    assert told.names[-1] == "incomplete"
    assert told.response["incomplete_details"] == {"reason": said}
    assert told.response["output"][0]["status"] == "incomplete"
    assert told.response["completed_at"] is None


def test_usage_is_that_of_the_engine_with_its_details() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 3}}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    told = Told().add({"content": "a"}, "stop").add_chunk({"choices": [], "usage": usage | details}).finish()
    assert told.response["usage"] == {
        "input_tokens": 5,
        "output_tokens": 7,
        "total_tokens": 12,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    for unknown in ({}, {"prompt_tokens_details": None}, {"prompt_tokens_details": {"cached_tokens": None}}):
        told = Told().add({}, "stop").add_chunk({"choices": [], "usage": usage | unknown}).finish()
        assert told.response["usage"]["input_tokens_details"]["cached_tokens"] == 0


def test_logprobs_come_with_each_piece_and_with_the_whole() -> None:
    one = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    told = Told().add({"content": "a"}, "stop", logprobs={"content": [one]}).finish()
    assert [event["logprobs"] for event in told.events if "logprobs" in event] == [[one], [one]]
    assert told.response["output"][0]["content"][0]["logprobs"] == [one]


def test_answer_of_nothing_has_no_items() -> None:
    assert Told().add({}, "stop").finish().response["output"] == []


def test_other_choices_are_not_mixed_in() -> None:
    told = Told().add_chunk({"choices": [{"index": 1, "delta": {"content": "other"}}]}).add({"content": "a"}, "stop")
    assert told.finish().response["output"][0]["content"][0]["text"] == "a"


def test_failure_is_an_error_and_then_the_failed_response() -> None:
    told = Told().add({"content": "a"})
    told.take(told.builder.fail(ResponseError(code="server_error", message="broke"), "mine", "field"))
    assert told.names[-2:] == ["error", "failed"]
    assert told.events[-2] | {"sequence_number": 0} == {
        "type": "error", "sequence_number": 0, "code": "mine", "message": "broke", "param": "field",
    }  # fmt: skip
    assert told.response["error"] == {"code": "server_error", "message": "broke"}
    assert told.response["output"][0]["status"] == "incomplete"


def test_cancelled_response_keeps_what_has_come() -> None:
    told = Told().add({"content": "a"}).add(call(0, "c", "f", "{"))
    told.builder.cancel()
    response = told.builder.response
    assert response.status is ResponseStatus.CANCELLED
    assert [item.status for item in response.output] == ["completed", "incomplete"]


def test_response_in_the_background_is_queued_first() -> None:
    told = Told()
    numbers = count(1)
    queued = Response(id="resp_1", created_at=1, status=ResponseStatus.QUEUED, background=True, model="m")
    told.builder = ResponseBuilder(queued, lambda prefix: f"{prefix}_{next(numbers)}", lambda: 0)
    told.events.clear()
    told.take(told.builder.begin() + told.builder.start())
    assert told.names == ["created", "queued", "in_progress"]
    assert [event["response"]["status"] for event in told.events] == ["queued", "queued", "in_progress"]


def test_whole_is_what_the_engine_has_ended() -> None:
    told = Told().add({"content": "a"})
    assert not told.builder.is_whole
    assert told.add({}, "stop").builder.is_whole
