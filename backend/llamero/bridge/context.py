"""What a command is given: who calls, and the services that it may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.hub import Hub
from llamero.bridge.log_push import LogPush
from llamero.bridge.metrics_push import MetricsPush
from llamero.bridge.model_infos import ModelInfos
from llamero.bridge.model_list import ModelList, Names
from llamero.bridge.requests_push import Inspector, RequestsPush
from llamero.bridge.server_infos import Actor, ServerInfos
from llamero.models.about import About, LicenseSummary, PlaceName
from llamero.models.access import ApiKey, GatewayState, KeyTerms, NewApiKey
from llamero.models.aliases import Alias, ApiModel, PausedTarget
from llamero.models.bench import BenchFrame, BenchReport, BenchRun
from llamero.models.bridge.attachments import AttachmentContent
from llamero.models.bridge.chats import (
    Asked,
    ChangeConversation,
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
from llamero.models.build import ThirdPartyLicense
from llamero.models.conversations import Attachment, Conversation, ConversationWithMessages, Message, SearchHit
from llamero.models.desktop import Activate
from llamero.models.errors import InvalidRequest
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.models.metrics import MetricsSnapshot
from llamero.models.metrics_history import HistoryRange, MetricsExport, MetricsHistory
from llamero.models.remote import KeyState
from llamero.models.settings_report import SettingsReport, SettingValue
from llamero.models.updates import UpdateReport
from llamero.services.alias_editor import Notice

T = TypeVar("T")

WINDOW_HEADER = "X-Llamero-Window"


class Chats(Protocol):
    """Conversations: `services.chats.service.ChatService`, where each method is described."""

    @property
    def streaming(self) -> tuple[str, ...]: ...  # noqa: D102
    async def conversations(self) -> tuple[Conversation, ...]: ...  # noqa: D102
    async def get(self, command: ConversationRef) -> ConversationWithMessages: ...  # noqa: D102
    async def search(self, command: SearchMessages) -> tuple[SearchHit, ...]: ...  # noqa: D102
    async def send(self, window: str, command: SendChatMessage) -> Asked: ...  # noqa: D102
    async def edit(self, window: str, command: EditMessage) -> Asked: ...  # noqa: D102
    async def retry(self, window: str, command: RetryMessage) -> Asked: ...  # noqa: D102
    async def watch(self, window: str, command: WatchMessage) -> Message: ...  # noqa: D102
    async def stop(self, message_id: str) -> Message: ...  # noqa: D102
    async def select_branch(self, command: SelectBranch) -> Conversation: ...  # noqa: D102
    async def edit_answer(self, command: EditAnswer) -> EditedAnswer: ...  # noqa: D102
    async def fork(self, command: MessageRef) -> Conversation: ...  # noqa: D102
    async def rename(self, command: RenameConversation) -> Conversation: ...  # noqa: D102
    async def change(self, command: ChangeConversation) -> Conversation: ...  # noqa: D102
    async def delete(self, command: ConversationRef) -> None: ...  # noqa: D102
    async def trash(self) -> Trash: ...  # noqa: D102
    async def restore(self, command: ConversationRef) -> Conversation: ...  # noqa: D102
    async def delete_message(self, command: MessageRef) -> DeletedMessages: ...  # noqa: D102
    async def restore_message(self, command: MessageRef) -> Conversation: ...  # noqa: D102
    def forget_window(self, window: str) -> None: ...  # noqa: D102


class Attachments(Protocol):
    """Files that go with questions: `services.chats.attachments.Attachments`, where each method is described."""

    async def add(self, name: str, body: bytes) -> Attachment: ...  # noqa: D102
    async def discard(self, attachment_id: str) -> None: ...  # noqa: D102
    async def content(self, attachment_id: str) -> AttachmentContent: ...  # noqa: D102


class Models(Protocol):
    """The models that can be named: `services.catalog.ModelCatalog`."""

    def models(self) -> Sequence[ModelId]: ...  # noqa: D102
    def config(self, name: str) -> LlamaCppConfig: ...  # noqa: D102
    def add_file(self, path: Path) -> LlamaCppConfig: ...  # noqa: D102
    def change(self, name: str, **parameters: object) -> LlamaCppConfig: ...  # noqa: D102


class Aliases(Protocol):
    """The names that the user gave: `services.alias_editor.AliasEditor`, where each method is described."""

    async def listed(self) -> tuple[Alias, ...]: ...  # noqa: D102
    async def save(  # noqa: D102
        self, alias: Alias, *, key: str | None = None, former: str | None = None, place: int | None = None
    ) -> tuple[Alias, tuple[Notice, ...]]: ...
    async def remove(self, name: str) -> tuple[Notice, ...]: ...  # noqa: D102


class KeyStates(Protocol):
    """What servers say of their keys: `services.key_states.KeyStates`."""

    async def of(self, apis: Iterable[ApiModel]) -> Mapping[str, KeyState]: ...  # noqa: D102


class Engines(Protocol):
    """Models that run: `services.llama.service.LlamaCppService`."""

    async def start(self, config: LlamaCppConfig) -> None: ...  # noqa: D102
    async def stop(self, model: str | None = None) -> None: ...  # noqa: D102
    async def get_metrics(self) -> MetricsSnapshot: ...  # noqa: D102


class Control(Protocol):
    """Servers by the names of their models: `services.server_control.ServerControl`."""

    async def unload(self, name: str) -> None: ...  # noqa: D102
    async def restart(self, name: str) -> None: ...  # noqa: D102


class Preferences(Protocol):
    """What is remembered besides conversations: `infrastructure.storage.preferences.PreferenceStore`."""

    async def value(self, key: str, kind: type[T]) -> T | None: ...  # noqa: D102
    async def set_value(self, key: str, value: object) -> None: ...  # noqa: D102
    async def save_model(self, config: LlamaCppConfig) -> None: ...  # noqa: D102


class History(Protocol):
    """The hardware's past: `services.history.service.HistoryService`."""

    async def history(  # noqa: D102
        self, wanted: HistoryRange, *, after: float | None = None, cores: bool = False
    ) -> MetricsHistory: ...
    async def export(self, wanted: HistoryRange) -> MetricsExport: ...  # noqa: D102


