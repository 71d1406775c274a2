"""Who is let in by which key, and how much each key may ask for.

Keys are in memory and read again when the database was changed, by whomever, so a key that was made or revoked counts
from the next request on. A key that is looked for and not found costs what one that is found does, and what is compared
are digests, in constant time. When a key was last used is written at most once a minute and nobody waits for it.

Where no key is required, any bearer is as good as none; but whoever sends a key of ours is held to its scopes and
limits, and one that was revoked or has expired is refused.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.key_digest import digest
from llamero.models.access import ApiKey, Scope, StoredKey
from llamero.models.errors import AuthenticationFailed, Forbidden, LlameroError, RateLimited
from llamero.services.rate_limits import Standing, TokenBucket

USE_INTERVAL_S = 60.0
STREAM_RETRY_S = 1.0
# Stands for a key that was not found; no text has this digest, as far as anybody knows.
_NOBODY = StoredKey(digest=bytes(32), key=ApiKey(id="", name="nobody", start="", scopes=(), created_at=0.0))

logger = logging.getLogger(__name__)


class KeyStore(Protocol):
    """Where keys are kept: `infrastructure.storage.api_keys.ApiKeyStore`."""

    def stamp(self) -> int | None:
        """A number that changes when `stored` may return something else; None where it cannot be told at once."""
        ...

    async def stored(self) -> Sequence[StoredKey]:
        """Every key, revoked ones too."""
        ...

    async def note_use(self, key_id: str, at: float) -> None:
        """Remember when a key was last used."""
        ...


class Visitor:
    """Whoever sends a request: somebody with a key, or anybody (`key` None), who may do everything."""

    def __init__(self, key: ApiKey | None = None, clock: Clock | None = None) -> None:
        self.key = key
        self.standing: Standing | None = None
        """Where the key stands after its last request; None where its rate is not limited."""
        self.streams = 0
        self._clock = clock
        limit = key.requests_per_minute if key is not None else None
        self._bucket = TokenBucket(limit, clock.monotonic()) if limit and clock is not None else None

    def may(self, scope: Scope) -> bool:
        """May this visitor do what `scope` names?"""
        return self.key is None or scope in self.key.scopes

    def require(self, scope: Scope) -> None:
        """Raise Forbidden unless this visitor may do what `scope` names."""
        if self.key is not None and not self.may(scope):
            raise Forbidden("access_error-scope", name=self.key.name, scope=scope.value)

    def count_request(self) -> None:
        """Count a request. Raises RateLimited where the key has had its requests of this minute."""
        if self._bucket is None or self._clock is None:
            return
        self.standing = standing = self._bucket.take(self._clock.monotonic())
        if standing.retry_after_s is not None:
            raise RateLimited("access_error-key_rate_limited", limit=standing.limit, retry_after=standing.retry_after_s)

    @property
    def streams_standing(self) -> Standing | None:
        """How many answers more the key may have now; None where that is not limited. When one ends nobody knows."""
        limit = self.key.streams if self.key is not None else None
        if limit is None:
            return None
        remaining = max(0, limit - self.streams)
        return Standing(limit, remaining, 0.0 if remaining else STREAM_RETRY_S)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Have one answer more for as long as this lasts. Raises RateLimited where the key has all it may at once."""
        limit = self.key.streams if self.key is not None else None
        if limit is not None and self.streams >= limit:
            raise RateLimited("access_error-key_streams_limited", limit=limit, retry_after=STREAM_RETRY_S)
        with self.goes_on():
            yield

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """Count an answer for as long as this lasts: one that outlives the request that `stream` has let in."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1


ANYBODY = Visitor()


class AccessService:
    """Tells who a visitor is. `configured` is the one key of the command line or the environment; it may do all."""

    def __init__(self, store: KeyStore | None, clock: Clock, *, required: bool, configured: str | None = None) -> None:
        self._store = store
        self._clock = clock
        self._required = required
        self._configured: dict[bytes, StoredKey] = {}
        if configured is not None:
            key = ApiKey(id="", name="configured", start="", scopes=tuple(Scope), created_at=clock.time())
            stored = StoredKey(digest=digest(configured), key=key)
            self._configured[stored.digest] = stored
        self._keys: Mapping[bytes, StoredKey] = self._configured
        self._stamp: int | None = None
        self._reading = asyncio.Lock()
        self._visitors: dict[str, Visitor] = {}
        self._noted: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"AccessService(required={self._required}, keys={len(self._keys)})"

    @property
    def required(self) -> bool:
        """Whether nobody is let in without a key."""
        return self._required

    async def has_keys(self) -> bool:
        """Tell whether there is any key that lets somebody in."""
        await self._refresh()
        now = self._clock.time()
        return any(stored.key.is_valid(now) for stored in self._keys.values())

    async def identify(self, presented: Iterable[str]) -> Visitor:
        """Return who sends these keys, of which one has to be right.

        Raises AuthenticationFailed without a key where one is required, and for one that was revoked or has expired.
        """
        await self._refresh()
        refusal: LlameroError | None = None
        for text in presented:
            stored = self._find(text)
            if stored is None:
                continue
            if stored.key.is_valid(self._clock.time()):
                self._note_use(stored.key)
                return self._visitor(stored.key)
            revoked = stored.key.revoked_at is not None
            code = "access_error-key_revoked" if revoked else "access_error-key_expired"
            refusal = AuthenticationFailed(code, name=stored.key.name)
        if refusal is not None:
            raise refusal
        if not self._required:
            return ANYBODY
        raise AuthenticationFailed() if any(presented) else AuthenticationFailed("access_error-missing_api_key")

    async def close(self) -> None:
        """Wait until the last uses are written."""
        await asyncio.gather(*self._notes, return_exceptions=True)

    def _find(self, text: str) -> StoredKey | None:
        if not self._keys:  # nothing is told by how long this takes, but that there are none
            return None
        wanted = digest(text)
        candidate = self._keys.get(wanted, _NOBODY)
        return candidate if hmac.compare_digest(candidate.digest, wanted) else None

    def _visitor(self, key: ApiKey) -> Visitor:
        """The visitor outlives a new reading of the keys: it counts what goes on."""
        visitor = self._visitors.get(key.id)
        if visitor is None:
            visitor = self._visitors[key.id] = Visitor(key, self._clock)
        return visitor

    async def _refresh(self) -> None:
        """Know the keys as they are now. Whoever comes while they are being read waits for it."""
        if self._store is None or self._is_current(self._store):
            return
        async with self._reading:
            if self._is_current(self._store):
                return
            stamp = self._store.stamp()
            stored = await self._store.stored()
            self._keys = self._configured | {one.digest: one for one in stored}
            self._stamp = stamp

    def _is_current(self, store: KeyStore) -> bool:
        stamp = store.stamp()
        return stamp is not None and stamp == self._stamp

    def _note_use(self, key: ApiKey) -> None:
        now = self._clock.monotonic()
        if self._store is None or not key.id or now - self._noted.get(key.id, -USE_INTERVAL_S) < USE_INTERVAL_S:
            return
        self._noted[key.id] = now
        task = asyncio.create_task(self._write_use(self._store, key.id, self._clock.time()), name="key last used")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _write_use(self, store: KeyStore, key_id: str, at: float) -> None:
        try:
            await store.note_use(key_id, at)
        except LlameroError as error:
            logger.warning("when a key was last used cannot be written: %s", error)
