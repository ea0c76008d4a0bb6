"""Chooses the faces that represent a stretch of a track: sharp, frontal, large and spread over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.media.video_frame import VideoFrame
from core.models.face_embedder import FaceEmbedder
from core.models.face_verifier import VERIFIER_SCALE, VERIFIER_SIDE_PX
from core.types import ByteArray, FloatArray, PixelBox
from processors.shots.active_picture import frame_active_picture
from processors.tracking.frame_pace import FramePace
from utils.images.box_geometry import visible_shares
from utils.images.face_alignment import (
    FACE_TEMPLATE,
    face_chip,
    similarity_transform,
    transformed_bounds,
    warp,
    yaw_measure,
)
from utils.images.face_roll import face_rolls, is_tilted, turning_matrix, upright_sizes

GOOD_HEIGHT_PX = 100.0
"""face height above which more pixels do not help the embedder, whose input is 150 or 160 px"""

GOOD_SHARPNESS = 150.0
"""variance of the Laplacian at 64 px of a face in focus"""

MAX_STRETCH_S = 20.0
"""seconds; a longer stretch that only one sample stands for does not make it worth more"""

PORTRAIT_SCALE, PORTRAIT_MAX_PX = 1.9, 320
"""side of the portrait as a multiple of the face's longer side, and at most"""

MERIT_SIDE_PX = 96
"""portraits are judged on faces aligned at this size"""

_EYE_WIDTH, _EYE_HEIGHT = 0.2, 0.15
"""size of the region around an eye, as shares of the aligned face"""

_BASE_CONTRAST = 0.005
"""added to the contrast, so that quality still decides between faces that have none; eyes have 0.05 to 0.2"""

_WELL_LIT = 60.0
"""mean grey level below which a face counts as too dark"""

_OVEREXPOSED = 250
"""grey level"""

MIN_GAIN = 0.9
"""once a sampler is full, a face is only looked at if its quality exceeds this share of the worst sample's"""

EMBEDDED_WORTH = 2.0
"""factor by which an embedded sample is worth more: it serves recognition without another embedding, unless others are
much better"""

JPEG_QUALITY = 92

NO_PIXELS: ByteArray = np.zeros((0, 0, 3), np.uint8)
"""in place of crops that are not needed any more"""


@dataclass(slots=True, eq=False)
class FaceSample:
    """A face that is kept.

    chip: (side, side, 3) uint8 for the embedder. wide: (200, 200, 3) uint8 for the verifier; both may be `NO_PIXELS`
    once they have served. look: see `Appearance`.
    embedding: (D,) float32 of unit length; None until somebody has asked for it.
    visible: share of the face's box that lies in the frame, [0, 1].
    """

    frame: int
    quality: float
    chip: ByteArray
    wide: ByteArray
    look: FloatArray
    embedding: FloatArray | None = None
    visible: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """The most presentable face of a stretch. merit: to be compared within one track. pixels: (h, w, 3) uint8 RGB."""

    frame: int
    merit: float
    pixels: ByteArray

    def jpeg(self) -> bytes:
        """The portrait as a file."""
        return _jpeg(self.pixels)


def face_quality(box: FloatArray, score: float, landmarks: FloatArray, sharp: float) -> float:
    """How well a face represents a person, in [0, 1]: the product of size, frontality, focus and score.

    box: (4,), landmarks: (5, 2), both in source pixels. sharp: see `sharpness`.
    """
    height = float(box[3] - box[1])
    large = min(height / GOOD_HEIGHT_PX, 1.0) ** 0.5
    frontal = float(np.clip(1.2 - yaw_measure(landmarks[None])[0], 0.3, 1.0))
    in_focus = min(sharp / GOOD_SHARPNESS, 1.0) ** 0.25
    certain = float(np.clip(score, 0, 1)) ** 2
    return float(certain * large * frontal * in_focus)