class ApiKeys(Protocol):
    """The gateway's keys: `infrastructure.storage.api_keys.ApiKeyStore`."""

    async def listed(self) -> tuple[ApiKey, ...]: ...  # noqa: D102
    async def create(self, terms: KeyTerms) -> NewApiKey: ...  # noqa: D102
    async def revoke(self, name: str) -> ApiKey: ...  # noqa: D102


class Bench(Protocol):
    """How fast models are: `services.bench.service.BenchService`."""

    @property
    def now(self) -> BenchFrame | None: ...  # noqa: D102
    def begin(self, model: str, *, quick: bool) -> None: ...  # noqa: D102
    async def stop(self) -> None: ...  # noqa: D102
    async def report(self, id: int, against: int | None = None) -> BenchReport: ...  # noqa: D102
    async def listed(self) -> tuple[BenchRun, ...]: ...  # noqa: D102


class SettingsEditor(Protocol):
    """The settings and their file: `services.settings.SettingsService`."""

    async def report(self) -> SettingsReport: ...  # noqa: D102
    async def change(self, path: str, value: SettingValue | None) -> SettingsReport: ...  # noqa: D102


class AboutLlamero(Protocol):
    """The program itself: `services.about.AboutService`."""

    async def about(self) -> About: ...  # noqa: D102
    async def licenses(self) -> tuple[LicenseSummary, ...]: ...  # noqa: D102
    async def license(self, name: str) -> ThirdPartyLicense: ...  # noqa: D102
    async def open_place(self, name: PlaceName) -> None: ...  # noqa: D102


class Updates(Protocol):
    """Newer releases: `services.updates.UpdateService`."""

    report: UpdateReport

    async def check(self) -> UpdateReport: ...  # noqa: D102
    async def download(self) -> UpdateReport: ...  # noqa: D102


class Links(Protocol):
    """Opens links outside: `infrastructure.links.LinkOpener`."""

    async def open(self, link: str) -> None: ...  # noqa: D102


class FileDialogs(Protocol):
    """Dialogs of the desktop. Only the app's own window has them."""

    async def choose_model_file(self) -> Path | None:
        """Let the user choose a GGUF file; None when nothing was chosen."""
        ...

    async def choose_place(self, name: str) -> Path | None:
        """Let the user choose where a file of that name is saved; None when nowhere."""
        ...


class Blobs(Protocol):
    """Large bodies by their handles: `bridge.blobs.BlobStore`."""

    async def save(self, handle: str, place: Path) -> None: ...  # noqa: D102
    async def take(self, handle: str, limit: int) -> bytes: ...  # noqa: D102


class LogFile(Protocol):
    """The log's file: `infrastructure.log_file.LogFile`."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    async def open(self) -> None: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that commands may use. `notices` are sentences to be shown at the start."""

    hub: Hub
    chats: Chats
    attachments: Attachments
    models: Models
    names: Names
    model_list: ModelList
    aliases: Aliases
    key_states: KeyStates
    paused: Callable[[], Sequence[PausedTarget]]
    sentence: Callable[[str, Mapping[str, str | int | float]], str]
    engines: Engines
    control: Control
    actor: Actor
    preferences: Preferences
    api_keys: ApiKeys
    links: Links
    model_infos: ModelInfos
    server_infos: ServerInfos
    metrics_push: MetricsPush
    log_push: LogPush
    log_file: LogFile | None = None
    history: History
    blobs: Blobs
    inspector: Inspector
    requests_push: RequestsPush
    bench: Bench
    settings: SettingsEditor
    about: AboutLlamero
    updates: Updates
    dialogs: FileDialogs | None = None
    activate: Callable[[Activate], Awaitable[None]] | None = None
    gateway: Callable[[], GatewayState | None] = field(default=lambda: None)
    notices: Callable[[], tuple[str, ...]] = field(default=tuple)


class Caller(NamedTuple):
    """Who calls. `window` is the hub's name of the window, None where the page did not say."""

    kind: WindowKind
    window: str | None

    def own_window(self) -> str:
        """The window that channels are opened in. Raises InvalidRequest where the page did not say."""
        if self.window is None:
            raise InvalidRequest("request_error-missing_param", param=WINDOW_HEADER)
        return self.window


class Context(NamedTuple):
    """A command's first argument."""

    services: Services
    caller: Caller
