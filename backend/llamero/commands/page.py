"""The page around a running application: conversations, the bridge and its address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec.structs import replace

from llamero.application import Application, demo_model
from llamero.bridge.app import connect_core
from llamero.bridge.blobs import BlobStore
from llamero.bridge.capabilities import WindowKind
from llamero.bridge.commands.models import know_model_file
from llamero.bridge.commands.requests import INSPECTOR_STATE
from llamero.bridge.context import FileDialogs, Services
from llamero.bridge.front import Front
from llamero.bridge.hub import Hub
from llamero.bridge.log_push import LogPush
from llamero.bridge.metrics_push import MetricsPush
from llamero.bridge.model_infos import ModelInfos
from llamero.bridge.model_list import ModelList
from llamero.bridge.requests_push import RequestsPush
from llamero.bridge.server_infos import ServerInfos
from llamero.bridge.snapshots import UI_STATE
from llamero.bridge.windows import HubLimits
from llamero.commands.updates import open_updates
from llamero.gateway.metrics.measured import MeasuredInference
from llamero.gateway.metrics.model_labels import ModelLabels
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.links import LinkOpener
from llamero.infrastructure.log_feed import process_feed
from llamero.infrastructure.log_file import LogFile
from llamero.infrastructure.logs import LOG_NAME
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.preferences import PreferenceStore
from llamero.infrastructure.temporary_area import TemporaryArea
from llamero.models.access import GatewayState
from llamero.models.bridge.chats import NewChat
from llamero.models.bridge.window import UiState
from llamero.models.desktop import Activate
from llamero.models.errors import IoFailed
from llamero.models.inspector import InspectorState
from llamero.services.about import AboutService
from llamero.services.alias_editor import AliasEditor
from llamero.services.aliases import AliasTable
from llamero.services.chats.attachments import Attachments
from llamero.services.chats.service import ChatService
from llamero.services.chats.source import InferenceChatSource
from llamero.services.inspection.inspector import Inspector
from llamero.services.long_work import LongWork
from llamero.services.settings import SettingsService


class Page:
    """The page being served, for whoever shows it."""

    def __init__(self, services: Services, blobs: BlobStore) -> None:
        self._services = services
        self._blobs = blobs

    def put_behind(self, front: Front) -> None:
        """Let the front's page ask from now on. Call once."""
        connect_core(front, self._services, self._blobs)

    async def choose_model(self, file: Path) -> None:
        """Know a model file, named by its absolute path, and let the page ask it from now on.

        Raises ModelFileNotFound or BadModelFile.
        """
        known = await know_model_file(self._services, file)
        await self._leave_conversation(model=known.alias)
        self.new_chat(known.alias)

    async def open_on_new_chat(self) -> None:
        """Let a page that opens from now on show a new chat, with the model that it has."""
        await self._leave_conversation()

    def new_chat(self, model: str | None = None) -> None:
        """Let the app's own window begin a chat; what a tab of a browser shows stays."""
        self._services.hub.event("new_chat", NewChat(model=model), only=self._own_windows())

    async def tell(self, notice: str) -> None:
        """Show a sentence in the app's own window, once a page has connected."""
        await self.shown()
        self._services.hub.event("notice", notice, only=self._own_windows())

    def _own_windows(self) -> set[str]:
        return {key for key in self._services.hub.connected() if key.startswith(f"{WindowKind.WINDOW}:")}

    async def _leave_conversation(self, **changes: str) -> None:
        preferences = self._services.preferences
        ui = replace(await preferences.value(UI_STATE, UiState) or UiState(), conversation_id=None, **changes)
        await preferences.set_value(UI_STATE, ui)
        self._services.hub.event("ui", ui)

    async def shown(self) -> None:
        """Wait until a page has connected."""
        connected = asyncio.Event()
        self._services.hub.watch(connected.set)
        while not self._services.hub.connected():
            connected.clear()
            await connected.wait()


async def open_page(
    app: Application,
    stack: AsyncExitStack,
    front: Front,
    inspector: Inspector,
    settings: SettingsService,
    *,
    gateway: Callable[[], GatewayState | None],
    dialogs: FileDialogs | None = None,
    activate: Callable[[Activate], Awaitable[None]] | None = None,
    long_work: LongWork | None = None,
) -> Page:
    """Open the conversations and all else that a page asks for; it is closed with `stack`, after the front.

    Raises IoFailed when the database cannot be used.
    """
    clock, messages = SystemClock(), default_messages()
    database, api_keys, history, bench = app.database, app.api_keys, app.history, app.bench
    if database is None or api_keys is None or history is None or bench is None:
        raise IoFailed(reason="the page needs the database, which another Llamero has")
    store = ChatStore(database, clock)
    await store.recover()
    preferences = PreferenceStore(database)
    hub = Hub(HubLimits())
    measured = MeasuredInference(app.inference, app.counts, ModelLabels(app.servers))
    source = InferenceChatSource(measured, app.inference.is_local, app.servers.phase, inspector, app.inference.sees)
    chats = ChatService(store, source, hub, clock, messages)
    stack.push_async_callback(chats.close)
    updates = open_updates(app, settings, hub, stack)
    if long_work is not None:
        chats.on_end = long_work.answer_ended
        updates.on_downloaded = long_work.download_ended
    inspector.gateway_url = lambda: state.url if (state := gateway()) is not None else None
    chosen = await preferences.value(INSPECTOR_STATE, InspectorState)
    if chosen is not None and not chosen.content:
        inspector.keep_content(False)
    server_infos = ServerInfos(app.actor, hub, clock, messages.error)
    app.actor.on_change = server_infos.changed
    bench.on_frame = lambda frame: hub.event("bench", frame)
    model_infos = ModelInfos(app.model_headers, demo_model(), app.router.sees)
    model_list = ModelList(app.router, model_infos, hub, clock)
    app.aliases.watch(lambda table: _tell_aliases(table, hub, model_list))
    app.discovery.watch(model_list.changed)
    following = asyncio.create_task(model_list.follow(), name="models for the windows")
    stack.push_async_callback(_cancel, following)
    blobs = BlobStore(TemporaryArea(app.paths.run / "blobs"))
    services = Services(
        hub=hub,
        chats=chats,
        attachments=Attachments(store.attachments),
        models=app.catalog,
        names=app.router,
        model_list=model_list,
        aliases=AliasEditor(app.aliases, app.remote_keys, app.router),
        key_states=app.key_states,
        paused=app.inference.paused,
        sentence=messages.text,
        engines=app.llama,
        control=app.servers,
        actor=app.actor,
        preferences=preferences,
        api_keys=api_keys,
        links=LinkOpener(),
        model_infos=model_infos,
        server_infos=server_infos,
        log_push=LogPush(process_feed, hub),
        log_file=LogFile(app.paths.logs / LOG_NAME),
        inspector=inspector,
        requests_push=RequestsPush(inspector, hub),
        metrics_push=MetricsPush(app.metrics, app.actor, hub),
        history=history,
        blobs=blobs,
        bench=bench,
        settings=settings,
        updates=updates,
        about=AboutService(app.paths, app.settings.engine, messages),
        dialogs=dialogs,
        activate=activate,
        gateway=gateway,
        notices=lambda: app.notices,
    )
    stack.push_async_callback(front.stop)
    return Page(services, blobs)


def _tell_aliases(table: AliasTable, hub: Hub, models: ModelList) -> None:
    hub.event("aliases", table.aliases)
    models.changed()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
