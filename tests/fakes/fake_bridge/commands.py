"""What the commands of the fake do to its world. Ids count up; answers are the world's answer."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import time
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from llamero.infrastructure.messages import default_messages
from llamero.models import about, conversations, supervision
from llamero.models.bench import BenchReport
from llamero.models.bridge import bench, chats, metrics, servers, window
from llamero.models.bridge.chats import ChatFrame
from llamero.models.bridge.servers import ModelInfo, ServerInfo
from llamero.models.bridge.window import Snapshot
from llamero.models.build import ThirdPartyLicense
from llamero.models.conversations import (
    AnswerStats,
    Attachment,
    Conversation,
    ConversationWithMessages,
    Message,
    MessageStatus,
    Role,
    Sampling,
)
from llamero.models.errors import LlameroError
from llamero.models.llama import ServerPhase
from llamero.models.logs import LogLine, LogLines
from llamero.models.metrics_history import MetricsExport, MetricsHistory
from llamero.models.settings_report import ChangeSetting, SettingsReport
from llamero.models.updates import UpdateReport
from llamero.services.chats.attachments import LIMITS
from tests.fakes.fake_bridge import attachments, gateway, requests
from tests.fakes.fake_bridge.attachments import AttachmentCommands
from tests.fakes.fake_bridge.gateway import GatewayCommands
from tests.fakes.fake_bridge.measurements import past
from tests.fakes.fake_bridge.requests import RequestCommands

if TYPE_CHECKING:
    from tests.fakes.fake_bridge.server import FakeBridge

ARGUMENTS: dict[str, type] = {
    "get_conversation": chats.ConversationRef,
    "send_chat_message": chats.SendChatMessage,
    "edit_message": chats.EditMessage,
    "retry_message": chats.RetryMessage,
    "watch_message": chats.WatchMessage,
    "stop_message": chats.MessageRef,
    "select_branch": chats.SelectBranch,
    "edit_answer": chats.EditAnswer,
    "fork_conversation": chats.MessageRef,
    "delete_message": chats.MessageRef,
    "restore_message": chats.MessageRef,
    "rename_conversation": chats.RenameConversation,
    "change_conversation": chats.ChangeConversation,
    "delete_conversation": chats.ConversationRef,
    "restore_conversation": chats.ConversationRef,
    "search_messages": chats.SearchMessages,
    **attachments.ARGUMENTS,
    "add_model_file": servers.AddModelFile,
    "change_model": servers.ChangeModel,
    "start_model": servers.ModelRef,
    "stop_model": servers.StopModel,
    "get_server_log": servers.ModelRef,
    "restart_model": servers.ModelRef,
    "unload_model": servers.ModelRef,
    "get_server_details": servers.ModelRef,
    "get_server_output": supervision.GetServerOutput,
    "watch_logs": supervision.WatchLogs,
    "open_link": window.OpenLink,
    "set_ui_state": window.SetUiState,
    "watch_metrics": metrics.WatchMetrics,
    **requests.ARGUMENTS,
    **gateway.ARGUMENTS,
    "get_metrics_history": metrics.GetMetricsHistory,
    "export_metrics": metrics.ExportMetrics,
    "save_file": window.SaveFile,
    "start_bench": bench.StartBench,
    "get_bench_run": bench.BenchRef,
    "change_setting": ChangeSetting,
    "get_license": about.LicenseRef,
    "open_place": about.OpenPlace,
}


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


class Answering:
    """One answer under way: the channels that it goes to, and what it says so far."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.channels: list[int] = []
        self.task: asyncio.Task[None] | None = None


