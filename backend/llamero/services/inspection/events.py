"""The events of one answer, kept while they pass.

This is what the inspector costs a token, so it is as little as can be: a look at a number and two appends, without a
call where a caller does them in place (`recorded.RecordingSink`). Invariant: no more is kept than there was room for,
and room is taken by the page.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable

# Room is asked for by the page, and not for each event.
PAGE_BYTES = 16 * 1024
# What the interpreter needs for a short `bytes` in a list, besides its content, and for the time of its arrival.
EVENT_COST = 64
# The very last events tell how it went, whatever else is kept.
LAST = 3


class KeptEvents:
    """Events and the monotonic times of their arrival. `take` gives room for so many bytes, or says that there is none.

    `most` bytes are kept; 0: nothing but the last ones. An event that takes no more than `room` may be put into `kept`,
    and its time by `now` into `times`, by anybody who takes it off the room; any other one goes to `add`.
    """

    __slots__ = ("_aside", "_last", "_left", "_take", "_takes", "are_cut", "kept", "now", "room", "times")

    def __init__(self, now: Callable[[], float], take: Callable[[int], bool], most: int) -> None:
        self.kept: list[bytes] = []
        self.times: array[float] = array("d")
        self.are_cut = False
        self.now = now
        self.room = 0
        self._aside = 0
        self._take = take
        self._left = most
        self._takes = most > 0
        self._last: deque[bytes] = deque(maxlen=LAST)

    def add(self, data: bytes) -> None:
        """Keep these events, if there is room."""
        room = self.room - len(data) - EVENT_COST
        if room >= 0:
            self.room = room
            self.kept.append(data)
            self.times.append(self.now())
        elif self._takes:
            self._add_to_a_new_page(data)
        else:
            self._last.append(data)

    @property
    def last(self) -> tuple[bytes, ...]:
        """The last ones, kept or not."""
        return tuple([*self.kept[-LAST:], *self._last][-LAST:])

    def forget_last(self) -> None:
        """The last ones have been read, where they are not kept."""
        self._last.clear()

    def close(self) -> None:
        """Let every event go to `add` until `open`, as somebody wants to see them."""
        self._aside += self.room
        self.room = 0

    def open(self) -> None:
        """Let events be put in place again."""
        self.room += self._aside
        self._aside = 0

    def give_back_room(self) -> int:
        """The answer has ended: how much of the room was not needed."""
        room, self.room, self._aside = self.room + self._aside, 0, 0
        return room

    def forget(self, *, has_ended: bool) -> None:
        """Keep nothing, now and later, but the last ones of an answer that goes on. What they took is free again."""
        if not has_ended:
            self._last.extend(self.kept[-LAST:])
        self.kept, self.times = [], array("d")
        self.room = self._aside = 0
        self._takes = False
        self.are_cut = True

    def _add_to_a_new_page(self, data: bytes) -> None:
        """The first that do not fit are the last that room is asked for."""
        size = len(data) + EVENT_COST
        page = max(PAGE_BYTES, size)
        if page <= self._left and self._take(page) and self._takes:
            self._left -= page
            self.room += page - size
            self.kept.append(data)
            self.times.append(self.now())
        else:
            self.are_cut = True
            self._takes = False
            self._last.append(data)
