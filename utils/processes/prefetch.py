"""Iterating over a source on a thread of its own, ahead of the consumer."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from utils.processes.helper_threads import helper_thread

T = TypeVar("T")

logger = logging.getLogger(__name__)

_STOP_POLL_S = 0.1


@contextlib.contextmanager
def prefetch(iterable: Iterable[T], size: int, stop: threading.Event | None = None) -> Iterator[Iterator[T]]:
    """Iterate over `iterable` on another thread, at most `size` items ahead of the consumer.

    with prefetch(reader.frames(), 8) as frames:
        for frame in frames: ...

    An exception of the source is raised by the iterator, after the items before it. However the block is left (end,
    break, exception), the source has then been closed on its thread, and the thread has ended. Once `stop` is set the
    iterator ends within 0.1 s, as if the source were exhausted; the caller has to check `stop`.

    Raises:
        ValueError: `size` is less than 1.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    channel: _Channel[T] = _Channel(size, stop or threading.Event())
    thread = helper_thread(channel.feed, iterable, name="prefetch")
    thread.start()
    try:
        yield channel.items()
    finally:
        channel.close()
        thread.join()
        if channel.failure is not None:
            logger.debug("the source failed after the consumer had left: %s", channel.failure)


class _Channel(Generic[T]):
    """A bounded queue between one producer and one consumer; either may leave at any time."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self.failure: BaseException | None = None
        self._size = size
        self._stop = stop
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._exhausted = False
        self._closed = False

    def feed(self, iterable: Iterable[T]) -> None:
        """Put all items of the source into the queue; runs on the producer's thread."""
        source: Iterator[T] | None = None
        try:
            source = iter(iterable)
            for item in source:
                if not self._put(item):
                    break
                # Otherwise one more frame than `size` would stay alive while the next is made.
                del item
        except BaseException as error:
            self.failure = error
        finally:
            try:
                if source is not None and hasattr(source, "close"):
                    source.close()
            except BaseException as error:
                self.failure = self.failure or error
            with self._changed:
                self._exhausted = True
                self._changed.notify_all()

    def items(self) -> Iterator[T]:
        """Items of the source, for the consumer."""
        while True:
            with self._changed:
                while not self._queue and not self._exhausted and not self._leaving():
                    self._changed.wait(_STOP_POLL_S)
                if self._leaving():
                    return
                if not self._queue:
                    failure, self.failure = self.failure, None
                    if failure is not None:
                        raise failure
                    return
                item = self._queue.popleft()
                self._changed.notify_all()
            yield item
            del item

    def close(self) -> None:
        """The consumer leaves."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        with self._changed:
            while len(self._queue) >= self._size and not self._leaving():
                self._changed.wait(_STOP_POLL_S)
            if self._leaving():
                return False
            self._queue.append(item)
            self._changed.notify_all()
            return True

    def _leaving(self) -> bool:
        return self._closed or self._stop.is_set()
