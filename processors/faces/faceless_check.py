"""Why nobody was found in a video: faces that are only there once the picture is turned, or its exposure corrected.

Only a video without any tracklet is looked at again, so others pay nothing. What is found is told to the user; nothing
is tracked.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.model_manager import ModelManager
from core.types import ByteArray
from processors.faces.face_sampler import VERIFIER_SIDE_PX, verifier_transform
from processors.faces.track_check import MIN_OPINION
from processors.tracking.detection_schedule import SMALL_FACES
from utils.face_alignment import warp
from utils.stage_times import timed

TURNED, OVEREXPOSED, DARK = "faces_when_turned", "faces_overexposed", "faces_dark"
"""statistics of an analysis: degrees by which the picture has to be turned clockwise; 1 where the exposure is wrong"""

MAX_IMAGES = 4
"""images kept, spread over the video; they are analysis images, 1.2 MB each of a usual video"""

MIN_IMAGES = 2
"""images that must show a face, if so many were kept: one alone may be a coincidence"""

WHITE, WHITE_SHARE = 250, 0.25
"""an image is over-exposed if at least this share of it has at least this grey level"""

DARK_LEVEL = 40
"""an image is dark if 95 % of it are below this grey level"""

CLIP_LIMIT, TILES = 8.0, (8, 8)
"""of the equalisation of over-exposed images. On `exp_over.mp4`, at which it was chosen, MTCNN and the verifier agree
on a face in 5 of 5 images; with a limit of 3 MTCNN is sure of one in 1 of 6, with gamma 3 or 6 in 1 and 3 of 6"""


class FacelessCheck:
    """Keeps a few images of a video and, if it was without tracklets, looks for the faces in them."""

    def __init__(self, models: ModelManager, smallest_face: float) -> None:
        """smallest_face: height of the smallest face that was searched for, analysis px."""
        self._models = models
        # Small faces are most of the cost of a search, and a hint needs only some face.
        self._smallest_face = SMALL_FACES * smallest_face
        self._images: list[ByteArray] = []
        self._offered, self._stride = 0, 1

    @property
    def images(self) -> tuple[ByteArray, ...]:
        """The images kept so far, oldest first."""
        return tuple(self._images)

    def offer(self, image: ByteArray) -> None:
        """Take an image that was searched, (h, w, 3) uint8 RGB; all of one size, in order of time."""
        if self._offered % self._stride == 0:
            self._images.append(image)
            if len(self._images) > MAX_IMAGES:
                self._images = self._images[::2]
                self._stride *= 2
        self._offered += 1

    @timed("faceless check")
    def findings(self) -> dict[str, int]:
        """Statistics that say why nobody was found; empty if nothing explains it.

        Raises:
            GPUMemoryError: not even one image fits.
            ModelError: the verifier is needed and cannot be had.
        """
        for degrees in (180, 90, 270):
            # `rot90` turns anticlockwise.
            if self._show_faces([np.rot90(image, (360 - degrees) // 90) for image in self._images]):
                return {TURNED: degrees}
        if self._show_faces([equalised(image) for image in self._images if is_overexposed(image)]):
            return {OVEREXPOSED: 1}
        if self._show_faces([brightened(image) for image in self._images if is_dark(image)]):
            return {DARK: 1}
        return {}

    def _show_faces(self, images: list[ByteArray]) -> bool:
        """Whether enough of the images show a face of which detector and verifier are sure."""
        needed = min(MIN_IMAGES, len(self._images))
        shown = 0
        for image in images:
            shown += self._shows_face(np.ascontiguousarray(image))
            if shown == needed:
                return True
        return False

    def _shows_face(self, image: ByteArray) -> bool:
        detector = self._models.cascade
        found = detector.detect([image], self._smallest_face)[0]
        if len(found) == 0 or found.scores[0] < detector.score_scale.sure_track:
            return False
        crop = warp(image, verifier_transform(found.boxes[0]), VERIFIER_SIDE_PX)
        return float(self._models.verifier.scores(crop[None])[0]) >= MIN_OPINION


def is_overexposed(image: ByteArray) -> bool:
    """Whether much of an RGB image is white."""
    return float((_grey(image) >= WHITE).mean()) >= WHITE_SHARE


def is_dark(image: ByteArray) -> bool:
    """Whether almost all of an RGB image is nearly black."""
    return float(np.quantile(_grey(image), 0.95)) < DARK_LEVEL


def equalised(image: ByteArray) -> ByteArray:
    """An RGB image with the contrast of each place enhanced, colours kept (CLAHE on the lightness)."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(CLIP_LIMIT, TILES).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def brightened(image: ByteArray) -> ByteArray:
    """An RGB image stretched so that its brightest hundredth is white."""
    low, high = np.quantile(image, [0.01, 0.99])
    return np.asarray(np.clip((image - low) * (255 / max(high - low, 1.0)), 0, 255), np.uint8)


def _grey(image: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
