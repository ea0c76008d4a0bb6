"""How a face is framed: how large it is, where the eyes lie, how far it may stray. Pure.

Everything is measured in heights of the window, so that a small face and a large one are framed alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings
from utils.box_geometry import largest_height
from utils.signal_filters import Signal

FACE_SHARES = {"face": 0.55, "head": 0.36, "bust": 0.25}
"""how much of the window's height the face takes"""
EYES_TO_CROWN = 0.78
"""from the eyes to the top of the hair, face heights; a detected face ends at the forehead, and heads bow"""
EYES_TO_CHIN = 0.62
"""from the eyes to the chin, face heights"""
FACE_WIDTH = 0.8
"""width of a face, face heights"""

_HEAD_ROOM = 0.04
"""between the hair and the window's upper edge"""
_UPPER_THIRD, _LOWEST_EYES = 1 / 3, 0.48
_MAX_SLACK = 0.08
"""how far the face may be off its place while the camera rests"""
_LEAST_SLACK = 0.015
"""below the noise of a detected face there is no rest"""
_LARGER, _SMALLER = 0.1, 0.18
"""how much larger or smaller than wanted the face may be while the zoom rests (natural logarithm)"""
_EDGE_SHIFT = 0.2
"""near an edge the window shifts; a face that would be further than this from its place tightens it"""
_TIGHTEST = 0.8
"""... but to no less than this of its size"""
_MIN_WINDOW_PX = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class FaceMotion:
    """What the camera follows, one row per picture of the clip, display px.

    centers: (T, 2) float64, x of the face's middle and y of the eyes. heights: (T,) float64.
    certainty: (T,) float64 in (0, 1], low where the face was hidden or not there and its place is a guess.
    """

    centers: Signal
    heights: Signal
    certainty: Signal


class Framing:
    """The framing that the settings ask for, in a picture of a given size.

    Attributes:
        share: how much of the window's height the face takes.
        eye_line: height of the eyes in the window, from its top, window heights.
        aspect: width of the window divided by its height.
        largest, smallest: bounds of the window's height, px. The lower one keeps small faces from being
            enlarged too much; only where the picture itself is too small for that does it give way.
        limits: (2,) float64, width and height of the picture, px.
    """

    def __init__(self, settings: ClipSettings, width: int, height: int) -> None:
        out_width, out_height = settings.frame_size
        self.aspect = out_width / out_height
        # In a narrow window it is the width that the face has to fit into.
        self.share = min(settings.face_share or FACE_SHARES[settings.framing], 0.9 * self.aspect)
        self._slack = min(_MAX_SLACK, 0.18 * (1 - self.share))
        eye_line = min(max(_HEAD_ROOM + EYES_TO_CROWN * self.share, _UPPER_THIRD), _LOWEST_EYES)
        self.eye_line = min(eye_line, 1 - EYES_TO_CHIN * self.share - self._slack)
        self.limits: NDArray[np.float64] = np.array([width, height], np.float64)
        self.largest = largest_height(self.aspect, width, height)
        self.smallest = min(max(out_height / settings.max_upscale, _MIN_WINDOW_PX), self.largest)

    def heights(self, face: FaceMotion) -> tuple[Signal, Signal, Signal]:
        """Heights of the window as wanted, and the least and the greatest that will do, px, each (T,)."""
        heights = face.heights / self.share
        wanted = np.clip(self._tightened(heights, face.centers), self.smallest, self.largest)
        room = 0.5 * np.log(1 / self.share)
        smaller, larger = np.exp(-min(_LARGER, room)), np.exp(min(_SMALLER, room))
        least, greatest = (np.clip(wanted * f, self.smallest, self.largest) for f in (smaller, larger))
        return wanted, least, greatest

    def centers(self, face: FaceMotion, heights: Signal) -> tuple[Signal, Signal, Signal]:
        """Centres of windows that are `heights` px high as wanted, and the bounds that will do, px, each (T, 2).

        Wherever the picture allows it the hair stays in the window, whatever the face's size.
        """
        share = face.heights / heights
        doubt = 1 + (face.certainty < 1)
        up = np.clip(self.eye_line - EYES_TO_CROWN * share - 0.5 * _HEAD_ROOM, _LEAST_SLACK, self._slack)
        across = np.clip(0.5 * self.aspect - 0.5 * FACE_WIDTH * share - 0.02, _LEAST_SLACK, self._slack)
        down = np.full_like(up, self._slack)
        # The eyes move up in the window when the window moves down.
        rooms_below = np.stack([across, down], 1) * (heights * doubt)[:, None]
        rooms_above = np.stack([across, up], 1) * (heights * doubt)[:, None]
        target = face.centers + np.stack([np.zeros_like(heights), (0.5 - self.eye_line) * heights], 1)
        half = np.stack([heights * self.aspect, heights], 1) / 2
        low, high = half, np.maximum(self.limits - half, half)
        wanted, lower, upper = (np.clip(target + o, low, high) for o in (0.0, -rooms_below, rooms_above))
        return wanted, lower, upper

    def _tightened(self, heights: Signal, centers: Signal) -> Signal:
        """Window heights (T,), made smaller where the window would have to shift too far from the face."""
        x, y = centers.T
        width, height = self.limits
        across = np.minimum(x, width - x) / ((0.5 - _EDGE_SHIFT) * self.aspect)
        above = y / (self.eye_line - _EDGE_SHIFT)
        below = (height - y) / (1 - self.eye_line - _EDGE_SHIFT)
        fitting = np.minimum(np.minimum(across, above), below)
        return np.asarray(np.clip(fitting, _TIGHTEST * heights, heights))
