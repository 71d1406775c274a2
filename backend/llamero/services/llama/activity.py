"""What the models here do, read off their own answers as they pass: no engine is ever asked for it.

The alternative, llama-server's `/slots` and `/metrics`, costs a request for every server and second, and waits in the
engine's queue behind the batch that is being read. Invariants: a token counts once, in the sample in which it was seen;
what an answer in one piece says of itself counts in the sample in which it ends, with its mean speed, since nobody
saw its tokens come. Everything here belongs to one event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from llamero.infrastructure.clock import Clock
from llamero.models.chat import Timings, TokenCounts
from llamero.models.metrics import ServerActivity
from llamero.models.metrics_history import Generation

# Of requests that ended and were not collected yet; more are not drawn.
MOST_GENERATIONS = 2000


class Counted(Protocol):
    """An answer under way: `services.llama.answer.Answer`."""

    @property
    def tokens(self) -> TokenCounts: ...  # noqa: D102
    @property
    def timings(self) -> Timings | None: ...  # noqa: D102
    @property
    def is_whole(self) -> bool: ...  # noqa: D102
    @property
    def served_by(self) -> str: ...  # noqa: D102
    def when_first_piece(self, tell: Callable[[], None]) -> None: ...  # noqa: D102


@dataclass(slots=True, eq=False)
class Asked:
    """One request, from when it was asked to its end. Times are monotonic and wall-clock seconds."""

    alias: str
    began: float
    began_wall: float
    answer: Counted | None = None
    counted: int = 0

    def new_tokens(self) -> int:
        """Tokens of a stream that came since the last call."""
        if self.answer is None or self.answer.is_whole:
            return 0
        seen = self.answer.tokens.generated
        new, self.counted = max(0, seen - self.counted), max(seen, self.counted)
        return new


@dataclass(slots=True)
class _Since:
    """What was seen of one model since the last sample."""

    tokens: int = 0
    whole_speed: float = 0.0
    prompt_tokens: int = 0
    prompt_ms: float = 0.0
    first_tokens_s: list[float] = field(default_factory=list)


class Activity:
    """Every request to the models of this machine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: set[Asked] = set()
        self._since: dict[str, _Since] = {}
        self._context: dict[str, int] = {}
        self._ended: deque[Generation] = deque(maxlen=MOST_GENERATIONS)
        self._read_at = clock.monotonic()

    @contextmanager
    def asking(self, alias: str) -> Iterator[Asked]:
        """One request for as long as the context lasts; `answered` is called once it has an answer."""
        asked = Asked(alias, self._clock.monotonic(), self._clock.time())
        self._asked.add(asked)
        try:
            yield asked
        finally:
            self._asked.discard(asked)
            self._end(asked)

    def answered(self, asked: Asked, answer: Counted) -> None:
        """Its answer has been opened, by a server that counts for it from now on."""
        asked.answer, asked.alias = answer, answer.served_by
        answer.when_first_piece(
            lambda: self._of(asked.alias).first_tokens_s.append(self._clock.monotonic() - asked.began)
        )

    def read(self, aliases: Iterable[str]) -> dict[str, ServerActivity]:
        """What these models did since the last call; what is known of others is forgotten."""
        now = self._clock.monotonic()
        elapsed, self._read_at = now - self._read_at, now
        for asked in self._asked:
            if new := asked.new_tokens():
                self._of(asked.alias).tokens += new
        since, self._since = self._since, {}
        wanted = set(aliases)
        self._context = {alias: used for alias, used in self._context.items() if alias in wanted}
        return {alias: self._activity(since.get(alias), elapsed, self._context.get(alias)) for alias in wanted}

    def generations(self) -> tuple[Generation, ...]:
        """The requests that ended since the last call."""
        ended = tuple(self._ended)
        self._ended.clear()
        return ended

    def under_way(self) -> tuple[Generation, ...]:
        """The requests that are being answered, up to now."""
        now = self._clock.time()
        return tuple([Generation(alias=a.alias, start=a.began_wall, end=max(a.began_wall, now)) for a in self._asked])

    def _end(self, asked: Asked) -> None:
        now = self._clock.time()
        answer = asked.answer
        if answer is None:
            return
        self._ended.append(Generation(alias=asked.alias, start=asked.began_wall, end=max(asked.began_wall, now)))
        since = self._of(asked.alias)
        since.tokens += asked.new_tokens()
        timings = answer.timings
        if timings is None:
            return
        since.prompt_tokens += timings.prompt_n
        since.prompt_ms += timings.prompt_ms
        self._context[asked.alias] = timings.cache_n + timings.prompt_n + timings.predicted_n
        if answer.is_whole and timings.predicted_ms > 0:
            since.whole_speed += 1000.0 * timings.predicted_n / timings.predicted_ms

    def _of(self, alias: str) -> _Since:
        return self._since.setdefault(alias, _Since())

    @staticmethod
    def _activity(since: _Since | None, elapsed: float, context: int | None) -> ServerActivity:
        if since is None:
            return ServerActivity(context_tokens=context)
        firsts = since.first_tokens_s
        return ServerActivity(
            generation_speed=(since.tokens / elapsed if elapsed > 0 else 0.0) + since.whole_speed,
            prompt_speed=1000.0 * since.prompt_tokens / since.prompt_ms if since.prompt_ms > 0 else None,
            first_token_s=sum(firsts) / len(firsts) if firsts else None,
            context_tokens=context,
        )
