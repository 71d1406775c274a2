"""Write the JavaScript types of the bridge from its Structs, so that both sides cannot drift apart.

    python build/generate_bridge_types.py [--check]

Output: `frontend/src/types/bridge.d.ts`. With `--check` nothing is written and the exit status says whether it is
current. `COMMANDS` and `EVENTS` are the table of the bridge: what each command takes and gives, what is pushed.
Fields with a default may be left out of arguments; results always carry every field, unless the Struct omits defaults.
"""

from __future__ import annotations

import argparse
import enum
import sys
import typing
from pathlib import Path

import msgspec
from msgspec import inspect

from llamero.models import (
    about,
    access,
    aliases,
    bench,
    build,
    conversations,
    inspector,
    logs,
    metrics,
    metrics_history,
    settings_report,
    supervision,
    updates,
)
from llamero.models.bridge.attachments import AddAttachment, AttachmentContent, AttachmentRef
from llamero.models.bridge.bench import BenchRef, BenchRuns, StartBench
from llamero.models.bridge.chats import (
    Asked,
    ChangeConversation,
    ChatFrame,
    ConversationRef,
    DeletedMessages,
    EditAnswer,
    EditedAnswer,
    EditMessage,
    MessagePlace,
    MessageRef,
    NewChat,
    RenameConversation,
    RetryMessage,
    SearchMessages,
    SelectBranch,
    SendChatMessage,
    Trash,
    WatchMessage,
)
from llamero.models.bridge.gateway import (
    AliasConditions,
    CreateApiKey,
    DeleteAlias,
    DeletedAlias,
    RevokeApiKey,
    SaveAlias,
    SavedAlias,
)
from llamero.models.bridge.metrics import ExportMetrics, GetMetricsHistory, WatchMetrics
from llamero.models.bridge.servers import (
    AddModelFile,
    ChangeModel,
    ModelInfo,
    ModelRef,
    ServerInfo,
    ServerLog,
    StopModel,
)
from llamero.models.bridge.window import OpenLink, SavedFile, SaveFile, SetUiState, Snapshot, UiState

OUTPUT = Path(__file__).resolve().parent.parent / "frontend" / "src" / "types" / "bridge.d.ts"


class Empty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


COMMANDS: dict[str, tuple[type, object]] = {
    "get_snapshot": (Empty, Snapshot),
    "get_conversation": (ConversationRef, conversations.ConversationWithMessages),
    "send_chat_message": (SendChatMessage, Asked),
    "edit_message": (EditMessage, Asked),
    "retry_message": (RetryMessage, Asked),
    "watch_message": (WatchMessage, conversations.Message),
    "stop_message": (MessageRef, conversations.Message),
    "select_branch": (SelectBranch, conversations.Conversation),
    "edit_answer": (EditAnswer, EditedAnswer),
    "fork_conversation": (MessageRef, conversations.Conversation),
    "rename_conversation": (RenameConversation, conversations.Conversation),
    "change_conversation": (ChangeConversation, conversations.Conversation),
    "delete_conversation": (ConversationRef, None),
    "list_deleted_conversations": (Empty, Trash),
    "restore_conversation": (ConversationRef, conversations.Conversation),
    "delete_message": (MessageRef, DeletedMessages),
    "restore_message": (MessageRef, conversations.Conversation),
    "search_messages": (SearchMessages, tuple[conversations.SearchHit, ...]),
    "add_attachment": (AddAttachment, conversations.Attachment),
    "discard_attachment": (AttachmentRef, None),
    "get_attachment": (AttachmentRef, AttachmentContent),
    "add_model_file": (AddModelFile, ModelInfo),
    "choose_model_file": (Empty, ModelInfo | None),
    "change_model": (ChangeModel, ModelInfo),
    "start_model": (ModelRef, ServerInfo),
    "stop_model": (StopModel, None),
    "restart_model": (ModelRef, ServerInfo),
    "unload_model": (ModelRef, None),
    "get_server_details": (ModelRef, supervision.ServerDetails),
    "get_server_output": (supervision.GetServerOutput, supervision.ServerOutput),
    "get_server_log": (ModelRef, ServerLog),
    "get_gateway": (Empty, access.GatewayState | None),
    "create_api_key": (CreateApiKey, access.NewApiKey),
    "list_api_keys": (Empty, tuple[access.ApiKey, ...]),
    "revoke_api_key": (RevokeApiKey, access.ApiKey),
    "list_aliases": (Empty, tuple[aliases.Alias, ...]),
    "get_alias_conditions": (Empty, AliasConditions),
    "save_alias": (SaveAlias, SavedAlias),
    "delete_alias": (DeleteAlias, DeletedAlias),
    "open_link": (OpenLink, None),
    "get_settings": (Empty, settings_report.SettingsReport),
    "change_setting": (settings_report.ChangeSetting, settings_report.SettingsReport),
    "get_about": (Empty, about.About),
    "list_licenses": (Empty, tuple[about.LicenseSummary, ...]),
    "get_license": (about.LicenseRef, build.ThirdPartyLicense),
    "get_update": (Empty, updates.UpdateReport),
    "check_update": (Empty, updates.UpdateReport),
    "download_update": (Empty, updates.UpdateReport),
    "open_place": (about.OpenPlace, None),
    "set_ui_state": (SetUiState, None),
    "watch_logs": (supervision.WatchLogs, supervision.LogHistory),
    "open_log_file": (Empty, None),
    "start_bench": (StartBench, None),
    "stop_bench": (Empty, None),
    "list_bench_runs": (Empty, BenchRuns),
    "get_bench_run": (BenchRef, bench.BenchReport),
    "watch_metrics": (WatchMetrics, None),
    "get_metrics_history": (GetMetricsHistory, metrics_history.MetricsHistory),
    "save_file": (SaveFile, SavedFile),
    "export_metrics": (ExportMetrics, metrics_history.MetricsExport),
    "list_requests": (inspector.ListRequests, inspector.RequestList),
    "get_request": (inspector.RequestRef, inspector.RequestDetails),
    "render_prompt": (inspector.RequestRef, inspector.RenderedPrompt),
    "replay_request": (inspector.RequestRef, inspector.RequestSummary),
    "clear_requests": (Empty, None),
    "set_inspector": (inspector.SetInspector, inspector.InspectorState),
    "watch_requests": (inspector.WatchRequests, None),
}

