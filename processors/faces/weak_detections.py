"""Weak detections that a second opinion confirms: small, blurred and dark faces, which would never start a track."""

from __future__ import annotations

from core.models.quick_verifier import QuickVerifier
from core.types import ByteArray, FloatArray
from processors.faces.face_sampler import verifier_crop
from processors.faces.track_check import MIN_QUICK_OPINION
from utils.stage_times import timed


class WeakDetectionCheck:
    """Asks the quick verifier about single detections."""

    def __init__(self, verifier: QuickVerifier) -> None:
        self._verifier = verifier

    @timed("second opinion")
    def __call__(self, image: ByteArray, box: FloatArray) -> bool:
        """Whether a face is seen there. image: (h, w, 3) uint8 RGB. box: (4,), pixels of the image."""
        return float(self._verifier.scores(verifier_crop(image, box)[None])[0]) >= MIN_QUICK_OPINION
