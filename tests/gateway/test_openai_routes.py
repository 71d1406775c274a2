"""The OpenAI routes beside chat: what they check, and that everything else reaches the engine as it came."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from llamero.gateway.limits import Limits
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import Gateway, RawResponse, Script, running_gateway, send

COMPLETION = {"model": "m", "prompt": "hi"}
EMBEDDING = {"model": "m", "input": "hi"}
RERANK = {"model": "m", "query": "hi", "documents": ["a", "b"]}
TOKEN = 2**31 - 1
TRANSCRIPTIONS = "/v1/audio/transcriptions"
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


async def post(gateway: Gateway, path: str, body: object) -> RawResponse:
    return await send(gateway, "POST", path, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("path", "endpoint", "body"),
    [
        ("/v1/completions", "/v1/completions", COMPLETION),
        ("/v1/completions", "/v1/completions", COMPLETION | {"prompt": ["a", "b"], "logprobs": 3, "n": 2}),
        ("/v1/completions", "/v1/completions", COMPLETION | {"prompt": [1, TOKEN, "text"], "logprobs": True}),
        ("/v1/completions", "/v1/completions", COMPLETION | {"prompt": [[1, 2], "text", {"prompt_string": "x"}]}),
        ("/v1/embeddings", "/v1/embeddings", EMBEDDING),
        ("/v1/embeddings", "/v1/embeddings", EMBEDDING | {"input": ["a", [1, 2]], "dimensions": 64}),
        ("/v1/embeddings", "/v1/embeddings", EMBEDDING | {"encoding_format": "base64"}),
        ("/v1/rerank", "/v1/rerank", RERANK | {"top_n": 1}),
        ("/rerank", "/v1/rerank", {"model": "m", "query": "hi", "texts": ["a"]}),
    ],
)
async def test_request_reaches_the_engine_as_it_came(path: str, endpoint: str, body: dict[str, Any]) -> None:
    extra = {"new_thing": {"deep": [1, 2.5, None]}, "user": "somebody"}
    async with running_gateway() as gateway:
        assert (await post(gateway, path, body | extra)).status == 200
        (request,) = gateway.inference.requests
    assert (request.model, request.endpoint, request.method) == ("m", endpoint, "POST")
    assert request.body == body | extra


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/completions", {"prompt": "hi"}, "model"),
        ("/v1/completions", {"model": "m"}, "prompt"),
        ("/v1/completions", COMPLETION | {"prompt": 7}, "prompt"),
        ("/v1/completions", COMPLETION | {"prompt": [-1]}, "prompt"),
        ("/v1/completions", COMPLETION | {"prompt": [[2**31]]}, "prompt"),
        ("/v1/completions", COMPLETION | {"prompt": [True]}, "prompt"),
        ("/v1/completions", COMPLETION | {"prompt": [1.5]}, "prompt"),
        ("/v1/completions", COMPLETION | {"stream": "yes"}, "stream"),
        ("/v1/completions", COMPLETION | {"stream_options": "usage"}, "stream_options"),
        ("/v1/completions", COMPLETION | {"stop": [1]}, "stop"),
        ("/v1/completions", COMPLETION | {"max_tokens": -2}, "max_tokens"),
        ("/v1/completions", COMPLETION | {"logprobs": -1}, "logprobs"),
        ("/v1/completions", COMPLETION | {"n_discard": -1}, "n_discard"),
        ("/v1/completions", COMPLETION | {"temperature": 2.1}, "temperature"),
        ("/v1/completions", COMPLETION | {"min_p": 1e300}, "min_p"),
        ("/v1/completions", COMPLETION | {"seed": 2**70}, "seed"),
        ("/v1/completions", COMPLETION | {"model": "nobody"}, "model"),
        ("/v1/embeddings", {"input": "hi"}, "model"),
        ("/v1/embeddings", {"model": "m"}, "input"),
        ("/v1/embeddings", EMBEDDING | {"input": {}, "dimensions": 0}, "dimensions"),
        ("/v1/embeddings", EMBEDDING | {"input": [2**40]}, "input"),
        ("/v1/embeddings", EMBEDDING | {"encoding_format": "int8"}, "encoding_format"),
        ("/v1/embeddings", EMBEDDING | {"encoding_format": []}, "encoding_format"),
        ("/v1/rerank", {"query": "hi", "documents": []}, "model"),
        ("/v1/rerank", {"model": "m", "documents": []}, "query"),
        ("/v1/rerank", {"model": "m", "query": ["hi"], "documents": []}, "query"),
        ("/v1/rerank", {"model": "m", "query": "hi"}, "documents"),
        ("/rerank", RERANK | {"documents": "a"}, "documents"),
        ("/v1/rerank", RERANK | {"top_n": -1}, "top_n"),
    ],
)
async def test_field_at_fault_is_named(path: str, body: dict[str, Any], param: str) -> None:
    async with running_gateway() as gateway:
        response = await post(gateway, path, body)
        assert gateway.inference.requests == []
    assert response.status == (404 if body.get("model") == "nobody" else 400)
    assert response.error()["param"] == param


async def test_completion_streams_as_chat_does() -> None:
    async with running_gateway() as gateway:
        response = await post(gateway, "/v1/completions", COMPLETION | {"stream": True})
    assert response.headers["content-type"] == "text/event-stream"
    assert response.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("encoding", ["base64", "float", None])
async def test_embeddings_come_in_the_encoding_that_was_asked_for(encoding: str | None) -> None:
    vector = [0.5, -1.25, 3.0]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(2)]
    said = json.dumps({"object": "list", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    async with running_gateway(Script([said.encode()], headers={"Content-Type": "application/json"})) as gateway:
        response = await post(gateway, "/v1/embeddings", EMBEDDING | {"encoding_format": encoding})
    entries = response.json()["data"]
    assert [entry["index"] for entry in entries] == [0, 1]
    for entry in entries:
        got = entry["embedding"]
        assert (list(struct.unpack("<3f", base64.b64decode(got))) if encoding == "base64" else got) == vector


@pytest.mark.parametrize("engine_encodes", [False, True])
@pytest.mark.parametrize("encoding", ["base64", "float", None])
async def test_embeddings_have_the_dimensions_that_were_asked_for(encoding: str | None, engine_encodes: bool) -> None:
    vector = [0.48, 0.64, 0.6]  # of length 1, as the first two are after all
    told = base64.b64encode(struct.pack("<3f", *vector)).decode() if engine_encodes else vector
    said = json.dumps({"object": "list", "data": [{"index": 0, "embedding": told}]}).encode()
    asked = EMBEDDING | {"encoding_format": encoding, "dimensions": 2}
    async with running_gateway(Script([said], headers={"Content-Type": "application/json"})) as gateway:
        (entry,) = (await post(gateway, "/v1/embeddings", asked)).json()["data"]
        same = await post(gateway, "/v1/embeddings", asked | {"dimensions": 3})
        refused = await post(gateway, "/v1/embeddings", asked | {"dimensions": 4})
    got = entry["embedding"]
    numbers = list(struct.unpack("<2f", base64.b64decode(got))) if encoding == "base64" else got
    assert numbers == pytest.approx([0.6, 0.8])
    assert same.status == 200
    assert (refused.status, refused.error()["param"]) == (400, "dimensions")


async def test_embeddings_that_the_engine_encodes_pass_as_they_are() -> None:
    said = b'{"data":[{"embedding":"AAAA"}] }'
    async with running_gateway(Script([said], headers={"Content-Type": "application/json"})) as gateway:
        response = await post(gateway, "/v1/embeddings", EMBEDDING | {"encoding_format": "base64"})
    assert response.body == said


@pytest.mark.parametrize("said", [b'{"embedding": [', b'{"embedding": [1]}', b'{"data":[{"embedding": ["x"]}]}'])
async def test_embeddings_that_cannot_be_read_are_the_engines_failure(said: bytes) -> None:
    async with running_gateway(Script([said], headers={"Content-Type": "application/json"})) as gateway:
        response = await post(gateway, "/v1/embeddings", EMBEDDING | {"encoding_format": "base64"})
    assert (response.status, response.error()["type"]) == (502, "upstream_error")


def form(*parts: tuple[str, bytes], boundary: str = BOUNDARY) -> bytes:
    lines = b""
    for name, content in parts:
        more = '; filename="a.wav"' if name == "file" else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        lines += head.encode() + content + b"\r\n"
    return lines + f"--{boundary}--\r\n".encode()


async def transcribe(gateway: Gateway, content: bytes, content_type: str | None = None, **headers: str) -> RawResponse:
    declared = content_type if content_type is not None else f"multipart/form-data; boundary={BOUNDARY}"
    return await send(gateway, "POST", TRANSCRIPTIONS, {"Content-Type": declared, **headers}, content)


async def test_audio_form_reaches_the_engine_byte_for_byte() -> None:
    audio = bytes(range(256)) * 400 + f"\r\n--{BOUNDARY[:-1]}\r\nname=model".encode()
    content = form(("file", audio), ("model", b"org/model:Q4"), ("language", b"en"))
    async with running_gateway(Script([b'{"text": "hi"}'], headers={"Content-Type": "application/json"})) as gateway:
        response = await transcribe(gateway, content)
        (request,) = gateway.inference.requests
    assert response.json() == {"text": "hi"}
    assert (request.model, request.endpoint, request.body) == ("org/model:Q4", TRANSCRIPTIONS, {})
    assert request.form is not None
    assert request.form.content == content
    assert request.form.content_type.endswith(BOUNDARY)


@pytest.mark.parametrize(
    ("content", "content_type", "status", "param"),
    [
        (form(("file", b"x")), None, 400, "model"),
        (form(("file", b"x"), ("model", b"")), None, 400, "model"),
        (form(("file", b"x"), ("model", b"\xff")), None, 400, "model"),
        (form(("model", b"m"), ("model", b"nobody")), None, 400, "model"),
        (form(("model", b"m" * 5000)), None, 400, "model"),
        (form(("file", b"x"), ("model", b"nobody")), None, 404, "model"),
        (form(("model", b"m")), None, 400, "file"),
        (form(("model", b"m"))[:-30], None, 400, None),
        (b"", None, 400, None),
        (form(("model", b"m")), "multipart/form-data", 400, None),
        (form(("model", b"m")), "multipart/form-data; boundary=\x01", 400, None),
        (b'{"model": "m"}', "application/json", 415, None),
        (b'{"model": "m"}', "", 415, None),
    ],
)
async def test_audio_form_that_cannot_be_read_is_refused(
    content: bytes, content_type: str | None, status: int, param: str | None
) -> None:
    async with running_gateway() as gateway:
        response = await transcribe(gateway, content, content_type)
        assert gateway.inference.requests == []
    assert (response.status, response.error()["param"]) == (status, param)


async def test_audio_form_too_large_is_refused_without_being_read() -> None:
    async with running_gateway(limits=Limits(max_body_bytes=1000)) as gateway:
        response = await transcribe(gateway, form(("file", b"x" * 2000), ("model", b"m")))
    assert response.status == 413
    assert response.error()["code"] == "payload_too_large"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Mode": "cors"}, 200),  # what Node sends
        ({"Origin": "https://listed.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ],
)
async def test_audio_form_of_a_web_page_passes_from_listed_origins_only(headers: dict[str, str], status: int) -> None:
    settings = GatewaySettings(allowed_origins=("https://listed.example",))
    async with running_gateway(settings=settings) as gateway:
        response = await transcribe(gateway, form(("file", b"x"), ("model", b"m")), **headers)
    assert response.status == status
