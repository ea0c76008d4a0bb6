"""Room for so many encoders, shared by lanes that each need several at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class EncoderRooms:
    """Who asks first is served first, so that one who needs many is not passed over again and again."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    def take(self, count: int, poll_s: float, check: Callable[[], None]) -> None:
        """Wait for `count` rooms, none of them held meanwhile; for more than there are, until all are free.

        check: called every `poll_s` seconds; what it raises ends the waiting.
        """
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._free < min(count, self._total):
                    self._changed.wait(poll_s)
                    check()
                self._free -= count
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def give(self, count: int = 1) -> None:
        """Give rooms back, from any thread."""
        with self._changed:
            self._free += count
            self._changed.notify_all()
