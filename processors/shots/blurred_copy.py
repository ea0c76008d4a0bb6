"""Pictures in front of a blurred, enlarged copy of themselves, which fills the frame instead of black bars.

An upright video in a landscape frame, or the other way round, is often shown like this. What gives it away is that all
of these hold in one frame:

- two straight lines from edge to edge, symmetric about the frame's middle, at which the image changes abruptly;
- between them there is fine detail, and outside them there is none, apart from captions;
- outside them, the image is what the part between them looks like when it is enlarged and blurred.

A lens blurs the background as well, but makes no lines; the panels of a split screen are sharp, and show something
else. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, FloatArray, PixelBox
from processors.shots.panel_seams import LineShares

MIN_SEAM_SHARE, MIN_WEAKER_SHARE = 0.45, 0.25
"""smallest share of the lines along which the image changes abruptly: of both together, and of either. Two views of one
scene meet there, which may be equally dark along most of one line"""
MIN_LIKENESS = 0.8
"""smallest correlation of the surroundings and the enlarged, blurred picture, each about the mean of its side"""
MIN_SOFT_SHARE = 0.6
"""smallest share of the surroundings without fine detail; captions have some"""
MAX_SOFTNESS = 0.35
"""fine detail up to this multiple of the picture's is none: blurring leaves 0.02 to 0.17 of it"""
MIN_AGREEING = 0.5
"""share of a shot's frames that must show the same picture; dark ones say nothing"""

_WORK_PX = 360
"""frames are compared at this length of their shorter side, as in `processors/shots/panel_seams.py`"""
_CELL_PX = 8
"""side of the cells that are compared, in frames of that size"""
_SMALLEST_DETAIL = 0.5
"""grey levels; a picture with less fine detail cannot be told from a blurred one"""
_SMALLEST_CONTRAST = 1.0
"""standard deviation, grey levels; in flatter surroundings there is nothing to compare"""
_MIN_BORDER, _MIN_PICTURE = 0.06, 0.2
"""shares of the frame's length: smallest surroundings on each side, and smallest picture"""
_MAX_LINES = 6
"""pairs of lines that are examined along one axis"""
_LARGEST_CHANGE = 20
"""grey levels; a larger change from one row to the next counts as this"""
_SYMMETRY = 1
"""steps by which the lines may differ from symmetry"""
_BAND = 2
"""steps on each side of a line at which the same change is seen"""
_ZOOMS = (1.0, 1.15, 1.3, 1.5, 1.75, 2.1)
"""enlargements of the copy, as multiples of the one with which it just covers the frame"""
_BLURS = (0.015, 0.04, 0.09)
"""standard deviations of the blur, as shares of the frame's shorter side"""
_SAME_LINE_PX = 2
"""by which coding moves a line from one frame to the next"""
_BLEND_PX = 1
"""the first line of the picture is often a mixture"""

Grid = NDArray[np.float32]


class _Cells(NamedTuple):
    """A frame in cells, (h, w) float32 each: mean grey levels, and the amount of fine detail in grey levels."""

    grey: Grid
    detail: Grid


def sharp_picture(luma: ByteArray, shares: LineShares) -> PixelBox | None:
    """The part of one frame whose surroundings are a blurred copy of it, to a few px; None if there is no such part.

    luma: (H, W) uint8, without black bars. shares: of this frame, counted from its corner.
    """
    height, width = luma.shape
    rows, columns = _symmetric_lines(shares.rows), _symmetric_lines(shares.columns)
    if not rows and not columns:
        return None
    cells = _cells(luma)
    for line in rows:
        first, end = _to_the_pixel(luma, line, shares.scale)
        if _copy_likeness(cells, first / height, end / height) >= MIN_LIKENESS:
            return 0, first, width, end
    turned = _Cells(*(np.ascontiguousarray(grid.T) for grid in cells))
    for line in columns:
        first, end = _to_the_pixel(luma.T, line, shares.scale)
        if _copy_likeness(turned, first / width, end / width) >= MIN_LIKENESS:
            return first, 0, end, height
    return None


def common_picture(samples: Sequence[PixelBox | None], others: Sequence[PixelBox] = ()) -> PixelBox | None:
    """The picture that most frames of a shot have in front of its copy; None if they have none.

    samples: `sharp_picture` of frames of the shot. others: pictures of other shots of the video. One of these needs a
    single frame that shows it as well, any other most of at least two.
    """
    for box in sorted({sample for sample in samples if sample is not None}):
        same = [s for s in samples if s is not None and _is_same(s, box)]
        is_known = any(_is_same(box, other) for other in others)
        if is_known or (len(same) >= 2 and len(same) >= MIN_AGREEING * len(samples)):
            low, high = np.max(same, 0).tolist(), np.min(same, 0).tolist()
            return low[0], low[1], high[2], high[3]
    return None


