"""Requests and answers of Ollama's API, translated without any network."""

from __future__ import annotations

import json
from typing import Any

import gguf
import pytest

from llamero.gateway.decoding import converted
from llamero.gateway.ollama import details, wire
from llamero.gateway.ollama.durations import keep_alive_s
from llamero.gateway.ollama.request import chat_body, generate_body, infill_body, raw_body
from llamero.gateway.ollama.response import AnswerLines
from llamero.models.aliases import AliasKind, ListedModel
from llamero.models.chat import ChatDelta, Finished, ReasoningDelta, TextDelta, Timings, ToolCallDelta, Usage
from llamero.models.errors import InvalidRequest, UpstreamFailed
from llamero.models.gguf import GgufHeader, ModelFileFacts
from llamero.models.llama import ModelId, ServerPhase, ServerSnapshot

PNG = "iVBORw0KGgoAAA"
PNG_PART = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
EVENTS = {"stream": True, "stream_options": {"include_usage": True}}
USAGE = Usage(prompt_tokens=7, completion_tokens=3, total_tokens=10)


def chat(messages: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    body = {"model": "m", "messages": messages or [{"role": "user", "content": "hi"}], **fields}
    return chat_body(body, converted(body, wire.OllamaChatRequest))


def calls(*names: str) -> list[dict[str, Any]]:
    return [{"function": {"name": name, "arguments": {"n": number}}} for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([{"role": "system", "content": "s"}], [{"role": "system", "content": "s"}], id="system"),
        pytest.param([{"role": "user"}], [{"role": "user", "content": ""}], id="nothing said"),
        pytest.param(
            [{"role": "user", "content": "see", "images": [PNG]}],
            [{"role": "user", "content": [{"type": "text", "text": "see"}, PNG_PART]}],
            id="image",
        ),
        pytest.param(
            [{"role": "assistant", "content": "a", "thinking": "hm"}],
            [{"role": "assistant", "content": "a", "reasoning_content": "hm"}],
            id="thoughts",
        ),
        pytest.param(
            [
                {"role": "assistant", "content": "", "tool_calls": calls("weather", "time", "weather")},
                {"role": "tool", "content": "noon", "tool_name": "time"},
                {"role": "tool", "content": "rain", "tool_name": "weather"},
                {"role": "tool", "content": "snow"},
                {"role": "tool", "content": "nobody asked"},
            ],
            [
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [
                        {"id": "call_0_0", "type": "function", "function": {"name": "weather", "arguments": '{"n":0}'}},
                        {"id": "call_0_1", "type": "function", "function": {"name": "time", "arguments": '{"n":1}'}},
                        {"id": "call_0_2", "type": "function", "function": {"name": "weather", "arguments": '{"n":2}'}},
                    ],
                },
                {"role": "tool", "content": "noon", "tool_call_id": "call_0_1"},
                {"role": "tool", "content": "rain", "tool_call_id": "call_0_0"},
                {"role": "tool", "content": "snow", "tool_call_id": "call_0_2"},
                {"role": "tool", "content": "nobody asked", "tool_call_id": ""},
            ],
            id="answers of tools",
        ),
    ],
)
def test_ollama_messages_become_chat_messages(messages: list[Any], expected: list[Any]) -> None:
    assert chat(messages)["messages"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"options": {"num_predict": 5, "num_keep": 2, "seed": 7}}, {"max_tokens": 5, "n_keep": 2, "seed": 7}),
        ({"options": {"num_predict": -1}}, {}),
        ({"options": {"num_predict": -2}}, {}),
        ({"options": {"num_ctx": 4096, "num_gpu": 9, "use_mmap": True, "tfs_z": 1, "penalize_newline": True}}, {}),
        ({"options": {"repeat_penalty": 1.1, "min_p": None, "stop": ["x"]}}, {"repeat_penalty": 1.1, "stop": ["x"]}),
        ({"options": {"stream": False, "n": 3, "messages": [], "dry_base": 2}}, {"dry_base": 2}),
        ({"options": {"temperature": 0, "top_k": 4, "top_p": 0.5}}, {"temperature": 0, "top_k": 4, "top_p": 0.5}),
        ({"format": "json"}, {"response_format": {"type": "json_object"}}),
        ({"format": ""}, {}),
        (
            {"format": {"type": "object"}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
                }
            },
        ),
        ({"think": False}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ({"think": True}, {"chat_template_kwargs": {"enable_thinking": True}}),
        ({"think": "low"}, {"chat_template_kwargs": {"enable_thinking": True}, "reasoning_effort": "low"}),
        ({"tools": [WEATHER]}, {"tools": [WEATHER]}),
        ({"tools": []}, {}),
        ({"keep_alive": "5m", "stream": False, "logprobs": False, "brand_new": [1]}, {"brand_new": [1]}),
        ({"logprobs": True}, {"logprobs": True, "top_logprobs": 0}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"top_logprobs": 3}, {}),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_ollama_fields_become_those_of_an_engine(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert chat(**fields) == {"model": "m", "messages": [{"role": "user", "content": "hi"}], **EVENTS, **expected}


def test_ollama_generate_becomes_one_turn() -> None:
    body = {
        "model": "m",
        "prompt": "hi",
        "system": "s",
        "images": [PNG],
        "template": "{{ .Prompt }}",
        "context": [1, 2],
        "raw": False,
        "suffix": "",
    }
    assert generate_body(body, converted(body, wire.GenerateRequest)) == {
        "model": "m",
        **EVENTS,
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "hi"}, PNG_PART]},
        ],
    }


