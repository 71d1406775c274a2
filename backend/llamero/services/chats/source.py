"""The models of the app as a source of answers for conversations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing, nullcontext
from typing import Protocol

import msgspec
from msgspec.structs import asdict

from llamero.models.bridge.chats import Progress, ProgressKind
from llamero.models.chat import ChatDelta, Finished, PromptProgress
from llamero.models.conversations import Sampling
from llamero.models.errors import InvalidRequest
from llamero.models.inference import CHAT, InferenceRequest
from llamero.models.llama import ServerPhase
from llamero.services.chats.history import has_pictures
from llamero.services.chats.protocols import ChatMessages
from llamero.services.inspection.trace import Origin, Trace
from llamero.services.llama.deltas import deltas
from llamero.services.replies import OpenReply

DIALECT = "chat"
CLIENT = "Llamero chat"


class Inspection(Protocol):
    """Keeps what is recorded of requests: `services.inspection.inspector.Inspector`."""

    def begin(self, origin: Origin) -> Trace | None:
        """Record a request from now on. None: it is not to be recorded."""
        ...


class Inference(Protocol):
    """Answers requests with models: `services.inference.InferenceService`, or what stands around it."""

    def stream(self, request: InferenceRequest) -> AbstractAsyncContextManager[OpenReply]:
        """Open the reply to a request."""
        ...


class InferenceChatSource:
    """Asks through the InferenceService, as the gateway does.

    `is_local` says whether a model runs on this machine and may have to be loaded first, `phase_of` how the server of
    an alias stands now (None: there is none); both only decide what is shown. `sees` says whether a model takes
    pictures (None: only its server knows).
    """

    def __init__(
        self,
        inference: Inference,
        is_local: Callable[[str], Awaitable[bool]],
        phase_of: Callable[[str], ServerPhase | None],
        inspection: Inspection | None = None,
        sees: Callable[[str], Awaitable[bool | None]] | None = None,
    ) -> None:
        self._inference = inference
        self._is_local = is_local
        self._phase_of = phase_of
        self._inspection = inspection
        self._sees = sees

    async def ask(
        self, model: str, messages: ChatMessages, sampling: Sampling, on_progress: Callable[[Progress], None]
    ) -> AsyncGenerator[ChatDelta, None]:
        """Yield the deltas of one answer; the last one is Finished. Raises what `stream` and `deltas` raise.

        InvalidRequest where there is something to be seen and the model is known not to see.
        """
        if has_pictures(messages) and self._sees is not None and await self._sees(model) is False:
            raise InvalidRequest("chat_error-model_cannot_see", model=model)

        def tell(kind: ProgressKind) -> None:
            on_progress(Progress(kind=kind, model=model))

        def tell_reading(read: PromptProgress) -> None:
            on_progress(Progress(kind=ProgressKind.READING, model=model, done=read.processed, total=read.total))

        request = InferenceRequest(model=model, body=_body(model, messages, sampling))
        finished: Finished | None = None
        with self._followed(request):
            ready = self._phase_of(model) is ServerPhase.READY or not await self._is_local(model)
            tell(ProgressKind.READING if ready else ProgressKind.LOADING)
            async with self._inference.stream(request) as answer:
                if not ready:
                    tell(ProgressKind.READING)
                answer.on_recovery = lambda: tell(ProgressKind.RECOVERING)
                async with aclosing(deltas(answer, tell_reading)) as told:
                    async for delta in told:
                        if isinstance(delta, Finished):
                            finished = delta
                        else:
                            yield delta
        # Only now: whoever has heard the end may not come back for more, and the request would look broken off.
        if finished is not None:
            yield finished

    def _followed(self, request: InferenceRequest) -> AbstractContextManager[None]:
        """Record the request as if the window had sent it to the gateway, by which it can be sent again."""
        origin = Origin(dialect=DIALECT, route=CHAT, path=CHAT, client=CLIENT)
        trace = None if self._inspection is None else self._inspection.begin(origin)
        if trace is None:
            return nullcontext()
        if trace.keeps_content:
            trace.receive(msgspec.json.encode(request.body), "application/json")
        return trace.followed()


def _body(model: str, messages: ChatMessages, sampling: Sampling) -> dict[str, object]:
    chosen = {name: value for name, value in asdict(sampling).items() if value is not None}
    streamed = {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
    return {"model": model, "messages": messages, **streamed, **chosen}
