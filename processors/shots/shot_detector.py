"""Finds where one shot ends and the next begins, in the pass that decodes.

A cut is an isolated change of *structure*: the blocks of the new frame are nowhere near their place in the old one,
the pairs of frames around it match well, and the old image does not come back within three frames. Blocks are matched
by correlation after a search for their shift, which excludes what is no cut: changes of light (correlation ignores
gain and offset), motion (the search follows it), pans and passing objects (neighbouring frames match as badly),
flashes (the old image comes back).

A dissolve or a fade is a run of frames that are mixtures of its first and its last one, in which the share of the last
grows from 0 to 1 between two stretches without change.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import cv2
import numpy as np

from core.types import ByteArray, FloatArray, Shot
from processors.shots.black_bars import NO_BARS, Bars, black_bars, common_bars
from processors.shots.block_matching import HEIGHT, REACH, WIDTH, mismatch
from processors.shots.dissolve_fit import fit_dissolve

logger = logging.getLogger(__name__)

MAX_CUT_DELAY = 3
"""frames: a cut whose new shot begins with frame t is reported by `update` for frame t + 3 at the latest"""
MAX_DISSOLVE_DELAY_S = 1.8
"""longest time from the middle of a dissolve, where its boundary is put, to the `update` that reports it"""

SLOW_RATE, SLOW_REACH = 20.0, (6, 5)  # frames per second below which blocks may move further, and how far, px
_THIRDS = np.full(3, 1 / 3, np.float32)
MIN_CHANGE = 1.0  # least mean change of a pixel at a cut, grey levels

CHANGE_ISOLATION = 1.3  # least change at a cut, as a multiple of the changes around it
MIN_CONTRAST_CHANGE = 0.2  # least change at a strong cut, as a share of the frame's contrast (standard deviation)
BLEND_CHANGE = 0.3  # a blended frame splits a cut in two: then the smaller change is at least this share of the larger
STRONG_MISMATCH = 0.42  # least mismatch of a strong cut, which needs no other evidence
WEAK_MISMATCH = 0.06  # ... of a weak cut
FROZEN_MISMATCH = 0.2  # ... of a weak cut between frames that do not move at all
STRONG_ISOLATION = 1.5  # least mismatch at a strong cut, as a multiple of those around it
WEAK_ISOLATION = 2.5  # ... of mismatch and change at a weak cut
WEAK_COVERAGE = 0.6  # least share of the frame that changes more than it does in the frames around
WEAK_MAX_CONTRAST_CHANGE = 1.2  # share of the contrast; a greater change with little mismatch is a change of light
FROZEN_CHANGE = 0.02  # grey levels; a frame that changes less repeats the one before
RETURN_SHARE = 0.6  # the old image is back if the mismatch is below this share of the mismatch across the cut
BACKGROUND_FRAMES = 12  # frames before a weak cut that it is compared with

DISSOLVE_WINDOWS_S = (0.32, 0.48, 0.88, 1.28, 1.76)  # lengths of runs that are examined
MIN_DISSOLVE_WINDOW = 8  # frames
MAX_RATE = 120.0  # frames per second; bounds memory: in faster videos only shorter dissolves are found
DISSOLVE_MISMATCH = 0.4  # least mismatch of the first and the last frame


@dataclass(frozen=True, slots=True)
class ShotBoundary:
    """`frame` is the first one of the new shot; for a dissolve the first that shows more new than old."""

    frame: int
    transition: Literal["cut", "dissolve"]


@dataclass(frozen=True, slots=True, eq=False)
class _SmallFrame:
    """A frame without black bars, shrunk.

    half: (72, 128, 3) uint8 RGB, what the others are made from, bars included. bars: those of `half`, None if it is
    all black. colour: (36, 64, 3) uint8 RGB. grey: (36, 64) float32. mixture: (1728,) float32, 32x18 RGB.
    changes: (48,) float32, mean change since the frame before in each cell of 8x6 px, grey levels. change: their mean.
    """

    index: int
    half: ByteArray
    bars: Bars | None
    colour: ByteArray
    grey: FloatArray
    mixture: FloatArray
    changes: FloatArray
    change: float


class ShotDetector:
    """Feed every frame in order to `update`, then call `finish`; `shots` gives the result.

    Deterministic; its memory is bounded by the longest dissolve, not by the video.
    A shot of up to three frames between two similar images counts as a flash, not as a shot.
    """

    def __init__(self, frame_rate: float) -> None:
        """frame_rate: frames per second, > 0; it decides how long a dissolve may last and how far things may move.

        Raises:
            ValueError: the rate is not positive.
        """
        if not frame_rate > 0:
            raise ValueError(f"frame rate {frame_rate}, expected more than 0")
        rate = min(frame_rate, MAX_RATE)
        lengths = (round(seconds * rate) for seconds in DISSOLVE_WINDOWS_S)
        self._windows = tuple(length for length in lengths if length >= MIN_DISSOLVE_WINDOW)
        self._reach = REACH if frame_rate >= SLOW_RATE else SLOW_REACH
        self._stride = max(1, round(rate / 12.5))
        self._frames: deque[_SmallFrame] = deque(maxlen=max(*self._windows, BACKGROUND_FRAMES + MAX_CUT_DELAY, 0) + 2)
        self._bars = NO_BARS
        self._count = 0
        self._boundaries: list[ShotBoundary] = []
        self._last_cut = 0
        self._settled = 0  # no dissolve may begin before this frame
        self._forced: set[int] = set()
        self._mismatches: dict[tuple[int, int], float] = {}

    def update(self, image: ByteArray, *, is_cut: bool = False) -> list[ShotBoundary]:
        """Take the next frame, (h, w, 3) uint8 RGB of any size; returns the boundaries that it made certain.

        A cut is reported at most `MAX_CUT_DELAY` frames late, a dissolve `MAX_DISSOLVE_DELAY_S`. is_cut: a new shot
        begins here, whatever the image shows.
        """
        if is_cut:
            self._forced.add(self._count)
        self._frames.append(self._shrink(image))
        self._count += 1
        found = self._cut_at(self._count - 1 - MAX_CUT_DELAY)
        if self._count % self._stride == 0:
            found += self._dissolve()
        if self._count % 64 == 0:
            oldest = self._frames[0].index
            self._mismatches = {pair: value for pair, value in self._mismatches.items() if pair[0] >= oldest}
        return found

    def finish(self) -> list[ShotBoundary]:
        """Boundaries among the last frames, judged without the frames that would have followed."""
        found: list[ShotBoundary] = []
        for frame in range(max(self._count - MAX_CUT_DELAY, 0), self._count):
            found += self._cut_at(frame)
        return found + self._dissolve()

    def shots(self, frame_count: int) -> tuple[Shot, ...]:
        """All shots of a video of `frame_count` frames; they cover [0, frame_count) without gaps."""
        if frame_count <= 0:
            return ()
        inner = sorted((b for b in self._boundaries if 0 < b.frame < frame_count), key=lambda b: b.frame)
        starts = [0, *(b.frame for b in inner)]
        ends = [*starts[1:], frame_count]
        transitions = ["start", *(b.transition for b in inner)]
        return tuple(
            Shot(i, start, end, transition)  # type: ignore[arg-type]
            for i, (start, end, transition) in enumerate(zip(starts, ends, transitions, strict=True))
        )

    def _shrink(self, image: ByteArray) -> _SmallFrame:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image {image.shape} {image.dtype}, expected (h, w, 3) uint8")
        # Averaging over the full image would take 1.4 ms; these two steps look at 16 of about 180 pixels, which is as
        # good on natural images and takes 0.04 ms.
        half = np.asarray(cv2.resize(image, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
        own = black_bars(half)
        if own != self._bars:
            self._use(common_bars([*(frame.bars for frame in self._frames), own]))
        return self._small(self._count, half, own)

    def _use(self, bars: Bars) -> None:
        """Compare frames without these bars from now on, those kept already included."""
        if bars == self._bars:
            return
        self._bars = bars
        self._mismatches.clear()
        kept = list(self._frames)
        self._frames.clear()
        for frame in kept:
            self._frames.append(self._small(frame.index, frame.half, frame.bars))

    def _small(self, index: int, half: ByteArray, bars: Bars | None) -> _SmallFrame:
        """The small version of the frame that follows those in `_frames`, without the common bars."""
        top, bottom, left, right = self._bars
        inner = half[top : 2 * HEIGHT - bottom, left : 2 * WIDTH - right]
        colour = np.asarray(cv2.resize(inner, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        before = self._frames[-1].colour if self._frames else colour
        difference = cv2.absdiff(colour, before).astype(np.float32)
        changes = cv2.resize(difference, (8, 6), interpolation=cv2.INTER_AREA).reshape(-1, 3) @ _THIRDS
        grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY).astype(np.float32)
        mixture = cv2.resize(colour, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
        return _SmallFrame(index, half, bars, colour, grey, mixture, changes, float(changes.sum()) / changes.size)

    def _at(self, frame: int) -> _SmallFrame:
        return self._frames[frame - self._frames[0].index]

    def _between(self, first: int, end: int, without: int) -> list[int]:
        """Frames of [first, end) that are kept together with their predecessor, except `without`."""
        first = max(first, self._frames[0].index + 1)
        return [f for f in range(first, min(end, self._count)) if f != without]

    def _mismatch(self, old: int, new: int) -> float:
        key = (old, new)
        if key not in self._mismatches:
            self._mismatches[key] = mismatch(self._at(old).grey, self._at(new).grey, self._reach)
        return self._mismatches[key]

    def _cut_at(self, frame: int) -> list[ShotBoundary]:
        if frame in self._forced:
            self._last_cut = frame
            return [self._report(ShotBoundary(frame, "cut"), settled=frame)]
        # A frame that blends two shots would otherwise count as a shot of its own.
        if frame < 1 or frame - 1 == self._last_cut or frame + 1 in self._forced:
            return []
        if self._at(frame).change < MIN_CHANGE or not self._stands_out(frame):
            return []
        if not (self._is_strong(frame) or self._is_weak(frame)) or self._comes_back(frame):
            return []
        self._last_cut = frame
        return [self._report(ShotBoundary(frame, "cut"), settled=frame)]

    def _stands_out(self, frame: int) -> bool:
        """Whether the image changes more here than around, with one exception; a cheap first test."""
        change = self._at(frame).change
        if any(self._at(f).change > change for f in self._between(frame - 1, frame + 2, frame)):
            return False
        around = sorted(self._at(f).change for f in self._between(frame - 2, frame + 3, frame))
        # The exception is a blended frame between two shots, or another cut close by.
        return len(around) < 2 or change > CHANGE_ISOLATION * around[-2]

    def _is_strong(self, frame: int) -> bool:
        here = self._at(frame)
        if here.change < MIN_CONTRAST_CHANGE * float(here.grey.std()):
            return False
        score = self._mismatch(*self._step(frame))
        around = self._between(frame - 2, frame + 3, frame)
        others = sorted(self._mismatch(f - 1, f) for f in around) if score > STRONG_MISMATCH else []
        return score > STRONG_MISMATCH and (len(others) < 2 or score > STRONG_ISOLATION * others[-2])

    def _step(self, frame: int) -> tuple[int, int]:
        """The last frame of the old shot and the first pure frame of the new one, assuming that `frame` is a cut.

        Between them there may be one frame that blends both shots: `frame` itself or the one before.
        """
        step = (frame - 1, frame)
        if self._mismatch(*step) >= STRONG_MISMATCH:
            return step
        for old, new, partner in ((frame - 1, frame + 1, frame + 1), (frame - 2, frame, frame - 1)):
            if old < self._frames[0].index or new >= self._count:
                continue
            if self._at(partner).change > BLEND_CHANGE * self._at(frame).change:
                step = max(step, (old, new), key=lambda pair: self._mismatch(*pair))
        return step

    def _is_weak(self, frame: int) -> bool:
        here = self._at(frame)
        around = self._between(max(frame - BACKGROUND_FRAMES, self._last_cut + 1), frame + MAX_CUT_DELAY + 1, frame)
        if len(around) < 4 or here.change < WEAK_ISOLATION * max(self._at(f).change for f in around):
            return False
        # A large change that leaves the structure alone is a change of light.
        if here.change > WEAK_MAX_CONTRAST_CHANGE * float(here.grey.std()):
            return False
        usual = np.max([self._at(f).changes for f in around], axis=0)
        if float(np.mean(here.changes > 1.3 * usual + 0.3)) < WEAK_COVERAGE:
            return False
        score = self._mismatch(frame - 1, frame)
        # Among repeated frames every step of a motion is a jump that stands out.
        frozen = sum(self._at(f).change > FROZEN_CHANGE for f in around) < 4
        return score > (FROZEN_MISMATCH if frozen else WEAK_MISMATCH) and score > WEAK_ISOLATION * max(
            self._mismatch(f - 1, f) for f in around
        )

    def _comes_back(self, frame: int) -> bool:
        """Whether the old image is seen after the cut, or the new one before it: a flash."""
        old, new = self._step(frame)
        limit = RETURN_SHARE * self._mismatch(old, new)
        later = range(new + 1, min(frame + 1 + MAX_CUT_DELAY, self._count))
        earlier = range(max(frame - 1 - MAX_CUT_DELAY, self._frames[0].index), old)
        return any(self._mismatch(old, f) < limit for f in later) or any(
            self._mismatch(f, new) < limit for f in earlier
        )

    def _dissolve(self) -> list[ShotBoundary]:
        end = self._count - 1
        for window in self._windows:
            start = end - window
            if start < self._settled:
                return []
            found = self._dissolve_between(start, end)
            if found is not None:
                middle, settled = found
                return [self._report(ShotBoundary(middle, "dissolve"), settled)]
        return []

    def _dissolve_between(self, start: int, end: int) -> tuple[int, int] | None:
        """The first frames that show more of `end`, and hardly any of `start`; None if it is no dissolve."""
        offset = self._frames[0].index
        found = fit_dissolve([frame.mixture for frame in islice(self._frames, start - offset, end - offset + 1)])
        if found is None or self._mismatch(start, end) < DISSOLVE_MISMATCH:
            return None
        return start + found[0], start + found[1]

    def _report(self, boundary: ShotBoundary, settled: int) -> ShotBoundary:
        self._boundaries.append(boundary)
        self._settled = max(self._settled, settled)
        logger.debug("%s at frame %d", boundary.transition, boundary.frame)
        return boundary
