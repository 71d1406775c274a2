"""Models on remote servers, on real sockets: what is sent there, what comes back, and every way in which it fails."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.remote import client
from llamero.infrastructure.remote.client import RemoteClient
from llamero.models.aliases import RemoteDestination
from llamero.models.chat import Finished, TextDelta
from llamero.models.errors import LlameroError, UpstreamFailed
from llamero.models.inference import EMBEDDINGS, TRANSCRIPTIONS, Form, InferenceRequest
from llamero.services.llama.deltas import deltas
from llamero.services.remote_names import RemoteNames
from llamero.services.remotes import RemoteModels
from llamero.services.replies import OpenReply
from tests.fakes.fake_llama_server.wire import Reply, Request
from tests.fakes.launch import fake_engine, journal
from tests.fakes.remote_server import Does, RemoteServer, answering, destination, remote_server, self_signed, streaming
from tests.process.support import command_of, eventually, running_spawner
from tests.process.world import Told, told

KEY = "remote-key-0123456789"
GONE_WITHIN_S = 0.2
QUESTION = {"model": "mine", "messages": [{"role": "user", "content": "hi"}]}


def event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "x", "model": "theirs", "choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
WHOLE = streaming(event("a"), event("b", "stop"), DONE)


class OneKey:
    def __init__(self, key: str | None = KEY) -> None:
        self.key = key

    async def get(self, name: str) -> str | None:
        return self.key


@asynccontextmanager
async def models(key: str | None = KEY, **options: Any) -> AsyncIterator[RemoteModels]:
    remote = RemoteClient(**options)
    try:
        yield RemoteModels(remote, OneKey(key), SystemClock())
    finally:
        await remote.close()


def chat(**more: Any) -> InferenceRequest:
    return InferenceRequest(model="mine", body={**QUESTION, "stream": True, **more})


async def ask(target: RemoteDestination, request: InferenceRequest | None = None, **options: Any) -> tuple[int, bytes]:
    """Read a whole reply."""
    async with models(**options) as asked, asked.open(target, request or chat()) as reply:
        return reply.status, b"".join([piece async for piece in reply])


@asynccontextmanager
async def opened(does: Does) -> AsyncIterator[tuple[RemoteServer, OpenReply]]:
    """A reply of a server that does this."""
    async with (
        remote_server(does) as server,
        models() as asked,
        asked.open(server.destination(), chat()) as reply,
    ):
        yield server, reply


async def failed(target: RemoteDestination, request: InferenceRequest | None = None, **options: Any) -> LlameroError:
    with pytest.raises(LlameroError) as caught:
        await ask(target, request, **options)
    assert KEY not in str(caught.value)
    return caught.value


# What is sent


async def test_remote_request_has_the_key_the_servers_name_and_the_extra_headers() -> None:
    async with remote_server(WHOLE) as server:
        target = server.destination(headers={"X-Title": "Llamero", "Host": "evil.test", "Accept-Encoding": "gzip"})
        await ask(target, chat(brand_new={"x": 1}))
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert json.loads(request.body) == {**QUESTION, "stream": True, "brand_new": {"x": 1}, "model": "theirs"}
    headers = request.headers
    assert (headers["authorization"], headers["x-title"], headers["host"]) == (f"Bearer {KEY}", "Llamero", server.host)
    assert (headers["accept-encoding"], headers["content-type"]) == ("identity", "application/json")
    assert "cookie" not in headers


async def test_remote_request_leaves_out_what_the_server_does_not_take() -> None:
    async with remote_server(WHOLE) as server:
        await ask(server.destination(strip=("seed", "model")), chat(seed=1, temperature=0, return_progress=True))
    assert json.loads(server.requests[0].body) == {**QUESTION, "stream": True, "temperature": 0, "model": "theirs"}


async def test_remote_request_leaves_out_what_was_added_for_an_engine() -> None:
    request = replace(chat(verbose=True, brand_new=1), engine_only=frozenset({"verbose"}))
    async with remote_server(WHOLE) as server:
        await ask(server.destination(), request)
    assert json.loads(server.requests[0].body) == {**QUESTION, "stream": True, "brand_new": 1, "model": "theirs"}


async def test_remote_request_without_a_key_has_no_authorization() -> None:
    async with remote_server(WHOLE) as server:
        await ask(server.destination(), key=None)
        await ask(server.destination(headers={"authorization": "Basic abc"}), key=None)
    assert [request.headers.get("authorization") for request in server.requests] == [None, "Basic abc"]


async def test_remote_form_is_passed_with_the_servers_name_of_the_model() -> None:
    kind, audio = "multipart/form-data; boundary=b", bytes(range(256))
    part = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    form = Form(kind, part % (b"model", b"mine") + part % (b"file", audio) + b"--b--\r\n")
    request = InferenceRequest(model="mine", endpoint=TRANSCRIPTIONS, form=form)
    async with remote_server(answering(200, b'{"text":"hi"}')) as server:
        assert await ask(server.destination(), request) == (200, b'{"text":"hi"}')
    (sent,) = server.requests
    assert (sent.path, sent.headers["content-type"]) == ("/v1/audio/transcriptions", kind)
    assert sent.body == part % (b"model", b"theirs") + part % (b"file", audio) + b"--b--\r\n"


async def test_remote_body_that_is_no_object_is_passed_as_it_is() -> None:
    form = Form("application/json", b'[{"id":0,"scale":0.5}]')
    async with remote_server(answering(200)) as server:
        await ask(server.destination(), InferenceRequest(model="mine", endpoint="/lora-adapters", form=form))
    assert (server.requests[0].path, server.requests[0].body) == ("/lora-adapters", form.content)


async def test_remote_endpoint_without_version_is_beside_the_base_url() -> None:
    async with remote_server(answering(200)) as server:
        await ask(server.destination(), InferenceRequest(model="mine", endpoint="/tokenize", body={"content": "x"}))
    assert server.requests[0].path == "/tokenize"


async def test_remote_proxies_of_the_environment_are_not_used_unless_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with remote_server(WHOLE) as server, remote_server(answering(502)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
        assert (await ask(server.destination()))[0] == 200
        assert proxy.requests == []
        assert (await ask(server.destination(), proxies_from_environment=True))[0] == 502
        assert len(proxy.requests) == 1


# What comes back


async def test_remote_stream_is_handed_on_unchanged_in_whole_events() -> None:
    raw = event("a") + event("ü") + event("", "stop") + DONE
    pieces = [raw[at : at + 5] for at in range(0, len(raw), 5)]
    async with opened(streaming(*pieces)) as (_, reply):
        assert reply.headers["Content-Type"] == "text/event-stream"
        got = [piece async for piece in reply]
    assert b"".join(got) == raw
    assert all(piece.endswith(b"\n\n") for piece in got)


async def test_remote_stream_is_read_by_the_windows_chat() -> None:
    async with remote_server(WHOLE) as server, models() as asked, asked.open(server.destination(), chat()) as reply:
        reply.on_recovery = lambda: None
        read = [delta async for delta in deltas(reply)]
    assert read == [TextDelta("a"), TextDelta("b"), Finished("stop")]


async def test_remote_refusal_is_an_error_for_the_windows_chat() -> None:
    async with opened(answering(429, b'{"error":{"message":"slow down"}}')) as (_, reply):
        with pytest.raises(LlameroError) as caught:
            [delta async for delta in deltas(reply)]
    assert caught.value.arguments["reason"] == "slow down"


async def test_remote_refusal_passes_with_retry_after_in_seconds() -> None:
    body = b'{"error":{"message":"slow down"}}'
    async with opened(answering(429, body, "Retry-After: 7", "Set-Cookie: a=b", "X-More: 1")) as (_, reply):
        assert (reply.status, reply.headers["Retry-After"], reply.headers["X-More"]) == (429, "7", "1")
        assert "Set-Cookie" not in reply.headers
        assert b"".join([piece async for piece in reply]) == body
    date = formatdate(time.time() + 100, usegmt=True)
    async with opened(answering(503, body, f"Retry-After: {date}")) as (_, reply):
        assert 90 <= int(reply.headers["Retry-After"]) <= 101


async def test_remote_body_of_any_size_is_handed_on_whole() -> None:
    body = b'{"data":"' + b"x" * 3_000_000 + b'"}'
    async with remote_server(answering(200, body)) as server:
        assert await ask(server.destination(), chat(stream=False)) == (200, body)


async def test_remote_body_that_is_compressed_all_the_same_is_handed_on_plain() -> None:
    body = gzip.compress(b'{"text":"hi"}')
    async with opened(answering(200, body, "Content-Encoding: gzip")) as (_, reply):
        assert not {"Content-Encoding", "Content-Length"} & set(reply.headers)
        assert b"".join([piece async for piece in reply]) == b'{"text":"hi"}'


async def test_remote_body_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY_BYTES", 1_000_000)
    bomb = gzip.compress(b"0" * 50_000_000)
    async with remote_server(answering(200, bomb, "Content-Encoding: gzip")) as server:
        assert (await failed(server.destination())).code == "remote_error-too_large"


async def test_remote_connection_is_used_again() -> None:
    ports = set()

    async def note(request: Request, reply: Reply) -> None:
        ports.add(reply.writer.get_extra_info("peername")[1])
        await WHOLE(request, reply)

    async with remote_server(note) as server, models() as asked:
        for _ in range(5):
            async with asked.open(server.destination(), chat()) as reply:
                [piece async for piece in reply]
    assert len(ports) == 1


# Ways to fail


async def test_remote_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = await failed(destination(f"http://127.0.0.1:{port}/v1"))
    assert (error.code, error.status) == ("remote_error-unreachable", 502)
    assert error.arguments["host"] == f"127.0.0.1:{port}"


async def test_remote_host_that_does_not_exist_is_named() -> None:
    error = await failed(destination("http://nobody.invalid/v1"))
    assert (error.code, error.arguments["host"]) == ("remote_error-unknown_host", "nobody.invalid")


async def test_remote_server_that_does_not_accept_is_given_up() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]  # until the queue is full, and the kernel answers nobody
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        error = await failed(destination(f"http://127.0.0.1:{port}/v1"), connect_timeout_s=0.2)
        for one in waiting:
            one.close()
    assert error.code == "remote_error-connect_timeout"


async def test_remote_certificate_that_nobody_trusts_gets_nothing(tmp_path: Path) -> None:
    async with remote_server(WHOLE, self_signed(tmp_path)) as server:
        error = await failed(server.destination())
    assert (error.code, error.status) == ("remote_error-certificate", 502)
    assert server.requests == [], "neither the key nor the question was sent"


async def test_remote_server_without_tls_behind_https_is_named() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failed(destination(f"https://127.0.0.1:{port}/v1"))
    assert error.code == "remote_error-tls"


@pytest.mark.parametrize("url", ["http://user:secret@host.test/v1", "http://host.test:99999/v1", "http://[::1/v1"])
async def test_remote_address_that_cannot_be_used_is_refused(url: str) -> None:
    error = await failed(destination(url))
    assert error.code == "remote_error-bad_address"
    assert "secret" not in str(error)


@pytest.mark.parametrize("then", ["break", "end"])
async def test_remote_stream_that_ends_in_the_middle_is_an_error_after_what_came(then: str) -> None:
    got = b""
    async with opened(streaming(event("a"), event("b"), then=then)) as (server, reply):
        with pytest.raises(UpstreamFailed) as caught:
            async for piece in reply:
                got += piece
    assert got == event("a") + event("b")
    assert (caught.value.code, caught.value.arguments["host"]) == ("remote_error-broken", server.host)


async def test_remote_server_that_falls_silent_is_given_up() -> None:
    async with remote_server(streaming(event("a"), then="hang")) as server:
        error = await failed(server.destination(), silence_limit_s=0.1)
    assert error.code == "remote_error-silent"


async def test_remote_server_that_says_no_http_is_an_error() -> None:
    async def nonsense(request: Request, reply: Reply) -> None:
        reply.writer.write(b"SSH-2.0-OpenSSH\r\n")
        reply.writer.close()

    async with remote_server(nonsense) as server:
        assert (await failed(server.destination())).code == "remote_error-broken"


async def test_remote_server_that_answers_with_a_web_page_is_an_error() -> None:
    async with remote_server(answering(200, b"<script>", kind="text/html; charset=utf-8")) as server:
        assert (await failed(server.destination())).code == "remote_error-web_page"


async def test_remote_event_without_end_is_an_error() -> None:
    endless = [b"data: " + b"x" * 1_000_000] * 20
    async with remote_server(streaming(*endless, then="hang")) as server:
        assert (await failed(server.destination())).code == "remote_error-broken"


async def test_remote_reply_that_is_left_ends_there_within_200_ms() -> None:
    async with remote_server(streaming(event("a"), then="hang")) as server, models() as asked:
        async with asked.open(server.destination(), chat()) as reply:
            await anext(aiter(reply))
            left = time.monotonic()
        await asyncio.wait_for(server.gone.wait(), 5)
        assert time.monotonic() - left < GONE_WITHIN_S


async def test_remote_request_that_is_canceled_before_its_reply_ends_there_within_200_ms() -> None:
    arrived = asyncio.Event()

    async def never(request: Request, reply: Reply) -> None:
        arrived.set()
        await reply.reader.read()

    async with remote_server(never) as server, asyncio.TaskGroup() as group:
        task = group.create_task(ask(server.destination()))
        await arrived.wait()
        left = time.monotonic()
        task.cancel()
        await asyncio.wait_for(server.gone.wait(), 5)
        assert time.monotonic() - left < GONE_WITHIN_S


async def test_remote_slow_reader_holds_the_server_back() -> None:
    piece, sent = event("x" * 10_000), 0

    async def endless(request: Request, reply: Reply) -> None:
        nonlocal sent
        await reply.start()
        while True:
            await reply.send(piece)
            sent += len(piece)

    async with opened(endless) as (_, reply):
        pieces = aiter(reply)
        await anext(pieces)
        before = -1
        while before != sent:  # until it writes no more
            before = sent
            await asyncio.sleep(0.1)
        assert sent < 16_000_000, "what the kernel takes, and no more"
        read = 0
        while read < before:  # and reading goes on
            read += len(await anext(pieces))


# A real second server: the fake llama-server, as a process with a key


@asynccontextmanager
async def engine_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *flags: str, **switches: Any
) -> AsyncIterator[tuple[RemoteDestination, Any]]:
    monkeypatch.setenv("LLAMA_API_KEY", KEY)
    engine = fake_engine(tmp_path, **switches)
    async with running_spawner() as spawner:
        await spawner.spawn([*command_of(engine), *flags])
        await eventually(lambda: journal(engine, "ready"))
        yield destination(f"http://127.0.0.1:{journal(engine, 'ready')[0]['port']}/v1"), engine


async def test_remote_engine_answers_whole_and_streamed_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch) as (target, _):
        status, whole = await ask(target, chat(stream=False))
        _, streamed = await ask(target)
    assert status == 200
    stream: Told = told([streamed])
    stream.assert_well_formed()
    assert stream.text == json.loads(whole)["choices"][0]["message"]["content"]


async def test_remote_engine_embeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch, "--embeddings") as (target, _):
        request = InferenceRequest(model="mine", endpoint=EMBEDDINGS, body={"model": "mine", "input": ["a", "b"]})
        status, body = await ask(target, request)
    assert status == 200
    assert [len(entry["embedding"]) for entry in json.loads(body)["data"]] == [8, 8]


async def test_remote_engine_refuses_a_wrong_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch) as (target, _):
        status, body = await ask(target, key="wrong")
    assert status == 401
    assert json.loads(body)["error"]["message"] == "Invalid API Key"


async def test_remote_engine_that_fails_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch, status={"/v1/chat/completions": 500}) as (target, _):
        assert (await ask(target))[0] == 500


async def test_remote_engine_whose_stream_breaks_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch, break_after_chunks=5) as (target, _):
        assert (await failed(target)).code == "remote_error-broken"


@pytest.mark.parametrize(
    "form", [{"newline": "crlf"}, {"multi_line": True}, {"comments": True}, {"cut_utf8": True}, {"no_done": True}]
)
async def test_remote_engine_stream_of_any_form_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch, reply="Grüße, 世界!", **form) as (target, _):
        stream = told([(await ask(target))[1]])
    stream.assert_well_formed()
    assert stream.text == "Grüße, 世界!"


async def test_remote_engine_hears_at_once_that_its_client_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = {"words": 10_000, "tokens_per_second": 100}
    async with engine_elsewhere(tmp_path, monkeypatch, **switches) as (target, engine), models() as asked:
        async with asked.open(target, chat()) as reply:
            await anext(aiter(reply))
            left = time.monotonic()
        await eventually(lambda: journal(engine, "client-gone"))
        assert journal(engine, "client-gone")[0]["at"] - left < GONE_WITHIN_S


async def test_remote_engine_says_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_elsewhere(tmp_path, monkeypatch, "--alias", "org/model:Q4") as (target, _):
        remote = RemoteClient()
        assert await RemoteNames(remote, OneKey(), SystemClock()).names(target.api) == ("org/model:Q4",)
        await remote.close()
