"""Alignment on points and images whose place after it is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from utils.images.face_alignment import (
    BEYOND_LEVEL,
    FACE_TEMPLATE,
    face_chip,
    laplacian_variance,
    similarity_transform,
    transformed_bounds,
    upright_box_transform,
    warp,
    yaw_measure,
)

FRONTAL = FACE_TEMPLATE * 100


def turned(points: NDArray[np.float32], degrees: float, scale: float = 1, shift: float = 0) -> NDArray[np.float32]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(scale * points @ np.array([[c, s], [-s, c]]) + shift, np.float32)


def applied(matrix: NDArray[np.float64], points: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


@pytest.mark.parametrize("degrees", [0, 30, -75, 180])
def test_points_that_are_similar_are_brought_onto_each_other(degrees: float) -> None:
    source = turned(FRONTAL, degrees, 0.4, 17)
    matrix = similarity_transform(source, FRONTAL)
    assert np.allclose(applied(matrix, source), FRONTAL, atol=1e-2)
    assert np.sqrt(np.linalg.det(matrix[:, :2])) == pytest.approx(2.5)


def test_the_fit_is_the_best_there_is() -> None:
    source = (FRONTAL + np.random.RandomState(0).normal(0, 6, FRONTAL.shape)).astype(np.float32)
    matrix = similarity_transform(source, FRONTAL)

    def error(changed: NDArray[np.float64]) -> float:
        return float(((applied(changed, source) - FRONTAL) ** 2).sum())

    for turn in np.vstack([np.eye(4), -np.eye(4)]) * 1e-3:
        cos, sin, dx, dy = turn
        assert error(matrix) <= error(matrix + np.array([[cos, -sin, 1e3 * dx], [sin, cos, 1e3 * dy]]))


def test_mirrored_points_are_not_mirrored_back() -> None:
    mirrored = FRONTAL * np.array([-1, 1], np.float32)
    assert np.linalg.det(similarity_transform(mirrored, FRONTAL)[:, :2]) > 0


def test_equal_points_give_no_nonsense() -> None:
    matrix = similarity_transform(np.full((5, 2), 8, np.float32), FRONTAL)
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("degrees", [0, 20, -35])
def test_the_box_fills_the_chip_and_the_eyes_are_level(degrees: float) -> None:
    box = np.array([40, 60, 120, 160], np.float32)
    landmarks = turned(FRONTAL - 50, degrees) + np.array([80, 110], np.float32)
    matrix = upright_box_transform(box, landmarks, 160)
    placed = applied(matrix, landmarks)
    assert placed[0, 1] == pytest.approx(placed[1, 1], abs=0.5)
    assert placed[0, 0] < placed[1, 0]
    assert applied(matrix, np.array([[80, 110]], np.float32))[0] == pytest.approx([80, 80])
    if degrees == 0:
        assert applied(matrix, box.reshape(2, 2)) == pytest.approx(np.array([[0, 0], [160, 160]]), abs=1e-3)


def test_eyes_on_one_spot_turn_nothing() -> None:
    box, landmarks = np.array([0, 0, 80, 80], np.float32), np.full((5, 2), 40, np.float32)
    assert upright_box_transform(box, landmarks, 160) == pytest.approx(np.array([[2, 0, 0], [0, 2, 0]]))


def blob(x: float, y: float, sigma: float, size: tuple[int, int] = (400, 500)) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[: size[0], : size[1]]
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.asarray(np.repeat(spot[..., None], 3, 2), np.uint8)


@pytest.mark.parametrize("scale", [2.0, 1.0, 0.5, 0.2, 0.06])
def test_a_spot_lands_where_the_matrix_says(scale: float) -> None:
    image = blob(300, 180, 5 / scale)
    side = 64
    matrix = np.array([[scale, 0, 30 - scale * 300], [0, scale, 34 - scale * 180]])
    chip = warp(image, matrix, side).astype(float)[..., 0]
    rows, columns = np.mgrid[:side, :side]
    weight = np.where(chip > 40, chip, 0)
    centre = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    tolerance = 0.3 if scale > 0.6 else 0.75  # halving moves pixel centres by up to half a pixel
    assert chip.shape == (side, side)
    assert centre == pytest.approx([30, 34], abs=tolerance)


def test_strong_shrinking_does_not_alias() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    chip = warp(stripes, np.array([[0.1, 0, 0], [0, 0.1, 0]]), 40)
    assert chip[5:35, 5:35].std() < 8
    assert chip[5:35, 5:35].mean() == pytest.approx(127, abs=8)


@pytest.mark.parametrize("place", [(0, 0), (37, 101), (250, 330)])
def test_shrinking_reads_the_same_pixels_wherever_the_face_is(place: tuple[int, int]) -> None:
    # The part that is read is halved alone, so what lies far away must not change anything.
    image = np.random.default_rng(3).integers(0, 255, (400, 480, 3), np.uint8)
    matrix = np.array([[0.3, 0, -0.3 * place[0]], [0, 0.3, -0.3 * place[1]]])
    halved = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    expected = warp(halved, matrix * np.array([2, 2, 1]), 32)
    assert np.array_equal(warp(image, matrix, 32), expected)


def test_warping_leaves_its_arguments_alone() -> None:
    image, matrix = blob(50, 50, 9, (100, 100)), np.array([[0.1, 0, 0], [0, 0.1, 0]])
    before = image.copy(), matrix.copy()
    warp(image, matrix, 10)
    assert np.array_equal(image, before[0]) and np.array_equal(matrix, before[1])


def test_what_lies_outside_repeats_the_edge() -> None:
    assert (warp(np.full((20, 20, 3), 90, np.uint8), np.array([[1.0, 0, 40], [0, 1, 40]]), 64) == 90).all()


def test_the_bounds_are_the_region_that_a_warp_reads() -> None:
    shift_and_scale = np.array([[2.0, 0, -20], [0, 2, -60]])
    assert transformed_bounds(shift_and_scale, 100) == pytest.approx([10, 30, 60, 80])
    turn = upright_box_transform(np.array([40, 60, 120, 160], np.float32), turned(FRONTAL, 30, 0.5, 60), 160)
    x1, y1, x2, y2 = transformed_bounds(turn, 160)
    image = np.random.RandomState(0).randint(0, 255, (260, 260, 3), np.uint8)
    blackened = image.copy()
    inside = np.zeros((260, 260), bool)
    inside[max(int(y1) - 1, 0) : int(y2) + 2, max(int(x1) - 1, 0) : int(x2) + 2] = True
    blackened[~inside] = 0
    assert not inside.all()
    assert np.array_equal(warp(image, turn, 160), warp(blackened, turn, 160))


def test_blurring_lowers_the_variance_of_the_laplacian() -> None:
    sharp = np.random.RandomState(1).randint(0, 255, (64, 64), np.uint8)
    values = [laplacian_variance(np.asarray(cv2.GaussianBlur(sharp, (0, 0), s), np.uint8)) for s in (0.5, 1, 2, 4)]
    assert laplacian_variance(sharp) > values[0] > values[1] > values[2] > values[3] > 0
    assert laplacian_variance(np.full((64, 64), 77, np.uint8)) == 0


def test_yaw_grows_as_the_nose_leaves_the_middle() -> None:
    faces = np.stack([FRONTAL] * 3)
    faces[1, 2, 0] += 9
    faces[2, 2, 0] += 30
    straight, half, profile = yaw_measure(faces)
    assert straight < 0.1
    assert straight < half < profile
    assert half == pytest.approx(0.5, abs=0.05) and profile > 1


def test_yaw_does_not_depend_on_roll_or_scale_or_side() -> None:
    face = FRONTAL.copy()
    face[2, 0] += 9
    mirrored = face * np.array([-1, 1], np.float32)
    mirrored = mirrored[[1, 0, 2, 4, 3]]
    same = np.stack([face, turned(face, 40, 3, 12), mirrored])
    measured = yaw_measure(same)
    assert measured == pytest.approx(np.full(3, measured[0]), abs=0.02)


def test_landmarks_on_one_spot_give_a_finite_yaw() -> None:
    assert np.isfinite(yaw_measure(np.zeros((2, 5, 2), np.float32))).all()


def test_a_chip_is_grey_above_and_below_the_image_and_repeats_its_sides() -> None:
    image = np.full((10, 10, 3), 200, np.uint8)
    image[:, :5] = 50
    # The chip shows 5 px more on each side.
    chip = face_chip(image, np.array([[1.0, 0, 5], [0, 1, 5]]), 20)
    assert (chip[:5] == BEYOND_LEVEL).all() and (chip[15:] == BEYOND_LEVEL).all()
    assert (chip[5:15, :10] == 50).all() and (chip[5:15, 10:] == 200).all()


def test_a_chip_within_the_image_is_what_warping_gives() -> None:
    image = np.random.RandomState(0).randint(0, 256, (60, 60, 3), np.uint8)
    matrix = np.array([[0.9, -0.2, 3], [0.2, 0.9, -14]])
    assert np.array_equal(face_chip(image, matrix, 20), warp(image, matrix, 20))
