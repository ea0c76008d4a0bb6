"""MTCNN against facenet-pytorch's implementation; known faces, refinement and candidates computed ahead."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from config import Settings
from core.errors import GPUMemoryError
from core.model_manager import ModelManager
from core.models.inference.batching import Batched
from core.models.inference.net_loader import NetLoader
from core.models.inference.nets import Net
from core.models.inference.torch_runtime import TorchNet
from core.models.mtcnn import THRESHOLDS, MtcnnDetector
from core.models.networks.model_spec import DETECTOR_NETS
from core.models.networks.weights import locate
from core.types import ByteArray, Detections, FloatArray
from utils.images.box_geometry import iou_matrix

MIN_FACE_PX = 20.0


@pytest.fixture(scope="module")
def detector(models: ModelManager) -> MtcnnDetector:
    detector = models.detector
    assert isinstance(detector, MtcnnDetector)
    return detector


@pytest.fixture(scope="module")
def nets(models: ModelManager, model_settings: Settings) -> list[Net]:
    """P-Net, R-Net and O-Net, for detectors that are put together in a test."""
    assert models  # its cache has the converted networks
    return NetLoader(model_settings).with_openvino(DETECTOR_NETS)


@pytest.fixture(scope="module")
def crowd(portraits: dict[str, ByteArray]) -> ByteArray:
    """(360, 640, 3): six faces, 32 to 105 px high, two of them mirrored."""
    image = np.full((360, 640, 3), 96, np.uint8)
    for name, x, y, size in (
        ("collins", 0, 0, 280),
        ("hopper", 300, 0, 200),
        ("collins", 500, 0, 120),
        ("hopper", 500, 130, 110),
        ("collins", 300, 210, 90),
        ("hopper", 400, 230, 120),
    ):
        person = portraits[name]
        side = min(person.shape[:2])
        square = cv2.resize(person[:side, :side], (size, size), interpolation=cv2.INTER_AREA)
        image[y : y + size, x : x + size] = square[:, ::-1] if size == 120 else square
    return image


Reference = Callable[[ByteArray, float], Detections]


@pytest.fixture(scope="module")
def reference() -> Reference:
    """facenet-pytorch's MTCNN with its default thresholds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from facenet_pytorch import MTCNN

    def detect(image: ByteArray, min_face_px: float) -> Detections:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it builds arrays from ragged lists
            mtcnn = MTCNN(min_face_size=min_face_px, keep_all=True, device="cpu")
            boxes, scores, landmarks = mtcnn.detect(image, landmarks=True)
        return Detections(*(np.asarray(v, np.float32) for v in (boxes, scores, landmarks)))

    return detect


def assert_same(found: Detections, wanted: Detections, *, iou: float = 0.99, landmarks_px: float = 0.1) -> None:
    assert len(found) == len(wanted)
    if len(wanted):
        overlap = iou_matrix(found.boxes, wanted.boxes)
        match = overlap.argmax(0)
        assert sorted(match.tolist()) == list(range(len(wanted)))
        assert overlap.max(0).min() >= iou
        assert np.abs(found.landmarks[match] - wanted.landmarks).max() <= landmarks_px
        assert np.abs(found.scores[match] - wanted.scores).max() <= 0.01


@pytest.mark.parametrize("name", ["collins", "hopper"])
@pytest.mark.parametrize("min_face_px", [20.0, 40.0])
def test_it_finds_what_facenet_pytorch_finds(
    name: str, min_face_px: float, detector: MtcnnDetector, reference: Reference, portraits: dict[str, ByteArray]
) -> None:
    image = np.ascontiguousarray(portraits[name])
    found = detector.detect([image], min_face_px)[0]
    assert len(found) >= 1
    assert_same(found, reference(image, min_face_px))


