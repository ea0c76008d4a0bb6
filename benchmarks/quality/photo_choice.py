"""Photos beside people in videos: what a photo that names somebody may be like, and whom it must not name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.quality.link_choice import SLACK, KnownFace, candidates, known_photos
from core.model_manager import ModelManager
from core.types import ByteArray
from processors.known_people.face_evidence import FaceSet, as_log_odds
from processors.known_people.person_matching import LinkRules
from processors.known_people.photo_faces import find_faces
from processors.known_people.photo_reader import read_photo
from processors.known_people.reference_photos import MIN_REFERENCE_FACE_PX, PhotoFile, PhotoLine, choose_face

_TINTS = {"warm": (1.2, 1.0, 0.75), "cold": (0.8, 1.0, 1.25)}
_TONES = {"dark": 1.8, "bright": 0.55}
"""exponent of the pixel values"""
_TURNS = (-15.0, 15.0)
"""degrees"""
_FACE_PX = (128.0, 80.0, MIN_REFERENCE_FACE_PX + 2)
_JPEG_QUALITIES = (50, 20)


def photo_and_video_pairs(people: Sequence[KnownFace], models: ModelManager) -> list[tuple[KnownFace, KnownFace]]:
    """Every variant of every shared photo that may name somebody, with everybody in the videos.

    Each face of a stranger is a pair of its own, too: of somebody who is seen briefly there is only one. Those that no
    curve in question links are left out, which are nearly all.
    """
    seen = [one for one in people if not one.on_photo]
    single = [
        KnownFace(one.file, one.person, FaceSet(one.faces.vectors[k : k + 1], one.faces.quality[k : k + 1]))
        for one in seen
        for k in range(len(one.faces))
    ]
    photos = list(_photos_that_name(models))
    near = as_log_odds(LinkRules().similarity) - SLACK
    least = min(curve.least_cosine(near) for curve in candidates(models.embedder.name))
    cosines = np.stack([one.faces.mean for one in photos]) @ np.stack([one.faces.mean for one in single]).T
    close = [(photos[k], single[m]) for k, m in np.argwhere(cosines >= least).tolist()]
    return [(photo, one) for photo in photos for one in seen] + [(a, b) for a, b in close if a.person != b.person]


def _photos_that_name(models: ModelManager) -> Iterator[KnownFace]:
    with tempfile.TemporaryDirectory() as folder:
        for path, person in known_photos().items():
            photo = read_photo(path)
            faces = find_faces(photo, models)
            height_px = faces[0].height_px / float(photo.scale[1])
            for number, (image, jpeg_quality) in enumerate(variants(photo.pixels, height_px)):
                file = Path(folder) / f"{number}.{'jpg' if jpeg_quality else 'png'}"
                options = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality] if jpeg_quality else []
                cv2.imwrite(str(file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
                changed = read_photo(file)
                chosen = choose_face(PhotoFile(path.stem, file), changed, find_faces(changed, models))
                if not isinstance(chosen, PhotoLine):
                    yield KnownFace(path.name, person, chosen[0].face_set, on_photo=True)


def variants(image: ByteArray, face_px: float) -> Iterator[tuple[ByteArray, int]]:
    """A photo as people may have it, with the JPEG quality of the copy; 0: without loss.

    image: (H, W, 3) uint8 RGB. face_px: height of the face in it, px.
    """
    yield image, 0
    yield np.ascontiguousarray(image[:, ::-1]), 0
    for wanted_px in _FACE_PX:
        if (factor := wanted_px / face_px) < 1:
            yield np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8), 0
    for quality in _JPEG_QUALITIES:
        yield image, quality
    for factors in _TINTS.values():
        yield np.asarray(np.clip(image * np.array(factors), 0, 255), np.uint8), 0
    yield np.asarray(np.repeat(image.mean(2, keepdims=True), 3, 2), np.uint8), 0
    for exponent in _TONES.values():
        yield np.asarray(255 * (image / 255) ** exponent, np.uint8), 0
    height, width = image.shape[:2]
    for degrees in _TURNS:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        turned = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(turned, np.uint8), 0
