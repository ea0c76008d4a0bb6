"""Weak detections that a second opinion confirms: small, blurred and dark faces, which would never start a track."""

from __future__ import annotations

from core.models.quick_verifier import QuickVerifier
from core.types import ByteArray, FloatArray
from processors.faces.face_sampler import VERIFIER_SIDE_PX, verifier_transform
from processors.faces.track_check import MIN_QUICK_OPINION
from utils.face_alignment import warp
from utils.stage_times import timed


class WeakDetectionCheck:
    """Asks the quick verifier about single detections."""

    def __init__(self, verifier: QuickVerifier) -> None:
        self._verifier = verifier

    @timed("second opinion")
    def __call__(self, image: ByteArray, box: FloatArray) -> bool:
        """Whether a face is seen there. image: (h, w, 3) uint8 RGB. box: (4,), pixels of the image."""
        crop = warp(image, verifier_transform(box), VERIFIER_SIDE_PX)
        return float(self._verifier.scores(crop[None])[0]) >= MIN_QUICK_OPINION
