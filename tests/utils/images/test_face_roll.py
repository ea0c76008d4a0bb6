"""Tilted faces: the angle, the crop that shows one upright, and the way back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from utils.images.area_sampling import BEYOND, LARGE_SHARE
from utils.images.face_alignment import FACE_TEMPLATE
from utils.images.face_roll import (
    FACE_ASPECT,
    UPRIGHT_ROLL,
    face_rolls,
    median_roll,
    squares_of,
    turned_both_ways,
    turned_crops,
    turned_into_image,
    turning_matrix,
    upright_sizes,
)

CENTRE, HEIGHT = np.array([120.0, 90.0], np.float32), 48.0
UP, RIGHT = np.array([0, -20], np.float32), np.array([20, 0], np.float32)
HALF = np.array([FACE_ASPECT * HEIGHT, HEIGHT], np.float32) / 2


def turned(points: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Points around the centre, turned clockwise as seen in an image."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((points - CENTRE) @ turn + CENTRE, np.float32)


def landmarks(degrees: float) -> NDArray[np.float32]:
    """(1, 5, 2) of a tilted frontal face."""
    return turned(CENTRE + (FACE_TEMPLATE - FACE_TEMPLATE.mean(0)) * HEIGHT, degrees)[None]


@pytest.mark.parametrize("degrees", [0, 20, -35, 60, 90, -90, 179])
def test_the_roll_is_clockwise(degrees: float) -> None:
    assert face_rolls(landmarks(degrees)) == pytest.approx([degrees], abs=0.01)


def test_each_face_has_its_own_roll_and_points_that_coincide_have_none() -> None:
    faces = np.concatenate([landmarks(40), landmarks(-70), np.zeros((1, 5, 2), np.float32)])
    assert face_rolls(faces) == pytest.approx([40, -70, 0], abs=0.01)


@pytest.mark.parametrize("roll", [30.0, -45.0, 70.0, 90.0])
def test_the_box_around_a_tilted_face_gives_its_size_back(roll: float) -> None:
    square = np.concatenate([CENTRE - HEIGHT / 2, CENTRE + HEIGHT / 2])[None]
    upright = np.concatenate([CENTRE - HALF, CENTRE + HALF])[None]
    rolls = np.array([roll], np.float32)
    boxes, points = turned_into_image(square, rolls, upright, landmarks(0))
    assert points == pytest.approx(landmarks(roll), abs=0.01)
    assert upright_sizes(boxes, rolls) == pytest.approx([HEIGHT], rel=1e-4)
    assert squares_of(boxes, rolls) == pytest.approx(square, abs=0.01)
    # Lying, width and height are exchanged; in between the box lies between the two.
    size = boxes[0, 2:] - boxes[0, :2]
    if abs(roll) == 90:
        assert size == pytest.approx(2 * HALF[::-1], abs=0.01)
    assert (size >= 2 * HALF[0] - 0.01).all() and (size <= HEIGHT + 0.01).all()


def test_a_part_that_lies_off_the_middle_of_a_crop_comes_back_where_it_was() -> None:
    square = np.concatenate([CENTRE - HEIGHT, CENTRE + HEIGHT])[None]
    above = np.concatenate([CENTRE + UP - HALF, CENTRE + UP + HALF])[None].astype(np.float32)
    boxes, _ = turned_into_image(square, np.array([90], np.float32), above, landmarks(0))
    assert (boxes[0, :2] + boxes[0, 2:]) / 2 == pytest.approx(CENTRE + RIGHT, abs=0.01), "its forehead is on the right"


def test_faces_that_are_hardly_tilted_keep_the_longer_side_of_their_box() -> None:
    box = np.array([[10, 10, 40, 50]], np.float32)
    assert upright_sizes(box, np.array([UPRIGHT_ROLL], np.float32)) == 40
    assert upright_sizes(box, np.array([-UPRIGHT_ROLL], np.float32)) == 40


@pytest.mark.parametrize("roll", [45.0, -90.0])
def test_a_crop_shows_the_face_upright(roll: float) -> None:
    image = np.zeros((180, 240, 3), np.uint8)
    forehead = turned(CENTRE + np.array([[-6, -20], [6, -20], [6, -8], [-6, -8]], np.float32), roll)
    cv2.fillConvexPoly(image, forehead.round().astype(np.int32), (255, 255, 255))
    square = np.concatenate([CENTRE - HEIGHT / 2, CENTRE + HEIGHT / 2])[None]
    (crop,) = turned_crops(image, square, np.array([roll], np.float32), 48)
    assert crop.shape == (48, 48, 3) and crop.dtype == np.float32
    rows, columns = np.nonzero(crop[..., 0] > 127)
    assert (rows.mean(), columns.mean()) == pytest.approx((10, 24), abs=1.5)


def test_a_large_crop_is_grey_beyond_the_image_and_a_small_one_repeats_its_edge() -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    large, small = LARGE_SHARE * 60 + 4, LARGE_SHARE * 60 - 4
    for length, outside in ((large, round(BEYOND)), (small, 200)):
        square = np.array([[-length / 2, 30 - length / 2, length / 2, 30 + length / 2]], np.float32)
        (crop,) = turned_crops(image, square, np.array([90], np.float32), 48)
        # The left of the image is below where the forehead is to the right.
        assert (crop[:22] == 200).all() and (crop[26:] == outside).all()


def test_without_a_roll_the_matrix_only_cuts_and_scales() -> None:
    matrix = turning_matrix(CENTRE, 2 * HEIGHT, 0.0, 192)
    assert matrix == pytest.approx(np.array([[2, 0, 96 - 240], [0, 2, 96 - 180]]))


@pytest.mark.parametrize("size", [(160, 90), (90, 160)])
def test_all_of_an_image_that_is_turned_both_ways_fits_and_its_places_lead_back(size: tuple[int, int]) -> None:
    width, height = size
    image = np.full((height, width, 3), 255, np.uint8)
    image[20:28, 70:78] = 0
    both, back = turned_both_ways(image, 60, (height, width))
    assert both.shape == image.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]])
    halves = np.array([[0, 0], [width / 2, 0] if width > height else [0, height / 2]])
    room = np.array([width / 2, height] if width > height else [width, height / 2])
    for half, matrix, degrees in zip(halves, back, (60, -60), strict=True):
        there = cv2.invertAffineTransform(matrix)
        inside = corners @ there[:, :2].T + there[:, 2]
        assert (inside >= half - 0.01).all() and (inside <= half + room + 0.01).all()
        mark = np.array([74, 24]) @ there[:, :2].T + there[:, 2]
        assert both[round(float(mark[1])), round(float(mark[0]))].max() < 128
        assert mark @ matrix[:, :2].T + matrix[:, 2] == pytest.approx([74, 24])
        # Turned anticlockwise, what is tilted clockwise becomes upright: the right edge goes up.
        right = np.array([width, height / 2]) @ there[:, :2].T + there[:, 2]
        assert (right[1] < half[1] + room[1] / 2) == (degrees > 0)


@pytest.mark.parametrize("rolls", [(40,), (40, -30), (10, -50, 30), (10, -50, 30, 20)])
def test_the_median_roll_is_that_of_the_middle_looks(rolls: tuple[float, ...]) -> None:
    looks = np.concatenate([landmarks(roll) for roll in rolls])
    assert median_roll(looks) == np.median(np.abs(face_rolls(looks)))
