"""A gateway on a real socket around a scripted engine, and a client that sends exactly what it is told to."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from llamero.gateway.app import create_gateway
from llamero.gateway.inspection import Inspection
from llamero.gateway.limits import Limits
from llamero.gateway.policy import gateway_policy
from llamero.gateway.protocols import Inference, Responses
from llamero.gateway.server import GatewayServer
from llamero.gateway.surface import GatewayServices
from llamero.http.policy import AccessPolicy
from llamero.infrastructure.clock import SystemClock
from llamero.models.aliases import ListedModel
from llamero.models.chat import TokenCounts
from llamero.models.errors import LlameroError, ModelNotFound
from llamero.models.gguf import GgufHeader, ModelFileFacts
from llamero.models.inference import InferenceRequest
from llamero.models.llama import ActorSnapshot, ModelId, ServerLimits, ServerPhase, ServerSnapshot
from llamero.models.metrics import GpuMetrics, HardwareMetrics, ProcessMetrics, ServerActivity, SlotUse
from llamero.models.settings import GatewaySettings
from llamero.services.access import AccessService
from llamero.services.server_metrics import Readings

MODEL = ModelId(alias="m", path="/home/somebody/models/m.gguf")
SLASHED = ModelId(alias="org/model:Q4", path="/home/somebody/models/other.gguf")
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
WAIT_S = 5.0

Step = bytes | BaseException | Callable[[], Awaitable[None]]


def text_of(error: LlameroError) -> str:
    """Stand in for the catalogue of messages: the code and every argument, so that tests see what would be told."""
    return " ".join([error.code, *(f"{name}={value}" for name, value in error.arguments.items())])


def event(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":' + json.dumps(text).encode() + b"}}]}\n\n"


async def forever() -> None:
    await asyncio.Event().wait()


@dataclass
class Script:
    """What the engine does: wait for `open_now`, refuse to open, or answer with a status, headers and steps."""

    steps: Sequence[Step] = (event("a"), event("b"), b"data: [DONE]\n\n")
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream"})
    refuse: BaseException | None = None
    opening: asyncio.Event | None = None

    def open_now(self) -> None:
        assert self.opening is not None
        self.opening.set()


class ScriptedReply:
    def __init__(self, script: Script, engine: ScriptedInference) -> None:
        self.status = script.status
        self.headers = script.headers
        self._steps = script.steps
        self._engine = engine

    @property
    def tokens(self) -> TokenCounts:
        return TokenCounts(prompt=7, generated=self._engine.sent_bytes)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                self._engine.sent_bytes += len(step)
                yield step
            elif isinstance(step, BaseException):
                raise step
            else:
                await step()


class ScriptedInference:
    """Plays one script for every request, and remembers what it was asked."""

    def __init__(self, script: Script | None = None, reply: type[ScriptedReply] = ScriptedReply) -> None:
        self.script = script or Script()
        self._make_reply = reply
        self.requests: list[InferenceRequest] = []
        self.waiting = 0
        self.open = 0
        self.sent_bytes = 0

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[ScriptedReply]:
        if request.model not in (MODEL.alias, SLASHED.alias):
            raise ModelNotFound(model=request.model, param="model")
        self.requests.append(request)
        if self.script.opening is not None:
            self.waiting += 1
            try:
                await self.script.opening.wait()
            finally:
                self.waiting -= 1
        if self.script.refuse is not None:
            raise self.script.refuse
        self.open += 1
        try:
            yield self._make_reply(self.script, self)
        finally:
            self.open -= 1


class SomeModels:
    def __init__(self, *models: ModelId) -> None:
        self._models = models

    async def listed(self) -> Sequence[ListedModel]:
        return tuple([ListedModel(id=model.alias, path=model.path) for model in self._models])

    async def find(self, name: str) -> ListedModel:
        for model in await self.listed():
            if model.id == name:
                return model
        raise ModelNotFound(model=name)


class TwoModels(SomeModels):
    def __init__(self) -> None:
        super().__init__(MODEL, SLASHED)


class SomeServers:
    """These models are ready. Remembers what it was asked to load and to unload."""

    def __init__(self, *ready: ModelId, also: Sequence[str] = ()) -> None:
        self.asked: list[tuple[str, str] | tuple[str, str, float]] = []
        self.may_shorten = True
        self._ready = ready
        self._runs = {*[model.alias for model in ready], *also}

    def status(self) -> ActorSnapshot:
        limits = ServerLimits(slots=4, context=8192)
        servers = [
            ServerSnapshot(model=m, phase=ServerPhase.READY, generation=1, leases=2, pid=1, port=2, limits=limits)
            for m in self._ready
        ]
        return ActorSnapshot(servers=tuple(servers), queue={model.alias: 3 for model in self._ready}, waiting=0)

    async def runs(self, name: str) -> bool:
        return name in self._runs

    def forget(self) -> None:
        self._ready = ()

    async def load(self, name: str, keep_alive_s: float | None = None, *, may_shorten: bool = True) -> None:
        self.asked.append(("load", name) if keep_alive_s is None else ("load", name, keep_alive_s))
        self.may_shorten = may_shorten

    async def unload(self, name: str) -> None:
        self.asked.append(("unload", name))


class OneServer(SomeServers):
    def __init__(self) -> None:
        super().__init__(MODEL)


class OneFile:
    """The file of `MODEL` is there, and nothing else."""

    async def facts(self, paths: Iterable[str]) -> Mapping[str, ModelFileFacts]:
        header = GgufHeader(
            version=3,
            tensor_count=9,
            file_size=1000,
            architecture="llama",
            name="A model",
            size_label="7B",
            file_type=15,
            context_length=4096,
        )
        facts = ModelFileFacts(size_bytes=1000, modified=1_700_000_000.5, header=header)
        return {path: facts for path in paths if path == MODEL.path}


class Hardware:
    """A machine that was measured once."""

    latest = HardwareMetrics(at=1.0, monotonic=1.0, cpu=12.5, gpus=(GpuMetrics(index=0, name="GPU", source="nvml"),))
    latest_readings = Readings(
        processes={1: ProcessMetrics(pid=1, cpu=150.0, rss=4096)},
        activities={"m": ServerActivity(generation_speed=7.5, context_tokens=90), "gone": ServerActivity()},
        slots={"m": SlotUse(busy=2, fullest=1500, all=1900)},
    )


@dataclass
class Gateway:
    """A running gateway."""

    port: int
    inference: ScriptedInference
    server: GatewayServer

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def services_around(
    inference: Inference,
    access: AccessService | None = None,
    models: SomeModels | None = None,
    servers: SomeServers | None = None,
    responses: Responses | None = None,
    inspection: Inspection | None = None,
) -> GatewayServices:
    """The small real services that a gateway is built around."""
    return GatewayServices(
        inference=inference,
        models=models or TwoModels(),
        servers=servers or OneServer(),
        access=access or AccessService(None, SystemClock(), required=False),
        hardware=Hardware(),
        responses=responses,
        files=OneFile(),
        inspection=inspection,
    )


@asynccontextmanager
async def running_gateway(
    script: Script | None = None,
    *,
    settings: GatewaySettings | None = None,
    key: str | None = None,
    access: AccessService | None = None,
    limits: Limits | None = None,
    models: SomeModels | None = None,
    servers: SomeServers | None = None,
    kernel_buffer: int | None = None,
    reply: type[ScriptedReply] = ScriptedReply,
    adjust: Callable[[AccessPolicy], AccessPolicy] = lambda policy: policy,
    responses: Responses | None = None,
    inference: Inference | None = None,
    inspection: Inspection | None = None,
) -> AsyncIterator[Gateway]:
    listening = socket.socket()
    if kernel_buffer is not None:  # inherited by every connection
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_buffer)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    policy = adjust(gateway_policy(settings or GatewaySettings(), port=port))
    access = access or AccessService(None, SystemClock(), required=key is not None, configured=key)
    scripted = ScriptedInference(script, reply)
    services = services_around(inference or scripted, access, models, servers, responses, inspection)
    app = create_gateway(services, policy, text_of, limits)
    server = GatewayServer(app, [listening])
    await server.start()
    try:
        yield Gateway(port, scripted, server)
    finally:
        await server.stop()


@dataclass
class RawResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        """The error of the envelope, whose shape is checked on the way."""
        document = self.json()
        assert set(document) == {"error"}
        error: dict[str, Any] = document["error"]
        assert set(error) >= {"message", "type", "code", "param"}
        assert isinstance(error["message"], str)
        assert isinstance(error["code"], str)
        return error


async def read_response(reader: asyncio.StreamReader) -> RawResponse:
    """Read one response, of a known length, in chunks, or up to the end of the connection."""
    async with asyncio.timeout(WAIT_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while piece := await read_chunk(reader):
                body += piece
        elif "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        else:
            body = b"" if status in (100, 204) else await reader.read()
    return RawResponse(status, headers, body)


async def read_chunk(reader: asyncio.StreamReader) -> bytes:
    """Read one chunk of a chunked body, which is one write of the server; empty at the proper end."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    data = await reader.readexactly(size + 2)
    return data[:-2]


async def exchange(port: int, request: bytes) -> RawResponse:
    """Send bytes on a connection of their own and read the response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return await read_response(reader)
    finally:
        writer.close()


def request_bytes(
    method: str, target: str, headers: Sequence[tuple[str, str]] | Mapping[str, str] = (), body: bytes | None = None
) -> bytes:
    """Spell a request exactly; a `Content-Length` is added for a body."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if body is not None:
        pairs.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")


async def send(
    gateway: Gateway,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    host: str | None = None,
) -> RawResponse:
    """Send a request with our `Host` unless another is given."""
    pairs = [("Host", host or gateway.host), *(headers or {}).items()]
    return await exchange(gateway.port, request_bytes(method, target, pairs, body))


async def chat(gateway: Gateway, body: object, headers: Mapping[str, str] | None = None) -> RawResponse:
    """Post a chat request as a plain tool does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await send(gateway, "POST", "/v1/chat/completions", headers, raw)


async def eventually(condition: Callable[[], bool], within: float = WAIT_S) -> float:
    """Wait for a condition and return how many seconds it took; fails after `within`."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not condition():
        assert loop.time() - started < within, "the condition did not come true in time"
        await asyncio.sleep(0.001)
    return loop.time() - started
