"""Whether a run of frames is a slide: an image moves in over the old one, pushes it out, or is left behind by it.

A push differs from a pan by its seam: the two images do not continue each other where they meet.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, IntArray
from processors.shots.gradual_run import GradualFit, fit_of

MAX_RESIDUAL = 0.65
"""largest rms distance of a frame from the nearest position of the two images, as a share of the difference of the
first and the last frame. Generated slides of 1.5 s between moving shots have up to 0.60; other runs between unlike
images in the development clips have 0.79 or more"""

MAX_STEP_BACK, MAX_STEP = 0.06, 0.3
"""largest step of the edge backwards, and forwards, from one frame to the next, as a share of the image. A swish of
six frames, generated as a push, has 0.41: a quicker motion may as well be the camera's"""

MIN_SEAM = 1.3
"""smallest rms difference where the two images of a push meet, as a multiple of that of neighbouring columns (or rows),
there or on the whole. Of 1000 pairs of windows of seven photographs, 9 in 10 have more; of windows that continue each
other, as in a pan by the width of the image, 4 in 100"""

MIN_EDGE = 0.5
"""smallest jump of the moving frames where the two images meet, as a share of the ideal one. Generated slides have 0.6
or more; a camera that pans by a little more than the width of its image has 0.22, because it shows what lies
between"""

EDGE_LINES = 2
"""lines on either side of the edge that are compared"""

PUSH, COVER, REVEAL = range(3)  # in the order of `_misfits`


@dataclass(frozen=True, slots=True, eq=False)
class _Slide:
    """lines: (L, k) of each frame, along the motion. moved: for each frame, the number of lines by which the edge has
    moved."""

    kind: int
    lines: Sequence[FloatArray]
    moved: Sequence[int]
    residual: float


def fit_slide(frames: Sequence[FloatArray]) -> GradualFit | None:
    """The slide that `frames`, (h, w) float32 grey each, show; None if they show none."""
    best = min(_slides(frames), key=lambda slide: slide.residual, default=None)
    if best is None or _edge(best) < MIN_EDGE:
        return None
    if best.kind == PUSH and _seam(best.lines[0], best.lines[-1]) < MIN_SEAM:
        return None
    return fit_of(np.array(best.moved) / len(best.lines[0]), best.residual)


def _slides(frames: Sequence[FloatArray]) -> Iterator[_Slide]:
    """Every kind and direction that explains all frames."""
    first, last = frames[0], frames[-1]
    limit = MAX_RESIDUAL**2 * float(np.square(last - first).sum())
    # One frame rules out most runs: the one that is least like the first and the last.
    foreign = max(range(len(frames)), key=lambda i: _least_distance(frames[i], first, last))
    for turn in range(4):
        old, new = _turned(first, turn), _turned(last, turn)
        if _misfits(_turned(frames[foreign], turn), old, new).min() > limit:
            continue
        lines = [_turned(frame, turn) for frame in frames]
        misfits = np.stack([_misfits(one, old, new) for one in lines])
        for kind, moved in enumerate(misfits.argmin(2).T):
            worst = float(misfits[:, kind].min(1).max())
            steps = np.diff(moved) / len(old)
            if worst <= limit and steps.min() >= -MAX_STEP_BACK and steps.max() <= MAX_STEP and moved[-1] == len(old):
                yield _Slide(kind, lines, moved.tolist(), MAX_RESIDUAL * float(np.sqrt(worst / limit)))


def _edge(slide: _Slide) -> float:
    """How much of the jump from the old to the new image is visible where the edge should be."""
    old, new = slide.lines[0], slide.lines[-1]
    seen = due = 0.0
    for frame, moved in zip(slide.lines, slide.moved, strict=True):
        if not EDGE_LINES <= moved <= len(old) - EDGE_LINES:
            continue
        # The lines at the edge itself may show both images.
        before, after = len(old) - moved - EDGE_LINES, len(old) - moved + EDGE_LINES - 1
        last = old[before + (0 if slide.kind == COVER else moved)]
        jump = new[after if slide.kind == REVEAL else EDGE_LINES - 1] - last
        seen += float((frame[after] - frame[before]) @ jump)
        due += float(jump @ jump)
    return seen / max(due, 1e-3)


def _least_distance(frame: FloatArray, first: FloatArray, last: FloatArray) -> float:
    return min(float(np.square(frame - other).sum()) for other in (first, last))


def _turned(frame: FloatArray, turn: int) -> FloatArray:
    """The lines of a frame along one of four directions: the new image enters behind the last one."""
    lines = frame.T if turn < 2 else frame
    return np.ascontiguousarray(lines if turn % 2 == 0 else lines[::-1])


def _misfits(frame: FloatArray, old: FloatArray, new: FloatArray) -> FloatArray:
    """(3, L + 1) squared distance of a frame of L lines from a push, a cover and a reveal by 0 to L lines."""
    to_old, to_new = _line_distances(frame, old), _line_distances(frame, new)
    count = len(frame)
    # A line that has moved by d lies on the d-th diagonal.
    shifts = _diagonals(count)
    moved = np.bincount(shifts, to_old.ravel(), 2 * count)[count : 2 * count]
    entered = np.bincount(shifts, to_new.ravel(), 2 * count)[:count]
    moved, entered = np.append(moved, 0.0), np.append(entered, float(np.trace(to_new)))
    left = np.append(0.0, np.cumsum(np.diag(to_old)))[::-1]
    uncovered = np.append(0.0, np.cumsum(np.diag(to_new)[::-1]))
    return np.stack([moved + entered, left + entered, moved + uncovered]).astype(np.float32)


def _line_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """(L, L) squared distances of the lines of two images."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)
    return np.asarray(np.maximum(squares - 2 * a @ b.T, 0), np.float32)


@functools.lru_cache(maxsize=2)
def _diagonals(count: int) -> IntArray:
    """(count^2,) for row r and column c of a matrix: count + c - r."""
    rows, columns = np.divmod(np.arange(count * count), count)
    return np.asarray(count + columns - rows, np.int64)


def _seam(old: FloatArray, new: FloatArray) -> float:
    """How much the two images differ where they meet, as a multiple of the difference of neighbouring lines."""
    steps_old, steps_new = np.diff(old, axis=0), np.diff(new, axis=0)
    on_the_whole = _rms(np.concatenate([steps_old, steps_new]))
    nearby = [_rms(line) for line in (*steps_old[-2:], *steps_new[:2])]
    return _rms(old[-1] - new[0]) / max(on_the_whole, *nearby, 1e-3)


def _rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