def portrait_merit(image: ByteArray, landmarks: FloatArray) -> float:
    """How presentable a face is, apart from its quality; to be compared within one track only.

    Open eyes have a dark iris next to bright white, which is contrast along the row; the lashes of closed eyes lie
    along the row and give none. Dark and overexposed faces get less. landmarks: (5, 2) in pixels of the image.
    """
    matrix = similarity_transform(landmarks, FACE_TEMPLATE * MERIT_SIDE_PX)
    aligned = warp(image, matrix, MERIT_SIDE_PX)
    grey = np.asarray(cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY), np.float64)
    half = np.array([_EYE_WIDTH, _EYE_HEIGHT]) / 2
    contrast = _BASE_CONTRAST
    for eye in FACE_TEMPLATE[:2]:
        (x1, y1), (x2, y2) = (np.array([eye - half, eye + half]) * MERIT_SIDE_PX).astype(int)
        region = grey[y1 : y2 + 1, x1 : x2 + 1]
        contrast += float(np.abs(np.diff(region, axis=1)).mean()) / (float(region.mean()) + 10)
    lit = min(float(grey.mean()) / _WELL_LIT, 1.0) * (1 - float((grey >= _OVEREXPOSED).mean()))
    return contrast * lit


class FaceSampler:
    """Keeps the best faces of a stretch, at most `capacity` of them, and the best portrait.

    Attributes:
        samples: in order of time.
        portrait: None without samples.
    """

    def __init__(self, embedder: FaceEmbedder, capacity: int, frame_rate: float) -> None:
        self._embedder = embedder
        self._max_stretch = FramePace(frame_rate).frames(MAX_STRETCH_S)
        self._capacity = capacity
        self.samples: list[FaceSample] = []
        self.portrait: Portrait | None = None

    def offer(
        self,
        frame: VideoFrame,
        box: FloatArray,
        score: float,
        landmarks: FloatArray,
        sharp: float,
        look: FloatArray,
    ) -> None:
        """Consider a face. box: (4,), landmarks: (5, 2), both in source pixels. sharp, look: see `Appearance`."""
        # The detector guesses how far a face extends beyond the edge, but only its visible part is evidence.
        visible = float(visible_shares(box[None], (0, 0, frame.width, frame.height))[0])
        quality = face_quality(box, score, landmarks, sharp) * visible
        if len(self.samples) >= self._capacity and quality <= min(s.quality for s in self.samples) * MIN_GAIN:
            return
        matrix = self._embedder.alignment(box, landmarks)
        side = self._embedder.side
        wide = verifier_transform(box, landmarks)
        bounds = np.stack([transformed_bounds(matrix, side), transformed_bounds(wide, VERIFIER_SIDE_PX)])
        region = np.concatenate([bounds[:, :2].min(0) - 2, bounds[:, 2:].max(0) + 2])
        pixels, x0, y0 = frame.patch(region)
        if pixels.shape[0] < 4 or pixels.shape[1] < 4:
            return
        shift = np.array([x0, y0], np.float64)
        sample = FaceSample(
            frame.index,
            quality,
            face_chip(pixels, _shifted(matrix, shift), side),
            warp(pixels, _shifted(wide, shift), VERIFIER_SIDE_PX),
            look,
            visible=visible,
        )
        merit = quality**2 * portrait_merit(pixels, np.asarray(landmarks - shift, np.float32))
        if self.portrait is None or merit > self.portrait.merit:
            self.portrait = Portrait(frame.index, merit, _portrait(pixels, box, shift, frame_active_picture(frame)))
        self._keep(sample)

    def absorb(self, later: FaceSampler) -> None:
        """Take over what `later`, the sampler of the next stretch, has kept."""
        self.keep(later.samples)
        if later.portrait is not None and (self.portrait is None or later.portrait.merit > self.portrait.merit):
            self.portrait = later.portrait

    def keep(self, samples: Sequence[FaceSample]) -> None:
        """Consider samples that were made elsewhere; those that are kept already make no difference."""
        for sample in samples:
            if all(sample is not other for other in self.samples):
                self._keep(sample)

    def hand_over(self, frame: int, later: FaceSampler) -> None:
        """Give what is kept from `frame` on to `later`, which is empty."""
        later.samples = [sample for sample in self.samples if sample.frame >= frame]
        self.samples = [sample for sample in self.samples if sample.frame < frame]
        if self.portrait is not None and self.portrait.frame >= frame:
            self.portrait, later.portrait = None, self.portrait

    def drop_between(self, before: int, after: int) -> None:
        """Let go of what was kept of the frames after `before` and before `after`."""
        self.samples = [sample for sample in self.samples if not before < sample.frame < after]
        if self.portrait is not None and before < self.portrait.frame < after:
            self.portrait = None

    def best(self, count: int) -> list[FaceSample]:
        """At most `count` of the samples, good ones from all of the time, in order of time."""
        chosen = list(self.samples)
        while len(chosen) > count:
            self._drop_one(chosen)
        return chosen

    def _keep(self, sample: FaceSample) -> None:
        self.samples.append(sample)
        self.samples.sort(key=lambda s: s.frame)
        if len(self.samples) > self._capacity:
            self._drop_one(self.samples)

    def _drop_one(self, samples: list[FaceSample]) -> None:
        worth = [s.quality * (1.0 if s.embedding is None else EMBEDDED_WORTH) for s in samples]
        del samples[least_worth([s.frame for s in samples], worth, self._max_stretch)]


