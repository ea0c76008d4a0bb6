"""How many encoders may be open: slots that the render workers of a video share."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Check = Callable[[], None]
"""called again and again while waiting; what it raises ends the waiting"""

_POLL_S = 0.05


class EncoderSlots:
    """Slots that are acquired several at once, first come first served: a request for many is never overtaken."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    def acquire(self, count: int, check: Check) -> None:
        """Acquire `count` slots at once, or all of them if `count` exceeds the total; none is held while waiting."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._free < min(count, self._total):
                    self._changed.wait(_POLL_S)
                    check()
                self._free -= count
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def release(self, count: int = 1) -> None:
        """Give slots back, from any thread."""
        with self._changed:
            self._free += count
            self._changed.notify_all()


class GroupSlots:
    """The slots of one group of overlapping clips.

    They are acquired together for the group's first clip: a worker that waited with half of them in hand could block
    another one for ever. A slot is released as soon as fewer clips are left than the group holds slots.
    """

    def __init__(self, clips: int, widest: int, slots: EncoderSlots) -> None:
        """clips: in the group. widest: how many of them are open at a time at most."""
        self._slots = slots
        self._lock = threading.Lock()
        self._widest = widest
        self._left = clips
        self._is_acquired = False
        self._room = threading.Semaphore(widest)

    def acquire(self, check: Check) -> None:
        """Wait until one more clip may be opened; for one thread."""
        if not self._is_acquired:
            self._slots.acquire(self._widest, check)
            self._is_acquired = True
        while not self._room.acquire(timeout=_POLL_S):
            check()
        check()

    def release(self) -> None:
        """A clip has ended; may be called from any thread."""
        self._room.release()
        with self._lock:
            self._left -= 1
            one_less = self._left < self._widest
        if one_less:
            self._slots.release()
