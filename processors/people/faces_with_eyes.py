"""Leaves out what the frame's edge makes useless for recognition: faces whose eyes both lie outside of the frame.

The place of the eyes is then filled with the frame's edge, and such faces of two people resemble each other more than
the faces of one person with and without eyes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.types import Tracklet


def recognisable(tracklet: Tracklet, size: tuple[int, int]) -> Tracklet:
    """The tracklet as evidence of who it shows: without the samples that have no eye in the frame.

    If it has no other samples it keeps them with a quality of 0, so it is a person only if it was followed well for
    long enough (`new_person_evidence`).

    size: width and height of the frames, display px.
    """
    has_eye = samples_with_eyes(tracklet, size)
    if has_eye.all():
        return tracklet
    if not has_eye.any():
        return replace(tracklet, sample_quality=np.zeros_like(tracklet.sample_quality))
    return tracklet.part(slice(None), has_eye, slice(None))


def samples_with_eyes(tracklet: Tracklet, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(K,) bool: of which samples at least one eye lies in a frame of `size`, width and height, px."""
    if not len(tracklet.sample_frames):
        return np.zeros(0, np.bool_)
    rows = np.clip(np.searchsorted(tracklet.frames, tracklet.sample_frames), 0, len(tracklet.frames) - 1)
    eyes = tracklet.landmarks[rows][:, :2]
    return np.asarray(((eyes >= 0) & (eyes <= np.array(size))).all(axis=-1).any(axis=-1), np.bool_)