def inside(picture: PixelBox, active: PixelBox) -> PixelBox:
    """`active` without what lies outside `picture`, with even coordinates where the picture ends."""
    x1, y1, x2, y2 = active
    if picture[0] > x1:
        x1 = -(-(picture[0] + _BLEND_PX) // 2) * 2
    if picture[1] > y1:
        y1 = -(-(picture[1] + _BLEND_PX) // 2) * 2
    if picture[2] < x2:
        x2 = (picture[2] - _BLEND_PX) // 2 * 2
    if picture[3] < y2:
        y2 = (picture[3] - _BLEND_PX) // 2 * 2
    return x1, y1, x2, y2


def _is_same(box: PixelBox, other: PixelBox) -> bool:
    return max(abs(a - b) for a, b in zip(box, other, strict=True)) <= _SAME_LINE_PX


def _symmetric_lines(shares: FloatArray) -> list[int]:
    """Lines, in steps, that may bound a picture together with the line opposite; the clearest first."""
    count = len(shares)
    if not count:
        return []
    opposite = np.max([np.roll(shares[::-1], shift) for shift in range(-_SYMMETRY, _SYMMETRY + 1)], axis=0)
    both = np.where(np.minimum(shares, opposite) >= MIN_WEAKER_SHARE, (shares + opposite) / 2, 0)
    both[: round(_MIN_BORDER * count)] = 0
    both[round((1 - _MIN_PICTURE) / 2 * count) :] = 0
    lines: list[int] = []
    while len(lines) < _MAX_LINES and both.max() >= MIN_SEAM_SHARE:
        lines.append(int(both.argmax()))
        both[max(lines[-1] - _BAND, 0) : lines[-1] + _BAND + 1] = 0
    return lines


def _to_the_pixel(image: ByteArray, step: int, scale: float) -> tuple[int, int]:
    """The first row of the picture and the first behind it, near a line that was found in steps."""
    height = len(image)
    start, stop = max(round((step - _BAND) * scale), 1), round((step + _BAND + 1) * scale) + 1
    above = _changes(image[start - 1 : stop])
    # The picture may be off the middle by a pixel.
    below = _changes(image[height - stop - 1 : height - start + 2])[::-1]
    shifted = np.stack([below[1 + shift : 1 + shift + len(above)] for shift in (0, -1, 1)])
    row = int((above + shifted.max(0)).argmax())
    shift = (0, -1, 1)[int(shifted[:, row].argmax())]
    return start + row, height - start - row - shift


def _changes(rows: ByteArray) -> FloatArray:
    """How much each row but the first differs from the one before; captions count little."""
    return np.asarray(np.minimum(cv2.absdiff(rows[1:], rows[:-1]), _LARGEST_CHANGE).mean(1), np.float32)


def _cells(luma: ByteArray) -> _Cells:
    scale = min(1.0, _WORK_PX / min(luma.shape))
    size = [max(round(side * scale / _CELL_PX), 1) for side in luma.shape[::-1]]
    work_size = (size[0] * _CELL_PX, size[1] * _CELL_PX)
    work = cv2.resize(luma, work_size, interpolation=cv2.INTER_AREA)
    detail = cv2.absdiff(work, cv2.blur(work, (5, 5)))
    grids = (cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA) for one in (work, detail))
    return _Cells(*(np.asarray(grid, np.float32) for grid in grids))


def _copy_likeness(cells: _Cells, first: float, end: float) -> float:
    """How much the rows around a picture look like a blurred copy of it: a correlation; 0.0 if they have fine detail.

    first, end: where the picture begins and ends, shares of the frame's height.
    """
    grey, detail = cells
    height = len(grey)
    row = np.arange(height)
    within = (row >= first * height) & (row + 1 <= end * height)
    # A cell that is near a line belongs to neither side.
    outside = (row + 1.5 <= first * height) | (row - 0.5 >= end * height)
    if not within.any() or not outside.any():
        return 0.0
    usual = float(np.quantile(detail[within], 0.75))
    is_soft = (detail <= MAX_SOFTNESS * usual) & outside[:, None]
    if usual < _SMALLEST_DETAIL or is_soft[outside].mean() < MIN_SOFT_SHARE:
        return 0.0
    is_first = np.nonzero(is_soft)[0] < first * height
    seen = _about_their_means(grey[is_soft], is_first)
    if seen.std() < _SMALLEST_CONTRAST:
        return 0.0
    likeness = 0.0
    for copy in _copies(grey, int(row[within][0]), int(row[within][-1]) + 1):
        likeness = max(likeness, _correlation(_about_their_means(copy[is_soft], is_first), seen))
        if likeness >= MIN_LIKENESS:
            break
    return likeness


def _copies(grey: Grid, first: int, end: int) -> Iterator[Grid]:
    """The rows from `first` to `end`, enlarged and blurred in all ways, each as large as the frame."""
    height, width = grey.shape
    picture = np.ascontiguousarray(grey[first:end])
    share = (end - first) / height
    x, y = (width - 1) / 2, (height - 1) / 2
    # The last one is stretched to the shape of the frame.
    for across, down in [*((share / zoom, share / zoom) for zoom in _ZOOMS), (1.0, share)]:
        back = np.array([[across, 0, x * (1 - across)], [0, down, y * (1 - down) - first]], np.float32)
        for blur in _BLURS:
            spread = blur * min(height, width)
            soft = cv2.GaussianBlur(
                picture, (0, 0), sigmaX=spread * across, sigmaY=spread * down, borderType=cv2.BORDER_REPLICATE
            )
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            enlarged = cv2.warpAffine(soft, back, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
            yield np.asarray(enlarged, np.float32)


def _about_their_means(values: Grid, is_first: NDArray[np.bool_]) -> Grid:
    """Differences from the mean of each side: a dark side and a bright one are no likeness yet."""
    centred: Grid = values.copy()
    for side in (is_first, ~is_first):
        if side.any():
            centred[side] -= float(values[side].mean())
    return centred


def _correlation(one: Grid, other: Grid) -> float:
    """Of values about their means."""
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / norm if norm > 0 else 0.0
