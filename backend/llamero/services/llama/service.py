"""LlamaCppService: models that answer, for everything above. States intents to the actor and decides nothing itself.

`start`, `stop`, `send_chat_message`, `get_metrics`, `is_running` and `subscribe` are the public interface; `open` is
the way of raw requests, streamed or not, healed when their server dies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llamero.infrastructure.clock import SystemClock
from llamero.models.chat import ChatDelta
from llamero.models.errors import ModelDoesNotEmbed, Unavailable, UpstreamFailed
from llamero.models.events import Variant
from llamero.models.inference import CHAT, EMBEDDINGS, Form
from llamero.models.llama import LlamaCppConfig, ServerPhase
from llamero.models.metrics import MetricsSnapshot
from llamero.models.settings import Settings
from llamero.services.llama.activity import Activity
from llamero.services.llama.actor import LlamaActor
from llamero.services.llama.answer import Answer, open_answer
from llamero.services.llama.deltas import deltas
from llamero.services.llama.listeners import Listener, Listeners, Subscription
from llamero.services.llama.planning import Plan, Planner
from llamero.services.llama.state import Policy
from llamero.services.metrics import MetricsService

_EMBEDDING_ENDPOINTS = frozenset({EMBEDDINGS, "/embedding", "/embeddings"})
_GIB = 1024**3


def policy_of(settings: Settings) -> Policy:
    """The limits that the settings ask for."""
    servers = settings.servers
    return Policy(
        max_loaded=servers.max_loaded,
        memory_budget=round(servers.memory_budget_gb * _GIB),
        queue_limit=servers.queue_limit,
        concurrency=servers.concurrency,
        crash_limit=servers.crash_limit,
        crash_window_s=servers.crash_window_s,
    )


class LlamaCppService:
    """The models on this machine."""

    def __init__(
        self,
        actor: LlamaActor,
        planner: Planner,
        metrics: MetricsService,
        listeners: Listeners,
        activity: Activity | None = None,
    ) -> None:
        self._activity = activity if activity is not None else Activity(SystemClock())
        self._actor = actor
        self._planner = planner
        self._metrics = metrics
        self._listeners = listeners
        self._active: LlamaCppConfig | None = None
        self._variant: str | None = None

    async def start(self, config: LlamaCppConfig) -> None:
        """Make the model ready. An intent: a model that is ready already stays as it is.

        Raises what `plan` raises, and EngineFailed, StartTimedOut or HealthCheckFailed when it does not become ready.
        """
        plan = await self.plan(config)
        self._active = config
        await self._actor.load(plan.spec)

    async def stop(self, model: str | None = None) -> None:
        """Stop one model by its alias, or all; returns when their processes are gone."""
        await self._actor.unload(model)

    async def send_chat_message(
        self, messages: list[dict[str, object]], config: LlamaCppConfig | None = None, **parameters: object
    ) -> AsyncIterator[ChatDelta]:
        """Ask a model, by default the active one, and yield the deltas of its answer.

        `parameters` are those of the chat completions API; it is always streamed. Raises Unavailable when no model is
        active, what `start` raises, and UpstreamFailed when the answer breaks and cannot be healed or the engine
        refuses the request.
        """
        config = config or self._active
        if config is None:
            raise Unavailable()
        self._active = config
        usage = {"stream": True, "stream_options": {"include_usage": True}}
        body: dict[str, object] = {"model": config.model.alias, "messages": messages, **parameters, **usage}
        async with self.open(config, CHAT, body) as answer:
            async for delta in deltas(answer):
                yield delta

    async def get_metrics(self) -> MetricsSnapshot:
        """CPU, RAM, GPU and VRAM now, and every running server."""
        return await self._metrics.metrics_for(self._actor.snapshot.servers)

    def is_running(self) -> bool:
        """Is any model ready?"""
        return any(server.phase is ServerPhase.READY for server in self._actor.snapshot.servers)

    def subscribe(self, listener: Listener) -> Subscription:
        """Tell `listener` every Start, Stop, ChatCompletions and Variant from now on."""
        return self._listeners.subscribe(listener)

    async def plan(self, config: LlamaCppConfig) -> Plan:
        """What would be started for this configuration. Tells the listeners when the engine variant changes."""
        plan = await self._planner.plan(config)
        variant = plan.spec.engine.variant
        if variant != self._variant:
            self._variant = variant
            self._listeners.tell(Variant(variant))
        return plan

    @asynccontextmanager
    async def open(
        self,
        config: LlamaCppConfig,
        endpoint: str,
        body: dict[str, object],
        *,
        method: str = "POST",
        form: Form | None = None,
    ) -> AsyncIterator[Answer]:
        """Send a request to the model's server, started if need be, and open its reply.

        Raises ModelDoesNotEmbed, what `start` raises, Unavailable when the queue is full, and UpstreamFailed.
        """
        plan = await self.plan(config)
        if endpoint in _EMBEDDING_ENDPOINTS and not plan.embeds:
            raise ModelDoesNotEmbed(model=config.model.alias, param="model")
        with self._activity.asking(config.model.alias) as asked:
            async with open_answer(self._actor, plan.spec, endpoint, body, method=method, form=form) as answer:
                self._activity.answered(asked, answer)
                self._metrics.notify()
                yield answer

    async def chat_completions(self, config: LlamaCppConfig, body: dict[str, object]) -> bytes:
        """`POST /v1/chat/completions`, the whole reply."""
        return await self._whole(config, CHAT, body)

    async def embeddings(self, config: LlamaCppConfig, body: dict[str, object]) -> bytes:
        """`POST /v1/embeddings`, the whole reply. Raises ModelDoesNotEmbed."""
        return await self._whole(config, EMBEDDINGS, body)

    async def tokenize(self, config: LlamaCppConfig, body: dict[str, object]) -> bytes:
        """`POST /tokenize`, the whole reply."""
        return await self._whole(config, "/tokenize", body)

    async def detokenize(self, config: LlamaCppConfig, body: dict[str, object]) -> bytes:
        """`POST /detokenize`, the whole reply."""
        return await self._whole(config, "/detokenize", body)

    async def _whole(self, config: LlamaCppConfig, endpoint: str, body: dict[str, object]) -> bytes:
        async with self.open(config, endpoint, body) as answer:
            reply = b"".join([piece async for piece in answer])
            if answer.status != 200:
                raise UpstreamFailed(reason=f"{endpoint} answered {answer.status}")
            return reply
