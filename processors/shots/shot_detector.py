"""Finds where one shot ends and the next begins, during the decode pass.

A cut is an isolated change of *structure*: the blocks of the new frame are nowhere near their place in the old one,
the pairs of frames around it match well, and the old image does not come back within three frames. Blocks are matched
by correlation after a search for their shift, which rules out everything else: changes of light (correlation ignores
gain and offset; over-exposure that clips is recognised by `tone_curve`, a spot by `local_light`), motion (the search
follows it), pans and passing objects (neighbouring frames match as badly), flashes (the old image comes back), streams
that stalled (`freeze`).

Dissolves, fades and wipes are runs of frames between two stretches without change, see `gradual_transition`; quick dips
to black, white or another colour come back with another image, see `dip`.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence

import numpy as np

from core.types import ByteArray, Shot
from processors.shots.block_matching import REACH, mismatch
from processors.shots.carried_image import carries_away
from processors.shots.dip import find_dip
from processors.shots.fade_course import with_fades
from processors.shots.freeze import is_catching_up
from processors.shots.gradual_transition import GradualTransition, find_gradual
from processors.shots.local_light import is_other_light
from processors.shots.missing_frame import is_missing_frame
from processors.shots.motion_burst import Burst, MotionBursts
from processors.shots.recent_frames import RecentFrames
from processors.shots.shot_boundary import ShotBoundary, shots_between, with_bursts
from processors.shots.small_frame import SmallFrame

logger = logging.getLogger(__name__)

DEFAULT_SENSITIVITY = 0.5
"""sensitivity at which the constants below are the thresholds"""

MAX_CUT_DELAY = 3
"""frames: a cut whose new shot begins with frame t is reported by `update` for frame t + 3 at the latest"""
MAX_GRADUAL_DELAY_S = 1.95
"""longest time from the middle of a gradual transition, where its boundary is put, to the `update` that reports it. The
boundary of a fade from a flat image is put at its beginning, up to 0.35 s earlier"""

SLOW_RATE, SLOW_REACH = 20.0, (6, 5)  # frames per second below which blocks may move further, and how far, px
MIN_CHANGE = 1.0  # least mean change of a pixel at a cut, grey levels

CHANGE_ISOLATION = 1.3  # least change at a cut, as a multiple of the changes around it
MIN_CONTRAST_CHANGE = 0.2  # least change at a strong cut, as a share of the frame's contrast (standard deviation)
BLEND_CHANGE = 0.3  # a blended frame splits a cut in two: then the smaller change is at least this share of the larger
STRONG_MISMATCH = 0.42  # least mismatch of a strong cut, which needs no other evidence
WEAK_MISMATCH = 0.05  # ... of a weak cut
FROZEN_MISMATCH = 0.2  # ... of a weak cut between frames that do not move at all
LIGHT_MISMATCH = 0.17  # ... of a weak cut with a large change; light switched on or off left up to 0.15
STRONG_ISOLATION = 1.5  # least mismatch at a strong cut, as a multiple of those around it
# Of a weak cut: change and mismatch as multiples of the largest nearby. True ones (jump cuts, two people on one
# set) had 3.8 and 6.6 or more, at half the frame rate 3.1 and 2.7; gestures and key frames in one take had a change
# of 2.3 or less.
WEAK_CHANGE_ISOLATION, WEAK_MISMATCH_ISOLATION = 3.0, 2.5
WEAK_BACKGROUND_ISOLATION = 2.0  # ... and of the largest in the frames before
WEAK_COVERAGE = 0.6  # least share of the frame that changes more than it does nearby; captions cover up to 0.5
WEAK_MAX_CONTRAST_CHANGE = 1.2  # share of the contrast; a greater change with little mismatch is a change of light
FROZEN_CHANGE = 0.3  # grey levels; a frame that changes less repeats the one before, apart from dithering,
SLOW_FROZEN_CHANGE = 0.75  # ... and the same in slow videos, where what lives changes more from frame to frame
RETURN_SHARE = 0.6  # the old image is back if the mismatch is below this share of the mismatch across the cut
BACKGROUND_FRAMES = 12  # frames before a weak cut that it is compared with

GRADUAL_WINDOWS_S = (0.32, 0.48, 0.88, 1.28, 1.76, 2.2)  # lengths of runs that are examined
MIN_GRADUAL_WINDOW = 8  # frames
EASING_S = 0.3  # time by which a wipe may begin earlier or end later than its shares show, s: it starts and ends slowly
MAX_RATE = 120.0  # frames per second; bounds memory: in faster videos only shorter transitions are found


class ShotDetector:
    """Feed every frame in order to `update`, then call `finish`; `shots` gives the result.

    Deterministic; its memory is bounded by the longest transition, but for four bytes a frame.
    A shot of up to three frames between two similar images counts as a flash, not as a shot.
    """

    def __init__(self, frame_rate: float, sensitivity: float = DEFAULT_SENSITIVITY) -> None:
        """Frames of one video.

        frame_rate: frames per second, > 0; it decides how long a transition may last and how far things may move.
        sensitivity: 0 (only the clearest) to 1; the thresholds are twice as high at 0 and half as high at 1.

        Raises:
            ValueError: the rate is not positive.
        """
        if not frame_rate > 0:
            raise ValueError(f"frame rate {frame_rate}, expected more than 0")
        rate = min(frame_rate, MAX_RATE)
        lengths = (round(seconds * rate) for seconds in GRADUAL_WINDOWS_S)
        self._rate = frame_rate
        self._windows = tuple(length for length in lengths if length >= MIN_GRADUAL_WINDOW)
        is_slow = frame_rate < SLOW_RATE
        self._reach = SLOW_REACH if is_slow else REACH
        self._frozen_change = SLOW_FROZEN_CHANGE if is_slow else FROZEN_CHANGE
        self._stride = max(1, round(rate / 12.5))
        self._frames = RecentFrames(max(*self._windows, BACKGROUND_FRAMES + MAX_CUT_DELAY, 0) + 2, self._reach)
        self._strictness = float(2.0 ** (2 * (DEFAULT_SENSITIVITY - sensitivity)))
        self._boundaries: list[ShotBoundary] = []
        self._last_cut = 0
        self._settled = 0  # no gradual transition may begin before this frame
        self._forced: set[int] = set()
        self._contrasts = array("f")
        self._motion = MotionBursts(rate)
        self._bursts: list[Burst] = []
        self._last_wipe: Burst | None = None

    def update(self, image: ByteArray, *, is_cut: bool = False) -> list[ShotBoundary]:
        """Take the next frame, (h, w, 3) uint8 RGB of any size; returns the boundaries that it made certain.

        A cut is reported at most `MAX_CUT_DELAY` frames late, a gradual transition `MAX_GRADUAL_DELAY_S`. is_cut: a new
        shot begins here, whatever the image shows.
        """
        if is_cut:
            self._forced.add(self._frames.count)
        self._frames.add(image)
        found = self._cut_at(self._frames.count - 1 - MAX_CUT_DELAY)
        if self._frames.count % self._stride == 0:
            found += self._gradual()
        frame = self._frames.at(self._frames.count - 1)
        self._contrasts.append(frame.contrast)
        burst = self._motion.add(frame.changes, frame.change)
        return found if burst is None else found + self._carried(burst)

    def finish(self) -> list[ShotBoundary]:
        """Boundaries among the last frames, judged without the frames that would have followed."""
        found: list[ShotBoundary] = []
        for frame in range(max(self._frames.count - MAX_CUT_DELAY, 0), self._frames.count):
            found += self._cut_at(frame)
        return found + self._gradual()

    def shots(self, frame_count: int) -> tuple[Shot, ...]:
        """All shots of a video of `frame_count` frames; they cover [0, frame_count) without gaps."""
        moving = [with_bursts(one, self._bursts) for one in self._boundaries]
        return shots_between(with_fades(moving, np.array(self._contrasts, np.float32), self._rate), frame_count)

    @property
    def bursts(self) -> Sequence[Burst]:
        """The short runs of frames in which the image has changed far more than around them, wipes among them."""
        return self._bursts

    def _is_light(self, old: int, new: int) -> bool:
        pair = self._frames.at(old).grey, self._frames.at(new).grey
        return is_other_light(*pair, self._frames.mismatch(old, new), self._reach)

    def _is_catching_up(self, old: int, new: int) -> bool:
        first = max(self._last_cut, self._settled, self._frames.oldest)
        frames = [self._frames.at(frame) for frame in (*range(first, old + 1), new)]
        return is_catching_up(
            [frame.change for frame in frames],
            self._frozen_change,
            lambda one, other, reach: mismatch(frames[one].grey, frames[other].grey, reach),
            self._reach,
        )

    def _lacks_a_frame(self, old: int, new: int) -> bool:
        return is_missing_frame(
            (old, new),
            self._beside(old, new, new - old + 1),
            lambda one, other: sum(self._frames.at(frame).change for frame in range(one + 1, other + 1)),
            lambda one, other, reach: mismatch(self._frames.at(one).grey, self._frames.at(other).grey, reach),
            self._reach,
        )

    def _cut_at(self, frame: int) -> list[ShotBoundary]:
        if frame in self._forced:
            self._last_cut = frame
            return [self._report(ShotBoundary(frame, "cut"), settled=frame)]
        # A frame that blends two shots would otherwise count as a shot of its own.
        if frame < 1 or frame - 1 == self._last_cut or frame + 1 in self._forced:
            return []
        # In slow videos the largest step of a gradual transition may look like a cut.
        if frame <= self._settled:
            return []
        if self._frames.at(frame).change < MIN_CHANGE or not self._stands_out(frame):
            return []
        if not (self._is_strong(frame) or self._is_weak(frame)) or self._comes_back(frame):
            return []
        # Last, because they are needed for hardly any frame but cuts.
        step = self._step(frame)
        if self._is_catching_up(*step) or self._lacks_a_frame(*step) or self._is_light(*step):
            return []
        self._last_cut = frame
        return [self._report(ShotBoundary(frame, "cut"), settled=frame)]

    def _stands_out(self, frame: int) -> bool:
        """Whether the image changes more here than around, with one exception; a cheap first test."""
        change = self._frames.at(frame).change
        if any(self._frames.at(f).change > change for f in self._frames.around(frame - 1, frame + 2, frame)):
            return False
        around = sorted(self._frames.at(f).change for f in self._frames.around(frame - 2, frame + 3, frame))
        # The exception is a blended frame between two shots, or another cut close by.
        return len(around) < 2 or change > CHANGE_ISOLATION * around[-2]

    def _is_strong(self, frame: int) -> bool:
        here = self._frames.at(frame)
        if here.change < MIN_CONTRAST_CHANGE * here.contrast:
            return False
        old, new = self._step(frame)
        score = self._frames.mismatch(old, new)
        if score <= STRONG_MISMATCH * self._strictness:
            return False
        others = sorted(self._frames.mismatch(*step) for step in self._beside(old, new, new - old))
        return len(others) < 2 or score > STRONG_ISOLATION * others[-2]

    def _beside(self, old: int, new: int, length: int) -> list[tuple[int, int]]:
        """Steps of `length` frames, up to two before the one from `old` to `new` and two after it."""
        first, end = max(old - 1, self._frames.oldest + length), min(new + length + 2, self._frames.count)
        return [(last - length, last) for last in (*range(first, old + 1), *range(new + length, end))]

    def _step(self, frame: int) -> tuple[int, int]:
        """The last frame of the old shot and the first pure frame of the new one, assuming that `frame` is a cut.

        Between them there may be one frame that blends both shots: `frame` itself or the one before.
        """
        step = (frame - 1, frame)
        if self._frames.mismatch(*step) >= STRONG_MISMATCH * self._strictness:
            return step
        for old, new, partner in ((frame - 1, frame + 1, frame + 1), (frame - 2, frame, frame - 1)):
            if old < self._frames.oldest or new >= self._frames.count:
                continue
            if self._frames.at(partner).change > BLEND_CHANGE * self._frames.at(frame).change:
                step = max(step, (old, new), key=lambda pair: self._frames.mismatch(*pair))
        return step

    def _is_weak(self, frame: int) -> bool:
        here = self._frames.at(frame)
        first = self._last_cut + 1
        near = self._frames.around(max(frame - MAX_CUT_DELAY, first), frame + MAX_CUT_DELAY + 1, frame)
        around = self._frames.around(max(frame - BACKGROUND_FRAMES, first), frame + MAX_CUT_DELAY + 1, frame)
        # After the last frame, it is unknown whether the old image comes back.
        if len(around) < 4 or frame + 1 == self._frames.count:
            return False
        if here.change < self._isolation(WEAK_CHANGE_ISOLATION) * max(self._frames.at(f).change for f in near):
            return False
        if here.change < self._isolation(WEAK_BACKGROUND_ISOLATION) * max(self._frames.at(f).change for f in around):
            return False
        usual = np.max([self._frames.at(f).changes for f in near], axis=0)
        if float(np.mean(here.changes > 1.5 * usual + 0.5)) < WEAK_COVERAGE:
            return False
        score = self._frames.mismatch(frame - 1, frame)
        return (
            score > self._least_weak_mismatch(here, around)
            and score > self._isolation(WEAK_MISMATCH_ISOLATION) * max(self._frames.mismatch(f - 1, f) for f in near)
            and score
            > self._isolation(WEAK_BACKGROUND_ISOLATION) * max(self._frames.mismatch(f - 1, f) for f in around)
        )

    def _least_weak_mismatch(self, here: SmallFrame, around: Sequence[int]) -> float:
        least = WEAK_MISMATCH
        # A large change that leaves the structure alone is a change of light.
        is_light = here.change > WEAK_MAX_CONTRAST_CHANGE * here.contrast
        if is_light:
            least = LIGHT_MISMATCH
        # Among repeated frames every step of a motion is a jump that stands out.
        if float(np.percentile([self._frames.at(f).change for f in around], 75)) < self._frozen_change:
            least = STRONG_MISMATCH if is_light else FROZEN_MISMATCH
        return least * self._strictness

    def _isolation(self, multiple: float) -> float:
        """At the chosen sensitivity; a change that does not stand out at all is never a cut."""
        return max(multiple * self._strictness, 1.0)

    def _comes_back(self, frame: int) -> bool:
        """Whether the old image is seen after the cut, or the new one before it: a flash."""
        old, new = self._step(frame)
        limit = RETURN_SHARE * self._frames.mismatch(old, new)
        later = range(new + 1, min(frame + 1 + MAX_CUT_DELAY, self._frames.count))
        earlier = range(max(frame - 1 - MAX_CUT_DELAY, self._frames.oldest), old)
        return any(self._frames.mismatch(old, f) < limit for f in later) or any(
            self._frames.mismatch(f, new) < limit for f in earlier
        )

    def _gradual(self) -> list[ShotBoundary]:
        end = self._frames.count - 1
        for window in self._windows:
            start = end - window
            if start < self._settled:
                break
            found = self._gradual_between(start, end)
            if found is not None:
                mixed = start + found.began, start + found.settled
                boundary = ShotBoundary(start + found.boundary, found.transition, mixed)
                if found.transition == "wipe":
                    self._last_wipe = Burst(start + found.began, start + found.settled, 1.0)
                    self._bursts.append(self._last_wipe)
                return [self._report(boundary, settled=start + found.settled)]
        return self._dip()

    def _gradual_between(self, start: int, end: int) -> GradualTransition | None:
        run = self._frames.run(start, end + 1)
        found = find_gradual(run, self._rate, lambda: self._frames.mismatch(start, end), self._strictness)
        return None if found is None or self._is_light(start, end) else found

    def _dip(self) -> list[ShotBoundary]:
        first = max(self._settled, self._frames.oldest)
        contrasts = np.array([self._frames.at(frame).contrast for frame in range(first, self._frames.count)])

        def mismatch_of(one: int, other: int) -> float:
            return self._frames.mismatch(first + one, first + other)

        dip = find_dip(contrasts, self._rate, mismatch_of, self._strictness)
        if dip is None:
            return []
        mixed = first + dip.before + 1, first + dip.after
        return [self._report(ShotBoundary(first + dip.flattest, "dissolve", mixed), settled=first + dip.after)]

    def _carried(self, burst: Burst) -> list[ShotBoundary]:
        """The transition that a burst of motion shows, if it carries one image away."""
        if self._last_wipe is not None and self._last_wipe.first < burst.end and burst.first < self._last_wipe.end:
            # Somebody may have moved before or after it.
            burst = burst.within(self._last_wipe, round(EASING_S * self._rate))
        self._bursts.append(burst)
        if not burst.is_of_whole_image:
            return []
        first, end = burst.first - 1, burst.end
        if first < self._frames.oldest or any(burst.first < frame < end for frame in self._forced):
            return []
        if not carries_away(self._frames.grey(first, end + 1), self._frames.mismatch(first, end)):
            return []
        near = range(burst.first - MAX_CUT_DELAY, end + MAX_CUT_DELAY + 1)
        within = [b for b in self._boundaries if b.frame in near and b.frame not in self._forced]
        middle = (burst.first + end) // 2
        known = min(within, key=lambda b: (abs(b.frame - middle), b.frame), default=None)
        boundary = ShotBoundary(middle if known is None else known.frame, "wipe", (burst.first, end))
        self._boundaries = [b for b in self._boundaries if b not in within]
        return [self._report(boundary, settled=end)]

    def _report(self, boundary: ShotBoundary, settled: int) -> ShotBoundary:
        self._boundaries.append(boundary)
        self._settled = max(self._settled, settled)
        logger.debug("%s at frame %d", boundary.transition, boundary.frame)
        return boundary
