"""The servers by the names that clients know: several names may share one server."""

from __future__ import annotations

from llamero.models.aliases import LocalDestination
from llamero.models.llama import ActorSnapshot, ServerPhase
from llamero.services.llama.actor import LlamaActor
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

    async def load(self, name: str) -> None:
        """Make a model ready. Raises ModelNotFound and what ends a start; without effect for a remote model."""
        destination = await self._router.resolve(name)
        if isinstance(destination, LocalDestination):
            await self._llama.start(destination.config)

    async def unload(self, name: str) -> None:
        """Stop a model and return when its process is gone. Raises ModelNotFound; without effect for a remote one."""
        destination = await self._router.resolve(name)
        if isinstance(destination, LocalDestination):
            await self._actor.unload(destination.config.model.alias)

    def phase(self, name: str) -> ServerPhase | None:
        """How the server of this name stands now, for showing; None where there is none."""
        return next((s.phase for s in self._actor.snapshot.servers if s.model.alias == name), None)
