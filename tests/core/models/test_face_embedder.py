"""Recognition networks: shape of their output, and that it distinguishes people."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import Settings
from core.model_manager import ModelManager
from core.models.embedder_spec import EMBEDDERS
from core.models.face_embedder import (
    FACENET_MARGIN,
    CasiaEmbedder,
    CombinedEmbedder,
    DlibEmbedder,
    FaceEmbedder,
    FaceNetEmbedder,
    SFaceEmbedder,
)
from core.models.networks.weights import locate
from core.models.similarity import Similarity
from core.settings_file import load_settings
from core.types import ByteArray, FloatArray
from utils.images.face_alignment import warp


@pytest.fixture(scope="module")
def dlib(models: ModelManager) -> FaceEmbedder:
    assert isinstance(models.embedder, DlibEmbedder)
    return models.embedder


def models_settings(cache: Path, embedder: str) -> Settings:
    return load_settings(
        None, {"run": {"cache_dir": str(cache), "offline": True}, "analysis": {"embedder": embedder, "device": "cpu"}}
    )


def variants(image: ByteArray) -> dict[str, ByteArray]:
    """The same person under other conditions, images of the same size."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1)
    small = cv2.resize(image, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    return {
        "original": image,
        "mirrored": np.ascontiguousarray(image[:, ::-1]),
        "brighter": np.asarray(cv2.convertScaleAbs(image, alpha=1.25, beta=20), np.uint8),
        "turned": np.asarray(cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8),
        "small": np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8),
    }


def chip(image: ByteArray, models: ModelManager, embedder: FaceEmbedder) -> ByteArray:
    """The largest face of `image`, aligned for `embedder`."""
    faces = models.detector.detect([image], 60)[0]
    largest = int((faces.boxes[:, 3] - faces.boxes[:, 1]).argmax())
    return warp(image, embedder.alignment(faces.boxes[largest], faces.landmarks[largest]), embedder.side)


@pytest.mark.parametrize("name", ["dlib", "sface", "facenet-casia", "both"])
def test_two_people_are_distinguished(
    name: str, request: pytest.FixtureRequest, models: ModelManager, portraits: dict[str, ByteArray]
) -> None:
    if name == "dlib":
        embedder = models.embedder
    else:
        # Skips where the package is not installed.
        request.getfixturevalue("sface_graph" if name == "sface" else "facenet_graph")
        settings = models_settings(request.getfixturevalue("models_cache"), name)
        embedder = ModelManager(settings).embedder
    rows: dict[str, FloatArray] = {}
    for person, photo in portraits.items():
        images = variants(np.ascontiguousarray(photo))
        rows[person] = embedder.embed(np.stack([chip(p, models, embedder) for p in images.values()]))
    similarity = Similarity.for_embedder(name)
    cosines = {name: row @ row.T for name, row in rows.items()}
    same = [similarity.from_cosine(c)[i, j] for c in cosines.values() for i, j in itertools.combinations(range(5), 2)]
    different = similarity.from_cosine(rows["collins"] @ rows["hopper"].T)
    assert min(same) > 0.5 > different.max()
    assert min(same) > different.max() + 0.3


def test_its_rows_are_dlibs_own(dlib: FaceEmbedder, models: ModelManager, portraits: dict[str, ByteArray]) -> None:
    from dlib import face_recognition_model_v1

    chips = np.stack([chip(np.ascontiguousarray(photo), models, dlib) for photo in portraits.values()])
    own = np.array(face_recognition_model_v1(str(locate("dlib"))).compute_face_descriptor(list(chips)))
    assert np.allclose(dlib.embed(chips), own / np.linalg.norm(own, axis=1, keepdims=True), atol=1e-4)


def test_rows_have_unit_length_and_do_not_depend_on_the_batch(dlib: FaceEmbedder) -> None:
    chips = np.random.RandomState(0).randint(0, 256, (3, 150, 150, 3), np.uint8)
    together = dlib.embed(chips)
    assert together.shape == (3, 128) and together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.allclose(together, np.concatenate([dlib.embed(c[None]) for c in chips]), atol=1e-5)
    assert np.array_equal(together, dlib.embed(chips))


def test_views_that_are_not_contiguous_are_taken(dlib: FaceEmbedder) -> None:
    chips = np.random.RandomState(0).randint(0, 256, (2, 150, 150, 3), np.uint8)
    mirrored = chips[:, :, ::-1]
    assert np.allclose(dlib.embed(mirrored), dlib.embed(np.ascontiguousarray(mirrored)), atol=1e-6)


