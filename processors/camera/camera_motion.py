"""How the virtual camera moves: a framing and a face in, windows out. Pure; the whole segment is known.

steady: rests, and eases to a new rest when the face is about to leave its place or has settled elsewhere.
follow: drifts along with the face all the time, neither early nor late. locked: one window for everything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings
from processors.camera.framing import EYES_TO_CHIN, EYES_TO_CROWN, FACE_WIDTH, FaceMotion, Framing
from utils.box_geometry import centered_windows
from utils.path_smoothing import PathStyle, denoise, l1_path
from utils.signal_filters import Signal, gaussian

STEADY_PAN = PathStyle()
STEADY_ZOOM = PathStyle(knot_hz=2.0, rest_s=6.0, block_s=60.0, look_ahead_s=20.0)

_MEDIAN_S, _GAUSSIAN_S = 0.25, 0.1
_SIZE_MEDIAN_S, _SIZE_GAUSSIAN_S = 0.6, 0.4
_PURSUIT_PAN_S, _PURSUIT_ZOOM_S = 0.5, 1.5
"""standard deviations of the Gaussians that follow a face"""
_LOCKED_MARGIN = 0.08
"""around the head in a window that never moves, face heights: single boxes reach further than the smoothed ones"""
_NEARLY_UNSCALED = 0.02

Path = tuple[Signal, Signal]
"""centres (T, 2) and heights (T,) of the windows, px"""


def plan_windows(
    face: FaceMotion, settings: ClipSettings, width: int, height: int, rate_hz: float
) -> NDArray[np.float64]:
    """Windows (T, 4) float64, xyxy, inside the picture of `width` x `height` px, of the clip's exact shape."""
    framing = Framing(settings, width, height)
    sizes = denoise(face.heights[:, None], rate_hz, median_s=_SIZE_MEDIAN_S, gaussian_s=_SIZE_GAUSSIAN_S)[:, 0]
    centers = denoise(face.centers, rate_hz, median_s=_MEDIAN_S, gaussian_s=_GAUSSIAN_S)
    calm = FaceMotion(centers, sizes, face.certainty)
    if settings.camera == "locked":
        return _locked(framing, calm, settings.frame_size[1])
    centers, heights = _MOVING[settings.camera](framing, calm, rate_hz)
    return centered_windows(centers, heights, framing.aspect, width, height)


def _steady(framing: Framing, face: FaceMotion, rate_hz: float) -> Path:
    size, least, greatest = (np.log(h) for h in framing.heights(face))
    zoom = l1_path(size, least, greatest, rate_hz, STEADY_ZOOM, weights=face.certainty)
    heights = np.clip(np.exp(zoom), framing.smallest, framing.largest)
    unit = float(np.median(heights))
    wanted, lower, upper = (c / unit for c in framing.centers(face, heights))
    axes = [
        l1_path(wanted[:, axis], lower[:, axis], upper[:, axis], rate_hz, STEADY_PAN, weights=face.certainty)
        for axis in (0, 1)
    ]
    return np.stack(axes, 1) * unit, heights


def _follow(framing: Framing, face: FaceMotion, rate_hz: float) -> Path:
    size, least, greatest = (np.log(h)[:, None] for h in framing.heights(face))
    zoom = _pursue(size, least, greatest, _PURSUIT_ZOOM_S * rate_hz)[:, 0]
    heights = np.clip(np.exp(zoom), framing.smallest, framing.largest)
    return _pursue(*framing.centers(face, heights), _PURSUIT_PAN_S * rate_hz), heights


def _pursue(wanted: Signal, lower: Signal, upper: Signal, sigma: float) -> Signal:
    """`wanted` (T, C) smoothed; where that would leave the bounds, as smooth as may be within them."""
    path = gaussian(wanted, sigma)
    for part in (3, 4):
        path = gaussian(np.clip(path, lower, upper), sigma / part)
    return path


def _locked(framing: Framing, face: FaceMotion, out_height: int) -> NDArray[np.float64]:
    """One window in which the head is always whole, as far as the picture allows."""
    x, eyes = face.centers.T
    across, up, down = (
        (reach + _LOCKED_MARGIN) * face.heights for reach in (FACE_WIDTH / 2, EYES_TO_CROWN, EYES_TO_CHIN)
    )
    sides = (x - across).min(), (x + across).max()
    ends = (eyes - up).min(), (eyes + down).max()
    wanted = float(np.median(framing.heights(face)[0]))
    height = float(np.clip(max(wanted, (sides[1] - sides[0]) / framing.aspect, ends[1] - ends[0]), 0, framing.largest))
    if abs(height - out_height) < _NEARLY_UNSCALED * out_height and out_height <= framing.largest:
        height = float(out_height)
    size = np.array([height * framing.aspect, height])
    middle = np.array([np.median(x), np.median(eyes) + (0.5 - framing.eye_line) * height])
    low, high = np.array([sides[1], ends[1]]) - size / 2, np.array([sides[0], ends[0]]) + size / 2
    middle = np.clip(middle, np.minimum(low, high), np.maximum(low, high))
    corner = np.clip(middle - size / 2, 0, np.maximum(framing.limits - size, 0))
    # On even pixels a window that is not scaled is a plain copy, chroma included.
    corner = np.minimum(2 * np.round(corner / 2), 2 * np.floor(np.maximum(framing.limits - size, 0) / 2))
    return np.tile(np.concatenate([corner, corner + size]), (len(x), 1))


_MOVING: dict[str, Callable[[Framing, FaceMotion, float], Path]] = {"steady": _steady, "follow": _follow}
