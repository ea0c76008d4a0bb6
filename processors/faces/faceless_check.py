"""Finds out why nobody was found in a video: are there faces once the image is turned, or its exposure corrected?

Only videos without any sure tracklet are looked at again, so the others pay nothing. `FaceAnalyzer` then analyses the
video once more, turned or (if it is overexposed) darkened; for a dark one there is only a message to the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from core.model_manager import ModelManager
from core.types import ByteArray, Tracklet
from processors.faces.face_sampler import verifier_crop
from processors.faces.faceless_reasons import DARK, OVEREXPOSED, TURNED
from processors.faces.track_check import MIN_DOUBTFUL_S, MIN_OPINION
from processors.tracking.detection_schedule import SMALL_FACE_FACTOR
from utils.images.face_roll import median_roll
from utils.images.tone_stretch import darkened
from utils.processes.stage_times import timed

MAX_IMAGES = 4
"""images kept, spread over the video; they are analysis images, 1.2 MB each of a usual video"""

MIN_IMAGES = 2
"""images that must show a face, if so many were kept: one alone may be a coincidence"""

SURE_CERTAINTY = 0.985
"""`certainty` from which nobody is looked for in other ways. Chosen on the development clips and cases: upright, each
has 0.989 or more; turned, those in which something is followed all the same have up to 0.980"""

LYING = 60.0
"""degrees of roll from which a turn by 90 leaves 30 at most, which the search as it is still finds"""

WHITE, WHITE_SHARE = 250, 0.25
"""an image is overexposed if at least this share of it has at least this grey level"""

DARK_LEVEL = 40
"""an image is dark if 95 % of it are below this grey level"""


class FacelessCheck:
    """Keeps a few images of a video and, if nobody is found in it for sure, looks for the faces in them."""

    def __init__(self, models: ModelManager, smallest_face: float, turn: int = 0) -> None:
        """smallest_face: height of the smallest face that was searched for, analysis px. turn: `VideoInfo.turn`."""
        self._models = models
        self._turn = turn
        # Small faces are most of the cost of a search, and a hint needs only some face.
        self._smallest_face = SMALL_FACE_FACTOR * smallest_face
        self._images: list[ByteArray] = []
        self._offered, self._stride = 0, 1

    @property
    def images(self) -> tuple[ByteArray, ...]:
        """The images kept so far, (h, w, 3) uint8 RGB, oldest first."""
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
    def findings(self, *, has_tracklets: bool = False) -> dict[str, int]:
        """Statistics that say why nobody was found; empty if nothing explains it.

        has_tracklets: there are some, none of them sure. A turn then has to show more than the image as it is, and
            exposure explains nothing.

        Raises:
            GPUMemoryError: not even one image fits.
            ModelError: the verifier is needed and cannot be had.
        """
        degrees = self._best_turn((0, 180, 90, 270) if has_tracklets else (180, 90, 270))
        if degrees:
            return {TURNED: (self._turn + degrees) % 360}
        if has_tracklets:
            return {}
        overexposed = [darkened(image) for image in self._images if is_overexposed(image)]
        if self._certainty(overexposed, self._smallest_face):
            return {OVEREXPOSED: 1}
        dark = [brightened(image) for image in self._images if is_dark(image)]
        if self._certainty(dark, self._smallest_face):
            return {DARK: 1}
        return {}

    def _best_turn(self, turns: Sequence[int]) -> int:
        """Which of `turns`, degrees clockwise, shows faces most surely; 0 if none shows any.

        Faces that lie are seen as well, by the verifier as surely as upright ones and by the detector a little less.
        """
        certainties = {}
        for degrees in turns:
            # `rot90` turns anticlockwise.
            turned = [np.rot90(image, (360 - degrees) % 360 // 90) for image in self._images]
            certainties[degrees] = self._certainty(turned, self._smallest_face_when(turned))
        best = max(certainties, key=certainties.__getitem__, default=0)
        return best if certainties.get(best) else 0

    def _smallest_face_when(self, turned: Sequence[ByteArray]) -> float:
        """The smallest face in images that may lie on their side: the same share of their height."""
        return self._smallest_face * turned[0].shape[0] / self._images[0].shape[0] if turned else self._smallest_face

    def _certainty(self, images: Sequence[ByteArray], smallest_face: float) -> float:
        """The detector's scores of the best face of each image, together; 0.0 if too few images show a face."""
        scores = [self._face_score(np.ascontiguousarray(image), smallest_face) for image in images]
        shown = sum(score > 0 for score in scores)
        return sum(scores) if shown >= min(MIN_IMAGES, len(self._images)) else 0.0

    def _face_score(self, image: ByteArray, smallest_face: float) -> float:
        """The detector's score of the best face, 0.0 where it is not sure of one or the verifier denies it."""
        detector = self._models.cascade
        found = detector.detect([image], smallest_face)[0]
        if len(found) == 0 or found.scores[0] < detector.score_scale.sure_track:
            return 0.0
        crop = verifier_crop(image, found.boxes[0], found.landmarks[0])
        is_face = float(self._models.verifier.scores(crop[None])[0]) >= MIN_OPINION
        return float(found.scores[0]) if is_face else 0.0


def certainty(tracklets: Iterable[Tracklet], frame_rate: float) -> float:
    """The best median score of those that last for `MIN_DOUBTFUL_S`, in [0, 1]; 0.0 if none does.

    Of a turned image, some that are shorter have a score of 1. Faces that lie are as sure and say nothing of how the
    image should be shown.
    """
    lasting = (t for t in tracklets if t.end - t.start >= MIN_DOUBTFUL_S * frame_rate and not _lies(t))
    return max((float(np.median(t.scores)) for t in lasting), default=0.0)


def _lies(tracklet: Tracklet) -> bool:
    """Whether most of its faces are tilted so far that the image, turned, would show them more upright."""
    return median_roll(tracklet.landmarks) > LYING


def is_overexposed(image: ByteArray) -> bool:
    """Whether at least `WHITE_SHARE` of `image`, (h, w, 3) uint8 RGB, is white."""
    return float((_grey(image) >= WHITE).mean()) >= WHITE_SHARE


def is_dark(image: ByteArray) -> bool:
    """Whether 95 % of `image`, (h, w, 3) uint8 RGB, are darker than `DARK_LEVEL`."""
    return float(np.quantile(_grey(image), 0.95)) < DARK_LEVEL


def brightened(image: ByteArray) -> ByteArray:
    """`image`, (h, w, 3) uint8 RGB, stretched so that its darkest hundredth is black and its brightest one white."""
    low, high = np.quantile(image, [0.01, 0.99])
    return np.asarray(np.clip((image - low) * (255 / max(high - low, 1.0)), 0, 255), np.uint8)


def _grey(image: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
