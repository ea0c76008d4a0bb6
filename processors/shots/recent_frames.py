"""The last frames of a video as the shot detector compares them, all without the bars that they have in common."""

from __future__ import annotations

from collections import deque
from itertools import islice

import cv2
import numpy as np

from core.types import ByteArray
from processors.shots.black_bars import NO_BARS, Bars, black_bars, common_bars
from processors.shots.block_matching import HEIGHT, WIDTH, mismatch
from processors.shots.small_frame import SmallFrame, small_frame

_TIDY_INTERVAL = 64  # frames


class RecentFrames:
    """The last `capacity` frames that `add` was given; frames are counted from the beginning of the video."""

    def __init__(self, capacity: int, reach: tuple[int, int]) -> None:
        """reach: how far `mismatch` looks for a block, see `block_matching.mismatch`, px of `SmallFrame.grey`."""
        self.count = 0
        """frames added so far, including those that are not kept any more"""
        self._frames: deque[SmallFrame] = deque(maxlen=capacity)
        self._reach = reach
        self._bars = NO_BARS
        self._mismatches: dict[tuple[int, int], float] = {}

    @property
    def oldest(self) -> int:
        """Number of the oldest frame that is kept; `count` if there is none."""
        return self._frames[0].index if self._frames else self.count

    def add(self, image: ByteArray) -> None:
        """Take the next frame, (h, w, 3) uint8 RGB of any size.

        Raises:
            ValueError: wrong shape or dtype.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image {image.shape} {image.dtype}, expected (h, w, 3) uint8")
        # Averaging over the full image would take 1.4 ms; these two steps read 16 of about 180 pixels, which is as good
        # on natural images and takes 0.04 ms.
        half = np.asarray(cv2.resize(image, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
        own = black_bars(half)
        if own != self._bars:
            self._leave_out(common_bars([*(frame.bars for frame in self._frames), own]))
        self._frames.append(self._small(self.count, half, own))
        self.count += 1
        if self.count % _TIDY_INTERVAL == 0:
            self._mismatches = {pair: value for pair, value in self._mismatches.items() if pair[0] >= self.oldest}

    def at(self, frame: int) -> SmallFrame:
        """Frame number `frame`, which must be kept."""
        return self._frames[frame - self._frames[0].index]

    def run(self, first: int, end: int) -> list[SmallFrame]:
        """Frames [first, end), all of which must be kept."""
        return list(islice(self._frames, first - self.oldest, end - self.oldest))

    def grey(self, first: int, end: int) -> list[ByteArray]:
        """Frames [first, end), all of which must be kept, (h, w) uint8 each without their common bars."""
        top, bottom, left, right = self._bars
        inner = (slice(top, 2 * HEIGHT - bottom), slice(left, 2 * WIDTH - right))
        return [
            np.asarray(cv2.cvtColor(np.ascontiguousarray(frame.half[inner]), cv2.COLOR_RGB2GRAY), np.uint8)
            for frame in self.run(first, end)
        ]

    def around(self, first: int, end: int, without: int) -> list[int]:
        """Numbers of the frames of [first, end) that are kept together with their predecessor, except `without`."""
        first = max(first, self.oldest + 1)
        return [frame for frame in range(first, min(end, self.count)) if frame != without]

    def mismatch(self, old: int, new: int) -> float:
        """How badly the blocks of frame `new` are found in frame `old`, 0 to 1; computed once for each pair."""
        pair = (old, new)
        if pair not in self._mismatches:
            self._mismatches[pair] = mismatch(self.at(old).grey, self.at(new).grey, self._reach)
        return self._mismatches[pair]

    def _leave_out(self, bars: Bars) -> None:
        """Compare frames without these bars from now on, including the frames that are kept."""
        if bars == self._bars:
            return
        self._bars = bars
        self._mismatches.clear()
        kept = list(self._frames)
        self._frames.clear()
        for frame in kept:
            self._frames.append(self._small(frame.index, frame.half, frame.bars))

    def _small(self, index: int, half: ByteArray, bars: Bars | None) -> SmallFrame:
        """The small version of the frame that follows those in `_frames`, without the common bars."""
        return small_frame(index, half, bars, self._bars, self._frames[-1] if self._frames else None)
