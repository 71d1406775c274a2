"""How an answer goes on: when it may be continued, what is asked for then, and what of the new stream is new."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llamero.models.errors import UpstreamFailed
from llamero.services.llama.continuing import ChatContinuation, TextContinuation, continuation_of, token_limit_reached
from llamero.services.llama.received import Received
from llamero.services.llama.recovery import DISAGREES, AlreadySent

LONG = "The llamas climb the pass before dawn."
BEGUN = "The llamas climb the pass"
ASKED = {"messages": [{"role": "user", "content": "Tell me"}], "stream": True}
PREFILLED = {**ASKED, "messages": [*ASKED["messages"], {"role": "assistant", "content": BEGUN}]}  # type: ignore[misc]


def chunk(delta: dict[str, Any] | None = None, *, index: int = 0, finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": index, "delta": delta or {}, "finish_reason": finish}] if delta is not None or finish else []
    return json.dumps({"id": "b", "created": 2, "model": "m2", "choices": choices, **more}).encode()


def call(index: int = 0, arguments: str = "", name: str = "", call_id: str = "") -> dict[str, Any]:
    function: dict[str, Any] = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    announced = {"id": call_id, "type": "function"} if call_id else {}
    return {"tool_calls": [{"index": index, **announced, "function": function}]}


def received(*deltas: dict[str, Any], wanted: int = 1) -> Received:
    """The client has the role and these deltas, of choice 0 unless they name another."""
    result = Received(choices_wanted=wanted)
    result.add(
        json.dumps({"id": "a", "created": 1, "model": "m", "choices": [{"delta": {"role": "assistant"}}]}).encode()
    )
    for delta in deltas:
        result.add(chunk(delta, index=delta.pop("choice", 0)))
    return result


def rest(sent: AlreadySent, *events: bytes) -> list[dict[str, Any]]:
    return [json.loads(new) for event in events if (new := sent.rest_of(event)) is not None]


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


@pytest.mark.parametrize(
    ("body", "got", "expected"),
    [
        (ASKED, [{"content": LONG}], True),
        (ASKED, [{"content": LONG[:10]}], False),
        (ASKED, [], False),
        (ASKED, [{"reasoning_content": "hm"}, {"content": LONG}], False),
        (ASKED, [{"content": LONG}, call(name="f", call_id="1")], False),
        (ASKED, [{"content": LONG}, {"content": LONG, "choice": 1}], False),
        ({**ASKED, "n": 1}, [{"content": LONG}], True),
        ({**ASKED, "n": 2}, [{"content": LONG}], False),
        ({**ASKED, "logprobs": True}, [{"content": LONG}], False),
        ({**ASKED, "logprobs": False}, [{"content": LONG}], True),
        ({**ASKED, "tools": [{}]}, [{"content": LONG}], False),
        ({**ASKED, "tools": []}, [{"content": LONG}], True),
        ({**ASKED, "response_format": {"type": "json_object"}}, [{"content": LONG}], False),
        ({**ASKED, "grammar": "root ::= x"}, [{"content": LONG}], False),
        ({"prompt": "Tell me"}, [{"content": LONG}], False),
        (PREFILLED, [{"content": LONG}], True),
        (PREFILLED, [{"content": " before dawn, slowly and one behind the other."}], False),
        ({"messages": [{"role": "assistant", "content": "The"}]}, [{"content": LONG}], False),
        ({"messages": [{"role": "assistant", "content": [{"type": "text"}]}]}, [{"content": LONG}], False),
    ],
)
def test_can_continue_only_where_text_stands_for_everything(
    body: dict[str, object], got: list[dict[str, Any]], expected: bool
) -> None:
    assert ChatContinuation(body).possible(received(*[dict(delta) for delta in got])) is expected


def test_continued_body_adds_the_text_as_the_assistants_message() -> None:
    body = ChatContinuation({**ASKED, "temperature": 0}).body(received({"content": LONG}), 9)
    assert body["messages"] == [{"role": "user", "content": "Tell me"}, {"role": "assistant", "content": LONG}]
    assert body["temperature"] == 0
    assert (body["echo"], body["continue_final_message"], body["add_generation_prompt"]) == (True, True, False)
    assert len(ASKED["messages"]) == 1  # type: ignore[arg-type] # the first request stays as it is


def test_continued_body_replaces_what_the_client_prefilled_and_keeps_its_other_fields() -> None:
    last = {"role": "assistant", "content": BEGUN, "name": "guide"}
    body = ChatContinuation({"messages": [last]}).body(received({"content": LONG}), 9)
    assert body["messages"] == [{"role": "assistant", "content": LONG, "name": "guide"}]
    assert ChatContinuation(PREFILLED).generated(received({"content": LONG})) == LONG.removeprefix(BEGUN)


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens", "n_predict"])
def test_token_limit_is_less_what_was_received(limit: str) -> None:
    got = received({"content": LONG})
    assert ChatContinuation({**ASKED, limit: 100}).body(got, 30)[limit] == 70
    assert ChatContinuation({**ASKED, limit: -1}).body(got, 30)[limit] == -1
    assert token_limit_reached({**ASKED, limit: 30}, 30)
    assert not token_limit_reached({**ASKED, limit: 31}, 30)
    assert not token_limit_reached({**ASKED, limit: -1}, 30)
    assert not token_limit_reached(ASKED, 30)


def test_already_sent_text_is_taken_out_also_within_a_delta() -> None:
    sent = AlreadySent(received({"content": "The lla"}))
    new = rest(sent, chunk({"content": "The "}), chunk({"content": "llamas"}), chunk({"content": " climb"}))
    assert deltas(new) == [{"content": "mas"}, {"content": " climb"}]


def test_already_sent_gives_the_rest_the_identity_of_the_first_stream() -> None:
    (new,) = rest(AlreadySent(received({"content": "A"})), chunk({"content": "AB"}))
    assert (new["id"], new["created"], new["model"]) == ("a", 1, "m")


def test_already_sent_role_comes_only_once() -> None:
    sent = AlreadySent(received())
    assert deltas(rest(sent, chunk({"role": "assistant", "content": None}), chunk({"content": "A"}))) == [
        {"content": "A"}
    ]


def test_already_sent_nothing_lets_the_role_through() -> None:
    role = {"role": "assistant", "content": None}
    assert deltas(rest(AlreadySent(Received()), chunk(role), chunk({"content": "A"}))) == [role, {"content": "A"}]


def test_already_sent_role_of_a_choice_that_has_not_begun_passes() -> None:
    sent = AlreadySent(received({"content": "A"}, wanted=2))
    role = {"role": "assistant", "content": None}
    assert deltas(rest(sent, chunk(dict(role)), chunk(role, index=1))) == [role]


def test_already_sent_reasoning_is_taken_out_before_the_content() -> None:
    sent = AlreadySent(received({"reasoning_content": "Hm, "}, {"reasoning_content": "so."}, {"content": "Yes"}))
    stream = [chunk({"reasoning_content": "Hm, so."}), chunk({"content": "Ye"}), chunk({"content": "s, it is"})]
    assert deltas(rest(sent, *stream)) == [{"content": ", it is"}]


def test_already_sent_in_the_middle_of_reasoning_goes_on_there() -> None:
    sent = AlreadySent(received({"reasoning_content": "Hm"}))
    stream = [chunk({"reasoning_content": "Hm, so."}), chunk({"content": "Yes"})]
    assert deltas(rest(sent, *stream)) == [{"reasoning_content": ", so."}, {"content": "Yes"}]


def test_already_sent_tool_call_keeps_the_first_id_and_goes_on_in_its_arguments() -> None:
    sent = AlreadySent(received(call(name="weather", call_id="x1"), call(arguments='{"ci')))
    stream = [chunk(call(name="weather", call_id="y2")), chunk(call(arguments='{"city"')), chunk(call(arguments=":1}"))]
    assert deltas(rest(sent, *stream)) == [call(arguments='ty"'), call(arguments=":1}")]


def test_already_sent_second_tool_call_that_is_new_passes_whole() -> None:
    sent = AlreadySent(received(call(name="f", call_id="x1", arguments="{}")))
    second = call(index=1, name="g", call_id="y2", arguments="{}")
    assert deltas(rest(sent, chunk(call(name="f", call_id="y1", arguments="{}")), chunk(second))) == [second]


def test_already_sent_choices_are_kept_apart() -> None:
    sent = AlreadySent(received({"content": "A"}, {"content": "XY", "choice": 1}, wanted=2))
    stream = [chunk({"content": "XYZ"}, index=1), chunk({"content": "AB"})]
    assert deltas(rest(sent, *stream)) == [{"content": "Z"}, {"content": "B"}]


def test_already_sent_end_of_a_choice_does_not_come_twice() -> None:
    got = received({"content": "A"}, {"content": "B", "choice": 1}, wanted=2)
    got.add(chunk(finish="stop"))
    sent = AlreadySent(got)
    stream = [chunk({"content": "A"}), chunk(finish="stop"), chunk({"content": "BC"}, index=1)]
    assert deltas(rest(sent, *stream)) == [{"content": "C"}]
    with pytest.raises(UpstreamFailed):
        sent.rest_of(chunk({"content": "more"}))


DISAGREEING: dict[str, tuple[list[dict[str, Any]], list[bytes]]] = {
    "other text": ([{"content": "The llamas"}], [chunk({"content": "The alp"})]),
    "shorter text": ([{"content": "The llamas"}], [chunk({"content": "The"}), chunk(finish="stop")]),
    "no text": ([{"content": "The llamas"}], [chunk(finish="stop")]),
    "other reasoning": ([{"reasoning_content": "Hm"}], [chunk({"reasoning_content": "So"})]),
    "less reasoning": (
        [{"reasoning_content": "Hm, so"}],
        [chunk({"reasoning_content": "Hm"}), chunk({"content": "Y"})],
    ),
    "more reasoning": ([{"reasoning_content": "Hm"}, {"content": "Y"}], [chunk({"reasoning_content": "Hm, so"})]),
    "other arguments": (
        [call(name="f", call_id="1", arguments='{"a"')],
        [chunk(call(name="f", call_id="2")), chunk(call(arguments='{"b"'))],
    ),
    "other tool": ([call(name="f", call_id="1")], [chunk(call(name="g", call_id="2"))]),
    "text for a tool": ([call(name="f", call_id="1")], [chunk({"content": "No"})]),
    "text after half a tool": (
        [call(name="f", call_id="1", arguments='{"a"')],
        [chunk(call(name="f", call_id="2", arguments="{")), chunk({"content": "No"})],
    ),
    "a tool for text": ([{"content": "The"}], [chunk(call(name="f", call_id="1"))]),
    "second tool first": (
        [call(name="f", call_id="1", arguments="{}")],
        [chunk(call(index=1, name="f", call_id="2", arguments="{}"))],
    ),
}


@pytest.mark.parametrize("name", DISAGREEING)
def test_disagreement_is_a_typed_error_and_nothing_is_emitted(name: str) -> None:
    got, stream = DISAGREEING[name]
    sent = AlreadySent(received(*[dict(delta) for delta in got]))
    emitted: list[dict[str, Any]] = []
    with pytest.raises(UpstreamFailed) as caught:
        for event in stream:
            emitted += rest(sent, event)
    assert caught.value.code == DISAGREES
    assert emitted == []


@pytest.mark.parametrize("data", [b"{", b"[]", b"17", b'{"choices": 3}', b'{"choices": [{"delta": "x"}]}', b"\xff"])
def test_event_that_is_no_chunk_is_a_typed_error_in_a_recovery(data: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        AlreadySent(received({"content": "A"})).rest_of(data)


def test_error_event_passes_as_it_is() -> None:
    error = b'{"error": {"code": 500, "message": "no"}}'
    assert AlreadySent(received({"content": "A"})).rest_of(error) == error


def test_usage_counts_what_was_continued_as_answer() -> None:
    sent = AlreadySent(received({"content": LONG}), tokens_continued=9)
    usage = {"prompt_tokens": 29, "completion_tokens": 5, "total_tokens": 34}
    (new,) = rest(sent, chunk(usage=usage))
    assert new["usage"] == {"prompt_tokens": 20, "completion_tokens": 14, "total_tokens": 34}
    assert new["choices"] == []


def test_usage_of_a_replay_is_left_alone() -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 14, "total_tokens": 34}
    (new,) = rest(AlreadySent(received({"content": LONG})), chunk(usage=usage))
    assert new["usage"] == usage


def test_received_is_complete_when_every_choice_that_was_wanted_has_ended() -> None:
    got = received({"content": "A"}, wanted=2)
    got.add(chunk(finish="stop"))
    assert not got.complete
    got.add(chunk(finish="stop", index=1))
    assert got.complete


def test_received_marks_what_is_no_chunk_and_refuses_broken_json() -> None:
    got = received({"content": "A"})
    assert got.add(b'{"choices": "none"}') is None
    assert got.opaque
    with pytest.raises(UpstreamFailed):
        got.add(b'{"choices": [{"del')


@pytest.mark.parametrize(
    "stream",
    [
        [chunk({"content": "The "}), chunk({"content": LONG[4:]})],  # it began anew, and says the same so far
        [chunk({"content": "The llamas"})],  # it was not asked to echo what repeats itself
        [chunk({"content": " They rest."})],
    ],
)
def test_continued_stream_that_does_not_begin_with_all_that_was_sent_disagrees(stream: list[bytes]) -> None:
    sent = AlreadySent(received({"content": LONG}), tokens_continued=9)
    with pytest.raises(UpstreamFailed) as caught:
        rest(sent, *stream)
    assert caught.value.code == DISAGREES


def test_continued_stream_that_begins_with_all_that_was_sent_goes_on() -> None:
    sent = AlreadySent(received({"content": "The llamas climb "}, {"content": "the pass"}), tokens_continued=9)
    stream = [chunk({"content": "The llamas climb the pass"}), chunk({"content": " at"}), chunk({"content": " dawn"})]
    assert deltas(rest(sent, *stream)) == [{"content": " at"}, {"content": " dawn"}]


def text_chunk(text: str, *, index: int = 0, finish: str | None = None, **more: Any) -> bytes:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
    return json.dumps({"id": "b", "created": 2, "model": "m2", "choices": [choice], **more}).encode()


def flat_chunk(content: str, *, index: int = 0, stop: bool = False, **more: Any) -> bytes:
    return json.dumps({"index": index, "content": content, "tokens": [1], "stop": stop, **more}).encode()


def received_texts(*events: bytes, wanted: int = 1) -> Received:
    result = Received(choices_wanted=wanted)
    for event in events:
        result.add(event)
    return result


COMPLETION: dict[str, Any] = {"prompt": "Tell me", "stream": True, "max_tokens": 50}


@pytest.mark.parametrize(
    ("body", "texts", "expected"),
    [
        (COMPLETION, [LONG], True),
        (COMPLETION, ["The llamas"], False),
        (COMPLETION, [], False),
        ({**COMPLETION, "prompt": ["Tell me"]}, [LONG], False),
        ({**COMPLETION, "prompt": [1, 2]}, [LONG], False),
        ({**COMPLETION, "n": 2}, [LONG], False),
        ({**COMPLETION, "logprobs": 1}, [LONG], False),
        ({**COMPLETION, "grammar": "root ::= x"}, [LONG], False),
    ],
)
def test_completion_is_continued_only_where_text_stands_for_everything(
    body: dict[str, Any], texts: list[str], expected: bool
) -> None:
    got = received_texts(*[text_chunk(text) for text in texts])
    assert TextContinuation(body).possible(got) is expected


def test_completion_continues_with_its_text_behind_the_prompt() -> None:
    body = TextContinuation(COMPLETION).body(received_texts(text_chunk(LONG)), 9)
    assert body == {**COMPLETION, "prompt": f"Tell me{LONG}", "max_tokens": 41}


def test_engines_own_completion_is_never_continued() -> None:
    assert continuation_of("/completion", COMPLETION) is None
    assert continuation_of("/infill", COMPLETION) is None


def test_completion_continued_passes_from_its_first_word_with_the_first_identity() -> None:
    got = received_texts(json.dumps({"id": "a", "created": 1, "model": "m", "choices": [{"text": BEGUN}]}).encode())
    sent = AlreadySent(got, tokens_continued=5, repeats=False)
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    first, last = rest(sent, text_chunk(" before dawn."), text_chunk("", finish="stop", usage=usage))
    assert (first["id"], first["model"], first["choices"][0]["text"]) == ("a", "m", " before dawn.")
    assert last["usage"] == {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}


def test_completion_replayed_leaves_out_what_was_sent_of_each_choice() -> None:
    got = received_texts(text_chunk("one two", index=0), text_chunk("eins", index=1), wanted=2)
    sent = AlreadySent(got)
    events = [
        text_chunk("one", index=0),
        text_chunk("eins zwei", index=1),
        text_chunk(" two three", index=0),
        text_chunk("", index=1, finish="stop"),
        text_chunk("", index=0, finish="length"),
    ]
    new = [(c["index"], c["text"], c["finish_reason"]) for event in rest(sent, *events) for c in event["choices"]]
    assert new == [(1, " zwei", None), (0, " three", None), (1, "", "stop"), (0, "", "length")]


def test_completion_replayed_that_says_something_else_disagrees() -> None:
    sent = AlreadySent(received_texts(text_chunk(BEGUN)))
    with pytest.raises(UpstreamFailed) as caught:
        sent.rest_of(text_chunk("The alpacas"))
    assert caught.value.code == DISAGREES


def test_engines_own_completion_replayed_leaves_out_what_was_sent() -> None:
    got = received_texts(flat_chunk("one"), flat_chunk(" two"))
    assert (got.content, got.pieces, got.complete) == ("one two", 2, False)
    sent = AlreadySent(got)
    new = rest(sent, flat_chunk("one"), flat_chunk(" tw"), flat_chunk("o three"), flat_chunk("", stop=True, model="m"))
    assert [(event["content"], event["stop"]) for event in new] == [(" three", False), ("", True)]
    with pytest.raises(UpstreamFailed):
        AlreadySent(got).rest_of(flat_chunk("", stop=True))


def test_engines_own_completion_is_complete_when_each_prompt_has_stopped() -> None:
    got = received_texts(flat_chunk("a", index=1), flat_chunk("", index=1, stop=True), wanted=2)
    assert not got.complete
    got.add(flat_chunk("", index=0, stop=True))
    assert got.complete
