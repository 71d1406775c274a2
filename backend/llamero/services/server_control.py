"""The servers by the names that clients know: several names may share one server."""

from __future__ import annotations

from llamero.models.aliases import LocalDestination
from llamero.models.llama import ActorSnapshot, ServerPhase
from llamero.services.llama.actor import LlamaActor
from llamero.services.llama.keep_alive import wanted_by_request
from llamero.services.llama.service import LlamaCppService
from llamero.services.routing import Router


class ServerControl:
    """Loads and unloads what a name leads to."""

    def __init__(self, llama: LlamaCppService, actor: LlamaActor, router: Router) -> None:
        self._llama = llama
        self._actor = actor
        self._router = router

    def status(self) -> ActorSnapshot:
        """How the servers stand now, for showing."""
        return self._actor.snapshot

    async def runs(self, name: str) -> bool:
        """Does a server run, or start, that does for this name? False for a remote model.

        Raises ModelNotFound and what `LlamaCppService.plan` raises.
        """
        destination = await self._router.resolve(name)
        if not isinstance(destination, LocalDestination):
            return False
        return self._actor.runs((await self._llama.plan(destination.config)).spec)

    async def load(self, name: str, keep_alive_s: float | None = None, *, may_shorten: bool = True) -> None:
        """Make a model ready, and keep it so for `keep_alive_s` instead of what its alias says, or if that is longer.

        Raises ModelNotFound and what ends a start; without effect for a remote model.
        """
        destination = await self._router.resolve(name)
        if isinstance(destination, LocalDestination):
            await self._llama.start(wanted_by_request(destination.config, keep_alive_s, may_shorten))

    async def unload(self, name: str) -> None:
        """Stop a model once no request needs it; returns when its process is gone, or at once if it is in use.

        Raises ModelNotFound and what `LlamaCppService.plan` raises; without effect for a remote model.
        """
        destination = await self._router.resolve(name)
        if isinstance(destination, LocalDestination):
            plan = await self._llama.plan(destination.config)
            await self._actor.expire(plan.spec)

    async def restart(self, name: str) -> None:
        """Stop a model whatever it does, and make it ready again.

        Raises ModelNotFound and what ends a start; without effect for a remote model.
        """
        destination = await self._router.resolve(name)
        if isinstance(destination, LocalDestination):
            await self._llama.stop(destination.config.model.alias)
            await self._llama.start(destination.config)

    def phase(self, name: str) -> ServerPhase | None:
        """How the server of this name stands now, for showing; None where there is none."""
        return next((s.phase for s in self._actor.snapshot.servers if s.model.alias == name), None)
