"""Names of models as labels: only those of models that are there, since a client may ask for any name.

That a model is there shows in its answering, or in its having an engine; no list is asked for, because a list may have
to be fetched from other machines. A remote server that takes any name is bounded by `LIMIT`.
"""

from __future__ import annotations

from llamero.gateway.protocols import Servers

OTHER = "other"
LIMIT = 500


class ModelLabels:
    """The names so far."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._known: set[str] = set()

    def label(self, name: str, *, answered: bool) -> str:
        """Return the name, or `other` where no model of that name has shown itself. `answered`: one has just now."""
        if name in self._known:
            return name
        is_there = answered or any(server.model.alias == name for server in self._servers.status().servers)
        if not is_there or len(self._known) >= LIMIT:
            return OTHER
        self._known.add(name)
        return name
