"""The inspector: keeps the last requests in memory, and tells about them.

Nothing of it is written anywhere or leaves the machine, but for the one choice whether content is kept. Invariants: at
most so many requests and so many bytes of content as the settings say; where there is no room the oldest content goes
first, and a request outlives its content.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.secret_masking import process_secrets
from llamero.models.errors import Conflict, LlameroError, NotFound, Unavailable, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.models.inspector import (
    ListRequests,
    Outcome,
    RenderedPrompt,
    RequestDetails,
    RequestList,
    RequestSummary,
)
from llamero.models.settings import InspectorSettings
from llamero.services.inference import InferenceService
from llamero.services.inspection.budget import Budget
from llamero.services.inspection.reading import (
    conclude,
    details_of,
    prompt_request,
    summary_of,
)
from llamero.services.inspection.searching import matching
from llamero.services.inspection.trace import Origin, Trace
from llamero.services.llama.deltas import refusal

CLIENT_LIMIT = 200
REPLAY_BEGINS_S = 30.0
_MEBIBYTE = 1024 * 1024


class Replayer(Protocol):
    """Sends a request to the gateway and throws the answer away: `infrastructure.replaying.HttpReplayer`."""

    async def send(self, url: str, body: bytes, content_type: str, ticket: str) -> None:
        """Returns when the answer has ended. Raises UpstreamFailed when the gateway cannot be reached."""
        ...


class Inspector:
    """The last requests. `on_change` is called with what is new, None for everything; it must be quick."""

    def __init__(
        self,
        settings: InspectorSettings,
        clock: Clock,
        inference: InferenceService,
        replayer: Replayer,
        messages: Callable[[LlameroError], str],
    ) -> None:
        self.on_change: Callable[[str | None], None] = lambda _: None
        self.gateway_url: Callable[[], str | None] = lambda: None
        self._settings = settings
        self._clock = clock
        self._inference = inference
        self._replayer = replayer
        self._messages = messages
        self._budget = Budget(settings.max_mb * _MEBIBYTE, self._drop_oldest_content)
        self._traces: dict[str, Trace] = {}
        self._wants_content = True
        self._replays: dict[str, tuple[str, asyncio.Future[Trace]]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def keeps_content(self) -> bool:
        """Is what requests say kept?"""
        return self._settings.content and self._wants_content

    @property
    def bytes_kept(self) -> int:
        """How much content there is now."""
        return self._budget.used

    # Recording

    def begin(self, origin: Origin) -> Trace | None:
        """Record a request from now on. None: the settings keep none."""
        if self._settings.max_requests == 0:
            return None
        while len(self._traces) >= self._settings.max_requests:
            self._forget(next(iter(self._traces)))
        trace = Trace(
            secrets.token_hex(8),
            dataclasses.replace(origin, client=process_secrets.apply(origin.client, CLIENT_LIMIT)),
            at=self._clock.time(),
            now=self._clock.monotonic,
            budget=self._budget,
            keeps_content=self.keeps_content,
            changed=self._changed,
        )
        self._traces[trace.id] = trace
        return trace

    def take_ticket(self, ticket: str) -> str | None:
        """Return which request is replayed with this ticket. Each is good for one request."""
        replayed = self._replays.get(ticket)
        return None if replayed is None or replayed[1].done() else replayed[0]

    def begun(self, ticket: str, trace: Trace) -> None:
        """The request that came with this ticket is recorded here."""
        self._replays[ticket][1].set_result(trace)

    # Looking

    def listed(self) -> RequestList:
        """All requests, the newest first."""
        return self._list(self._traces.values())

    async def find(self, wanted: ListRequests) -> RequestList:
        """The requests that are wanted, the newest first. Streams go on while it looks through what was said."""
        found = await matching(self._after(wanted.after), wanted, lambda trace: summary_of(trace, self._messages))
        return self._list([trace for trace in found if trace.id in self._traces])

    def _list(self, traces: Iterable[Trace]) -> RequestList:
        return RequestList(
            requests=tuple([summary_of(trace, self._messages) for trace in traces][::-1]),
            enabled=self._settings.max_requests > 0,
            content=self.keeps_content,
            content_allowed=self._settings.content,
            gateway_url=self.gateway_url(),
        )

    def summary(self, id: str) -> RequestSummary | None:
        """One line, None where the request is not kept any more."""
        trace = self._traces.get(id)
        return None if trace is None else summary_of(trace, self._messages)

    def details(self, id: str) -> RequestDetails:
        """Everything about one. Raises NotFound."""
        return details_of(self._found(id), self._messages)

    async def render_prompt(self, id: str) -> RenderedPrompt:
        """The prompt that the model's template makes of a request, which loads the model where it is not loaded.

        Raises NotFound, Conflict where there is nothing to render, and what asking the model raises.
        """
        wanted = prompt_request(self._found(id))
        if wanted is None:
            raise Conflict("inspector_error-not_kept")
        model, body = wanted
        if isinstance(prompt := body.get("prompt"), str):
            return RenderedPrompt(prompt=prompt)
        request = InferenceRequest(model=model, endpoint="/apply-template", body={**body, "model": model})
        async with self._inference.stream(request) as reply:
            said = b"".join([piece async for piece in reply])
            if reply.status != 200:
                raise refusal(reply.status, said)
        try:
            return msgspec.json.decode(said, type=RenderedPrompt)
        except msgspec.DecodeError as error:
            raise UpstreamFailed(reason=f"/apply-template: {error}") from error

    # Acting

    async def replay(self, id: str) -> RequestSummary:
        """Send a request once more by the same way, and return how the new one begins.

        Raises NotFound, Conflict where its body was not kept, Unavailable where the gateway is not open.
        """
        original = self._found(id)
        body, url = original.content.body, self.gateway_url()
        if body.data is None or not body.is_whole:
            raise Conflict("inspector_error-not_kept")
        if url is None:
            raise Unavailable("inspector_error-no_gateway")
        ticket = secrets.token_urlsafe(32)
        begun: asyncio.Future[Trace] = asyncio.get_running_loop().create_future()
        self._replays[ticket] = (id, begun)
        sending = asyncio.create_task(
            self._replayer.send(url + original.origin.path, body.data, body.content_type, ticket), name=f"replay {id}"
        )
        self._sending.add(sending)
        sending.add_done_callback(self._sent)
        try:
            await asyncio.wait((begun, sending), timeout=REPLAY_BEGINS_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._replays[ticket]
        if not begun.done():
            raise Unavailable("inspector_error-no_gateway")
        return summary_of(begun.result(), self._messages)

    def keep_content(self, wanted: bool) -> None:
        """Keep what requests say, or forget all that was kept. Raises Conflict where the settings forbid keeping."""
        if wanted and not self._settings.content:
            raise Conflict("inspector_error-content_off")
        self._wants_content = wanted
        if not wanted:
            for trace in self._traces.values():
                trace.forget_content()
        self.on_change(None)

    def clear(self) -> None:
        """Forget every request that has ended."""
        for id in [id for id, trace in self._traces.items() if trace.outcome is not Outcome.RUNNING]:
            self._forget(id)
        self.on_change(None)

    async def close(self) -> None:
        """End replays that are under way."""
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _changed(self, trace: Trace) -> None:
        if trace.ended is not None:
            conclude(trace)
        self.on_change(trace.id)

    def _found(self, id: str) -> Trace:
        trace = self._traces.get(id)
        if trace is None:
            raise NotFound("inspector_error-gone")
        return trace

    def _after(self, id: str | None) -> list[Trace]:
        traces = list(self._traces.values())
        at = next((place for place, trace in enumerate(traces) if trace.id == id), -1)
        return traces[at + 1 :]

    def _forget(self, id: str) -> None:
        self._traces.pop(id).forget_content()

    def _drop_oldest_content(self, missing: int) -> None:
        for trace in self._traces.values():
            if missing <= 0:
                return
            missing -= trace.size
            if trace.size:
                trace.forget_content()

    def _sent(self, sending: asyncio.Task[None]) -> None:
        self._sending.discard(sending)
        if not sending.cancelled():
            sending.exception()  # the request that came of it says what went wrong
