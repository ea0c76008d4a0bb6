"""Watches the surroundings of tracked faces for dissolves that the shot detector does not see: those of one tile."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from core.types import ByteArray, FloatArray
from processors.shots.local_dissolve import MIN_SIDES, LocalDissolve, LocalImages, PixelRegion, find_local_dissolve
from processors.shots.shot_detector import GRADUAL_WINDOWS_S

SURROUNDINGS = 1.6
"""sides of the examined part as multiples of the face's. With 2 and 2.4 parts of small tiles reach over their edges: in
three made films 27, 26 and 25 of 33 dissolves under one track were found"""

EXAMINE_S = 0.08
"""time from one examination of a face to the next, seconds, as the shot detector looks for gradual transitions"""

MIN_IMAGES = 8
"""fewest images of a run that is examined"""

KEPT_S = 0.04
"""least time between two images that are kept, seconds; bounds memory at high frame rates"""


@dataclass(slots=True)
class _WatchedFace:
    first: int
    """no dissolve begins before this frame"""
    examined: int


class DissolveWatch:
    """Finds the dissolves under one track; its memory is that of 2.2 seconds of thumbnails."""

    def __init__(self, frame_rate: float) -> None:
        """frame_rate: frames per second, > 0."""
        self._rate = frame_rate
        self._windows = [round(seconds * frame_rate) for seconds in GRADUAL_WINDOWS_S]
        self._frames: deque[int] = deque()
        self._thumbnails: deque[ByteArray] = deque()
        self._faces: dict[int, _WatchedFace] = {}

    def note_frames(self, frame: int, thumbnails: Sequence[ByteArray]) -> None:
        """Take the frames up to `frame`, in which faces were looked at; those that were taken before change nothing.

        thumbnails: (h, w, 3) uint8 each, Y V U, of consecutive frames; they are kept.
        """
        for index, thumbnail in enumerate(thumbnails, frame + 1 - len(thumbnails)):
            if self._frames and index - self._frames[-1] < 0.9 * KEPT_S * self._rate:
                continue
            self._frames.append(index)
            self._thumbnails.append(thumbnail)
        while self._frames[0] < frame - self._windows[-1]:
            self._frames.popleft()
            self._thumbnails.popleft()

    def find(self, track: int, frame: int, box: FloatArray) -> LocalDissolve | None:
        """The dissolve that ended around a face, as frames, if it has become certain with `frame`, the latest one.

        box: (4,), of the face in `frame`, as shares of the image's width and height.
        """
        face = self._faces.setdefault(track, _WatchedFace(frame, frame))
        if frame - face.examined < EXAMINE_S * self._rate:
            return None
        face.examined = frame
        region = _region(box, self._thumbnails[-1].shape)
        if region is None:
            return None
        images = LocalImages(self._thumbnails, region)
        for window in self._windows:
            if frame - window < face.first:
                return None
            start = bisect_left(self._frames, frame - window)
            if len(self._frames) - start < MIN_IMAGES or not images.differ(start):
                continue
            if (found := find_local_dissolve(images.since(start))) is not None:
                face.first = self._frames[found.after]
                return LocalDissolve(*(self._frames[position] for position in found))
        return None

    def forget(self, track: int) -> None:
        """The track has ended."""
        self._faces.pop(track, None)


def _region(box: FloatArray, shape: tuple[int, ...]) -> PixelRegion | None:
    """The part of an image of `shape` around a face, px; None if it is too small. box: (4,), shares of its sides."""
    left, top, right, bottom = box.tolist()
    x1, x2 = _widened(left, right, shape[1])
    y1, y2 = _widened(top, bottom, shape[0])
    return (x1, y1, x2, y2) if x2 - x1 >= MIN_SIDES[0] and y2 - y1 >= MIN_SIDES[1] else None


def _widened(first: float, last: float, size: int) -> tuple[int, int]:
    """The span from `first` to `last`, shares of `size`, with its surroundings, px."""
    aside = (SURROUNDINGS - 1) * (last - first) / 2
    return max(math.floor((first - aside) * size), 0), min(math.ceil((last + aside) * size), size)
