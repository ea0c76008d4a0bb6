"""Detections that need a second opinion to start a track: small, blurred and dark faces, and tilted ones."""

from __future__ import annotations

from core.models.quick_verifier import QuickVerifier
from core.types import ByteArray, FloatArray
from processors.faces.face_sampler import verifier_crop
from processors.faces.track_check import MIN_QUICK_OPINION
from utils.processes.stage_times import timed


class WeakDetectionCheck:
    """Asks the quick verifier about single detections."""

    def __init__(self, verifier: QuickVerifier) -> None:
        self._verifier = verifier

    @timed("second opinion")
    def __call__(self, image: ByteArray, box: FloatArray, landmarks: FloatArray) -> bool:
        """Whether a face is seen there. image: (h, w, 3) uint8 RGB. box: (4,), landmarks: (5, 2), its pixels."""
        crop = verifier_crop(image, box, landmarks)
        return float(self._verifier.scores(crop[None])[0]) >= MIN_QUICK_OPINION
