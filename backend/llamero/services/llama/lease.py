"""The right to use one ready server. The actor grants it, and counts the server as used until it is given back."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from llamero.services.llama import effects, events
from llamero.services.llama.protocols import Server

if TYPE_CHECKING:
    from llamero.services.llama.actor import LlamaActor


class Lease:
    """Use it until `release`. Also a context manager that releases."""

    def __init__(
        self, actor: LlamaActor, grant: effects.Grant, server: Server, load: tuple[float, float] | None = None
    ) -> None:
        self._actor = actor
        self._key = (grant.alias, grant.generation)
        self.alias = grant.alias
        """The name that the server was started under, which the engine calls the model by."""
        self.id = grant.lease
        self.server = server
        self.load = load
        """From when to when the server was started, in monotonic seconds; for showing."""
        self._released = False

    def release(self) -> None:
        """Say that the request has ended. Only the first call counts."""
        if not self._released:
            self._released = True
            self._actor.tell(events.Released(self.id, self._actor.clock.monotonic()))

    async def server_ended(self, timeout_s: float) -> bool:
        """After a broken connection: wait a moment to learn whether the server died. True once the actor knows."""
        return await self._actor.heard_of_end(self._key, timeout_s)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
