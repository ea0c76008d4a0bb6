"""Chooses the faces that represent a track: sharp, frontal, large and spread over time."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.media.video_frame import VideoFrame
from core.models.face_embedder import FaceEmbedder
from core.types import ByteArray, FloatArray, PixelBox
from processors.shots.active_picture import frame_picture
from utils.box_geometry import visible_shares
from utils.face_alignment import (
    FACE_TEMPLATE,
    laplacian_variance,
    similarity_transform,
    transformed_bounds,
    warp,
    yaw_measure,
)

SHARPNESS_SIDE_PX = 64
"""sharpness is measured on faces aligned at this size, whatever their size in the frame"""

GOOD_HEIGHT_PX = 100.0
"""face height above which more pixels do not help the embedder, whose input is 150 or 160 px"""

GOOD_SHARPNESS = 150.0
"""variance of the Laplacian at 64 px of a face in focus"""

MAX_STRETCH = 500
"""frames; a longer stretch that only one sample stands for does not make it worth more"""

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

JPEG_QUALITY = 92

VERIFIER_SCALE, VERIFIER_SIDE_PX = 2.0, 200
"""side of the verifier's crop as a multiple of the face's longer side, and in px"""


@dataclass(frozen=True, slots=True, eq=False)
class FaceSample:
    """A face that is kept. chip: (side, side, 3) uint8 for the embedder. wide: (200, 200, 3) uint8 for the verifier."""

    frame: int
    quality: float
    chip: ByteArray
    wide: ByteArray


def sharpness(image: ByteArray, landmarks: FloatArray) -> float:
    """Variance of the Laplacian on the face, aligned at 64 px. landmarks: (5, 2) in pixels of the image."""
    matrix = similarity_transform(landmarks, FACE_TEMPLATE * SHARPNESS_SIDE_PX)
    aligned = warp(image, matrix, SHARPNESS_SIDE_PX)
    return laplacian_variance(np.asarray(cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY), np.uint8))


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
    """Keeps the best faces of one track, at most `capacity` of them, and the best portrait."""

    def __init__(self, embedder: FaceEmbedder, capacity: int) -> None:
        self._embedder = embedder
        self._capacity = capacity
        self._samples: list[FaceSample] = []
        self._best = -1.0
        self._portrait: ByteArray | None = None

    def offer(self, frame: VideoFrame, box: FloatArray, score: float, landmarks: FloatArray, sharp: float) -> None:
        """Consider a face of the track. box: (4,), landmarks: (5, 2), both in source pixels. sharp: see `sharpness`."""
        # The detector guesses how far a face goes on beyond the edge; what is not seen represents nobody.
        visible = float(visible_shares(box[None], (0, 0, frame.width, frame.height))[0])
        quality = face_quality(box, score, landmarks, sharp) * visible
        if len(self._samples) >= self._capacity and quality <= min(s.quality for s in self._samples) * MIN_GAIN:
            return
        matrix = self._embedder.alignment(box, landmarks)
        side = self._embedder.side
        wide = _wide_transform(box)
        bounds = np.stack([transformed_bounds(matrix, side), transformed_bounds(wide, VERIFIER_SIDE_PX)])
        region = np.concatenate([bounds[:, :2].min(0) - 2, bounds[:, 2:].max(0) + 2])
        pixels, x0, y0 = frame.patch(region)
        if pixels.shape[0] < 4 or pixels.shape[1] < 4:
            return
        shift = np.array([x0, y0], np.float64)
        sample = FaceSample(
            frame.index,
            quality,
            warp(pixels, _shifted(matrix, shift), side),
            warp(pixels, _shifted(wide, shift), VERIFIER_SIDE_PX),
        )
        merit = quality**2 * portrait_merit(pixels, np.asarray(landmarks - shift, np.float32))
        if merit > self._best:
            self._best = merit
            self._portrait = _portrait(pixels, box, shift, frame_picture(frame))
        self._keep(sample)

    def finish(self) -> tuple[list[FaceSample], bytes]:
        """The samples, best first, and the portrait as JPEG (b"" without samples)."""
        ordered = sorted(self._samples, key=lambda s: (-s.quality, s.frame))
        return ordered, b"" if self._portrait is None else _jpeg(self._portrait)

    def _keep(self, sample: FaceSample) -> None:
        self._samples.append(sample)
        self._samples.sort(key=lambda s: s.frame)
        if len(self._samples) > self._capacity:
            gaps = np.diff(np.array([s.frame for s in self._samples], float))
            alone = np.append(np.inf, gaps) + np.append(gaps, np.inf)
            # Quality alone would keep neighbours; a sample also counts for the time that only it stands for.
            worth = np.array([s.quality for s in self._samples]) * np.sqrt(np.minimum(alone, MAX_STRETCH))
            del self._samples[int(worth.argmin())]


def _portrait(pixels: ByteArray, box: FloatArray, origin: NDArray[np.float64], picture: PixelBox | None) -> ByteArray:
    """The square around the face, as far as it lies in `pixels`, whose upper left corner is at `origin`.

    picture: the frame without its black bars, source pixels; None if it has none.
    """
    half = PORTRAIT_SCALE * max(float((box[2:] - box[:2]).max()), 1.0) / 2
    centre = (box[:2] + box[2:]) / 2 - origin
    first, last = np.clip(np.round(centre - half), 0, None), np.round(centre + half)
    if picture is not None:
        first, last = np.maximum(first, picture[:2] - origin), np.minimum(last, picture[2:] - origin)
    (x1, y1), (x2, y2) = first.astype(int), last.astype(int)
    cut = pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    return cut.copy() if cut.size else pixels


def _wide_transform(box: FloatArray) -> NDArray[np.float64]:
    """2x3 matrix from the frame to a 200 px crop with the upright box in its middle half."""
    scale = VERIFIER_SIDE_PX / (VERIFIER_SCALE * max(float((box[2:] - box[:2]).max()), 1.0))
    centre = (box[:2] + box[2:]) / 2
    return np.array(
        [[scale, 0, VERIFIER_SIDE_PX / 2 - scale * centre[0]], [0, scale, VERIFIER_SIDE_PX / 2 - scale * centre[1]]]
    )


def _shifted(matrix: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map for an image whose upper left corner is at `origin`."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ origin])


def _jpeg(pixels: ByteArray) -> bytes:
    scale = PORTRAIT_MAX_PX / max(pixels.shape[:2])
    if scale < 1:
        pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data) if done else b""