def least_worth(frames: Sequence[int], quality: Sequence[float], max_stretch: float) -> int:
    """Which of some samples of one face, in order of time, can best be done without: its position.

    Quality alone would keep neighbours; a sample also counts for the time that only it stands for, up to `max_stretch`
    frames.
    """
    gaps = np.diff(np.array(frames, float))
    alone = np.append(np.inf, gaps) + np.append(gaps, np.inf)
    return int((np.array(quality) * np.sqrt(np.minimum(alone, max_stretch))).argmin())


def _portrait(pixels: ByteArray, box: FloatArray, origin: NDArray[np.float64], active: PixelBox | None) -> ByteArray:
    """The square around the face, as far as it lies in `pixels`, whose upper left corner is at `origin`.

    active: the frame without its black bars, source pixels; None if it has none.
    """
    half = PORTRAIT_SCALE * max(float((box[2:] - box[:2]).max()), 1.0) / 2
    centre = (box[:2] + box[2:]) / 2 - origin
    first, last = np.clip(np.round(centre - half), 0, None), np.round(centre + half)
    if active is not None:
        first, last = np.maximum(first, active[:2] - origin), np.minimum(last, active[2:] - origin)
    (x1, y1), (x2, y2) = first.astype(int), last.astype(int)
    cut = pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    return _reduced(cut if cut.size else pixels)


def verifier_transform(box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
    """2x3 matrix from the frame to a 200 px crop with the face in its middle half, turned upright if it is tilted.

    box: (4,), landmarks: (5, 2), in the frame's pixels.
    """
    rolls = face_rolls(landmarks[None])
    length = max(float(upright_sizes(box[None], rolls)[0]), 1.0)
    roll = float(rolls[0]) if is_tilted(rolls)[0] else 0.0
    centre = np.asarray((box[:2] + box[2:]) / 2, np.float32)
    return turning_matrix(centre, VERIFIER_SCALE * length, roll, VERIFIER_SIDE_PX)


def verifier_crop(image: ByteArray, box: FloatArray, landmarks: FloatArray) -> ByteArray:
    """(200, 200, 3) uint8: what the verifiers see of a face.

    image: (h, w, 3) uint8 RGB. box: (4,), landmarks: (5, 2), its pixels.
    """
    return warp(image, verifier_transform(box, landmarks), VERIFIER_SIDE_PX)


def _shifted(matrix: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map for an image whose upper left corner is at `origin`."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ origin])


def _reduced(pixels: ByteArray) -> ByteArray:
    """A copy of at most `PORTRAIT_MAX_PX`, so that nothing larger stays in memory."""
    scale = PORTRAIT_MAX_PX / max(pixels.shape[:2])
    if scale >= 1:
        return np.array(pixels)
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(pixels: ByteArray) -> bytes:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data) if done else b""
