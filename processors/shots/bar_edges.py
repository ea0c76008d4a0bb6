"""Where the black bars around one frame end and its active picture begins, to the pixel. Pure.

The bars that are cut off before frames are compared (`processors/shots/black_bars.py`) may be off by some pixels, or be
a dark part of the image. The edges measured here decide what clips show, so each comes with a measure of certainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, PixelBox

MAX_LEVEL = 30
"""of luma; black is 0 or 16 in videos, noise of old tapes lifts it; as in `processors/shots/black_bars.py`"""
TOLERANCE = 4.0
"""grey levels by which the mean of a stretch of a line may differ from the bar's black; coding noise is below 2"""
MIN_BAR_PX = 2
"""a thinner line at the edge counts as picture"""

_STRETCHES = 64
"""a line of pixels is judged by the means of this many stretches, which suppresses noise"""
_LIVE_STRETCHES = 4
"""of these at least this many are picture where it begins; fewer are a logo in the bar, or noise around the line"""
_RINGING_PX = 8
"""strong compression makes echoes of the line up to this far into a bar: the side of a transform block"""
_CHUNK_PX = 32
"""lines that are examined together, from the edge inwards"""
_DEPTH_SHARE = 1 / 200
"""of the frame's height: within this many lines the picture has to begin along a straight line; at least
`_MIN_DEPTH_PX`"""
_MIN_DEPTH_PX = 3


@dataclass(frozen=True, slots=True)
class BarEdges:
    """Edges of the bars around one frame, in the order top, bottom, left, right.

    black: px from the edge of the frame to the first line of the picture; 0 without a bar.
    straight: share of that line along which the picture begins abruptly, in [0, 1]; 1 without a bar. It is large at the
        edge of a picture, and small at the tip of something bright in a dark picture.
    known: px of bars that the decoder added, which need no proof.
    """

    black: tuple[int, int, int, int]
    straight: tuple[float, float, float, float]
    known: tuple[int, int, int, int] = (0, 0, 0, 0)


def find_bar_edges(luma: ByteArray, placed: PixelBox | None = None) -> BarEdges | None:
    """The edges of the bars around a frame; None if all of it is black, because then they are unknown.

    luma: (H, W) uint8, values as stored. placed: the part of it that the decoded frame fills, if that is not all.
    """
    height, width = luma.shape
    x1, y1, x2, y2 = placed or (0, 0, width, height)
    inner = luma[y1:y2, x1:x2]
    known = (y1, height - y2, x1, width - x2)
    # Each view has the side's edge as its first row.
    views = (inner, inner[::-1], inner.T, inner.T[::-1])
    levels = [_black_level(view) for view in views]
    black: list[int] = []
    for view, level in zip(views, levels, strict=True):
        lines = 0 if level is None else _black_lines(view, level)
        if lines is None:
            return None
        black.append(lines)
    top, bottom, left, right = black
    spans = (slice(left, x2 - x1 - right),) * 2 + (slice(top, y2 - y1 - bottom),) * 2
    depth = max(_MIN_DEPTH_PX, round(_DEPTH_SHARE * height))
    straight = [
        1.0 if level is None or not lines else _straightness(view[lines : lines + depth, span], level)
        for view, level, lines, span in zip(views, levels, black, spans, strict=True)
    ]
    total = (top + known[0], bottom + known[1], left + known[2], right + known[3])
    return BarEdges(total, (straight[0], straight[1], straight[2], straight[3]), known)


def _black_level(view: ByteArray) -> float | None:
    """The black of the bar that begins with the first row of the view; None if it is not black."""
    row = view[0]
    # Almost all frames have no bars, and end here.
    if row[len(row) // 2] > MAX_LEVEL + TOLERANCE:
        return None
    level = float(np.median(row))
    return level if level <= MAX_LEVEL and _live_stretches(view[:1], level)[0] < _LIVE_STRETCHES else None


def _black_lines(view: ByteArray, level: float) -> int | None:
    """Rows of the view before the first that belongs to the picture; None if there is none."""
    for start in range(0, len(view), _CHUNK_PX):
        live = np.flatnonzero(_live_stretches(view[start : start + _CHUNK_PX], level) >= _LIVE_STRETCHES)
        if len(live):
            first = start + int(live[0])
            if first < MIN_BAR_PX:
                return 0
            contrast = np.abs(_means(view[first : first + _RINGING_PX + 1]) - level).mean(1)
            return first + int(np.argmax(contrast >= contrast.max() / 2))
    return None


def _live_stretches(rows: ByteArray, level: float) -> NDArray[np.int64]:
    """(N,): of each of N rows, the number of stretches that are not black."""
    return np.asarray((np.abs(_means(rows) - level) > TOLERANCE).sum(1), np.int64)


def _straightness(rows: ByteArray, level: float) -> float:
    """Share of the stretches that are not black in one of the rows."""
    return float((np.abs(_means(rows) - level) > TOLERANCE).any(0).mean()) if rows.size else 0.0


def _means(rows: ByteArray) -> NDArray[np.float32]:
    """(N, up to 64): the mean of each stretch of N rows."""
    count = min(_STRETCHES, rows.shape[1])
    # Rows of a transposed or flipped view are copied, which cv2 needs.
    means = cv2.resize(np.ascontiguousarray(rows), (count, len(rows)), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32)
