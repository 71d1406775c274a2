"""A bridge on a real socket around small real fakes, and a page that speaks to it as the browser's does."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from msgspec.structs import replace

from llamero.bridge.app import connect_core
from llamero.bridge.blobs import BlobLimits, BlobStore
from llamero.bridge.capabilities import WindowKind
from llamero.bridge.context import FileDialogs, Services
from llamero.bridge.front import Front
from llamero.bridge.hub import Hub
from llamero.bridge.log_push import LogPush
from llamero.bridge.metrics_push import MetricsPush
from llamero.bridge.model_infos import ModelInfos
from llamero.bridge.model_list import ModelList
from llamero.bridge.origin import Origin
from llamero.bridge.registry import Registry
from llamero.bridge.requests_push import RequestsPush
from llamero.bridge.server_infos import ServerInfos
from llamero.bridge.windows import HubLimits, WindowChannel
from llamero.http.limits import Limits
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.log_feed import LogFeed
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.model_headers import ModelHeaders
from llamero.infrastructure.temporary_area import TemporaryArea
from llamero.models.access import ApiKey, GatewayState, KeyTerms, NewApiKey
from llamero.models.aliases import ApiModel, PausedTarget
from llamero.models.bench import BenchFrame, BenchProgress, BenchReport, BenchRun
from llamero.models.bridge.attachments import AttachmentContent
from llamero.models.bridge.chats import (
    Asked,
    ChangeConversation,
    ChatFrame,
    ConversationRef,
    DeletedMessages,
    EditAnswer,
    EditedAnswer,
    EditMessage,
    MessageRef,
    RenameConversation,
    RetryMessage,
    SearchMessages,
    SelectBranch,
    SendChatMessage,
    Trash,
    WatchMessage,
)
from llamero.models.conversations import (
    Attachment,
    AttachmentKind,
    Conversation,
    ConversationWithMessages,
    Message,
    MessageStatus,
    Role,
    SearchHit,
)
from llamero.models.errors import Conflict, LlameroError, ModelFileNotFound, NotFound, UpstreamFailed
from llamero.models.gguf import GgufHeader
from llamero.models.llama import ActorSnapshot, LlamaCppConfig, OutputLines, ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot
from llamero.models.metrics_history import HistoryRange, MetricsExport, MetricsHistory, MetricsSeries
from llamero.models.remote import KeyState
from llamero.models.settings import InspectorSettings
from llamero.services.alias_editor import AliasEditor
from llamero.services.aliases import AliasBook
from llamero.services.catalog import ModelCatalog
from llamero.services.chats.attachments import clean_name, data_address, judge
from llamero.services.inspection.inspector import Inspector
from llamero.services.routing import Router
from llamero.services.updates import UpdateService
from tests.fakes.about import FakeAbout
from tests.fakes.aliases import MemoryKeys, MemoryStorage
from tests.fakes.releases import TARGET, FakeReleases
from tests.fakes.settings import settings_in
from tests.gateway.harness import RawResponse, eventually, exchange, request_bytes

T = TypeVar("T")

JSON = "application/json"
WAIT_S = 5.0
MEASURED = MetricsSnapshot(hardware=HardwareMetrics(at=1.0, monotonic=1.0, cpu=12.5))

__all__ = ["Bridge", "Page", "RawResponse", "eventually", "exchange", "request_bytes", "running_bridge"]


def text_of(error: LlameroError) -> str:
    """Stand in for the catalogue of messages: the code and every argument, so that tests see what would be told."""
    return " ".join([error.code, *(f"{name}={value}" for name, value in error.arguments.items())])


class FakeChats:
    """One conversation in memory, with answers that a test writes."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.calls: list[tuple[str, object]] = []
        self.channels: list[WindowChannel] = []
        self.forgotten: list[str] = []
        self.known = Conversation(id="c1", title="First", created_at=1.0, updated_at=2.0)
        self.answer = Message(
            id="m2", conversation_id="c1", parent_id="m1", role=Role.ASSISTANT, content="", created_at=1.0,
            status=MessageStatus.STREAMING,
        )  # fmt: skip
        self.streaming: tuple[str, ...] = ()
        self.before_returning: Callable[[], Any] | None = None

    async def _note(self, name: str, argument: object) -> None:
        self.calls.append((name, argument))
        if self.before_returning is not None:
            await self.before_returning()

    def _open(self, window: str, on: str) -> None:
        self.channels.append(self.hub.channel(window, int(on.rpartition(":")[2])))

    async def conversations(self) -> tuple[Conversation, ...]:
        return (self.known,)

    async def get(self, command: ConversationRef) -> ConversationWithMessages:
        await self._note("get", command)
        if command.conversation_id != self.known.id:
            raise NotFound(path=command.conversation_id)
        return ConversationWithMessages(conversation=self.known, messages=(self.answer,))

    async def search(self, command: SearchMessages) -> tuple[SearchHit, ...]:
        await self._note("search", command)
        return (SearchHit(conversation_id="c1", message_id="m2", title="First", snippet="\ue000a\ue001"),)

    async def _ask(self, name: str, window: str, command: SendChatMessage | EditMessage | RetryMessage) -> Asked:
        await self._note(name, command)
        self._open(window, command.on)
        return Asked(conversation=self.known, assistant_message=self.answer)

    async def send(self, window: str, command: SendChatMessage) -> Asked:
        return await self._ask("send", window, command)

    async def edit(self, window: str, command: EditMessage) -> Asked:
        return await self._ask("edit", window, command)

    async def retry(self, window: str, command: RetryMessage) -> Asked:
        return await self._ask("retry", window, command)

    async def watch(self, window: str, command: WatchMessage) -> Message:
        await self._note("watch", command)
        self._open(window, command.on)
        return self.answer

    async def stop(self, message_id: str) -> Message:
        await self._note("stop", message_id)
        return replace(self.answer, status=MessageStatus.STOPPED)

    async def select_branch(self, command: SelectBranch) -> Conversation:
        await self._note("select_branch", command)
        return replace(self.known, head=command.message_id)

    async def edit_answer(self, command: EditAnswer) -> EditedAnswer:
        await self._note("edit_answer", command)
        return EditedAnswer(conversation=self.known, message=replace(self.answer, content=command.text, edited=True))

    async def fork(self, command: MessageRef) -> Conversation:
        await self._note("fork", command)
        return replace(self.known, forked_from=self.known.id)

    async def rename(self, command: RenameConversation) -> Conversation:
        await self._note("rename", command)
        self.known = replace(self.known, title=command.title)
        self.hub.event("conversation", self.known)
        return self.known

    async def change(self, command: ChangeConversation) -> Conversation:
        await self._note("change", command)
        return self.known

    async def delete(self, command: ConversationRef) -> None:
        await self._note("delete", command)

    async def trash(self) -> Trash:
        await self._note("trash", None)
        return Trash(conversations=(replace(self.known, deleted_at=3.0),), kept_s=60.0)

    async def restore(self, command: ConversationRef) -> Conversation:
        await self._note("restore", command)
        return self.known

    async def delete_message(self, command: MessageRef) -> DeletedMessages:
        await self._note("delete_message", command)
        return DeletedMessages(conversation=self.known, message_ids=(command.message_id,))

    async def restore_message(self, command: MessageRef) -> Conversation:
        await self._note("restore_message", command)
        return self.known

    def forget_window(self, window: str) -> None:
        self.forgotten.append(window)


