"""Whether a burst of motion carries one image away over, or together with, the next one.

Where a page turns, a cube rotates, or an image flies off, parts of both images are visible at once, and they do not
move together. Where a camera moves, everything does. Points of the last frame before the burst are followed forwards,
those of the first one after it backwards; in the frames in which both are visible, their motions are compared. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from core.types import ByteArray, FloatArray

MIN_FRAMES = 2
"""least number of frames in which both images are seen. Of 60 bursts in made transitions 28 have as many; of 82 in
generated quick pans and shakes and behind passers-by none"""

MIN_POINTS = 8
"""least number of points of either image"""

_MAX_POINTS, _POINT_QUALITY, _POINT_DISTANCE = 200, 0.01, 3
_WINDOW = (9, 9)
_MAX_RETURN_PX, _MAX_ERROR = 0.7, 20.0
"""largest distance of a point that is followed back from where it came, px, and largest difference of its surroundings,
grey levels"""

OWN, FOREIGN = 0.6, 0.3
"""least share of the points of an image that move as one, and largest of those of the other that move along"""

_TOLERANCE_PX = 1.0
"""distance from the common motion up to which a point moves along"""

MIN_COVERAGE = 0.04
"""least share of the frame that the points of either image enclose"""

MAX_LEFT = 0.25
"""largest share of the points of an image that may still be seen when the other has come to rest: a caption covers only
a part of the image"""

LIKE, UNLIKE = 0.25, 8.0
"""a cell shows one of the two images where its difference from it is less than this share of that between both, if
that is at least so many grey levels"""

MIN_SHARE, MIN_BOTH_SHARES = 0.1, 0.35
"""least share of cells that show either image in its place, and both together, where neither moves (a curled page).
With a `LIKE` of 0.35, or with 0.25 for both together, and in one frame instead of `MIN_FRAMES`, 8 to 11 of 82 pans and
passers-by pass; with these in one frame one does"""

MIN_MISMATCH = 0.4
"""... and the least mismatch of both images then, as of gradual transitions"""

_COLUMNS, _ROWS = 16, 9


def shows_two_images(frames: Sequence[ByteArray]) -> bool:
    """Whether both the first and the last of `frames` are seen in some frames between, moving differently.

    frames: (h, w) uint8 grey, consecutive; the first before a burst of motion, the last after it.
    """
    old, new = _followed(frames), _followed(frames[::-1])
    if old is None or new is None or max(_left(old), _left(new)) > MAX_LEFT:
        return False
    new = new[::-1]
    found = 0
    for step in range(len(frames) - 1):
        found += _move_apart(old[step : step + 2], new[step : step + 2], frames[0].size)
        if found >= MIN_FRAMES:
            return True
    return False


def shows_parts_of_both(frames: Sequence[ByteArray]) -> bool:
    """Whether some frames show parts of the first and of the last one, each in its place.

    frames: (h, w) uint8 grey, consecutive.
    """
    smooth = [cv2.GaussianBlur(frame, (0, 0), 1).astype(np.float32) for frame in (frames[0], frames[-1])]
    whole = _by_cell(smooth[0], smooth[1])
    differs = whole > UNLIKE
    found = 0
    for frame in frames[1:-1]:
        image = cv2.GaussianBlur(frame, (0, 0), 1).astype(np.float32)
        shares = [float((differs & (_by_cell(image, end) < LIKE * whole)).mean()) for end in smooth]
        found += min(shares) >= MIN_SHARE and sum(shares) >= MIN_BOTH_SHARES
    return found >= MIN_FRAMES


def _by_cell(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(cv2.resize(cv2.absdiff(a, b), (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA), np.float32)


def _followed(frames: Sequence[ByteArray]) -> FloatArray | None:
    """(F, N, 2) float32: points of the first frame in all F, px; nan from where they are lost. None without points."""
    points = cv2.goodFeaturesToTrack(frames[0], _MAX_POINTS, _POINT_QUALITY, _POINT_DISTANCE)
    if points is None:
        return None
    rows = [np.asarray(points.reshape(-1, 2), np.float32)]
    height, width = frames[0].shape
    for before, after in pairwise(frames):
        there = np.full_like(rows[-1], np.nan)
        live = np.flatnonzero(np.isfinite(rows[-1][:, 0]))
        if len(live):
            start = rows[-1][live]
            found, ok, error = cv2.calcOpticalFlowPyrLK(before, after, start[:, None], None, winSize=_WINDOW)
            back, ok_back, _ = cv2.calcOpticalFlowPyrLK(after, before, found, None, winSize=_WINDOW)
            end = found[:, 0]
            is_kept = (ok[:, 0] > 0) & (ok_back[:, 0] > 0) & (error[:, 0] < _MAX_ERROR)
            is_kept &= np.abs(back[:, 0] - start).max(1) < _MAX_RETURN_PX
            is_kept &= ((end > 1) & (end < (width - 2, height - 2))).all(1)
            there[live[is_kept]] = end[is_kept]
        rows.append(there)
    return np.stack(rows)


def _left(points: FloatArray) -> float:
    """The share of points that are followed to the last frame."""
    return float(np.isfinite(points[-1, :, 0]).mean())


def _move_apart(old: FloatArray, new: FloatArray, area: int) -> bool:
    """Whether the points of both images, (2, N, 2) in two frames, are visible and have motions of their own."""
    steps = [np.ascontiguousarray(points[:, np.isfinite(points[..., 0]).all(0)]) for points in (old, new)]
    if min(points.shape[1] for points in steps) < MIN_POINTS:
        return False
    if min(cv2.contourArea(cv2.convexHull(points[0])) for points in steps) < MIN_COVERAGE * area:
        return False
    for own, other in (steps, steps[::-1]):
        motion, _ = cv2.estimateAffine2D(own[0], own[1], ransacReprojThreshold=_TOLERANCE_PX / 2, maxIters=300)
        if motion is None or _along(own, motion) < OWN or _along(other, motion) > FOREIGN:
            return False
    return True


def _along(points: FloatArray, motion: FloatArray) -> float:
    """The share of points, (2, N, 2), that move by an affine `motion`, (2, 3)."""
    moved = points[0] @ motion[:, :2].T + motion[:, 2]
    return float((np.abs(moved - points[1]).max(1) < _TOLERANCE_PX).mean())


def carries_away(frames: Sequence[ByteArray], mismatch: float) -> bool:
    """Whether a burst of motion replaces one image by another, both of which are visible at once.

    frames: (h, w) uint8 grey, consecutive; the first before the burst, the last after it. mismatch: of these two, see
    `block_matching`.
    """
    return shows_two_images(frames) or (mismatch >= MIN_MISMATCH and shows_parts_of_both(frames))
