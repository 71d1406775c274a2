"""Composition root: builds every part once, starts them in order and stops them in the reverse order.

Nothing else creates services. What is slow to import or to start is left until it is needed: `serve` must listen
within half a second.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path

from llamero.gateway.metrics.counts import Counts
from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.infrastructure.gguf import read_header
from llamero.infrastructure.hub_cache import find_hub_cache
from llamero.infrastructure.late_sampler import LateSampler
from llamero.infrastructure.llama.server import LlamaServer
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.model_files import ModelFiles
from llamero.infrastructure.model_headers import ModelHeaders
from llamero.infrastructure.paths import Paths
from llamero.infrastructure.processes.spawner import ProcessSpawner
from llamero.infrastructure.remote.client import RemoteClient
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.infrastructure.storage.aliases import AliasStore
from llamero.infrastructure.storage.api_keys import ApiKeyStore
from llamero.infrastructure.storage.benches import BenchStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.metrics_history import MetricsHistoryStore
from llamero.infrastructure.storage.preferences import PreferenceStore
from llamero.models.llama import LaunchSpec
from llamero.models.settings import ResolvedSettings, Settings
from llamero.services.aliases import AliasBook
from llamero.services.bench.measuring import Measuring
from llamero.services.bench.service import BenchService
from llamero.services.bench.subject import Subjects
from llamero.services.catalog import ModelCatalog
from llamero.services.discovery import ModelDiscovery
from llamero.services.history.service import HistoryService
from llamero.services.inference import InferenceService
from llamero.services.key_states import KeyStates
from llamero.services.llama.activity import Activity
from llamero.services.llama.actor import LlamaActor
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.planning import Planner
from llamero.services.llama.service import LlamaCppService, policy_of
from llamero.services.llama.slots import SlotReader
from llamero.services.metrics import MetricsService
from llamero.services.remote_names import RemoteNames
from llamero.services.remotes import RemoteModels
from llamero.services.routing import Router
from llamero.services.server_control import ServerControl

logger = logging.getLogger(__name__)


class Application:
    """The running parts, for those who put a face on them: gateway, window, command line."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        actor: LlamaActor,
        catalog: ModelCatalog,
        aliases: AliasBook,
        discovery: ModelDiscovery,
        llama: LlamaCppService,
        router: Router,
        servers: ServerControl,
        inference: InferenceService,
        metrics: MetricsService,
        remote_keys: RemoteKeys,
        key_states: KeyStates,
        model_headers: ModelHeaders,
        database: Database | None = None,
        api_keys: ApiKeyStore | None = None,
        history: HistoryService | None = None,
        bench: BenchService | None = None,
        notices: tuple[str, ...] = (),
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.actor = actor
        self.catalog = catalog
        self.aliases = aliases
        self.discovery = discovery
        self.llama = llama
        self.router = router
        self.servers = servers
        self.inference = inference
        self.metrics = metrics
        self.remote_keys = remote_keys
        self.key_states = key_states
        self.model_headers = model_headers
        self.database = database
        """None for a short-lived command that needs none."""
        self.api_keys = api_keys
        """None where there is no database."""
        self.history = history
        """None where there is no database."""
        self.bench = bench
        """None where there is no database."""
        self.counts = Counts()
        """What was asked of models, through the gateway or in the window."""
        self.notices = notices
        """Sentences that a person should read at the start: what is wrong in the settings."""


def demo_model() -> Path:
    """The model that is part of the package: it answers, but it is not a real assistant."""
    return Path(str(files("llamero") / "assets" / "demo.gguf"))


async def known_models(
    paths: Paths, settings: Settings, database: Database | None, clock: Clock
) -> tuple[ModelCatalog, ModelDiscovery]:
    """The models that were opened before, and what keeps those on the disk known besides."""
    catalog = ModelCatalog()
    catalog.add_file(demo_model())
    if database is not None:
        for config in await PreferenceStore(database).models():
            catalog.add(config)
    scan = ModelFiles(_model_folders(settings, paths), find_hub_cache(os.environ), read_header)
    return catalog, ModelDiscovery(scan, catalog, clock)