def test_ollama_raw_prompt_and_suffix_go_past_the_template() -> None:
    body = {"model": "m", "prompt": "a", "suffix": "b", "options": {"num_predict": 3}}
    request = converted(body, wire.GenerateRequest)
    common = {"model": "m", **EVENTS, "max_tokens": 3}
    assert raw_body(body, request) == {**common, "prompt": "a"}
    assert infill_body(body, request) == {**common, "input_prefix": "a", "input_suffix": "b"}
    for top, asked in ((None, 1), (0, 1), (4, 4)):
        request = converted(body | {"logprobs": True, "top_logprobs": top}, wire.GenerateRequest)
        assert raw_body(body, request)["logprobs"] == asked
        assert infill_body(body, request)["n_probs"] == asked


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "images": ["http://x/y.png"]}]}, "messages[0].images"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"format": "xml"}, "format"),
        ({"options": "none"}, "options"),
        ({"logprobs": 3}, "logprobs"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"stream": "yes"}, "stream"),
        ({"think": 5}, "think"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_ollama_field_at_fault_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        chat(**fields)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (None, None),
        (0, 0),
        ("0", 0),
        ("0s", 0),
        (300, 300),
        (1.5, 1.5),
        ("5m", 300),
        ("+5m", 300),
        (" 90s ", 90),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("250ms", 0.25),
        ("10us", 0.00001),
        ("10µs", 0.00001),
        ("1m1ns", 60.000000001),
        ("300", 300),
        (-1, -1),
        ("-1", -1),
        ("-5m", -1),
        (10**12, 31_536_000),
        ("99999999999h", 31_536_000),
    ],
)
def test_ollama_keep_alive_is_read_as_go_writes_it(written: Any, seconds: float | None) -> None:
    read = keep_alive_s(written)
    assert read == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "written", ["", "-", "m", "5 m", "5x", "m5", "1e3s", "٥m", "inf", "nan", "--5m", "5m-3s", "1h" * 60, float("inf")]
)
def test_ollama_keep_alive_that_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        keep_alive_s(written)
    assert refused.value.param == "keep_alive"