class Probe:
    """A net that gives every image's mean colour, and notes what it was given."""

    def __init__(self) -> None:
        self.given: list[FloatArray] = []

    def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
        self.given.append(images)
        return (images.mean((1, 2)),)


def test_facenet_is_given_the_chips_as_they_are() -> None:
    net = Probe()
    chips = np.random.RandomState(0).randint(1, 256, (5, 160, 160, 3), np.uint8)
    rows = FaceNetEmbedder(net).embed(chips)
    assert [len(part) for part in net.given] == [5]
    assert net.given[0].dtype == np.uint8, "a GPU gets bytes"
    assert np.array_equal(net.given[0], chips)
    means = chips.reshape(5, -1, 3).mean(1)
    assert np.allclose(rows, means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-3)


def test_a_row_of_zeros_stays_finite() -> None:
    rows = FaceNetEmbedder(Probe()).embed(np.zeros((2, 160, 160, 3), np.uint8))
    assert np.isfinite(rows).all()


def test_no_faces_give_no_rows(dlib: FaceEmbedder) -> None:
    assert dlib.embed(np.zeros((0, 150, 150, 3), np.uint8)).shape == (0, 128)
    facenet = FaceNetEmbedder(Probe())
    assert facenet.embed(np.zeros((0, 160, 160, 3), np.uint8)).shape == (0, 512)


def test_every_embedder_is_calibrated_and_registered() -> None:
    for embedder in (DlibEmbedder, SFaceEmbedder, FaceNetEmbedder, CasiaEmbedder, CombinedEmbedder):
        Similarity.for_embedder(embedder.name)
        assert embedder.name in EMBEDDERS


def casia_part(chip: ByteArray) -> ByteArray:
    return np.asarray(cv2.resize(chip[CombinedEmbedder.CASIA_PART], (160, 160), interpolation=cv2.INTER_LINEAR))


class Colours:
    """A net of so many dimensions whose first three are the image's mean colours."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
        rows = np.zeros((len(images), self.dimensions), np.float32)
        rows[:, :3] = images.mean((1, 2))
        return (rows,)


def test_a_combined_cosine_is_the_mean_of_both_by_their_shares() -> None:
    dlib, casia = DlibEmbedder(Colours(128)), CasiaEmbedder(Colours(512))
    chips = np.random.RandomState(0).randint(0, 256, (4, 194, 194, 3), np.uint8)
    chips[1, ..., 0], chips[2, :100, :, 1] = 0, 0
    rows = CombinedEmbedder(dlib, casia).embed(chips)
    assert rows.shape == (4, 640) and rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    own = dlib.embed(chips[:, 31:181, 22:172])
    other = casia.embed(np.stack([casia_part(chip) for chip in chips]))
    shares = EMBEDDERS["both"].shares
    expected = shares["dlib"] * own @ own.T + shares["facenet-casia"] * other @ other.T
    assert np.allclose(rows @ rows.T, expected, atol=1e-5)
    assert CombinedEmbedder(dlib, casia).embed(chips[:0]).shape == (0, 640)


def test_the_combined_chip_holds_dlibs_own_chip(portraits: dict[str, ByteArray], models: ModelManager) -> None:
    image = np.ascontiguousarray(portraits["hopper"])
    dlib = DlibEmbedder(Probe())
    both = CombinedEmbedder(dlib, CasiaEmbedder(Probe()))
    rows, columns = CombinedEmbedder.DLIB_PART
    large, own = chip(image, models, both), chip(image, models, dlib)
    assert own.shape == large[rows, columns].shape
    # OpenCV rounds positions to 1/32 px, differently in a larger chip.
    assert np.abs(large[rows, columns].astype(int) - own).mean() < 0.2
    assert np.abs(large[rows, columns].astype(int) - np.roll(own, 1, 1)).mean() > 1


def test_facenets_chip_shows_more_than_the_box() -> None:
    box, landmarks = np.array([100, 100, 180, 200], np.float32), np.zeros((5, 2), np.float32)
    landmarks[1, 0] = 1  # eyes level
    matrix = FaceNetEmbedder(Probe()).alignment(box, landmarks)
    corners = matrix[:, :2] @ np.array([[100, 180], [100, 200]]) + matrix[:, 2:]
    inside = 160 / (1 + FACENET_MARGIN)
    assert corners[:, 1] - corners[:, 0] == pytest.approx(np.full(2, inside))
    assert corners.mean(1) == pytest.approx(np.full(2, 80))
