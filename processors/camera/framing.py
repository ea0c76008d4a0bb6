"""How tightly a face is framed and where it sits in the crop window. Pure.

The crop is too tight or too loose: `FACE_SHARES`. Hair is cut off: `EYES_TO_CROWN`, `_HEAD_ROOM`. The face sits too
high or too low: `_HIGHEST_EYE_LINE`, `_LOWEST_EYE_LINE`. The face drifts too far from its place: `_MAX_DRIFT`.
Small faces are not enlarged enough: `max_upscale` of the clip settings.

All proportions are in window heights or face heights, so that small and large faces are framed alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings
from utils.images.box_geometry import largest_height
from utils.numbers.signal_filters import Signal

FACE_SHARES = {"face": 0.55, "head": 0.36, "bust": 0.25}
"""height of the face in window heights, by the setting `framing`"""
EYES_TO_CROWN = 0.78
"""from the eyes up to the top of the hair, face heights; a detected box ends at the forehead, and heads bow"""
EYES_TO_CHIN = 0.62
"""from the eyes down to the chin, face heights"""
FACE_WIDTH = 0.8
"""width of a face, face heights"""

_HEAD_ROOM = 0.04
"""between the hair and the upper edge of the window, window heights"""
_HIGHEST_EYE_LINE, _LOWEST_EYE_LINE = 1 / 3, 0.48
"""from the upper edge of the window, window heights; the first is the upper third of classical composition"""
_SIDE_ROOM = 0.02
"""between the face and the sides of the window, window heights"""
_MAX_DRIFT = 0.08
"""how far the face may be from its place while the camera rests, window heights (0.1 is visibly off centre)"""
_MIN_DRIFT = 0.015
"""smaller bounds than the noise of detection would never let the camera rest, window heights"""
_MAX_ZOOM_IN, _MAX_ZOOM_OUT = 0.1, 0.18
"""how much smaller or larger than wanted the window may be while the zoom rests (natural logarithm of its height)"""
_MAX_EDGE_SHIFT = 0.2
"""near an edge of the frame the window has to shift; it is tightened if the face would be off its place by more than
this, window heights"""
_MAX_TIGHTENING = 0.8
"""least share of its height to which a window is tightened"""
_MIN_WINDOW_PX = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class FaceMotion:
    """The face that the camera follows, one row per frame of the clip, px from the corner of the active picture.

    centers: (T, 2) float64, x of the box centre and y of the eyes. heights: (T,) float64, of the box.
    certainty: (T,) float64 in (0, 1], below 1 where the face was hidden or absent and its place is a guess.
    """

    centers: Signal
    heights: Signal
    certainty: Signal

    def seen_from(self, corner: NDArray[np.float64]) -> FaceMotion:
        """The same motion in coordinates that begin at `corner` (2,), xy."""
        return FaceMotion(self.centers - corner, self.heights, self.certainty)


class Bounds(NamedTuple):
    """A quantity of the window as wanted, and the limits within which it may stay, one row per frame of the clip."""

    wanted: Signal
    lower: Signal
    upper: Signal


class Framing:
    """The framing that the settings ask for, in an active picture of a given size.

    Attributes:
        face_share: height of the face, window heights.
        eye_line: height of the eyes, from the top of the window, window heights.
        aspect: width of the window divided by its height.
        min_height, max_height: limits of the window height, px. The lower one keeps small faces from being enlarged
            beyond `max_upscale`; it yields only if the active picture itself is smaller.
        frame_size: (2,) float64, width and height of the active picture, px.
    """

    def __init__(self, settings: ClipSettings, width: int, height: int) -> None:
        out_width, out_height = settings.frame_size
        self.aspect = out_width / out_height
        # In a narrow window the width limits the face.
        self.face_share = min(settings.face_share or FACE_SHARES[settings.framing], 0.9 * self.aspect)
        self._max_drift = min(_MAX_DRIFT, 0.18 * (1 - self.face_share))
        eye_line = min(max(_HEAD_ROOM + EYES_TO_CROWN * self.face_share, _HIGHEST_EYE_LINE), _LOWEST_EYE_LINE)
        self.eye_line = min(eye_line, 1 - EYES_TO_CHIN * self.face_share - self._max_drift)
        self.frame_size: NDArray[np.float64] = np.array([width, height], np.float64)
        self.max_height = largest_height(self.aspect, width, height)
        self.min_height = min(max(out_height / settings.max_upscale, _MIN_WINDOW_PX), self.max_height)

    def window_heights(self, face: FaceMotion) -> Bounds:
        """Heights of the window, px, each (T,)."""
        heights = face.heights / self.face_share
        wanted = np.clip(self._tightened(heights, face.centers), self.min_height, self.max_height)
        room = 0.5 * np.log(1 / self.face_share)
        smaller, larger = np.exp(-min(_MAX_ZOOM_IN, room)), np.exp(min(_MAX_ZOOM_OUT, room))
        lower, upper = (np.clip(wanted * f, self.min_height, self.max_height) for f in (smaller, larger))
        return Bounds(wanted, lower, upper)

    def window_centers(self, face: FaceMotion, heights: Signal) -> Bounds:
        """Centres of windows that are `heights` (T,) px high, px, each (T, 2).

        The bounds keep the hair in the window at any size of the face, as far as the frame allows: a face that grows
        lowers its eyes in the window instead of losing its hair, so the bounds are not symmetric.
        """
        share = face.heights / heights
        doubt = 1 + (face.certainty < 1)  # twice the drift where the place is a guess
        up = np.clip(self.eye_line - EYES_TO_CROWN * share - 0.5 * _HEAD_ROOM, _MIN_DRIFT, self._max_drift)
        across = np.clip(0.5 * self.aspect - 0.5 * FACE_WIDTH * share - _SIDE_ROOM, _MIN_DRIFT, self._max_drift)
        down = np.full_like(up, self._max_drift)
        # Eyes that move up in the window mean a window that moves down.
        below = np.stack([across, down], 1) * (heights * doubt)[:, None]
        above = np.stack([across, up], 1) * (heights * doubt)[:, None]
        target = face.centers + np.stack([np.zeros_like(heights), (0.5 - self.eye_line) * heights], 1)
        half = np.stack([heights * self.aspect, heights], 1) / 2
        first, last = half, np.maximum(self.frame_size - half, half)
        wanted, lower, upper = (np.clip(target + offset, first, last) for offset in (0.0, -below, above))
        return Bounds(wanted, lower, upper)

    def _tightened(self, heights: Signal, centers: Signal) -> Signal:
        """Window heights (T,), reduced where a window within the frame would be shifted too far from the face."""
        x, y = centers.T
        width, height = self.frame_size
        across = np.minimum(x, width - x) / ((0.5 - _MAX_EDGE_SHIFT) * self.aspect)
        above = y / (self.eye_line - _MAX_EDGE_SHIFT)
        below = (height - y) / (1 - self.eye_line - _MAX_EDGE_SHIFT)
        fitting = np.minimum(np.minimum(across, above), below)
        return np.asarray(np.clip(fitting, _MAX_TIGHTENING * heights, heights))