EVENTS: dict[str, object] = {
    "conversation": conversations.Conversation,
    "conversation_deleted": ConversationRef,
    "message": conversations.Message,
    "message_deleted": MessagePlace,
    "message_restored": MessagePlace,
    "servers": tuple[ServerInfo, ...],
    "models": tuple[ModelInfo, ...],
    "aliases": tuple[aliases.Alias, ...],
    "metrics": metrics.MetricsSnapshot,
    "logs": logs.LogLines,
    "requests": inspector.RequestsChanged,
    "bench": bench.BenchFrame,
    "settings": settings_report.SettingsReport,
    "new_chat": NewChat,
    "notice": str,
    "update": updates.UpdateReport,
    "ui": UiState,
}

HEADER = """\
// Made by build/generate_bridge_types.py from the Structs in backend/llamero/models. Do not edit.
"""


class Writer:
    """Collects the declarations that the given types need, each once, in order of first use."""

    def __init__(self) -> None:
        self.declarations: dict[str, str] = {}

    def reference(self, kind: inspect.Type) -> str:
        """Say how a type is written where it is used; declare what has a name of its own."""
        match kind:
            case inspect.NoneType():
                return "null"
            case inspect.StrType():
                return "string"
            case inspect.AnyType() | inspect.CustomType():
                return "unknown"
            case inspect.BoolType():
                return "boolean"
            case inspect.IntType() | inspect.FloatType():
                return "number"
            case inspect.UnionType(types=members):
                return " | ".join(dict.fromkeys(self.reference(member) for member in members))
            case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
                inner = self.reference(item)
                return f"({inner})[]" if " " in inner else f"{inner}[]"
            case inspect.DictType(value_type=value):
                return f"Record<string, {self.reference(value)}>"
            case inspect.EnumType(cls=cls):
                return self.enumeration(cls)
            case inspect.StructType():
                return self.struct(kind)
        raise TypeError(f"no JavaScript type for {kind}")

    def enumeration(self, cls: type[enum.Enum]) -> str:
        """Declare an enumeration as the union of its values."""
        values = " | ".join(f"'{member.value}'" for member in cls)
        self.declarations.setdefault(cls.__name__, f"export type {cls.__name__} = {values};\n")
        return cls.__name__

    def struct(self, kind: inspect.StructType) -> str:
        """Declare a Struct as an interface."""
        name = kind.cls.__name__
        if name in self.declarations:
            return name
        self.declarations[name] = ""  # holds the place in the order, and ends recursion
        config = kind.cls.__struct_config__
        lenient = config.omit_defaults or config.forbid_unknown_fields or name in {"Sampling", "UiState"}
        lines = [
            f"  {field.encode_name}{'?' if lenient and not field.required else ''}: {self.reference(field.type)};"
            for field in kind.fields
        ]
        if kind.tag is not None:
            lines.insert(0, f"  {kind.tag_field}: '{kind.tag}';")
        about = (kind.cls.__doc__ or "").strip().splitlines()[0]
        body = "\n".join(lines)
        self.declarations[name] = f"/** {about} */\nexport interface {name} {{\n{body}\n}}\n"
        return name


def generate() -> str:
    """Return the whole text of the types file."""
    writer = Writer()

    def use(kind: object) -> str:
        return writer.reference(inspect.type_info(kind))

    # A channel is an object of the page that turns into its name when it is sent.
    commands = [
        f"  {name}: {{ args: {use(args)}; result: {use(result)} }};" for name, (args, result) in COMMANDS.items()
    ]
    events = [f"  {name}: {use(kind)};" for name, kind in EVENTS.items()]
    use(ChatFrame)
    declarations = "\n".join(writer.declarations.values())
    declarations = declarations.replace("interface Empty {\n\n}", "interface Empty {}")
    declarations = declarations.replace("  on: string;", "  on: ChannelArgument;")
    return (
        f"{HEADER}\n"
        "/** A channel that the page has opened; JSON has it as `__CHANNEL__:<number>`. */\n"
        "export interface ChannelArgument {\n  toJSON(): string;\n}\n\n"
        f"{declarations}\n"
        "/** Every command: what it takes and what it gives. */\n"
        "export interface Commands {\n" + "\n".join(commands) + "\n}\n\n"
        "/** Every event: what it carries. */\n"
        "export interface Events {\n" + "\n".join(events) + "\n}\n"
    )


def main(arguments: typing.Sequence[str] | None = None) -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description="Write the JavaScript types of the bridge.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is not current")
    options = parser.parse_args(arguments)
    text = generate()
    if options.check:
        return 0 if OUTPUT.is_file() and OUTPUT.read_text(encoding="utf-8") == text else 1
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
