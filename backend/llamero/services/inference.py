"""One way to a model for the window and the gateway alike: alias, defaults, destination, reply.

Invariant: `ChatCompletions` is told once for every request that named a model, under the name that the client asked
for, whether the request succeeded or not, and however many models were tried for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from llamero.infrastructure.clock import Clock
from llamero.models.aliases import (
    Destination,
    FallbackDestination,
    LocalDestination,
    PausedTarget,
    RemoteDestination,
)
from llamero.models.events import ChatCompletions
from llamero.models.inference import InferenceRequest
from llamero.services.fallbacks import Fallbacks
from llamero.services.fetching import refuse_addresses
from llamero.services.inspection.notes import note_destination
from llamero.services.inspection.recorded import counting, recorded, recording
from llamero.services.inspection.trace import current_trace
from llamero.services.llama.keep_alive import wanted_by_request
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.service import LlamaCppService
from llamero.services.replies import OpenReply
from llamero.services.request_defaults import with_defaults
from llamero.services.routing import Router


class Remotes(Protocol):
    """Asks models on remote servers. `services.remotes` fulfills it."""

    def open(self, destination: RemoteDestination, request: InferenceRequest) -> AbstractAsyncContextManager[OpenReply]:
        """Open a reply; leaving the context ends it there, too. Raises UpstreamFailed or Unavailable."""
        ...


class InferenceService:
    """Answers requests with models."""

    def __init__(
        self, llama: LlamaCppService, router: Router, listeners: Listeners, remotes: Remotes, clock: Clock
    ) -> None:
        self._llama = llama
        self._router = router
        self._listeners = listeners
        self._remotes = remotes
        self._fallbacks = Fallbacks(router.resolve, self._open_one, clock)

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[OpenReply]:
        """Open the reply to a request; leaving the context frees the engine, or ends the request to the remote server.

        Raises ModelNotFound, InvalidRequest for what would have to be fetched, what `LlamaCppService.open` raises, and
        UpstreamFailed or Unavailable for what is remote.
        """
        trace = current_trace()
        with recording(trace, request):
            destination = await self._router.resolve(request.model)
            try:
                async with self._open(destination, request) as reply:
                    with counting(reply, trace):
                        yield recorded(reply, trace)
            finally:
                self._listeners.tell(ChatCompletions(destination.alias))

    async def is_local(self, name: str) -> bool:
        """Does the name lead to a model on this machine, which may have to be loaded first? Raises ModelNotFound."""
        return isinstance(await self._router.resolve(name), LocalDestination)

    async def sees(self, name: str) -> bool | None:
        """Does the name lead to a model that sees pictures? None where only others know. Raises ModelNotFound."""
        destination = await self._router.resolve(name)
        return self._router.sees(destination.config) if isinstance(destination, LocalDestination) else None

    def paused(self) -> tuple[PausedTarget, ...]:
        """Return the targets of fallbacks that are left alone now."""
        return self._fallbacks.paused()

    def _open(self, destination: Destination, request: InferenceRequest) -> AbstractAsyncContextManager[OpenReply]:
        if isinstance(destination, FallbackDestination):
            return self._fallbacks.open(destination, request)
        return self._open_one(destination, request)

    def _open_one(
        self, destination: LocalDestination | RemoteDestination, request: InferenceRequest
    ) -> AbstractAsyncContextManager[OpenReply]:
        note_destination(destination)
        if isinstance(destination, RemoteDestination):
            return self._remotes.open(destination, request)
        refuse_addresses(request.body)
        config = wanted_by_request(destination.config, request.keep_alive_s, request.may_shorten)
        body = with_defaults(request.endpoint, request.body, destination.defaults, destination.system_prompt)
        return self._llama.open(config, request.endpoint, body, method=request.method, form=request.form)