def test_it_finds_what_facenet_pytorch_finds_in_a_crowd(
    detector: MtcnnDetector, reference: Reference, crowd: ByteArray
) -> None:
    found = detector.detect([crowd], MIN_FACE_PX)[0]
    assert len(found) >= 6
    assert_same(found, reference(crowd, MIN_FACE_PX))


def test_a_batch_gives_what_each_image_gives(detector: MtcnnDetector, crowd: ByteArray) -> None:
    images = [crowd, np.zeros_like(crowd), np.ascontiguousarray(crowd[:, ::-1]), crowd]
    together = detector.detect(images, MIN_FACE_PX)
    for image, found in zip(images, together, strict=True):
        assert_same(found, detector.detect([image], MIN_FACE_PX)[0], iou=0.9999, landmarks_px=0.01)
    assert len(together[1]) == 0


def test_the_best_face_comes_first_and_everything_is_float32(detector: MtcnnDetector, crowd: ByteArray) -> None:
    found = detector.detect([crowd], MIN_FACE_PX)[0]
    assert (np.diff(found.scores) <= 0).all()
    assert found.scores.min() > THRESHOLDS[2] and found.scores.max() <= 1
    assert {found.boxes.dtype, found.scores.dtype, found.landmarks.dtype} == {np.dtype(np.float32)}


def test_the_same_image_gives_the_same_faces(detector: MtcnnDetector, crowd: ByteArray) -> None:
    first, second = (detector.detect([crowd], MIN_FACE_PX)[0] for _ in range(2))
    assert np.array_equal(first.boxes, second.boxes) and np.array_equal(first.scores, second.scores)


def test_landmarks_are_in_the_order_of_the_image(detector: MtcnnDetector, portraits: dict[str, ByteArray]) -> None:
    best = detector.detect([np.ascontiguousarray(portraits["collins"])], 40)[0][:1]
    left_eye, right_eye, nose, left_mouth, right_mouth = best.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_small_faces_are_left_out_by_the_size_asked_for(detector: MtcnnDetector, crowd: ByteArray) -> None:
    small, large = (detector.detect([crowd], size)[0] for size in (20.0, 80.0))
    assert 0 < len(large) < len(small)


@pytest.mark.parametrize("shape", [(360, 640), (10, 10), (16, 300), (13, 13)])
@pytest.mark.parametrize("level", [0, 255])
def test_images_of_nothing_hold_no_face(detector: MtcnnDetector, shape: tuple[int, int], level: int) -> None:
    found = detector.detect([np.full((*shape, 3), level, np.uint8)] * 2, MIN_FACE_PX)
    assert [len(f) for f in found] == [0, 0]


def test_no_images_give_no_answers(detector: MtcnnDetector) -> None:
    assert detector.detect([], MIN_FACE_PX) == []


class Counting:
    """A net that counts the images it is given."""

    def __init__(self, net: Any) -> None:
        self.net, self.seen = net, 0

    def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
        self.seen += len(images)
        result: tuple[FloatArray, ...] = self.net(images)
        return result


def largest_first(faces: Detections) -> Detections:
    return faces[np.argsort(-(faces.boxes[:, 3] - faces.boxes[:, 1]))]


def test_nothing_is_reported_where_faces_are_known(detector: MtcnnDetector, crowd: ByteArray) -> None:
    known = largest_first(detector.detect([crowd], MIN_FACE_PX)[0]).boxes[:2]
    found = detector.detect([crowd], MIN_FACE_PX, explained=[known])[0]
    assert iou_matrix(found.boxes, known).max() < 0.3


def test_newcomers_are_found_beside_known_faces_with_less_work(nets: list[Net], crowd: ByteArray) -> None:
    pnet, plain_rnet, onet = nets
    rnet = Counting(plain_rnet)
    counting = MtcnnDetector(pnet, rnet, onet)
    everybody = largest_first(counting.detect([crowd], MIN_FACE_PX)[0])
    known, others, all_candidates = everybody[:2], everybody[2:], rnet.seen
    rnet.seen = 0
    found = counting.detect([crowd], MIN_FACE_PX, explained=[known.boxes])[0]
    assert rnet.seen < all_candidates
    assert_same(found, others, iou=0.9, landmarks_px=2)


