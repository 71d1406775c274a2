"""How much memory the recorded bodies and events may take together."""

from __future__ import annotations

from collections.abc import Callable


class Budget:
    """Bytes that are handed out before they are used. `make_room` may give some back; it is asked when none are left.

    Invariant: never more than `limit` are out.
    """

    def __init__(self, limit: int, make_room: Callable[[int], None] = lambda _: None) -> None:
        self.used = 0
        self._limit = limit
        self._make_room = make_room

    def take(self, size: int) -> bool:
        """Hand out so many. False: there are not that many, whatever is given back."""
        missing = self.used + size - self._limit
        if missing > 0:
            self._make_room(missing)
        if self.used + size > self._limit:
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        """These are free again."""
        self.used -= size