def _model_folders(settings: Settings, paths: Paths) -> list[Path]:
    """Where the settings say that models are; relative to the data directory."""
    folders = []
    for folder in settings.models.folders:
        try:
            folders.append(paths.data_dir / Path(folder).expanduser())
        except RuntimeError:  # a home that does not exist has no models either
            logger.warning("settings: the folder %s in models.folders does not exist", folder)
    return folders or [paths.models]


@asynccontextmanager
async def running(
    paths: Paths, resolved: ResolvedSettings, *, exclusive: bool = True, with_database: bool = True
) -> AsyncIterator[Application]:
    """Start everything below the faces; leaving stops every engine and waits until nothing of it is left.

    `exclusive` takes the data directory for this process alone and ends what an earlier run left behind; a short-lived
    command may run beside another Llamero without, and without the database, too. Raises IoFailed when the directory or
    its database is in use or cannot be used.
    """
    settings, clock = resolved.settings, SystemClock()
    for problem in resolved.problems:
        logger.warning("settings: %s", problem.reason)
    database: Database | None = None
    aliases = AliasBook()
    api_keys: ApiKeyStore | None = None
    async with AsyncExitStack() as stack:
        if exclusive:
            paths.prepare()
            stack.enter_context(DataDirLock(paths.run))
        if with_database:
            database = await Database.open(paths.database)
            stack.push_async_callback(database.close)
            api_keys = ApiKeyStore(database, clock)
            store = AliasStore(database)
            aliases = AliasBook(store)
        spawner = ProcessSpawner(paths.run if exclusive else None)
        spawner.start()
        stack.push_async_callback(spawner.close, settings.engine.stop_grace_s)

        def create(spec: LaunchSpec) -> LlamaServer:
            return LlamaServer(
                spec,
                spawner=spawner,
                clock=clock,
                start_timeout_s=settings.engine.start_timeout_s,
                stop_grace_s=settings.engine.stop_grace_s,
            )

        listeners = Listeners()
        stack.push_async_callback(listeners.close)
        actor = await stack.enter_async_context(LlamaActor(create, clock, listeners, policy_of(settings)))
        activity = Activity(clock)
        history: HistoryService | None = None
        if database is not None and exclusive:
            idle_s = settings.metrics.idle_interval_s
            history = HistoryService(MetricsHistoryStore(database), clock, activity, idle_s)
            stack.push_async_callback(history.close)
        slots = SlotReader(actor)
        stack.push_async_callback(slots.close)
        metrics = MetricsService(
            LateSampler(clock),
            settings=settings.metrics,
            clock=clock,
            state=lambda: actor.snapshot,
            activity=activity,
            slots=slots,
            record=history.record if history is not None else lambda snapshot: None,
        )
        stack.push_async_callback(metrics.stop)
        planner = Planner(settings, paths.data_dir, paths.cache)
        llama = LlamaCppService(actor, planner, metrics, listeners, activity)
        catalog, discovery = await known_models(paths, settings, database, clock)
        remote_keys = RemoteKeys(paths.data_dir)
        remote = RemoteClient(
            silence_limit_s=settings.remote.silence_limit_s,
            proxies_from_environment=settings.remote.proxies_from_environment,
        )
        stack.push_async_callback(remote.close)
        watched = KeyStates(remote, remote_keys)
        every_model = (*settings.engine.arguments, *settings.engine.variant_arguments)
        router = Router(catalog, aliases, RemoteNames(watched, remote_keys, clock), discovery, every_model)
        servers = ServerControl(llama, actor, router)
        remotes = RemoteModels(watched, remote_keys, clock)
        inference = InferenceService(llama, router, listeners, remotes, clock)
        bench: BenchService | None = None
        if database is not None:
            subjects = Subjects(inference, router, llama, metrics.snapshot)
            bench = BenchService(
                lambda: Measuring(inference, subjects, clock), BenchStore(database), default_messages().error
            )
            stack.push_async_callback(bench.stop)
        notices = tuple(problem.reason for problem in resolved.problems)
        yield Application(
            paths,
            settings,
            actor,
            catalog,
            aliases,
            discovery,
            llama,
            router,
            servers,
            inference,
            metrics,
            remote_keys,
            watched,
            ModelHeaders(read_header),
            database=database,
            api_keys=api_keys,
            history=history,
            bench=bench,
            notices=notices,
        )