class Ticking:
    """Each look at the clock takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self) -> float:
        return 1_700_000_000.25

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


AT = "2023-11-14T22:13:20.250000Z"
TIMINGS = Timings(prompt_n=7, prompt_ms=250.0, predicted_n=3, predicted_ms=0.5)
ENDING = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 2_000_000_000,
    "load_duration": 750_000_000,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 250_000_000,
    "eval_count": 3,
    "eval_duration": 500_000,
}


def lines_of(deltas: list[ChatDelta], *, as_chat: bool = True) -> list[dict[str, Any]]:
    lines = AnswerLines("m", Ticking(), as_chat=as_chat)
    raw = b"".join(lines.add(delta) for delta in deltas)
    assert raw.endswith(b"\n")
    documents = [json.loads(line) for line in raw.splitlines()]
    assert {(document.pop("model"), document.pop("created_at")) for document in documents} == {("m", AT)}
    return documents


def test_ollama_chat_line_by_line() -> None:
    *said, last = lines_of([ReasoningDelta("hm"), TextDelta("a"), TextDelta("b"), Finished("stop", USAGE, TIMINGS)])
    assert said == [
        {"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
        {"message": {"role": "assistant", "content": "a"}, "done": False},
        {"message": {"role": "assistant", "content": "b"}, "done": False},
    ]
    assert last == {"message": {"role": "assistant", "content": ""}, **ENDING}


def test_ollama_generate_line_by_line() -> None:
    *said, last = lines_of([ReasoningDelta("hm"), TextDelta("a"), Finished("stop", USAGE, TIMINGS)], as_chat=False)
    assert said == [{"response": "", "thinking": "hm", "done": False}, {"response": "a", "done": False}]
    assert last == {"response": "", **ENDING}


def test_ollama_calls_in_pieces_come_whole_with_arguments_as_objects() -> None:
    deltas: list[ChatDelta] = [
        ToolCallDelta(0, "t0", "weather", ""),
        ToolCallDelta(0, None, None, '{"city": "Kö'),
        ToolCallDelta(0, None, None, 'ln"}'),
        ToolCallDelta(1, "t1", "time", ""),
        Finished("tool_calls", USAGE, TIMINGS),
    ]
    first, second, last = lines_of(deltas)
    made = [
        {"id": "t0", "function": {"index": 0, "name": "weather", "arguments": {"city": "Köln"}}},
        {"id": "t1", "function": {"index": 1, "name": "time", "arguments": {}}},
    ]
    assert [first["message"]["tool_calls"], second["message"]["tool_calls"]] == [[made[0]], [made[1]]]
    assert (last["done"], last["done_reason"]) == (True, "stop")
    whole: Any = AnswerLines("m", Ticking(), as_chat=True).whole(deltas)
    assert whole["message"]["tool_calls"] == made


def test_ollama_whole_answer_is_the_sum_of_its_lines() -> None:
    deltas = [ReasoningDelta("h"), ReasoningDelta("m"), TextDelta("a"), TextDelta("b"), Finished("length", USAGE)]
    whole = AnswerLines("m", Ticking(), as_chat=True).whole(deltas)
    assert whole["message"] == {"role": "assistant", "content": "ab", "thinking": "hm"}
    assert (whole["done"], whole["done_reason"], whole["eval_count"]) == (True, "length", 3)


def test_ollama_call_that_is_broken_fails_and_one_cut_by_the_limit_is_left_out() -> None:
    lines = AnswerLines("m", Ticking(), as_chat=True)
    assert lines.add(ToolCallDelta(0, "t", "time", '{"a')) == b""
    with pytest.raises(UpstreamFailed):
        lines.add(Finished("tool_calls"))
    (last,) = lines_of([ToolCallDelta(0, "t", "time", '{"a'), Finished("length")])
    assert last["done_reason"] == "length"


def test_ollama_parts_of_the_time_are_never_more_than_the_whole() -> None:
    late = Timings(prompt_n=7, prompt_ms=100.0, predicted_n=3, predicted_ms=1_500.0)
    last = lines_of([TextDelta("a"), Finished("stop", USAGE, late)])[-1]
    parts = last["load_duration"], last["prompt_eval_duration"], last["eval_duration"]
    assert parts == (400_000_000, 100_000_000, 1_500_000_000)
    assert sum(parts) == last["total_duration"]


def test_ollama_durations_without_an_engines_clock_are_our_own() -> None:
    last = lines_of([TextDelta("a"), Finished("stop")])[-1]
    assert (last["total_duration"], last["load_duration"], last["eval_duration"]) == (2 * 10**9, 10**9, 10**9)


HEADER = GgufHeader(
    version=3,
    tensor_count=1,
    file_size=5,
    architecture="llama",
    size_label="7B",
    file_type=15,
    context_length=4096,
    head_count_kv=8,
    has_chat_template=None,
)
FACTS = ModelFileFacts(size_bytes=5, modified=1_700_000_000.25, header=HEADER)
MODEL = ListedModel(id="m", path="/home/somebody/m.gguf")


def test_ollama_quantizations_are_named_as_llama_cpp_counts_them() -> None:
    for number, name in details.QUANTIZATIONS.items():
        known = gguf.LlamaFileType(number).name.removeprefix("MOSTLY_").removeprefix("ALL_")
        assert known == name


def test_ollama_model_is_described_by_its_header() -> None:
    listed = details.listed(MODEL, FACTS)
    digest = listed.pop("digest")
    assert listed == {
        "name": "m",
        "model": "m",
        "modified_at": AT,
        "size": 5,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "7B",
            "quantization_level": "Q4_K_M",
        },
    }
    assert digest == details.listed(MODEL, FACTS)["digest"]
    assert digest != details.listed(MODEL, ModelFileFacts(size_bytes=6, modified=1.0))["digest"]
    assert details.shown(MODEL, FACTS)["model_info"] == {
        "general.architecture": "llama",
        "general.size_label": "7B",
        "general.file_type": 15,
        "llama.context_length": 4096,
        "llama.attention.head_count_kv": 8,
    }


def test_ollama_model_without_a_file_is_described_as_far_as_it_is_known() -> None:
    remote = ListedModel(id="far/away", kind=AliasKind.API, created=1)
    assert details.listed(remote, None)["details"]["family"] == ""  # type: ignore[index]
    assert details.shown(remote, None)["model_info"] == {}
    assert details.listed(remote, None)["modified_at"] == "1970-01-01T00:00:01Z"


@pytest.mark.parametrize(
    ("model", "header", "expected"),
    [
        (MODEL, HEADER, ["completion", "tools"]),
        (MODEL, None, ["completion", "tools"]),
        (MODEL, GgufHeader(version=3, tensor_count=1, file_size=5, has_chat_template=False), ["completion"]),
        (MODEL, GgufHeader(version=3, tensor_count=1, file_size=5, architecture="bert"), ["embedding"]),
        (ListedModel(id="m", embedding=True), None, ["embedding"]),
        (ListedModel(id="m", sees=True), HEADER, ["completion", "tools", "vision"]),
    ],
)
def test_ollama_capabilities(model: ListedModel, header: GgufHeader | None, expected: list[str]) -> None:
    assert details.capabilities(model, ModelFileFacts(size_bytes=5, modified=0, header=header)) == expected


@pytest.mark.parametrize(
    ("fields", "expires_at"),
    [
        ({"expires_at": 130.0}, "2023-11-14T22:13:50.250000Z"),
        ({"expires_at": 90.0}, AT),
        ({"keep_alive_s": 60.0}, "2023-11-14T22:14:20.250000Z"),
        ({"keep_alive_s": -1.0}, "2123-10-21T22:13:20.250000Z"),
    ],
)
def test_ollama_running_model_says_when_it_goes(fields: dict[str, float], expires_at: str) -> None:
    server = ServerSnapshot(
        model=ModelId("m", "/m"), phase=ServerPhase.READY, generation=1, memory_bytes=9, variant="cuda", **fields
    )
    told = details.running(server, FACTS, now=1_700_000_000.25, monotonic=100.0)
    assert (told["expires_at"], told["size"], told["size_vram"]) == (expires_at, 9, 9)
