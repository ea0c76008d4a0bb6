"""Fixed seams of split screens: straight lines from edge to edge at which one image ends and another begins.

At a seam the image changes within three pixels along almost all of the line, in every frame of the shot. Edges of
objects are mostly blurred by the lens, or end, or are covered at times. The straight edge of a door post may look the
same, therefore `processors/camera/panels.py` asks for faces on both sides. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from core.types import ByteArray, FloatArray, IntArray, PixelBox, PixelSpan

MIN_SHARE = 0.75
"""smallest share of a line along which the image changes abruptly, in each frame. Chosen and judged on the development
clips: 12 of 14 split screens have such a line, and 4 of 59 others (a ticker, a window, a test image, a post)"""

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

    columns, rows: in steps of `scale` px.
    """

    columns: FloatArray
    rows: FloatArray
    scale: float


class SeamCandidates(NamedTuple):
    """Lines of one frame that may be seams, counted from its corner in steps of `_scale` px."""

    columns: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()


def line_shares(luma: ByteArray, picture: PixelBox) -> LineShares:
    """The shares of all lines of `picture`, the part of one frame inside black bars. luma: (H, W) uint8."""
    x1, y1, x2, y2 = picture
    scale = _scale(luma.shape[1], luma.shape[0])
    inner = luma[y1:y2, x1:x2]
    return LineShares(_shares(inner, scale), _shares(inner.T, scale), scale)


def seam_candidates(shares: LineShares, picture: PixelBox) -> SeamCandidates:
    """The candidates of one frame. shares: of `picture`, the part of it inside black bars."""
    columns, rows = (
        tuple((_lines(along) + round(first / shares.scale)).tolist())
        for along, first in ((shares.columns, picture[0]), (shares.rows, picture[1]))
    )
    return SeamCandidates(columns, rows)


def fixed_seams(
    samples: Sequence[SeamCandidates], size: tuple[int, int]
) -> tuple[tuple[PixelSpan, ...], tuple[PixelSpan, ...]]:
    """Columns and rows, px, that are a seam in all frames of a shot; none if only one frame was sampled.

    size: width and height of the frames, px.
    """
    if len(samples) < 2:
        return (), ()
    scale = _scale(*size)
    return _spans([s.columns for s in samples], scale), _spans([s.rows for s in samples], scale)


def _scale(width: int, height: int) -> float:
    return max(min(width, height) / _WORK_PX, 1.0)


def _shares(image: ByteArray, scale: float) -> FloatArray:
    """Along which share of its height the image changes abruptly at each column, in steps of `scale` px."""
    some = np.ascontiguousarray(image[:: max(len(image) // _LINES, 1)])
    width = round(some.shape[1] / scale)
    if width < 4 * _ASIDE_PX:
        return np.zeros(0, np.float32)
    small = cv2.resize(some, (width, len(some)), interpolation=cv2.INTER_AREA)
    change = cv2.absdiff(small[:, _REACH_PX:], small[:, :-_REACH_PX]).astype(np.int16)
    here = change[:, _ASIDE_PX:-_ASIDE_PX]
    aside = np.maximum(change[:, : -2 * _ASIDE_PX], change[:, 2 * _ASIDE_PX :])
    is_step = np.zeros(small.shape, bool)
    first = _ASIDE_PX + _REACH_PX // 2
    is_step[:, first : first + here.shape[1]] = (here > _MIN_STEP) & (here > _ISOLATION * aside)
    # Coding moves a step by a pixel in places.
    is_step[:, 1:-1] |= is_step[:, 2:] | is_step[:, :-2]
    return np.asarray(is_step.mean(0), np.float32)


def _lines(shares: FloatArray) -> IntArray:
    """Lines at which the image changes along most of their length."""
    lines = np.flatnonzero(shares >= MIN_SHARE)
    margin = _MIN_PANEL_SHARE * len(shares)
    return np.asarray(lines[(lines >= margin) & (lines < len(shares) - margin)], np.int64)


def _spans(samples: Sequence[Sequence[int]], scale: float) -> tuple[PixelSpan, ...]:
    """Runs of lines that are in all samples, px, widened by the width of a step."""
    common = np.array(sorted(set(samples[0]).intersection(*samples[1:])), np.int64)
    runs = np.split(common, np.flatnonzero(np.diff(common) > 1) + 1) if len(common) else []
    return tuple((math.floor((run[0] - 1) * scale), math.ceil((run[-1] + 2) * scale)) for run in runs)
