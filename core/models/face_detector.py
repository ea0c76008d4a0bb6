"""What the program needs of a face detector, whichever network it is.

`core.models.mtcnn.MtcnnDetector` searches with its own pyramid, `core.models.proposed_detector.ProposedDetector` with a
one-pass network. `ModelManager.detector` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.models.inference.nets import Images
from core.models.networks.model_spec import ScoreScale
from core.types import ByteArray, Detections, FloatArray, IntArray


class ImageSampler(Protocol):
    """Some images of one size, prepared so that networks get scaled copies and crops of them."""

    height: int
    width: int

    def level(self, height: int, width: int) -> Images:
        """All images scaled to `height` x `width` px."""
        ...

    def crops(self, boxes: FloatArray, owner: IntArray, side: int) -> Images:
        """(N, side, side, 3): each of `boxes` (N, 4) resampled from the image with the index in `owner`, (N,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Regions of some images that may be faces; only the detector that made them can use them.

    boxes: (N, 4) float32. owner: (N,) int64, index of the image of each. sampled: the images, if they have been
    prepared already.
    """

    boxes: FloatArray
    owner: IntArray
    sampled: ImageSampler | None = None


class FaceRefiner(Protocol):
    """Finds faces near expected boxes, without a search."""

    @property
    def score_scale(self) -> ScoreScale:
        """How the scores of `refine` are read."""
        ...

    def refine(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray | None = None, /) -> Detections:
        """One row per box, in order; a low score says that there is no face.

        image: (h, w, 3) uint8 RGB. boxes: (N, 4) float32 xyxy, where faces are expected. rolls: (N,) degrees by which
        they are expected to be tilted, see `utils.images.face_roll`; None: not at all.
        """
        ...


class FaceDetector(FaceRefiner, Protocol):
    """Finds the faces of images.

    Not thread-safe, except that `candidates` may be called by another thread meanwhile.
    """

    def detect(
        self,
        images: Sequence[ByteArray],
        min_face_px: float,
        /,
        *,
        explained: Sequence[FloatArray] | None = None,
        ignore: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
        candidates: Candidates | None = None,
    ) -> list[Detections]:
        """Find faces in images of one size.

        Args:
            images: each (h, w, 3) uint8 RGB, C-contiguous, all of the same shape.
            min_face_px: height of the smallest face searched for, pixels of the images.
            explained: per image (K, 4) float32 boxes of faces already tracked; nothing is reported there.
            ignore: tells which of (N, 4) candidates can be skipped: (N,) bool.
            candidates: of these images for `min_face_px`, if they have been computed already.

        Returns:
            One `Detections` per image, best score first, in pixels of that image.

        Raises:
            GPUMemoryError: not even one image fits.
        """
        ...

    def refine_turned(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray, /) -> Detections:
        """Like `refine`, but each face is looked at only as turned upright by its roll, however small that is."""
        ...

    def candidates(self, image: ByteArray, min_face_px: float, /) -> Candidates:
        """The first and most expensive part of `detect`, for one image; it depends on nothing else.

        Raises:
            GPUMemoryError: the image does not fit.
        """
        ...