def test_what_is_known_belongs_to_its_image(detector: MtcnnDetector, crowd: ByteArray) -> None:
    everybody = detector.detect([crowd], MIN_FACE_PX)[0]
    nobody = np.zeros((0, 4), np.float32)
    second = detector.detect([crowd, crowd], MIN_FACE_PX, explained=[everybody.boxes, nobody])[1]
    assert_same(second, everybody)


def test_a_small_face_in_front_of_a_known_large_one_is_found(detector: MtcnnDetector, crowd: ByteArray) -> None:
    everybody = detector.detect([crowd], MIN_FACE_PX)[0]
    smallest = everybody.boxes[(everybody.boxes[:, 3] - everybody.boxes[:, 1]).argmin()]
    around = smallest + np.array([-60, -60, 60, 60], np.float32)
    found = detector.detect([crowd], MIN_FACE_PX, explained=[around[None]])[0]
    assert iou_matrix(found.boxes, smallest[None]).max() > 0.8


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.12, -0.1), (-0.15, 0.1)])
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.15])
def test_refining_finds_a_face_near_the_expected_box(
    detector: MtcnnDetector, crowd: ByteArray, shift: tuple[float, float], scale: float
) -> None:
    faces = detector.detect([crowd], MIN_FACE_PX)[0][:4]
    size = faces.boxes[:, 2:] - faces.boxes[:, :2]
    centre = (faces.boxes[:, 2:] + faces.boxes[:, :2]) / 2 + size * np.array(shift, np.float32)
    expected = np.concatenate([centre - scale * size / 2, centre + scale * size / 2], 1).astype(np.float32)
    found = detector.refine(crowd, expected)
    assert len(found) == 4
    assert found.scores.min() > 0.8
    assert np.diagonal(iou_matrix(found.boxes, faces.boxes)).min() > 0.7
    eye_distance = np.linalg.norm(faces.landmarks[:, 1] - faces.landmarks[:, 0], axis=1)
    apart = np.linalg.norm(found.landmarks - faces.landmarks, axis=2).max(1)
    assert (apart < 0.35 * eye_distance).all()


def test_refining_where_no_face_is_scores_low(detector: MtcnnDetector, crowd: ByteArray) -> None:
    empty = np.array([[205, 290, 265, 350], [600, 300, 638, 338]], np.float32)
    assert detector.refine(crowd, empty).scores.max() < 0.15


@pytest.mark.parametrize("share", [1.1, 1.4])
@pytest.mark.parametrize("name", ["collins", "hopper"])
def test_a_face_larger_than_the_image_keeps_its_box_from_look_to_look(
    name: str, share: float, detector: MtcnnDetector, portraits: dict[str, ByteArray]
) -> None:
    """Edges of crops that are stretched let the box grow to twice the face, or shrink."""
    portrait = np.ascontiguousarray(portraits[name])
    box = detector.detect([portrait], 60)[0].boxes[0]
    high = round(float(box[3] - box[1]) / share)
    left, top = (round(float(v)) for v in (box[:2] + box[2:]) / 2 - high / 2)
    scale = 240 / high
    image = cv2.resize(portrait[top : top + high, left : left + high], (240, 240), interpolation=cv2.INTER_CUBIC)
    true = (box - np.array([left, top, left, top], np.float32)) * np.float32(scale)
    found = true[None]
    for _ in range(20):
        found = detector.refine(np.asarray(image, np.uint8), found).boxes
    assert iou_matrix(found, true[None])[0, 0] > 0.6