class Commands(RequestCommands, GatewayCommands, AttachmentCommands):
    def __init__(self, fake: FakeBridge) -> None:
        self.fake = fake
        self.world = fake.world
        self.running: dict[str, Answering] = {}
        self.numbers = itertools.count(1)
        self.watching = False
        self.watching_closely = False
        self.histories_asked = 0
        self.histories_fail = False
        self.hold = asyncio.Event()
        self.hold.set()
        self.watching_logs = False
        self.lines_skipped = 0

    async def run(self, name: str, arguments: dict[str, Any]) -> Any:
        method = getattr(self, name, None)
        if method is None or name.startswith("_"):
            raise Refusal(404, "not_found", f"There is no command {name}.")
        kind = ARGUMENTS.get(name)
        try:
            result = method() if kind is None else method(msgspec.convert(arguments, kind))
            return await result if inspect.isawaitable(result) else result
        except msgspec.ValidationError as error:
            raise Refusal(400, "invalid_request", str(error)) from error
        except LlameroError as error:
            raise Refusal(error.status, error.code, default_messages().error(error), error.param) from error

    async def stop(self) -> None:
        for answering in list(self.running.values()):
            if answering.task:
                answering.task.cancel()

    def snapshot(self) -> Snapshot:
        world = self.world
        return Snapshot(
            version="0.1.0",
            native_dialogs=world.native_dialogs,
            gateway_url="http://127.0.0.1:5526",
            models=tuple(world.models),
            servers=tuple(world.servers),
            conversations=tuple(world.conversations.values()),
            streaming=tuple(self.running),
            ui=world.ui,
            attachment_limits=LIMITS,
            metrics=world.metrics(),
        )

    def get_snapshot(self) -> Snapshot:
        return self.snapshot()

    def get_conversation(self, args: chats.ConversationRef) -> ConversationWithMessages:
        found = [one for one in self.world.messages.values() if one.conversation_id == args.conversation_id]
        current = [self.running[one.id].message if one.id in self.running else one for one in found]
        return ConversationWithMessages(conversation=self._conversation(args.conversation_id), messages=tuple(current))

    # Messages

    def send_chat_message(self, args: chats.SendChatMessage) -> chats.Asked:
        self._known_model(args.model)
        if args.conversation_id is None:
            conversation = Conversation(
                id=f"new{next(self.numbers)}",
                title=args.text[:60],
                created_at=time.time(),
                updated_at=time.time(),
                model=args.model,
                system_prompt=args.system_prompt or "",
                sampling=args.sampling or Sampling(),
            )
            self._put(conversation)
        else:
            conversation = self._conversation(args.conversation_id)
        parent = args.parent_id or conversation.head
        return self._ask(conversation, parent, args.text, args.model, args.on, self._attached(args.attachments))

    def edit_message(self, args: chats.EditMessage) -> chats.Asked:
        old = self.world.messages[args.message_id]
        conversation = self._conversation(old.conversation_id)
        return self._ask(conversation, old.parent_id, args.text, args.model, args.on, old.attachments)

    def retry_message(self, args: chats.RetryMessage) -> chats.Asked:
        old = self.world.messages[args.message_id]
        conversation = self._conversation(old.conversation_id)
        question = old if old.role is Role.USER else self.world.messages[old.parent_id or ""]
        return self._answer(conversation, question, args.model, args.on, None)

    def _ask(
        self,
        conversation: Conversation,
        parent: str | None,
        text: str,
        model: str,
        on: str,
        attached: tuple[Attachment, ...],
    ) -> chats.Asked:
        user = Message(
            id=f"u{next(self.numbers)}",
            conversation_id=conversation.id,
            parent_id=parent,
            role=Role.USER,
            content=text,
            created_at=time.time(),
            attachments=attached,
        )
        self.world.messages[user.id] = user
        return self._answer(conversation, user, model, on, user)

    def _answer(
        self, conversation: Conversation, parent: Message, model: str, on: str, user: Message | None
    ) -> chats.Asked:
        message = Message(
            id=f"a{next(self.numbers)}x",
            conversation_id=conversation.id,
            parent_id=parent.id,
            role=Role.ASSISTANT,
            content="",
            status=MessageStatus.STREAMING,
            model=model,
            created_at=time.time(),
        )
        self.world.messages[message.id] = message
        conversation = structs.replace(conversation, head=message.id, updated_at=time.time())
        self._put(conversation)
        answering = Answering(message)
        answering.channels.append(int(on.split(":")[1]))
        self.running[message.id] = answering
        answering.task = asyncio.create_task(self._stream(answering))
        if user:
            self.fake.event("message", user)
        self.fake.event("message", message)
        return chats.Asked(conversation=conversation, assistant_message=message, user_message=user)

    async def _stream(self, answering: Answering) -> None:
        world, rate = self.world, self.fake.rate
        for progress in world.progress:
            self._send(answering, ChatFrame(progress=progress))
            await asyncio.sleep(world.progress_s)
            await self.hold.wait()
        started = time.monotonic()
        pieces = [("reasoning", piece) for piece in cut(world.reasoning, world.piece)]
        pieces += [("text", piece) for piece in cut(world.answer, world.piece)]
        try:
            for number, (part, piece) in enumerate(pieces):
                late = started + number / rate - time.monotonic() if rate else -1
                if late > 0.001:
                    await asyncio.sleep(late)
                elif number % 200 == 0:
                    await asyncio.sleep(0)
                await self.hold.wait()
                field = "content" if part == "text" else "reasoning"
                answering.message = structs.replace(
                    answering.message, **{field: getattr(answering.message, field) + piece}
                )
                speed = number / max(time.monotonic() - started, 0.001)
                self._send(answering, ChatFrame(**{part: piece}, tokens_per_second=speed))
            if world.error:
                self._end(answering, MessageStatus.FAILED, started)
            else:
                self._end(answering, MessageStatus.COMPLETE, started)
        except asyncio.CancelledError:
            self._end(answering, MessageStatus.STOPPED, started)

    def _end(self, answering: Answering, status: MessageStatus, started: float) -> None:
        message = answering.message
        stats = AnswerStats(
            prompt_tokens=24,
            completion_tokens=max(1, len(message.content) // 4),
            generation_ms=max(1.0, (time.monotonic() - started) * 1000),
            first_token_ms=312.0,
            finish_reason="stop",
        )
        error = self.world.error if status is MessageStatus.FAILED else None
        message = structs.replace(message, status=status, stats=stats, error=error)
        answering.message = message
        self.world.messages[message.id] = message
        self.running.pop(message.id, None)
        self._send(answering, ChatFrame(message=message))
        for channel in answering.channels:
            self._frame({"ch": channel, "end": True})
        self.fake.event("message", message)

    def _send(self, answering: Answering, frame: ChatFrame) -> None:
        data = msgspec.to_builtins(frame)
        for channel in answering.channels:
            self._frame({"ch": channel, "d": data})

    def _frame(self, frame: dict[str, Any]) -> None:
        # Numbers of channels differ between windows by far, so each page takes only its own.
        for shown in self.fake.windows.values():
            shown.push(frame)

    def watch_message(self, args: chats.WatchMessage) -> Message:
        answering = self.running.get(args.message_id)
        if answering is None:
            return self.world.messages[args.message_id]
        answering.channels.append(int(args.on.split(":")[1]))
        return answering.message

    def stop_message(self, args: chats.MessageRef) -> Message:
        answering = self.running.get(args.message_id)
        if answering is None or answering.task is None:
            return self.world.messages[args.message_id]
        answering.task.cancel()
        return answering.message

    def select_branch(self, args: chats.SelectBranch) -> Conversation:
        leaf = args.message_id
        while children := [one.id for one in self.world.messages.values() if one.parent_id == leaf]:
            leaf = children[-1]
        return self._put(structs.replace(self._conversation(args.conversation_id), head=leaf))

    # Conversations

    def edit_answer(self, args: chats.EditAnswer) -> chats.EditedAnswer:
        old = self.world.messages[args.message_id]
        message = structs.replace(
            old, id=f"e{next(self.numbers)}", content=args.text, created_at=time.time(), stats=None, edited=True,
            status=MessageStatus.COMPLETE, error=None,
        )  # fmt: skip
        self.world.messages[message.id] = message
        self.fake.event("message", message)
        changed = structs.replace(self._conversation(old.conversation_id), head=message.id)
        return chats.EditedAnswer(conversation=self._put(changed), message=message)

    def fork_conversation(self, args: chats.MessageRef) -> Conversation:
        branch = [self.world.messages[args.message_id]]
        while branch[0].parent_id is not None:
            branch.insert(0, self.world.messages[branch[0].parent_id])
        source, identifier, parent = self._conversation(branch[0].conversation_id), f"fork{next(self.numbers)}", None
        for message in branch:
            copy = structs.replace(
                message, id=f"{identifier}-{message.id}", conversation_id=identifier, parent_id=parent
            )
            self.world.messages[copy.id] = copy
            parent = copy.id
        now = time.time()
        return self._put(
            structs.replace(source, id=identifier, head=parent, created_at=now, updated_at=now, forked_from=source.id)
        )

    def rename_conversation(self, args: chats.RenameConversation) -> Conversation:
        return self._put(
            structs.replace(self._conversation(args.conversation_id), title=args.title, title_is_automatic=False)
        )

    def change_conversation(self, args: chats.ChangeConversation) -> Conversation:
        changes = {
            name: value for name in ("model", "system_prompt", "sampling") if (value := getattr(args, name)) is not None
        }
        return self._put(structs.replace(self._conversation(args.conversation_id), **changes))

    def delete_conversation(self, args: chats.ConversationRef) -> None:
        gone = self.world.conversations.pop(args.conversation_id)
        self.world.deleted[gone.id] = structs.replace(gone, deleted_at=time.time())
        self.fake.event("conversation_deleted", args)

    def restore_conversation(self, args: chats.ConversationRef) -> Conversation:
        return self._put(structs.replace(self.world.deleted.pop(args.conversation_id), deleted_at=None))

    def list_deleted_conversations(self) -> chats.Trash:
        gone = sorted(self.world.deleted.values(), key=lambda one: one.deleted_at or 0, reverse=True)
        return chats.Trash(conversations=tuple(gone), kept_s=30 * 86400.0)

    def delete_message(self, args: chats.MessageRef) -> chats.DeletedMessages:
        messages, gone = self.world.messages, [args.message_id]
        for message in messages.values():
            if message.parent_id in gone:
                gone.append(message.id)
        first = messages[args.message_id]
        conversation = self._conversation(first.conversation_id)
        beside = [m.id for m in messages.values() if m.parent_id == first.parent_id and m.id != first.id]
        beside = [id for id in beside if messages[id].conversation_id == conversation.id]
        rest = beside[0] if beside else first.parent_id
        if rest is None:
            self.delete_conversation(chats.ConversationRef(conversation_id=conversation.id))
            gone_with = structs.replace(conversation, deleted_at=time.time())
            return chats.DeletedMessages(conversation=gone_with, message_ids=())
        for identifier in gone:
            answering = self.running.get(identifier)
            if answering is not None and answering.task is not None:
                answering.task.cancel()
        self.world.deleted_messages[first.id] = conversation.head, {id: messages.pop(id) for id in gone}
        head = self.select_branch(chats.SelectBranch(conversation_id=conversation.id, message_id=rest))
        self.fake.event("message_deleted", chats.MessagePlace(conversation_id=conversation.id, message_id=first.id))
        return chats.DeletedMessages(conversation=head, message_ids=tuple(gone))

    def restore_message(self, args: chats.MessageRef) -> Conversation:
        head, messages = self.world.deleted_messages.pop(args.message_id)
        self.world.messages |= messages
        conversation = self._put(
            structs.replace(self._conversation(messages[args.message_id].conversation_id), head=head)
        )
        place = chats.MessagePlace(conversation_id=conversation.id, message_id=args.message_id)
        self.fake.event("message_restored", place)
        return conversation

    def search_messages(self, args: chats.SearchMessages) -> list[conversations.SearchHit]:
        hits = []
        for message in self.world.messages.values():
            at = message.content.lower().find(args.query.lower())
            if at < 0 or message.conversation_id not in self.world.conversations:
                continue
            word = message.content[at : at + len(args.query)]
            snippet = (
                f"{message.content[max(0, at - 20) : at]}\ue000{word}\ue001{message.content[at + len(word) : at + 40]}"
            )
            title = self.world.conversations[message.conversation_id].title
            hits.append(
                conversations.SearchHit(
                    conversation_id=message.conversation_id,
                    message_id=message.id,
                    title=title,
                    snippet=snippet.replace("\n", " "),
                )
            )
        return hits[: args.limit]

    def _conversation(self, identifier: str) -> Conversation:
        if identifier not in self.world.conversations:
            raise Refusal(404, "not_found", "This conversation does not exist any more.")
        return self.world.conversations[identifier]

    def _put(self, conversation: Conversation) -> Conversation:
        self.world.conversations[conversation.id] = conversation
        self.fake.event("conversation", conversation)
        return conversation

    # Models

    def _known_model(self, alias: str) -> ModelInfo:
        for model in self.world.models:
            if model.alias == alias:
                return model
        raise Refusal(404, "model_router_error-model_not_found", f"There is no model {alias}.")

    def add_model_file(self, args: servers.AddModelFile) -> ModelInfo:
        if not args.path.endswith(".gguf"):
            raise Refusal(422, "bad_model_file", f"{args.path} is not a GGUF file. Choose a file that ends in .gguf.")
        model = ModelInfo(
            alias=args.path.rsplit("/", 1)[-1].removesuffix(".gguf"),
            path=args.path,
            size_bytes=5_000_000_000,
            architecture="llama",
        )
        self.world.models.append(model)
        self.fake.event("models", self.world.models)
        return model

    def choose_model_file(self) -> ModelInfo | None:
        if not self.world.native_dialogs:
            raise Refusal(409, "not_available", "A browser tab cannot open the file dialog. Type the path instead.")
        return self.add_model_file(servers.AddModelFile(path="/models/chosen.gguf"))

    def change_model(self, args: servers.ChangeModel) -> ModelInfo:
        changed = structs.replace(
            self._known_model(args.alias),
            context_length=args.context_length,
            gpu_layers=args.gpu_layers,
            threads=args.threads,
            keep_alive_s=args.keep_alive_s,
        )
        self.world.models[:] = [changed if one.alias == args.alias else one for one in self.world.models]
        self.fake.event("models", self.world.models)
        return changed

    def start_model(self, args: servers.ModelRef) -> ServerInfo:
        return self._server(ServerInfo(alias=args.alias, phase=ServerPhase.READY))

    def stop_model(self, args: servers.StopModel) -> None:
        if args.alias:
            self._server(ServerInfo(alias=args.alias, phase=ServerPhase.STOPPED))

    def _server(self, server: ServerInfo) -> ServerInfo:
        self.world.servers[:] = [one for one in self.world.servers if one.alias != server.alias] + [server]
        self.fake.event("servers", self.world.servers)
        return server

    def get_server_log(self, args: servers.ModelRef) -> servers.ServerLog:
        lines = [
            f"srv  load_model: loading model '{args.alias}'",
            "llama_model_load: error loading model: unable to allocate CPU buffer",
            "srv  main: exiting due to model loading error",
        ]
        return servers.ServerLog(alias=args.alias, lines=tuple(lines * 12))

    def restart_model(self, args: servers.ModelRef) -> ServerInfo:
        return self.start_model(args)

    def unload_model(self, args: servers.ModelRef) -> None:
        self.stop_model(servers.StopModel(alias=args.alias))

    def get_server_details(self, args: servers.ModelRef) -> supervision.ServerDetails:
        known = self.world.details.get(args.alias)
        server = next((one for one in self.world.servers if one.alias == args.alias), None)
        if server is None:
            raise Refusal(404, "model_not_found", f"There is no model {args.alias}.")
        return structs.replace(known or supervision.ServerDetails(server=server), server=server)

    def get_server_output(self, args: supervision.GetServerOutput) -> supervision.ServerOutput:
        lines = self.world.output
        new = lines[args.written :] if args.generation == 1 else lines
        return supervision.ServerOutput(generation=1, written=len(lines), lines=tuple(new[-512:]))

    # The log

    def watch_logs(self, args: supervision.WatchLogs) -> supervision.LogHistory:
        self.watching_logs = args.watching
        lines = tuple(self.world.log) if args.watching else ()
        return supervision.LogHistory(
            path="/home/me/.local/state/llamero/llamero.log", history=LogLines(first=0, lines=lines)
        )

    def write_log(self, *lines: LogLine, skipped: int = 0) -> None:
        """Log more, and tell the page as the bridge does; `skipped` lines went by unseen."""
        self.lines_skipped += skipped
        first = len(self.world.log) + self.lines_skipped
        self.world.log.extend(lines)
        self.fake.event("logs", LogLines(first=first, lines=lines))

    def open_log_file(self) -> None:
        return None

    # Benches

    def start_bench(self, args: bench.StartBench) -> None:
        self.fake.event("bench", self.world.benches.step(args.model, 0))

    def stop_bench(self) -> None:
        now = self.world.benches.now
        if now is not None and now.progress is not None:
            self.fake.event("bench", self.world.benches.finish(now.progress.model))

    def list_bench_runs(self) -> bench.BenchRuns:
        return bench.BenchRuns(now=self.world.benches.now, runs=tuple(self.world.benches.runs))

    def get_bench_run(self, args: bench.BenchRef) -> BenchReport:
        return self.world.benches.report(args.id, args.against)

    # Settings, and the program about itself

    async def get_settings(self) -> SettingsReport:
        return await self.world.settings.report()

    async def change_setting(self, args: ChangeSetting) -> SettingsReport:
        return await self.world.settings.change(args.path, args.value)

    async def get_about(self) -> about.About:
        return await self.world.about.about()

    async def list_licenses(self) -> tuple[about.LicenseSummary, ...]:
        return await self.world.about.licenses()

    async def get_license(self, args: about.LicenseRef) -> ThirdPartyLicense:
        return await self.world.about.license(args.name)

    def get_update(self) -> UpdateReport:
        return self.world.updates.report

    async def check_update(self) -> UpdateReport:
        return await self.world.updates.check()

    async def download_update(self) -> UpdateReport:
        return await self.world.updates.download()

    async def open_place(self, args: about.OpenPlace) -> None:
        await self.world.about.open_place(args.place)

    # The page

    def open_link(self, args: window.OpenLink) -> None:
        return None

    def set_ui_state(self, args: window.SetUiState) -> None:
        self.world.ui = args.ui

    def watch_metrics(self, args: metrics.WatchMetrics) -> None:
        self.watching, self.watching_closely = args.watching, args.closely

    def get_metrics_history(self, args: metrics.GetMetricsHistory) -> MetricsHistory:
        self.histories_asked += 1
        if self.histories_fail:
            raise Refusal(500, "server_error-io_error", "The database cannot be read.")
        world, now = self.world, time.time()
        return past(
            args.range,
            now,
            world.gpus,
            world.running(),
            after=args.after,
            cores=args.cores,
            measured_for_s=world.measured_for_s,
        )

    def save_file(self, args: window.SaveFile) -> window.SavedFile:
        self.world.saved[args.name] = self.fake.blobs[args.handle]
        return window.SavedFile(path=f"/home/me/{args.name}")

    def export_metrics(self, args: metrics.ExportMetrics) -> MetricsExport:
        return MetricsExport(file_name=f"llamero-metrics-{args.range}.csv", content="time,cpu.load (percent)\n")


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
