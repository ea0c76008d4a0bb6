"""Where one shot ends and the next begins, found in the same pass that decodes.

A hard cut is a change of *structure* that stands alone: the pieces of the new picture are nowhere near
their place in the old one, the pairs of frames around it match well, and the old picture does not come
back within three frames. Matching pieces by correlation, after a search for their shift, leaves out what
is no cut: light that changes (correlation ignores gain and offset), motion (the search follows it), pans
and objects that pass (their neighbours match as badly), flashes (the old picture comes back).

A dissolve or a fade is a run of frames that are mixtures of its first and its last one, with a share of
the last that grows from 0 to 1 between two level stretches.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, FloatArray, Shot
from processors.shots.black_bars import NO_BARS, Bars, black_bars, common_bars
from processors.shots.block_matching import HEIGHT, REACH, WIDTH, mismatch

logger = logging.getLogger(__name__)

MAX_CUT_DELAY = 3
"""frames: a cut whose new shot begins with frame t is reported by `update` for frame t + 3 at the latest"""
MAX_DISSOLVE_DELAY_S = 1.8
"""seconds from the middle of a dissolve, where its boundary is put, to the `update` that reports it"""

SLOW_RATE, SLOW_REACH = 20.0, (6, 5)  # frames per second below which pieces may move further, and how far then
_THIRDS = np.full(3, 1 / 3, np.float32)
MIN_CHANGE = 1.0  # mean change of a pixel, grey levels, below which a pair of frames is never looked at

CHANGE_ISOLATION = 1.3  # how many times more a cut changes the picture than the frames around it
MIN_CONTRAST_CHANGE = 0.2  # least change of a plain cut as a share of the picture's contrast (deviation)
BLEND_CHANGE = 0.3  # a blended frame splits a cut in two steps of which the smaller has at least this share
STRONG_MISMATCH = 0.42
WEAK_MISMATCH = 0.06
FROZEN_MISMATCH = 0.2  # instead of the weak one where the frames around do not move at all
STRONG_ISOLATION = 1.5  # how many times worse a cut matches than the pairs of frames around it
WEAK_ISOLATION = 2.5
WEAK_COVERAGE = 0.6  # share of the picture that changes more than it does in the frames around
WEAK_MAX_CONTRAST_CHANGE = 1.2  # a greater change, as a share of the contrast, with little mismatch is light
FROZEN_CHANGE = 0.02  # grey levels; below it a frame repeats the one before
RETURN_SHARE = 0.6  # the old picture is back if it matches this much better than across the cut
BACKGROUND_FRAMES = 12

DISSOLVE_WINDOWS_S = (0.32, 0.48, 0.88, 1.28, 1.76)
MIN_DISSOLVE_WINDOW = 8  # frames
MAX_RATE = 120.0  # frames per second; bounds memory: of faster videos only shorter dissolves are found
DISSOLVE_CONTRAST = 6.0  # rms difference of the two pictures, grey levels
DISSOLVE_RESIDUAL = 0.4
DISSOLVE_LEVEL = 0.06  # how far the share may be from 0 and 1 in the level stretches
DISSOLVE_MISMATCH = 0.4


@dataclass(frozen=True, slots=True)
class ShotBoundary:
    """`frame` is the first one of the new shot; for a dissolve the first that shows more new than old."""

    frame: int
    transition: Literal["cut", "dissolve"]


@dataclass(frozen=True, slots=True, eq=False)
class _Small:
    """One frame, without black bars, shrunk. grey: (36, 64) float32. mixture: (1728,) float32, 32x18 RGB.

    changes: (48,) float32, mean change since the frame before of each 8x6 px block, grey levels; change: their mean.
    half: what it was made of, bars included, (72, 128, 3) uint8 RGB. bars: of that, None where it is all black.
    colour: (36, 64, 3) uint8 RGB.
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
    """Feed every frame in order to `update`, then `finish`; `shots` gives the result.

    Deterministic; its memory is bounded by the longest dissolve, not by the video.
    A shot of up to three frames between two like pictures counts as a flash, not as a shot.
    """

    def __init__(self, frame_rate: float) -> None:
        """frame_rate: frames per second, > 0; it says how long a dissolve may last, and how far things may move."""
        if not frame_rate > 0:
            raise ValueError(f"frame rate {frame_rate}, expected more than 0")
        rate = min(frame_rate, MAX_RATE)
        lengths = (round(seconds * rate) for seconds in DISSOLVE_WINDOWS_S)
        self._windows = tuple(length for length in lengths if length >= MIN_DISSOLVE_WINDOW)
        self._reach = REACH if frame_rate >= SLOW_RATE else SLOW_REACH
        self._stride = max(1, round(rate / 12.5))
        self._frames: deque[_Small] = deque(maxlen=max(*self._windows, BACKGROUND_FRAMES + MAX_CUT_DELAY, 0) + 2)
        self._bars = NO_BARS
        self._count = 0
        self._boundaries: list[ShotBoundary] = []
        self._last_cut = 0
        self._settled = 0  # no dissolve may begin before this frame
        self._mismatches: dict[tuple[int, int], float] = {}

    def update(self, image: ByteArray) -> list[ShotBoundary]:
        """The next frame, (h, w, 3) uint8 RGB of any size, and the boundaries that it made certain.

        A cut is reported at most `MAX_CUT_DELAY` frames late, a dissolve `MAX_DISSOLVE_DELAY_S`.
        """
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

    def _shrink(self, image: ByteArray) -> _Small:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image {image.shape} {image.dtype}, expected (h, w, 3) uint8")
        # Averaging over the full picture would take 1.4 ms; these two steps look at 16 pixels of every
        # ~180, which is as good on natural pictures and takes 0.04 ms.
        half = np.asarray(cv2.resize(image, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
        own = black_bars(half)
        if own != self._bars:
            self._use(common_bars([*(frame.bars for frame in self._frames), own]))
        return self._small(self._count, half, own)

    def _use(self, bars: Bars) -> None:
        """Compare pictures without these bars, those that are kept as well."""
        if bars == self._bars:
            return
        self._bars = bars
        self._mismatches.clear()
        kept = list(self._frames)
        self._frames.clear()
        for frame in kept:
            self._frames.append(self._small(frame.index, frame.half, frame.bars))

    def _small(self, index: int, half: ByteArray, bars: Bars | None) -> _Small:
        """A frame after those in `_frames`, without the bars that all of them have."""
        top, bottom, left, right = self._bars
        inner = half[top : 2 * HEIGHT - bottom, left : 2 * WIDTH - right]
        colour = np.asarray(cv2.resize(inner, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        before = self._frames[-1].colour if self._frames else colour
        difference = cv2.absdiff(colour, before).astype(np.float32)
        changes = cv2.resize(difference, (8, 6), interpolation=cv2.INTER_AREA).reshape(-1, 3) @ _THIRDS
        grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY).astype(np.float32)
        mixture = cv2.resize(colour, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
        return _Small(index, half, bars, colour, grey, mixture, changes, float(changes.sum()) / changes.size)

    def _at(self, frame: int) -> _Small:
        return self._frames[frame - self._frames[0].index]

    def _between(self, first: int, end: int, without: int) -> list[int]:
        """Frames of [first, end) that are at hand with the frame before them, except `without`."""
        first = max(first, self._frames[0].index + 1)
        return [f for f in range(first, min(end, self._count)) if f != without]

    def _mismatch(self, old: int, new: int) -> float:
        key = (old, new)
        if key not in self._mismatches:
            self._mismatches[key] = mismatch(self._at(old).grey, self._at(new).grey, self._reach)
        return self._mismatches[key]

    def _cut_at(self, frame: int) -> list[ShotBoundary]:
        # A frame that blends two shots would else count as a shot of its own.
        if frame < 1 or frame - 1 == self._last_cut:
            return []
        if self._at(frame).change < MIN_CHANGE or not self._stands_out(frame):
            return []
        if not (self._is_strong(frame) or self._is_weak(frame)) or self._comes_back(frame):
            return []
        self._last_cut = frame
        return [self._report(ShotBoundary(frame, "cut"), settled=frame)]

    def _stands_out(self, frame: int) -> bool:
        """Whether the picture changes more here than around, one frame excepted; cheap."""
        change = self._at(frame).change
        if any(self._at(f).change > change for f in self._between(frame - 1, frame + 2, frame)):
            return False
        around = sorted(self._at(f).change for f in self._between(frame - 2, frame + 3, frame))
        # The one exception: a blended frame between two shots, or another cut close by.
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
        """The last frame of the old shot and the first pure one of the new, should `frame` be a cut.

        They are neighbours, or have a mixture of both shots between them, which is `frame` itself or the one before.
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
        # So great a change of so little structure is a change of light.
        if here.change > WEAK_MAX_CONTRAST_CHANGE * float(here.grey.std()):
            return False
        usual = np.max([self._at(f).changes for f in around], axis=0)
        if float(np.mean(here.changes > 1.3 * usual + 0.3)) < WEAK_COVERAGE:
            return False
        score = self._mismatch(frame - 1, frame)
        # Almost anything stands out against repeated frames, which make every step of a motion a jump.
        frozen = sum(self._at(f).change > FROZEN_CHANGE for f in around) < 4
        return score > (FROZEN_MISMATCH if frozen else WEAK_MISMATCH) and score > WEAK_ISOLATION * max(
            self._mismatch(f - 1, f) for f in around
        )

    def _comes_back(self, frame: int) -> bool:
        """Whether the old picture follows the new one, or the new one came before: a flash."""
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
        """First frames that show more of `end` than of `start`, and hardly any of `start`; None if not mixtures."""
        offset = self._frames[0].index
        first, last = self._at(start).mixture, self._at(end).mixture
        step = last - first
        energy = float(step @ step)
        if energy < DISSOLVE_CONTRAST**2 * step.size:
            return None
        level = max(1, (end - start) // 8)
        for near, share in ((start + level, 0.0), (end - level, 1.0)):
            if abs(float((self._at(near).mixture - first) @ step) / energy - share) > DISSOLVE_LEVEL:
                return None
        run = np.stack([self._frames[f - offset].mixture for f in range(start, end + 1)]) - first
        shares = run @ step / energy
        if not _grows_slowly(shares):
            return None
        residuals = np.sqrt(np.square(run - shares[:, None] * step).sum(1) / energy)
        if float(residuals.max()) > DISSOLVE_RESIDUAL or self._mismatch(start, end) < DISSOLVE_MISMATCH:
            return None
        return start + int(np.argmax(shares >= 0.5)), start + int(np.argmax(shares >= 1 - DISSOLVE_LEVEL))

    def _report(self, boundary: ShotBoundary, settled: int) -> ShotBoundary:
        self._boundaries.append(boundary)
        self._settled = max(self._settled, settled)
        logger.debug("%s at frame %d", boundary.transition, boundary.frame)
        return boundary


def _grows_slowly(shares: NDArray[np.floating]) -> bool:
    """Whether the shares rise from 0 to 1 without stepping back, and not at once."""
    rises = [float(b - a) for a, b in pairwise(shares)]
    return min(rises) > -0.08 and max(rises) < 0.45
