"""The events of one answer, kept while they pass.

This is what the inspector costs a token, so it is as little as can be, without a call where a caller does it in place
(`services.llama.passing`). Events are copied to the end of one block rather than held: what is held cannot be used
again for the next token, and new memory for each token costs more than all the rest. They are cut apart when somebody
looks. Invariants: what is kept is the beginning of the answer, without a gap; no more than there was room for; room is
taken by the page.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from itertools import pairwise

# Room is asked for by the page, and not for each event.
PAGE_BYTES = 16 * 1024
# What an event takes besides its content: its time, its end, and what the block has grown ahead.
EVENT_COST = 32
# The very last events tell how it went, whatever else is kept.
LAST = 3


class KeptEvents:
    """Events and when they came. `take` gives room for so many bytes, or says that there is none.

    `said` is all that is kept, and `marks` has two numbers for each event: its time by `now`, and where it ends there.
    `most` bytes are kept; 0: nothing but the last ones. An event that takes no more than `room` may be added to both by
    anybody who takes it off the room. Any other one is put into `passing` where there is that, and otherwise goes to
    `add`.
    """

    __slots__ = (
        "_last",
        "_left",
        "_look",
        "_spare",
        "_take",
        "_takes",
        "are_cut",
        "marks",
        "now",
        "passing",
        "room",
        "said",
    )

    def __init__(self, now: Callable[[], float], take: Callable[[int], bool], most: int) -> None:
        self.said = bytearray()
        self.marks: array[float] = array("d")
        self.are_cut = False
        self.now = now
        self.room = 0
        self._spare = 0
        """Room that nobody may use in place."""
        self._take = take
        self._left = most
        self._takes = most > 0
        self._look: Callable[[bytes], None] | None = None
        self._last: deque[bytes] = deque(maxlen=LAST)
        self.passing: deque[bytes] | None = None
        """Where events go of which only the last are kept; None where they are kept, or somebody wants to see them."""
        self._arrange()

    def add(self, data: bytes) -> None:
        """Keep these events, if there is room. The first that do not fit are the last that room is asked for."""
        if self._look is not None:
            self._look(data)
        size = len(data) + EVENT_COST
        if self._takes and (size <= self.room + self._spare or self._has_new_page(size)):
            self._give(-size)
            self.said += data
            self.marks.append(self.now())
            self.marks.append(len(self.said))
            return
        if self._takes:
            self.are_cut = True
            self._takes = False
            self._arrange()
        self._last.append(data)

    @property
    def kept(self) -> list[tuple[float, bytes]]:
        """When each of the events came that are kept, and what it was."""
        return list(zip(self.marks[::2], self._cut_out(len(self.marks)), strict=True))

    @property
    def last(self) -> tuple[bytes, ...]:
        """The last ones, kept or not."""
        return tuple([*self._cut_out(LAST), *self._last][-LAST:])

    def forget_last(self) -> None:
        """The last ones have been read, where they are not kept."""
        self._last.clear()

    def watch(self, look: Callable[[bytes], None] | None) -> None:
        """Show `look` every event from now on, none of which is put in place then. None: nobody wants to see them."""
        self._look = look
        self._arrange()

    def give_back_room(self) -> int:
        """The answer has ended: how much of the room was not needed."""
        self._look = None
        room, self.room, self._spare = self.room + self._spare, 0, 0
        return room

    def forget(self, *, has_ended: bool) -> None:
        """Keep nothing, now and later, but the last ones of an answer that goes on. What they took is free again."""
        if not has_ended:
            self._last.extend(self._cut_out(LAST))
        self.said, self.marks = bytearray(), array("d")
        self.room = self._spare = 0
        self._takes = False
        self.are_cut = True
        self._arrange()

    def _cut_out(self, count: int) -> list[bytes]:
        """The last `count` of the events that are kept."""
        ends = [int(end) for end in self.marks[1::2][-count - 1 :]]
        if len(ends) <= count:
            ends.insert(0, 0)
        return [bytes(self.said[start:end]) for start, end in pairwise(ends)]

    def _has_new_page(self, size: int) -> bool:
        """Take room for something of this size. Taking may have all that is kept here be forgotten."""
        page = max(PAGE_BYTES, size)
        if page > self._left or not self._take(page) or not self._takes:
            return False
        self._left -= page
        self._give(page)
        return True

    def _give(self, room: int) -> None:
        if self._look is not None:
            self._spare += room
        else:
            self.room += room

    def _arrange(self) -> None:
        """Offer those who put events in place what they may use."""
        room, self.room, self._spare = self.room + self._spare, 0, 0
        if self._takes and self._look is None:
            self.room = room
        else:
            self._spare = room
        self.passing = None if self._takes or self._look is not None else self._last
