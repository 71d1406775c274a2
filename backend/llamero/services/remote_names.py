"""The names that remote servers say that they know models by, for those whose every model is offered.

Invariants: a list never waits longer than `TIMEOUT_S` and never fails by a server that does not answer; what such a
server said last stays. Each server is asked once in `FRESH_S` at most, however many ask, and the log says once that it
fails and once that it works again. `AT_ONCE` servers are asked at the same time and the others after them; one whose
turn has not come in time is not thought ill of, and is asked for the next list.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.outage import Outage
from llamero.models.aliases import ApiModel
from llamero.models.errors import LlameroError, UpstreamFailed
from llamero.models.remote import RemoteRequest
from llamero.services.remotes import KeySource, RemoteHttp

ENDPOINT = "/v1/models"
FRESH_S = 60.0
TIMEOUT_S = 5.0
AT_ONCE = 16
MAX_NAMES = 5_000
MAX_NAME_LENGTH = 200
MAX_BODY_BYTES = 8 * 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass
class _Known:
    """What one server has said. `asked_at` in monotonic seconds, None before the first time."""

    outage: Outage
    names: tuple[str, ...] = ()
    asked_at: float | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class RemoteNames:
    """Asks remote servers for their lists of models."""

    def __init__(self, http: RemoteHttp, keys: KeySource, clock: Clock) -> None:
        self._http = http
        self._keys = keys
        self._clock = clock
        self._known: dict[tuple[str, str], _Known] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def names(self, api: ApiModel) -> Sequence[str]:
        """Return the names that the server knows its models by, as of a minute ago at the earliest. Never raises."""
        place = (api.name, api.base_url)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = _Known(Outage(logger, f"the models of {api.name}"))
        async with known.asking:
            now = self._clock.monotonic()
            if known.asked_at is None or now - known.asked_at >= FRESH_S:
                known.asked_at = now
                await self._ask(api, known)
        return known.names

    def known(self, api: ApiModel) -> Sequence[str]:
        """Return what the server said last, without asking it; nothing before the first time."""
        known = self._known.get((api.name, api.base_url))
        return () if known is None else known.names

    async def _ask(self, api: ApiModel, known: _Known) -> None:
        has_begun = False
        try:
            async with asyncio.timeout(TIMEOUT_S), self._room:
                has_begun = True
                known.names = names_of(await self._fetch(api))
        except TimeoutError:
            if not has_begun:
                known.asked_at = None
                return
            known.outage.failed(f"no answer within {TIMEOUT_S:.0f} s")
        except LlameroError as error:
            known.outage.failed(str(error))
        else:
            known.outage.recovered()

    async def _fetch(self, api: ApiModel) -> bytes:
        key = await self._keys.get(api.name)
        body = bytearray()
        async with self._http.request(RemoteRequest(api=api, endpoint=ENDPOINT, method="GET"), key) as reply:
            if reply.status != 200:
                raise UpstreamFailed(reason=f"it answered {reply.status}")
            async for piece in reply:
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise UpstreamFailed(reason="its list is too large")
        return bytes(body)


class _List(msgspec.Struct):
    data: list[object] = []


def names_of(document: bytes) -> tuple[str, ...]:
    """Return the ids of a `GET /v1/models` answer, each once, without entries that have none.

    Format: `{"data": [{"id", …}]}`. Raises UpstreamFailed when it is no such list.
    """
    try:
        entries = msgspec.json.decode(document, type=_List).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed(reason=f"its list of models cannot be read: {error}") from error
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    names = [name for name in ids if isinstance(name, str) and name.strip() and len(name) <= MAX_NAME_LENGTH]
    return tuple(dict.fromkeys(names))[:MAX_NAMES]