class FakeAttachments:
    """Files in memory, under the real rules."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.known: dict[str, Attachment] = {}

    async def add(self, name: str, body: bytes) -> Attachment:
        judged = judge(shown := clean_name(name), body)
        id = f"f{len(self.known)}"
        self.bodies[id] = judged.body
        self.known[id] = Attachment(
            id=id, name=shown, kind=judged.kind, media_type=judged.media_type, size=len(judged.body)
        )
        return self.known[id]

    async def discard(self, attachment_id: str) -> None:
        self.known.pop(attachment_id, None)

    async def content(self, attachment_id: str) -> AttachmentContent:
        if attachment_id not in self.known:
            raise NotFound("chat_error-attachment_not_found")
        attachment, body = self.known[attachment_id], self.bodies[attachment_id]
        if attachment.kind is AttachmentKind.IMAGE:
            return AttachmentContent(attachment=attachment, image=data_address(attachment, body))
        return AttachmentContent(attachment=attachment, text=body.decode())


class FakeServer:
    def log_tail(self, lines: int = 512) -> tuple[str, ...]:
        return ("first line", "last line")

    def output_since(self, written: int) -> OutputLines:
        return OutputLines(written=2, lines=self.log_tail()[written:])


class FakeActor:
    """Servers as a test sets them."""

    def __init__(self) -> None:
        self.snapshot = ActorSnapshot()

    def server(self, alias: str, generation: int) -> FakeServer | None:
        running = any(server.model.alias == alias and server.pid for server in self.snapshot.servers)
        return FakeServer() if running else None

    def show(self, *servers: ServerSnapshot) -> None:
        self.snapshot = ActorSnapshot(servers=servers)


class FakeEngines:
    def __init__(self) -> None:
        self.started: list[LlamaCppConfig] = []
        self.stopped: list[str | None] = []
        self.fail: LlameroError | None = None
        self.starting: asyncio.Event | None = None
        self.measuring: asyncio.Event | None = None

    async def start(self, config: LlamaCppConfig) -> None:
        self.started.append(config)
        if self.starting is not None:
            await self.starting.wait()
        if self.fail is not None:
            raise self.fail

    async def stop(self, model: str | None = None) -> None:
        self.stopped.append(model)

    async def get_metrics(self) -> MetricsSnapshot:
        if self.measuring is not None:
            await self.measuring.wait()
        return MEASURED


class FakeControl:
    def __init__(self) -> None:
        self.unloaded: list[str] = []
        self.restarted: list[str] = []

    async def unload(self, name: str) -> None:
        self.unloaded.append(name)

    async def restart(self, name: str) -> None:
        self.restarted.append(name)


class FakePreferences:
    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.saved: list[LlamaCppConfig] = []

    async def value(self, key: str, kind: type[T]) -> T | None:
        found = self.values.get(key)
        return found if isinstance(found, kind) else None

    async def set_value(self, key: str, value: object) -> None:
        self.values[key] = value

    async def save_model(self, config: LlamaCppConfig) -> None:
        self.saved.append(config)


PAUSED = PausedTarget(target="far/m", until=7.5, code="alias-target_answered", arguments={"status": 429})


class FakeKeyStates:
    """No server takes its key."""

    async def of(self, apis: Iterable[ApiModel]) -> dict[str, KeyState]:
        return {api.name: KeyState.REJECTED for api in apis}


class FakeApiKeys:
    """Keys in memory."""

    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}

    async def listed(self) -> tuple[ApiKey, ...]:
        return tuple(self.keys.values())

    async def create(self, terms: KeyTerms) -> NewApiKey:
        if terms.name in self.keys:
            raise Conflict("key_error-name_taken", name=terms.name)
        made = ApiKey(id="k1", name=terms.name, start="llk_abcd", scopes=terms.scopes, created_at=1.0)
        self.keys[terms.name] = made
        return NewApiKey(secret="llk_abcdefgh", key=made)

    async def revoke(self, name: str) -> ApiKey:
        if name not in self.keys:
            raise NotFound("key_error-unknown", name=name)
        return replace(self.keys.pop(name), revoked_at=2.0)


class FakeLinks:
    def __init__(self) -> None:
        self.opened: list[str] = []

    async def open(self, link: str) -> None:
        self.opened.append(link)


class FakeMetrics:
    """Samples when a test says so."""

    def __init__(self) -> None:
        self.watchers = 0
        self.closely = False
        self.samples: asyncio.Queue[HardwareMetrics] = asyncio.Queue()

    @contextmanager
    def watch(self, *, closely: bool = False) -> Iterator[AsyncIterator[HardwareMetrics]]:
        self.watchers += 1
        self.closely = closely
        try:
            yield self._all()
        finally:
            self.watchers -= 1

    async def _all(self) -> AsyncIterator[HardwareMetrics]:
        while True:
            yield await self.samples.get()

    async def metrics_for(self, servers: Sequence[ServerSnapshot]) -> MetricsSnapshot:
        return MEASURED


class FakeBench:
    """Notes what it is asked to measure."""

    def __init__(self) -> None:
        self.now: BenchFrame | None = None
        self.begun: list[tuple[str, bool]] = []
        self.asked: list[tuple[int, int | None]] = []
        self.stops = 0

    def begin(self, model: str, *, quick: bool) -> None:
        self.begun.append((model, quick))
        self.now = BenchFrame(progress=BenchProgress(model=model, done=0, planned=0))

    async def stop(self) -> None:
        self.stops += 1

    async def report(self, id: int, against: int | None = None) -> BenchReport:
        self.asked.append((id, against))
        raise NotFound("bench_error-not_found", id=id)

    async def listed(self) -> tuple[BenchRun, ...]:
        return ()


class FakeHistory:
    """Notes what it is asked, and knows one value."""

    def __init__(self) -> None:
        self.asked: list[tuple[HistoryRange, float | None, bool]] = []

    async def history(self, wanted: HistoryRange, *, after: float | None = None, cores: bool = False) -> MetricsHistory:
        self.asked.append((wanted, after, cores))
        load = MetricsSeries(quantity="cpu.load", unit="percent", values=(12.5, None))
        return MetricsHistory(
            range=wanted, resolution_s=1.0, start=0.0, end=3.0, times=(1.0, 2.0), series=(load,), generations=()
        )

    async def export(self, wanted: HistoryRange) -> MetricsExport:
        return MetricsExport(file_name=f"{wanted}.csv", content="time\n")


class NoReplayer:
    """There is no gateway beside this bridge."""

    async def send(self, url: str, body: bytes, content_type: str, ticket: str) -> None:
        raise UpstreamFailed(reason="nobody listens")


def read_fake_header(path: Path) -> GgufHeader:
    """Every file that exists is a model; one whose name says so is a projector."""
    if not path.is_file():
        raise ModelFileNotFound(path=str(path))
    architecture = "clip" if "mmproj" in path.name else "llama"
    return GgufHeader(
        version=3, tensor_count=1, file_size=path.stat().st_size, architecture=architecture, context_length=4096,
        block_count=12,
    )  # fmt: skip


@dataclass
class Bridge:
    """A running bridge with its fakes."""

    port: int
    front: Front
    services: Services
    hub: Hub
    chats: FakeChats
    actor: FakeActor
    engines: FakeEngines
    control: FakeControl
    preferences: FakePreferences
    links: FakeLinks
    metrics: FakeMetrics
    feed: LogFeed
    blobs: BlobStore
    inspector: Inspector
    tokens: dict[WindowKind, str] = field(repr=False, default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def headers(self, kind: WindowKind = WindowKind.WINDOW, window: str | None = "w1") -> dict[str, str]:
        """The headers of a page of ours."""
        headers = {"Host": self.host, "Authorization": f"Bearer {self.tokens[kind]}", "Content-Type": JSON}
        return headers if window is None else headers | {"X-Llamero-Window": window}

    async def call(
        self, name: str, arguments: object = None, *, kind: WindowKind = WindowKind.WINDOW, window: str | None = "w1"
    ) -> RawResponse:
        """Call a command as the page does; bytes are sent as they are."""
        body = arguments if isinstance(arguments, bytes) else json.dumps(arguments or {}).encode()
        return await exchange(self.port, request_bytes("POST", f"/bridge/{name}", self.headers(kind, window), body))

    @asynccontextmanager
    async def page(
        self,
        window: str = "w1",
        *,
        kind: WindowKind = WindowKind.WINDOW,
        resume: tuple[str, int] | None = None,
        read_limit: int | None = None,
    ) -> AsyncIterator[Page]:
        """Connect a window. `read_limit` makes it one that takes so many bytes from its socket and then no more."""
        protocols = ("llamero.v1", f"bearer.{self.tokens[kind]}")
        connector = aiohttp.TCPConnector(socket_factory=_small_socket) if read_limit else None
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect(
                f"{self.url}/bridge/events", protocols=protocols, origin=self.url, max_msg_size=0, autoping=True
            ) as ws,
        ):
            if resume is None:
                await ws.send_json({"hello": {"window": window}})
            else:
                await ws.send_json({"resume": {"window": window, "epoch": resume[0], "seq": resume[1]}})
            yield Page(ws)


def _small_socket(info: Any) -> socket.socket:
    """A socket whose receive buffer is full after a few kilobytes."""
    made = socket.socket(info[0], info[1], info[2])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    return made


class Page:
    """A page's end of the connection: reads frames and checks their numbers."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.epoch = ""
        self.seq = 0
        self.frames: list[dict[str, Any]] = []

    async def frame(self) -> dict[str, Any]:
        """The next frame, whatever it is."""
        message = await self.ws.receive(timeout=WAIT_S)
        assert message.type is aiohttp.WSMsgType.TEXT, (message.type, message.data, message.extra)
        frame: dict[str, Any] = json.loads(message.data)
        if "snapshot" in frame:
            self.epoch, self.seq = frame["epoch"], frame["seq"]
        elif len(frame) > 1:
            assert frame["seq"] == self.seq + 1, (frame, self.seq)
            self.seq = frame["seq"]
        self.frames.append(frame)
        return frame

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame that fulfils the condition."""
        while not condition(frame := await self.frame()):
            pass
        return frame

    def text(self, channel: int) -> str:
        """All that has come on a channel."""
        return "".join(
            frame["d"].get("text", "") for frame in self.frames if frame.get("ch") == channel and "d" in frame
        )

    async def closed(self) -> int | None:
        """Read to the end; the close code."""
        while True:
            message = await self.ws.receive(timeout=WAIT_S)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return self.ws.close_code


@asynccontextmanager
async def running_bridge(
    folder: Path,
    *,
    hub_limits: HubLimits | None = None,
    limits: Limits | None = None,
    blob_limits: BlobLimits | None = None,
    registry: Registry | None = None,
    dialogs: FileDialogs | None = None,
    frontend: Path | None = None,
    kernel_buffer: int | None = None,
    real: Callable[[Hub], Mapping[str, Any]] = lambda hub: {},
) -> AsyncIterator[Bridge]:
    """Run a bridge. `real` makes services that take the place of fakes."""
    listening = socket.socket()
    if kernel_buffer is not None:  # inherited by every connection
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_buffer)
    listening.bind(("127.0.0.1", 0))
    origin = Origin([listening])
    hub = Hub(hub_limits or HubLimits(frame_interval_s=0.001))
    chats, actor, engines, metrics = FakeChats(hub), FakeActor(), FakeEngines(), FakeMetrics()
    preferences, links, control = FakePreferences(), FakeLinks(), FakeControl()
    feed = LogFeed()
    blobs = BlobStore(TemporaryArea(folder / "blobs"), blob_limits)
    catalog = ModelCatalog()
    book = AliasBook(MemoryStorage())
    router = Router(catalog, book)
    infos = ModelInfos(ModelHeaders(read_fake_header), sees=router.sees)
    model_list = ModelList(router, infos, hub, SystemClock())
    book.watch(lambda table: hub.event("aliases", table.aliases))
    inspector = Inspector(InspectorSettings(), SystemClock(), None, NoReplayer(), text_of)  # type: ignore[arg-type]
    inspector.gateway_url = lambda: "http://127.0.0.1:5526"
    services = dataclasses.replace(
        Services(
            hub=hub,
            chats=chats,
            attachments=FakeAttachments(),
            models=catalog,
            names=router,
            model_list=model_list,
            aliases=AliasEditor(book, MemoryKeys(), router),
            key_states=FakeKeyStates(),
            paused=lambda: (PAUSED,),
            sentence=default_messages().text,
            engines=engines,
            control=control,
            actor=actor,
            preferences=preferences,
            api_keys=FakeApiKeys(),
            links=links,
            model_infos=infos,
            server_infos=ServerInfos(actor, hub, SystemClock(), text_of),
            log_push=LogPush(feed, hub),
            history=FakeHistory(),
            blobs=blobs,
            bench=FakeBench(),
            settings=settings_in(folder),
            about=FakeAbout(),
            updates=UpdateService(FakeReleases(), "0.1.0", TARGET, folder / "updates"),
            metrics_push=MetricsPush(metrics, actor, hub),
            inspector=inspector,
            requests_push=RequestsPush(inspector, hub, interval_s=0.01),
            dialogs=dialogs,
            gateway=lambda: GatewayState(url="http://127.0.0.1:5526"),
            notices=lambda: ("a notice",),
        ),
        **real(hub),
    )
    front = Front(
        origin,
        frontend=frontend or folder / "dist",
        messages=text_of,
        **({} if limits is None else {"limits": limits}),
    )
    connect_core(front, services, blobs, registry=registry)
    await front.start()
    tokens = {kind: origin.tokens.token(kind) for kind in WindowKind}
    try:
        yield Bridge(
            origin.port,
            front,
            services,
            hub,
            chats,
            actor,
            engines,
            control,
            preferences,
            links,
            metrics,
            feed,
            blobs,
            inspector,
            tokens,
        )
    finally:
        await front.stop()


def frame(text: str) -> ChatFrame:
    return ChatFrame(text=text)
