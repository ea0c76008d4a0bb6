"""The faces of a photo, registered the way faces of a video are: detected, aligned, cut out and embedded."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from core.model_manager import ModelManager
from core.types import ByteArray, Detections, FloatArray
from processors.faces.appearance import sharpness
from processors.faces.face_sampler import face_quality
from processors.known_people.face_evidence import FaceSet
from processors.known_people.photo_reader import Photo
from utils.images.box_geometry import box_areas
from utils.images.face_alignment import face_chip
from utils.images.rgb_images import encode_jpeg, fit_within

SEARCH_SIDE_PX = 1000
"""photos are searched at this size"""
MIN_FACE_SHARE = 0.04
"""smallest face looked for, as a share of the shorter side of the photo"""
MIN_FACE_PX = 20.0
"""a face of fewer pixels in the original tells nobody from anybody"""
FACE_SCORE = 0.9
"""the detector's score of a face: what starts a track in a video"""
VIDEO_HEIGHT_PX = 720.0
"""sharpness is measured in videos on images of about this height; photos are reduced to it for the same reason"""
CROP_QUALITY = 92

_lock = threading.Lock()
"""the networks are for one thread at a time; photos are decoded on several"""


@dataclass(frozen=True, slots=True, eq=False)
class PhotoFace:
    """One face of a photo.

    box: (4,) float32, xyxy in px of the upright original. landmarks: (5, 2) float32, likewise.
    vector: (D,) float32, unit length. quality: as of a video's sample, [0, 1]. sharpness: variance of the Laplacian.
    crop_jpeg: the very pixels that the recognition network was given.
    """

    box: FloatArray
    score: float
    landmarks: FloatArray
    vector: FloatArray
    quality: float
    sharpness: float
    crop_jpeg: bytes

    @property
    def whole_box(self) -> tuple[int, int, int, int]:
        """The box in whole pixels."""
        x1, y1, x2, y2 = (round(float(value)) for value in self.box)
        return x1, y1, x2, y2

    @property
    def face_set(self) -> FaceSet:
        """The face as evidence."""
        return FaceSet(self.vector[None], np.array([self.quality], np.float32))

    @property
    def height_px(self) -> float:
        """Height of the box, pixels of the photo."""
        return float(self.box[3] - self.box[1])


def find_faces(photo: Photo, models: ModelManager) -> list[PhotoFace]:
    """The faces of `photo`, the largest first. May be called from several threads.

    Raises:
        ModelError: a network cannot be had.
    """
    with _lock:
        found = _detected(photo, models)
        if not len(found):
            return []
        embedder = models.embedder
        chips = np.stack(
            [
                face_chip(photo.pixels, embedder.alignment(box, points), embedder.side)
                for box, points in zip(found.boxes, found.landmarks, strict=True)
            ]
        )
        vectors = embedder.embed(chips)
    faces = [_face(photo, found, k, chips[k], vectors[k]) for k in range(len(found))]
    return sorted(faces, key=lambda face: -float(box_areas(face.box[None])[0]))


def _detected(photo: Photo, models: ModelManager) -> Detections:
    """In pixels of `photo.pixels`."""
    seen = fit_within(photo.pixels, SEARCH_SIDE_PX)
    smallest = max(MIN_FACE_SHARE * min(seen.shape[:2]), MIN_FACE_PX)
    found = models.cascade.detect([np.ascontiguousarray(seen)], smallest)[0]
    back = photo.pixels.shape[1] / seen.shape[1], photo.pixels.shape[0] / seen.shape[0]
    return found[found.scores >= FACE_SCORE].scaled(*back)


def _face(photo: Photo, found: Detections, row: int, chip: ByteArray, vector: FloatArray) -> PhotoFace:
    box, points, score = found.boxes[row], found.landmarks[row], float(found.scores[row])
    reduced = fit_within(photo.pixels, round(VIDEO_HEIGHT_PX * max(photo.pixels.shape) / min(photo.pixels.shape[:2])))
    scale = reduced.shape[0] / photo.pixels.shape[0]
    sharp = sharpness(reduced, np.asarray(points * scale, np.float32))
    original = np.tile(photo.scale, 2)
    return PhotoFace(
        box=np.asarray(box * original, np.float32),
        score=score,
        landmarks=np.asarray(points * photo.scale, np.float32),
        vector=vector,
        quality=face_quality(np.asarray(box * original, np.float32), score, points, sharp),
        sharpness=sharp,
        crop_jpeg=encode_jpeg(chip, CROP_QUALITY),
    )