def test_rows_of_refine_do_not_depend_on_each_other(detector: MtcnnDetector, crowd: ByteArray) -> None:
    boxes = detector.detect([crowd], MIN_FACE_PX)[0].boxes[:4]
    together = detector.refine(crowd, boxes)
    for row in range(4):
        alone = detector.refine(crowd, boxes[row : row + 1])
        assert alone.boxes[0] == pytest.approx(together.boxes[row], abs=0.02)
        assert alone.scores[0] == pytest.approx(together.scores[row], abs=1e-3)


@pytest.mark.parametrize(
    "box", [(-80, -80, -20, -20), (700, 400, 760, 460), (-30, 100, 30, 160), (600, 330, 680, 410), (50, 50, 50, 50)]
)
def test_refining_over_or_beyond_the_edge_gives_a_finite_row(
    detector: MtcnnDetector, crowd: ByteArray, box: tuple[float, ...]
) -> None:
    found = detector.refine(crowd, np.array([box], np.float32))
    assert len(found) == 1
    assert np.isfinite(found.boxes).all() and np.isfinite(found.landmarks).all() and 0 <= found.scores[0] <= 1


def test_refining_nothing_gives_nothing(detector: MtcnnDetector, crowd: ByteArray) -> None:
    assert len(detector.refine(crowd, np.zeros((0, 4), np.float32))) == 0


@pytest.fixture(scope="module")
def torch_detector() -> MtcnnDetector:
    nets = [TorchNet(kind, locate(kind), "cpu") for kind in ("pnet", "rnet", "onet")]
    return MtcnnDetector(*nets)


def test_both_backends_find_the_same(detector: MtcnnDetector, torch_detector: MtcnnDetector, crowd: ByteArray) -> None:
    here, there = (d.detect([crowd], MIN_FACE_PX)[0] for d in (detector, torch_detector))
    assert_same(here, there, iou=0.999, landmarks_px=0.01)
    boxes = there.boxes + np.float32(2.5)
    refined = [d.refine(crowd, boxes) for d in (detector, torch_detector)]
    assert np.allclose(refined[0].boxes, refined[1].boxes, atol=0.01)
    assert np.allclose(refined[0].scores, refined[1].scores, atol=1e-3)


def test_short_memory_changes_no_face(nets: list[Net], detector: MtcnnDetector, crowd: ByteArray) -> None:
    class Tight:
        """A net that has room for seven candidates."""

        def __init__(self, net: Any) -> None:
            self.net, self.refused = net, 0

        def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
            if len(images) > 7:
                self.refused += 1
                raise GPUMemoryError("full")
            result: tuple[FloatArray, ...] = self.net(images)
            return result

    pnet, plain_rnet, plain_onet = nets
    rnet, onet = Tight(plain_rnet), Tight(plain_onet)
    tight = MtcnnDetector(pnet, Batched(rnet, 64), Batched(onet, 64))
    assert_same(tight.detect([crowd], MIN_FACE_PX)[0], detector.detect([crowd], MIN_FACE_PX)[0], iou=0.9999)
    assert rnet.refused and onet.refused


@pytest.mark.gpu
def test_the_gpu_finds_the_same_faces(detector: MtcnnDetector, crowd: ByteArray) -> None:
    nets = [TorchNet(kind, locate(kind), "cuda:0") for kind in ("pnet", "rnet", "onet")]
    found = MtcnnDetector(*nets).detect([crowd], MIN_FACE_PX)[0]
    assert_same(found, detector.detect([crowd], MIN_FACE_PX)[0], iou=0.9, landmarks_px=2)


def test_candidates_computed_before_give_the_same_faces(detector: MtcnnDetector, crowd: ByteArray) -> None:
    at_once = detector.detect([crowd], MIN_FACE_PX)[0]
    in_two = detector.detect([crowd], MIN_FACE_PX, candidates=detector.candidates(crowd, MIN_FACE_PX))[0]
    assert len(at_once) == 6
    assert np.array_equal(at_once.boxes, in_two.boxes) and np.array_equal(at_once.scores, in_two.scores)
