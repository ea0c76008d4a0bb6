"""The latest frames of a shot, in which a face that is found late is looked for afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from processors.tracking.lazy_image import LazyImage

MAX_WAITING_BYTES = 100_000_000
"""Of decoded frames that wait for somebody to look at them: a second of 1080p at 30 frames a second. At 60 it would be
twice as much, and an image at the analysis size takes 40 % of its frame. A lower limit would convert nearly every frame
of calm videos, 0.8 ms each at 1080p, for fewer megabytes."""


class FrameHistory:
    """Frame numbers and images, oldest first; bounded in number and in bytes.

    Images that nobody has looked at keep their decoded frames. The oldest are converted where these are too large
    together, so what is kept never changes what is seen.
    """

    def __init__(self, most: int, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        """most: frames kept."""
        self._frames: deque[tuple[int, LazyImage]] = deque(maxlen=most)
        self._max_waiting_bytes = max_waiting_bytes
        self._largest = 0

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[tuple[int, LazyImage]]:
        return iter(self._frames)

    def __reversed__(self) -> Iterator[tuple[int, LazyImage]]:
        return reversed(self._frames)

    @property
    def oldest(self) -> int:
        """Number of the oldest frame; 0 where there is none."""
        return self._frames[0][0] if self._frames else 0

    def append(self, frame: int, image: LazyImage) -> None:
        """Add the next frame."""
        self._frames.append((frame, image))
        self._largest = max(self._largest, image.waiting_bytes)
        if len(self._frames) * self._largest <= self._max_waiting_bytes:
            return
        waiting = [earlier for _, earlier in self._frames if earlier.waiting_bytes]
        total = sum(earlier.waiting_bytes for earlier in waiting)
        for earlier in waiting:
            if total <= self._max_waiting_bytes:
                break
            total -= earlier.waiting_bytes
            earlier()

    def pop(self) -> tuple[int, LazyImage]:
        """Remove the latest frame and return it."""
        return self._frames.pop()

    def clear(self) -> None:
        """The next frame belongs to another shot."""
        self._frames.clear()
