"""What the actor needs of a server, and of the one who makes servers. `infrastructure.llama.server` fulfils both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from llamero.models.llama import Failure, LaunchSpec, OutputLines, ServerLimits

# Returns once there is memory for a model.
Room = Callable[[], Awaitable[object]]


class Sink(Protocol):
    """Takes bytes as they arrive, called from the event loop."""

    def write(self, data: bytes) -> bool:
        """Take these, whatever the room. False: there are no more before `drained` has returned."""
        ...

    async def drained(self) -> None:
        """Wait until there is room."""
        ...


class Reply(Protocol):
    """An open HTTP reply of a server. Iterating yields the body as it arrives; `read` takes all of it."""

    @property
    def status(self) -> int:
        """The upstream status, untouched."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The upstream headers without the hop-by-hop ones."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces as they arrive. Raises UpstreamFailed when the connection breaks."""
        ...

    async def read(self) -> bytes:
        """The whole body. Raises UpstreamFailed when the connection breaks."""
        ...

    async def pour(self, sink: Sink) -> None:
        """Write the body to `sink` as it arrives; returns at its end.

        Raises UpstreamFailed when the connection breaks, and what `sink` raises.
        """
        ...


class Server(Protocol):
    """One llama-server process and its HTTP surface."""

    @property
    def pid(self) -> int:
        """The process, once started."""
        ...

    @property
    def port(self) -> int:
        """The loopback port, once started."""
        ...

    @property
    def limits(self) -> ServerLimits:
        """What it takes at once, once started."""
        ...

    async def start(self, room: Room | None = None) -> None:
        """Spawn and wait until it is ready; `room` is awaited before the model takes memory.

        Raises EngineFailed, StartTimedOut or HealthCheckFailed; leaves nothing.
        """
        ...

    async def ended(self) -> Failure:
        """Wait until the process has ended by itself and its whole tree is gone."""
        ...

    async def stop(self) -> None:
        """Close our connections, stop the process and wait until its whole tree is gone. Idempotent."""
        ...

    def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> AbstractAsyncContextManager[Reply]:
        """Send a request; `path` has its query. Raises UpstreamFailed when the server cannot be reached."""
        ...

    def log_tail(self, lines: int = 512) -> tuple[str, ...]:
        """The last lines it wrote, oldest first."""
        ...

    def output_since(self, written: int) -> OutputLines:
        """The lines after the first `written`, as far as they are kept."""
        ...


class ServerFactory(Protocol):
    """Makes servers that have not been started."""

    def __call__(self, spec: LaunchSpec) -> Server:
        """A server for this spec."""
        ...
