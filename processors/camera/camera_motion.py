"""How the virtual camera moves: from the framing and motion of a face to crop windows. Pure; knows the whole segment.

steady: rests, and eases to a new rest when the face is about to leave its place or has settled elsewhere.
follow: moves with the face all the time, without delay.
locked: one window for the whole segment.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings
from processors.camera.framing import EYES_TO_CHIN, EYES_TO_CROWN, FACE_WIDTH, Bounds, FaceMotion, Framing
from utils.images.box_geometry import centered_windows
from utils.numbers.path_smoothing import PathStyle, denoise, l1_path
from utils.numbers.signal_filters import Signal, gaussian

STEADY_PAN = PathStyle()
STEADY_ZOOM = PathStyle(knot_hz=2.0, rest_s=6.0, block_s=60.0, look_ahead_s=20.0)

_CENTER_MEDIAN_S, _CENTER_GAUSSIAN_S = 0.25, 0.1
_SIZE_MEDIAN_S, _SIZE_GAUSSIAN_S = 0.6, 0.4
_FOLLOW_PAN_S, _FOLLOW_ZOOM_S = 0.5, 1.5
"""standard deviations of the Gaussians by which `follow` is smoothed, seconds"""
_LOCKED_MARGIN = 0.08
"""around the head in a locked window, face heights: single boxes extend beyond the smoothed ones"""
_NEARLY_UNSCALED = 0.02
"""a locked window within this share of the clip height gets exactly the clip height and is copied unscaled"""

WindowPath = tuple[Signal, Signal]
"""centres (T, 2) and heights (T,) of the windows, px"""


def plan_windows(
    face: FaceMotion, settings: ClipSettings, width: int, height: int, rate_hz: float
) -> NDArray[np.float64]:
    """Windows (T, 4) float64, xyxy px from the corner of the active picture, with the exact aspect of the clip.

    width, height: of the active picture, px; no window reaches beyond it. rate_hz: rows of `face` per second.
    """
    framing = Framing(settings, width, height)
    sizes = denoise(face.heights[:, None], rate_hz, median_s=_SIZE_MEDIAN_S, gaussian_s=_SIZE_GAUSSIAN_S)[:, 0]
    centers = denoise(face.centers, rate_hz, median_s=_CENTER_MEDIAN_S, gaussian_s=_CENTER_GAUSSIAN_S)
    smooth = FaceMotion(centers, sizes, face.certainty)
    if settings.camera == "locked":
        return _locked(framing, smooth, settings.frame_size[1])
    centers, heights = _MOVING[settings.camera](framing, smooth, rate_hz)
    return centered_windows(centers, heights, framing.aspect, width, height)


def _steady(framing: Framing, face: FaceMotion, rate_hz: float) -> WindowPath:
    wanted, lower, upper = (np.log(heights) for heights in framing.window_heights(face))
    zoom = l1_path(wanted, lower, upper, rate_hz, STEADY_ZOOM, weights=face.certainty)
    heights = np.clip(np.exp(zoom), framing.min_height, framing.max_height)
    unit = float(np.median(heights))
    wanted, lower, upper = (centers / unit for centers in framing.window_centers(face, heights))
    axes = [
        l1_path(wanted[:, axis], lower[:, axis], upper[:, axis], rate_hz, STEADY_PAN, weights=face.certainty)
        for axis in (0, 1)
    ]
    return np.stack(axes, 1) * unit, heights


def _follow(framing: Framing, face: FaceMotion, rate_hz: float) -> WindowPath:
    bounds = Bounds(*(np.log(heights)[:, None] for heights in framing.window_heights(face)))
    zoom = _smooth_within(bounds, _FOLLOW_ZOOM_S * rate_hz)[:, 0]
    heights = np.clip(np.exp(zoom), framing.min_height, framing.max_height)
    return _smooth_within(framing.window_centers(face, heights), _FOLLOW_PAN_S * rate_hz), heights


def _smooth_within(bounds: Bounds, sigma: float) -> Signal:
    """The wanted signal (T, C) smoothed; where that leaves the bounds, it is clipped and smoothed again, but less.

    sigma: standard deviation of the Gaussian, rows.
    """
    path = gaussian(bounds.wanted, sigma)
    for divisor in (3, 4):
        path = gaussian(np.clip(path, bounds.lower, bounds.upper), sigma / divisor)
    return path


def _locked(framing: Framing, face: FaceMotion, clip_height: int) -> NDArray[np.float64]:
    """One window, repeated (T, 4), that holds the whole head in every frame, as far as the video allows."""
    x, eyes = face.centers.T
    reaches = (FACE_WIDTH / 2, EYES_TO_CROWN, EYES_TO_CHIN)
    across, up, down = ((reach + _LOCKED_MARGIN) * face.heights for reach in reaches)
    left, right = (x - across).min(), (x + across).max()
    top, bottom = (eyes - up).min(), (eyes + down).max()
    wanted = float(np.median(framing.window_heights(face).wanted))
    height = float(np.clip(max(wanted, (right - left) / framing.aspect, bottom - top), 0, framing.max_height))
    if abs(height - clip_height) < _NEARLY_UNSCALED * clip_height and clip_height <= framing.max_height:
        height = float(clip_height)
    size = np.array([height * framing.aspect, height])
    center = np.array([np.median(x), np.median(eyes) + (0.5 - framing.eye_line) * height])
    low, high = np.array([right, bottom]) - size / 2, np.array([left, top]) + size / 2
    center = np.clip(center, np.minimum(low, high), np.maximum(low, high))
    last_corner = np.maximum(framing.frame_size - size, 0)
    corner = np.clip(center - size / 2, 0, last_corner)
    # On even pixels an unscaled window is a plain copy, chroma included.
    corner = np.minimum(2 * np.round(corner / 2), 2 * np.floor(last_corner / 2))
    return np.tile(np.concatenate([corner, corner + size]), (len(x), 1))


_MOVING: dict[str, Callable[[Framing, FaceMotion, float], WindowPath]] = {"steady": _steady, "follow": _follow}
