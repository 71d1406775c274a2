"""What remote servers say of their keys, heard in passing: no server is asked for it.

Invariants: what a server said counts for the very key that it was sent, so a new one is not thought bad for the old
one's sake; a server at another address has said nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from llamero.models.aliases import ApiModel
from llamero.models.errors import LlameroError
from llamero.models.remote import KeyState, RemoteRequest
from llamero.services.remotes import KeySource, RemoteHttp, RemoteReply

UNAUTHORIZED = 401


class KeyStates:
    """Sends requests as the `RemoteHttp` that it is given, and remembers which keys were refused."""

    def __init__(self, http: RemoteHttp, keys: KeySource) -> None:
        self._http = http
        self._keys = keys
        self._refused: dict[tuple[str, str], str | None] = {}

    @asynccontextmanager
    async def request(self, request: RemoteRequest, key: str | None) -> AsyncIterator[RemoteReply]:
        """Send a request and open its reply. Raises UpstreamFailed when the server cannot be reached."""
        async with self._http.request(request, key) as reply:
            if reply.status == UNAUTHORIZED:
                self._refused[_place(request.api)] = key
            elif 200 <= reply.status < 300:
                self._refused.pop(_place(request.api), None)
            yield reply

    async def of(self, apis: Iterable[ApiModel]) -> Mapping[str, KeyState]:
        """Return what is known of each server's key, by the name of the API model."""
        return {api.name: await self._state(api) for api in apis}

    async def _state(self, api: ApiModel) -> KeyState:
        try:
            key = await self._keys.get(api.name)
        except LlameroError:
            return KeyState.UNREADABLE
        place = _place(api)
        if place in self._refused and self._refused[place] == key:
            return KeyState.MISSING if key is None else KeyState.REJECTED
        return KeyState.NONE if key is None else KeyState.KEPT


def _place(api: ApiModel) -> tuple[str, str]:
    return api.name, api.base_url
