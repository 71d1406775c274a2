"""A gateway with its inspector around real engines' processes, remote servers and fallbacks between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.remote.client import RemoteClient
from llamero.infrastructure.replaying import HttpReplayer
from llamero.models.aliases import Destination, LocalDestination
from llamero.models.inference import Form
from llamero.models.inspector import Outcome, RequestDetails, RequestSummary
from llamero.models.llama import Engine, LlamaCppConfig, ModelId
from llamero.models.settings import InspectorSettings
from llamero.services.inference import InferenceService
from llamero.services.inspection.inspector import Inspector
from llamero.services.llama.answer import Answer, open_answer
from llamero.services.llama.listeners import Listeners
from llamero.services.remotes import RemoteModels
from tests.gateway.harness import Gateway, eventually, running_gateway, text_of
from tests.gateway.test_remote_models import Names
from tests.process.test_remotes import OneKey
from tests.process.world import World, spec_for, world

LOCAL = LocalDestination(
    alias="m",
    config=LlamaCppConfig(model=ModelId("m", "/models/m.gguf")),
    defaults={"temperature": 0.25},
    system_prompt="Be brief.",
)


class LocalModels:
    """The part of LlamaCppService that is asked, with one engine for every model."""

    def __init__(self, world: World, engine: Engine) -> None:
        self._world = world
        self._engine = engine

    def open(
        self,
        config: LlamaCppConfig,
        endpoint: str,
        body: dict[str, object],
        *,
        method: str = "POST",
        form: Form | None = None,
    ) -> AbstractAsyncContextManager[Answer]:
        spec = spec_for(self._engine, config.model.alias)
        return open_answer(self._world.actor, spec, endpoint, body, method=method, form=form)


@dataclass
class Inspected:
    gateway: Gateway
    inspector: Inspector
    inference: InferenceService
    world: World

    def all(self) -> tuple[RequestSummary, ...]:
        return self.inspector.listed().requests

    async def newest(self) -> RequestDetails:
        """The newest request, once it has ended."""
        await eventually(lambda: bool(self.all()) and self.all()[0].outcome is not Outcome.RUNNING)
        return self.inspector.details(self.all()[0].id)


@asynccontextmanager
async def inspected(
    engine: Engine,
    others: Mapping[str, Destination] | None = None,
    *,
    settings: InspectorSettings | None = None,
    key: str | None = None,
) -> AsyncIterator[Inspected]:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(crash_limit=10_000, backoff_s=(0.0,)))
        client, listeners, clock = RemoteClient(), Listeners(), SystemClock()
        stack.push_async_callback(client.close)
        stack.push_async_callback(listeners.close)
        inference = InferenceService(
            LocalModels(made, engine),  # type: ignore[arg-type]
            Names({"m": LOCAL, **(others or {})}),  # type: ignore[arg-type]
            listeners,
            RemoteModels(client, OneKey(), clock),
            clock,
        )
        inspector = Inspector(settings or InspectorSettings(), clock, inference, HttpReplayer(), text_of)
        stack.push_async_callback(inspector.close)
        gateway = await stack.enter_async_context(running_gateway(inference=inference, inspection=inspector, key=key))
        inspector.gateway_url = lambda: gateway.url
        yield Inspected(gateway, inspector, inference, made)
