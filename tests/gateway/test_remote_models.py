"""Remote models through the gateway, socket to socket: what clients get, and what the server elsewhere sees of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.remote.client import RemoteClient
from llamero.infrastructure.remote.hops import MAX_HOPS
from llamero.models.aliases import Destination, FallbackDestination
from llamero.models.errors import ModelNotFound
from llamero.services.inference import InferenceService
from llamero.services.llama.listeners import Listeners
from llamero.services.remotes import RemoteModels
from tests.fakes.fake_llama_server.wire import Reply, Request
from tests.fakes.remote_server import answering, destination, remote_server, streaming
from tests.gateway.harness import Gateway, chat, exchange, read_chunk, request_bytes, running_gateway
from tests.process.test_remotes import DONE, KEY, OneKey, event

GONE_WITHIN_S = 0.2
ANSWER = event("a") + event("b", "stop") + DONE


class Names:
    """A router of some names."""

    def __init__(self, names: Mapping[str, Destination]) -> None:
        self._names = names

    async def resolve(self, name: str) -> Destination:
        if name not in self._names:
            raise ModelNotFound(model=name, param="model")
        return self._names[name]


@asynccontextmanager
async def gateway_to(names: Mapping[str, Destination]) -> AsyncIterator[Gateway]:
    client, listeners, clock = RemoteClient(), Listeners(), SystemClock()
    remotes = RemoteModels(client, OneKey(), clock)
    inference = InferenceService(None, Names(names), listeners, remotes, clock)  # type: ignore[arg-type]
    try:
        async with running_gateway(inference=inference) as gateway:
            yield gateway
    finally:
        await client.close()
        await listeners.close()


def question(model: str, stream: bool = True) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream}


async def test_gateway_client_gets_the_remote_stream_unchanged() -> None:
    async with remote_server(streaming(ANSWER)) as server, gateway_to({"m": server.destination()}) as gateway:
        response = await chat(gateway, question("m"), {"Authorization": "Bearer of-the-client"})
        assert (response.status, response.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert response.body == ANSWER
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}", "the client's own goes no further"


async def test_gateway_client_gets_a_remote_refusal_with_its_retry_after() -> None:
    body = json.dumps({"error": {"message": "Slow down", "type": "tokens", "code": "rate_limit_exceeded"}}).encode()
    does = answering(429, body, "Retry-After: 17")
    async with remote_server(does) as server, gateway_to({"m": server.destination()}) as gateway:
        response = await chat(gateway, question("m", stream=False))
    assert (response.status, response.headers["retry-after"]) == (429, "17")
    assert response.error()["code"] == "rate_limit_exceeded"


async def test_gateway_client_gets_a_remote_stream_that_breaks_with_an_error_as_its_last_event() -> None:
    does = streaming(event("a"), then="break")
    async with remote_server(does) as server, gateway_to({"m": server.destination()}) as gateway:
        response = await chat(gateway, question("m"))
    first, last = response.body.strip().split(b"\n\n")
    assert first + b"\n\n" == event("a")
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "remote_error-broken"


async def test_gateway_client_of_a_fallback_gets_one_whole_answer_of_the_second() -> None:
    dead = destination("http://127.0.0.1:1/v1")
    async with (
        remote_server(streaming(b": waiting\n\n", then="break")) as breaking,
        remote_server(streaming(ANSWER)) as living,
    ):
        names = {"dead": dead, "breaking": breaking.destination(), "living": living.destination()}
        fallback = FallbackDestination(alias="f", targets=tuple(names))
        async with gateway_to({**names, "f": fallback}) as gateway:
            assert (await chat(gateway, question("f"))).body == ANSWER
            assert (await chat(gateway, question("f"))).body == ANSWER
    assert (len(breaking.requests), len(living.requests)) == (1, 2), "who has failed comes last"


async def test_gateway_client_that_leaves_ends_the_remote_request_within_200_ms() -> None:
    does = streaming(event("a"), then="hang")
    async with remote_server(does) as server, gateway_to({"m": server.destination()}) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(question("m")).encode()
        writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body))
        await reader.readuntil(b"\r\n\r\n")
        assert await read_chunk(reader) == event("a")
        left = time.monotonic()
        writer.close()
        await asyncio.wait_for(server.gone.wait(), 5)
        assert time.monotonic() - left < GONE_WITHIN_S


async def test_gateway_client_that_leaves_before_the_remote_answers_ends_the_request_there() -> None:
    asked = asyncio.Event()

    async def never(request: Request, reply: Reply) -> None:
        asked.set()
        await reply.reader.read()

    async with remote_server(never) as server, gateway_to({"m": server.destination()}) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(question("m", stream=False)).encode()
        writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body))
        await asyncio.wait_for(asked.wait(), 5)
        left = time.monotonic()
        writer.close()
        await asyncio.wait_for(server.gone.wait(), 5)
        assert time.monotonic() - left < GONE_WITHIN_S


async def test_gateway_that_is_its_own_remote_server_ends_the_circle() -> None:
    names: dict[str, Destination] = {}
    async with gateway_to(names) as gateway, remote_server(streaming(ANSWER)) as server:
        names["theirs"] = destination(f"{gateway.url}/v1")
        response = await chat(gateway, question("theirs"), {"Via": "1.1 proxy, 2 llamero"})
        assert response.status == 502
        assert response.error()["code"] == "remote_error-circle"
        names["theirs"] = server.destination()
        assert (await chat(gateway, question("theirs"))).status == 200, (
            "what one request has noted is not the next one's"
        )
    assert server.requests[0].headers["via"] == "1.1 llamero"


async def test_gateways_that_are_each_others_fallback_ask_each_other_a_few_times_only() -> None:
    here: dict[str, Destination] = {}
    there: dict[str, Destination] = {}
    async with remote_server(answering(500)) as broken, gateway_to(here) as one, gateway_to(there) as other:
        for names, neighbor in ((here, other), (there, one)):
            names["broken"] = broken.destination()
            names["neighbor"] = destination(f"{neighbor.url}/v1")
            names["theirs"] = FallbackDestination(alias="theirs", targets=("broken", "neighbor"), cooldown_s=0)
        response = await chat(one, question("theirs"))
    assert response.error()["code"] == "remote_error-circle"
    assert len(broken.requests) == MAX_HOPS


async def test_gateway_form_for_a_remote_model_arrives_with_its_name() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n'
    does = answering(200, b'{"text":"hi"}')
    async with remote_server(does) as server, gateway_to({"m": server.destination()}) as gateway:
        headers = {"Host": gateway.host, "Content-Type": "multipart/form-data; boundary=b"}
        sent = request_bytes("POST", "/v1/audio/transcriptions", headers, part % (b"model", b"m") + file)
        assert (await exchange(gateway.port, sent)).json() == {"text": "hi"}
    assert server.requests[0].body == part % (b"model", b"theirs") + file
