"""Models on remote servers: what is sent there for a request, and the reply as any model here gives it.

Invariants: the server sees its own name of the model and nothing that only Llamero's engines know; its key comes from
where keys are kept, goes to the client and nowhere else, and is taken out of what the server says about it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.models.aliases import RemoteDestination
from llamero.models.errors import UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.models.remote import RemoteRequest
from llamero.services.fallback import retry_after_s
from llamero.services.forms import MULTIPART, with_text_field
from llamero.services.inspection.notes import note_sent
from llamero.services.llama.passing import Block
from llamero.services.remote_events import ChatEvents, NamedEvents, remote_events
from llamero.services.replies import is_event_stream, media_type

REFUSAL_BYTES = 64 * 1024
# Up to here a body that is no stream comes as one piece, so that one that breaks off is an error and not half a body.
COLLECTED_BYTES = 1024 * 1024
WEB_PAGE = "text/html"
# Llamero's own window asks every model how far its prompt is read; servers that are strict refuse what they don't know.
_ENGINE_ONLY = frozenset({"return_progress"})


class RemoteReply(Protocol):
    """An open HTTP reply of a remote server. Iterating raises UpstreamFailed when the connection breaks."""

    @property
    def status(self) -> int:
        """The server's HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The server's headers, without those of the connection."""
        ...

    @property
    def host(self) -> str:
        """The server, as a person knows it."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class RemoteHttp(Protocol):
    """Sends requests to remote servers. `infrastructure.remote.client` fulfills it."""

    def request(self, request: RemoteRequest, key: str | None) -> AbstractAsyncContextManager[RemoteReply]:
        """Send a request and open its reply. Raises UpstreamFailed when the server cannot be reached."""
        ...


class KeySource(Protocol):
    """Knows the keys of remote servers. `infrastructure.remote_keys` fulfills it."""

    async def get(self, name: str) -> str | None:
        """Return the key of the API model of that name. Raises Unavailable when it cannot be had now."""
        ...


class RemoteModels:
    """Asks remote servers."""

    def __init__(self, http: RemoteHttp, keys: KeySource, clock: Clock) -> None:
        self._http = http
        self._keys = keys
        self._clock = clock

    @asynccontextmanager
    async def open(self, destination: RemoteDestination, request: InferenceRequest) -> AsyncIterator[RemoteAnswer]:
        """Send a request and open its reply; leaving the context ends it there, too.

        Raises UpstreamFailed when the server cannot be reached, Unavailable when its key cannot be had.
        """
        outgoing = remote_request(destination, request)
        key = await self._keys.get(destination.api.name)
        note_sent(outgoing.endpoint, outgoing.method, outgoing.content, outgoing.content_type)
        async with self._http.request(outgoing, key) as reply:
            if 200 <= reply.status < 300 and media_type(reply.headers) == WEB_PAGE:
                # The address of a server's page instead of its API. No client of ours is to show it, either.
                raise UpstreamFailed("remote_error-web_page", host=reply.host)
            yield RemoteAnswer(reply, request, key, self._headers(reply))

    def _headers(self, reply: RemoteReply) -> Mapping[str, str]:
        """The reply's headers, its Retry-After in seconds, in whichever form the server says it."""
        others = {name: value for name, value in reply.headers.items() if name.lower() != "retry-after"}
        seconds = retry_after_s(reply.headers, self._clock.time())
        return others if seconds is None else {**others, "Retry-After": str(round(seconds))}


class RemoteAnswer:
    """An open reply of a remote server, as `services.replies.OpenReply`. It is never recovered: it is not ours."""

    def __init__(
        self, reply: RemoteReply, request: InferenceRequest, key: str | None, headers: Mapping[str, str]
    ) -> None:
        self.status = reply.status
        self.headers = headers
        self.on_recovery: Callable[[], None] = lambda: None
        self._reply = reply
        self._request = request
        self._key = key

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self.blocks():
            yield block.raw

    async def blocks(self) -> AsyncIterator[Block]:
        """The reply in pieces. Raises UpstreamFailed when the connection breaks or the stream is not complete."""
        if not 200 <= self.status < 300:
            yield Block(await self._refusal())
        elif is_event_stream(self):
            async for block in self._events():
                yield block
        else:
            async for piece in self._body():
                yield Block(piece)

    async def _refusal(self) -> bytes:
        """What the server says, up to a limit, and without the key: some quote what they do not accept."""
        body = bytearray()
        async for piece in self._reply:
            body += piece
            if len(body) >= REFUSAL_BYTES:
                break
        said = bytes(body[:REFUSAL_BYTES])
        return said.replace(self._key.encode(), b"***") if self._key else said

    async def _events(self) -> AsyncIterator[Block]:
        wanted = self._request.body.get("n")
        events = remote_events(self._request.endpoint, wanted if isinstance(wanted, int) else 1)
        async for data in self._reply:
            if (block := events.feed(data)).raw:
                yield block
            self._check(events)
        if (block := events.finish()).raw:
            yield block
        self._check(events)

    def _check(self, events: ChatEvents | NamedEvents) -> None:
        if events.broken is not None:
            reason = str(events.broken.arguments.get("reason", ""))
            raise UpstreamFailed("remote_error-broken", host=self._reply.host, reason=reason)

    async def _body(self) -> AsyncIterator[bytes]:
        collected = bytearray()
        pieces = aiter(self._reply)
        async for piece in pieces:
            collected += piece
            if len(collected) > COLLECTED_BYTES:
                break
        yield bytes(collected)
        async for piece in pieces:
            yield piece


def remote_request(destination: RemoteDestination, request: InferenceRequest) -> RemoteRequest:
    """Return what is sent for a request: the model under the server's name, and without what the server does not take.

    Of a form only the model's name is changed. Raises InvalidRequest for a form that is broken.
    """
    api, upstream = destination.api, destination.upstream
    content: bytes | None = None
    content_type = "application/json"
    if request.form is not None:
        is_multipart = request.form.content_type.partition(";")[0].strip().lower() == MULTIPART
        form = with_text_field(request.form, "model", upstream) if is_multipart else request.form
        content, content_type = form.content, form.content_type
    elif request.method != "GET":
        left_out = _ENGINE_ONLY.union(api.strip, request.engine_only)
        body = {name: value for name, value in request.body.items() if name not in left_out}
        content = msgspec.json.encode(body | {"model": upstream})
    return RemoteRequest(
        api=api, endpoint=request.endpoint, method=request.method, content=content, content_type=content_type
    )
