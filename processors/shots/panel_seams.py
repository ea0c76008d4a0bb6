"""Fixed seams of split screens: straight lines from edge to edge at which one image ends and another begins.

At a seam the image changes within three pixels along almost all of the line, in every frame of the shot. Edges of
objects are mostly blurred by the lens, or end, or are covered at times. The straight edge of a door post may look the
same, therefore `processors/camera/panels.py` asks for faces on both sides.

Where both panels show a wall of one colour, no line can be seen, and somebody in front of the seam hides it for a
while. So a line that divides the picture into equal parts, as the panels of video calls do, may be a seam with less:
where the image changes near it at all, it has to change at the line, and at the line opposite. Pure.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, FloatArray, PixelBox, PixelSpan

MIN_SHARE = 0.75
"""smallest share of a line along which the image changes abruptly, in each frame. Chosen and judged on the development
clips: 12 of 14 split screens have such a line, and 4 of 59 others (a ticker, a window, a test image, a post)"""

_EQUAL_PARTS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
"""where panels of the same size meet, as shares of the picture"""
_EQUAL_TOLERANCE = 0.012
"""of the picture; a gutter between panels has its edges at both sides of such a place"""
_MIN_STEP_SHARE = 0.15
"""smallest share of a line between equal parts along which each frame changes abruptly"""
_MIN_CLEAR = 0.4
"""smallest part which that is of all changes near the line, in each frame"""
_CLEAR = 0.7
"""the same in all frames of a shot together"""

_WORK_PX = 360
"""lines are searched in images whose shorter side has at most this many pixels: a resized image has no sharper
edges"""
_LINES = 120
"""rows or columns of the frame that are examined"""
_REACH_PX = 3
"""the image changes within this many pixels"""
_ASIDE_PX = 6
"""distance at which it must change much less"""
_MIN_STEP = 10
"""smallest change at a seam, grey levels"""
_ISOLATION = 2
"""smallest ratio of the change at the seam and the changes beside it"""
_MIN_PANEL_SHARE = 0.04
"""of the picture; lines closer to its edge are borders around it"""


class LineShares(NamedTuple):
    """Along which share of each line of an image it changes abruptly, in [0, 1]; empty for a very small image.

    columns, rows: in steps of `scale` px. columns_beside, rows_beside: along which share it changes near the line only.
    """

    columns: FloatArray
    rows: FloatArray
    scale: float
    columns_beside: FloatArray
    rows_beside: FloatArray


class Line(NamedTuple):
    """A line that may be a seam.

    place: counted from the corner of the frame in steps of `_scale` px. steps, beside: shares of the line along which
    the image changes abruptly, and only near it.
    """

    place: int
    steps: float
    beside: float


class SeamCandidates(NamedTuple):
    """Lines of one frame that may be seams."""

    columns: tuple[Line, ...] = ()
    rows: tuple[Line, ...] = ()


def line_shares(luma: ByteArray, picture: PixelBox) -> LineShares:
    """The shares of all lines of `picture`, the part of one frame inside black bars. luma: (H, W) uint8."""
    x1, y1, x2, y2 = picture
    scale = _scale(luma.shape[1], luma.shape[0])
    inner = luma[y1:y2, x1:x2]
    columns, columns_beside = _shares(inner, scale)
    rows, rows_beside = _shares(inner.T, scale)
    return LineShares(columns, rows, scale, columns_beside, rows_beside)


def seam_candidates(shares: LineShares, picture: PixelBox) -> SeamCandidates:
    """The candidates of one frame. shares: of `picture`, the part of it inside black bars."""
    return SeamCandidates(
        _lines(shares.columns, shares.columns_beside, round(picture[0] / shares.scale)),
        _lines(shares.rows, shares.rows_beside, round(picture[1] / shares.scale)),
    )


def fixed_seams(
    shots: Sequence[Sequence[SeamCandidates]], size: tuple[int, int]
) -> list[tuple[tuple[PixelSpan, ...], tuple[PixelSpan, ...]]]:
    """Columns and rows, px, that are a seam in all frames of each shot.

    One frame of a short shot proves nothing, but it shows the seams of other shots of the video again.
    shots: of the frames sampled in each. size: width and height of the frames, px.
    """
    scale = _scale(*size)
    by_axis = []
    for lines in ([[s.columns for s in own] for own in shots], [[s.rows for s in own] for own in shots]):
        common = [_common(own) for own in lines]
        proven = set().union(*(places for places, own in zip(common, lines, strict=True) if len(own) > 1))
        by_axis.append(
            [
                _spans(places if len(own) > 1 else places & proven, scale)
                for places, own in zip(common, lines, strict=True)
            ]
        )
    return list(zip(*by_axis, strict=True))


def _scale(width: int, height: int) -> float:
    return max(min(width, height) / _WORK_PX, 1.0)


def _shares(image: ByteArray, scale: float) -> tuple[FloatArray, FloatArray]:
    """Along which shares of its height the image changes abruptly at, and only near, each column, in steps of `scale`
    px."""
    some = np.ascontiguousarray(image[:: max(len(image) // _LINES, 1)])
    width = round(some.shape[1] / scale)
    if width < 4 * _ASIDE_PX:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    small = cv2.resize(some, (width, len(some)), interpolation=cv2.INTER_AREA)
    change = cv2.absdiff(small[:, _REACH_PX:], small[:, :-_REACH_PX]).astype(np.int16)
    here = change[:, _ASIDE_PX:-_ASIDE_PX]
    aside = np.maximum(change[:, : -2 * _ASIDE_PX], change[:, 2 * _ASIDE_PX :])
    is_step, is_near = np.zeros(small.shape, bool), np.zeros(small.shape, bool)
    first = _ASIDE_PX + _REACH_PX // 2
    last = first + here.shape[1]
    is_step[:, first:last] = (here > _MIN_STEP) & (here > _ISOLATION * aside)
    is_near[:, first:last] = np.maximum(here, aside) > _MIN_STEP
    # Coding moves a step by a pixel in places.
    is_step[:, 1:-1] |= is_step[:, 2:] | is_step[:, :-2]
    return np.asarray(is_step.mean(0), np.float32), np.asarray((is_near & ~is_step).mean(0), np.float32)


def _lines(steps: FloatArray, beside: FloatArray, first: int) -> tuple[Line, ...]:
    """Lines of a picture that may be seams. first: place of its edge in the frame."""
    count = len(steps)
    places = np.arange(count)
    is_strong = steps >= MIN_SHARE
    is_weak = (steps >= _MIN_STEP_SHARE) & (steps >= _MIN_CLEAR * (steps + beside)) & _between_equal_parts(count)
    # The bar of a window may lie at a third of the height, but then there is none at two thirds.
    is_weak &= _opposite(is_strong | is_weak)
    margin = _MIN_PANEL_SHARE * count
    is_inside = (places >= margin) & (places < count - margin)
    found = np.flatnonzero((is_strong | is_weak) & is_inside)
    return tuple(map(Line, (found + first).tolist(), steps[found].tolist(), beside[found].tolist()))


def _between_equal_parts(count: int) -> NDArray[np.bool_]:
    places = (np.arange(count) + 0.5) / max(count, 1)
    return np.asarray(np.min(np.abs(places - np.array(_EQUAL_PARTS)[:, None]), axis=0) <= _EQUAL_TOLERANCE)


def _opposite(is_line: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where there is a line at the same distance from the other edge, about."""
    reach = math.ceil(2 * _EQUAL_TOLERANCE * len(is_line))
    around = np.ones((1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(is_line[None, ::-1].astype(np.uint8), around)[0] > 0) if len(is_line) else is_line


def _common(samples: Sequence[Sequence[Line]]) -> set[int]:
    """Places of the lines that are in all samples and clear in all together."""
    if not samples:
        return set()
    places = set.intersection(*({line.place for line in sample} for sample in samples))
    steps, beside = dict.fromkeys(places, 0.0), dict.fromkeys(places, 0.0)
    for line in itertools.chain.from_iterable(samples):
        if line.place in places:
            steps[line.place] += line.steps
            beside[line.place] += line.beside
    return {place for place in places if steps[place] >= _CLEAR * (steps[place] + beside[place])}


def _spans(places: Collection[int], scale: float) -> tuple[PixelSpan, ...]:
    """Runs of lines, px, widened by the width of a step."""
    lines = np.array(sorted(places), np.int64)
    runs = np.split(lines, np.flatnonzero(np.diff(lines) > 1) + 1) if len(lines) else []
    return tuple((math.floor((run[0] - 1) * scale), math.ceil((run[-1] + 2) * scale)) for run in runs)
