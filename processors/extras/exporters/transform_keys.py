"""A crop path as key frames of a transform, as editing programs animate the position and the scale of a clip.

The transform is that of FCPXML's `adjust-transform` (Apple, "Animation" and "Video Adjustment Elements" in the FCPXML
reference). The source, fitted into the frame of the sequence without cropping ("fit"), is scaled about its centre, then
moved. Positions are percent of the sequence's height, x to the right and y up, 0 in the middle. Between key frames
position and scale change linearly, each by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.types import CropPath, IntArray
from utils.numbers.signal_filters import Signal

TOLERANCE_PX = 0.5
"""largest error of an edge of the window between key frames, display px: not visible"""

_POSITION_DIGITS, _SCALE_DIGITS = 4, 6
"""decimals in the file: errors are below 0.01 px in frames of 8192 px"""


@dataclass(frozen=True, slots=True, eq=False)
class TransformKeys:
    """Key frames of one clip.

    frames: (K,) int64, of the clip, from 0, increasing; a single one for a camera at rest. positions: (K, 2) float64,
    percent of the height of the sequence. scales: (K,) float64; 1: fitted.
    """

    frames: IntArray
    positions: Signal
    scales: Signal


@dataclass(frozen=True, slots=True)
class TransformSpace:
    """Sizes that a transform depends on: of the source as displayed, and of the sequence; px.

    is_sideways: the transform turns the source by 90 or 270 degrees, so it was fitted with its sides exchanged.
    """

    source_width: int
    source_height: int
    width: int
    height: int
    is_sideways: bool = False

    @property
    def fit(self) -> float:
        """Pixels of the sequence per pixel of the fitted source."""
        sides = self.source_width, self.source_height
        fitted_width, fitted_height = sides[::-1] if self.is_sideways else sides
        return min(self.width / fitted_width, self.height / fitted_height)

    def transforms(self, windows: Signal) -> Signal:
        """(M, 4) float64 windows, xyxy in display px of the source -> (M, 3): position x, y and scale, as written."""
        heights = windows[:, 3] - windows[:, 1]
        off_x = (windows[:, 0] + windows[:, 2] - self.source_width) / 2
        off_y = (windows[:, 1] + windows[:, 3] - self.source_height) / 2
        scales = self.height / heights / self.fit
        return np.stack([
            (-100 * off_x / heights).round(_POSITION_DIGITS),
            (100 * off_y / heights).round(_POSITION_DIGITS),
            scales.round(_SCALE_DIGITS),
        ], axis=1)  # fmt: skip

    def windows(self, transforms: Signal) -> Signal:
        """The inverse of `transforms`: (K, 4) float64, xyxy source px, what fills the sequence at each of its rows."""
        heights = self.height / (transforms[:, 2] * self.fit)
        half_width, half_height = heights * self.width / self.height / 2, heights / 2
        center_x = self.source_width / 2 - transforms[:, 0] * heights / 100
        center_y = self.source_height / 2 + transforms[:, 1] * heights / 100
        return np.stack(
            [center_x - half_width, center_y - half_height, center_x + half_width, center_y + half_height], axis=1
        )


def transform_keys(
    path: CropPath,
    source_width: int,
    source_height: int,
    tolerance_px: float = TOLERANCE_PX,
    *,
    is_sideways: bool = False,
) -> TransformKeys:
    """As few key frames as keep every edge of the window within `tolerance_px` of `path` in every frame.

    The interval between two key frames is divided where the error is largest (Ramer, Douglas, Peucker), measured on the
    windows that the interpolated transform shows.
    """
    space = TransformSpace(source_width, source_height, path.width, path.height, is_sideways)
    transforms = space.transforms(path.windows)
    last = len(transforms) - 1
    if _furthest(space, transforms[[0] * (last + 1)], path.windows)[1] <= tolerance_px:
        kept = {0}
    else:
        kept = {0, last}
        waiting = [(0, last)]
        while waiting:
            a, b = waiting.pop()
            between = np.linspace(0.0, 1.0, b - a + 1)[:, None]
            shown = transforms[a] + between * (transforms[b] - transforms[a])
            worst, error = _furthest(space, shown, path.windows[a : b + 1])
            if error > tolerance_px and 0 < worst < b - a:
                kept.add(a + worst)
                waiting += [(a, a + worst), (a + worst, b)]
    frames = np.array(sorted(kept), np.int64)
    return TransformKeys(frames, transforms[frames, :2], transforms[frames, 2])


def _furthest(space: TransformSpace, transforms: Signal, windows: Signal) -> tuple[int, float]:
    """The row with the largest error of its window, and that error, px."""
    errors = np.abs(space.windows(transforms) - windows).max(1)
    worst = int(errors.argmax())
    return worst, float(errors[worst])
