"""OpenCV's trackers behind the same interface as the cascade."""

from __future__ import annotations

from typing import Any, get_args

import cv2
import numpy as np
import pytest

from core.types import ByteArray, Detections, FloatArray
from processors.tracking.box_trackers import CascadeFollower, FollowerKind, OpenCvFollower, make_follower
from tests.material.scripted_faces import detections
from utils.images.box_geometry import iou_matrix

SIDE = 40
UPRIGHT = np.zeros(1, np.float32)


class Agreeing:
    """A last network that says of every box that it is a face."""

    def refine(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray) -> Detections:
        return detections(list(boxes), 0.9)


def textured(x: int, y: int) -> ByteArray:
    """A patch of noise, drawn smooth, at (x, y) on another noise."""
    random = np.random.RandomState(3)
    back, patch = random.randint(0, 90, (160, 200, 3), np.uint8), random.randint(60, 255, (SIDE, SIDE, 3), np.uint8)
    image = cv2.GaussianBlur(back, (0, 0), 3)
    image[y : y + SIDE, x : x + SIDE] = cv2.GaussianBlur(patch, (0, 0), 1.5)
    return np.asarray(image, np.uint8)


def box_at(x: float, y: float) -> FloatArray:
    return np.array([x, y, x + SIDE, y + SIDE], np.float32)


def test_every_tracker_of_the_settings_has_a_follower() -> None:
    agreeing: Any = Agreeing()
    kinds = [type(make_follower(kind, agreeing)) for kind in get_args(FollowerKind)]
    assert kinds == [CascadeFollower, OpenCvFollower, OpenCvFollower, OpenCvFollower]


@pytest.mark.parametrize("kind", ["csrt", "kcf", "mosse"])
def test_opencv_trackers_hold_on_to_two_moving_things(kind: FollowerKind) -> None:
    agreeing: Any = Agreeing()
    follower = make_follower(kind, agreeing)
    follower.start(7, textured(20, 30), box_at(20, 30))
    boxes = box_at(20, 30)[None]
    for step in range(1, 8):
        found = follower.follow(textured(20 + 2 * step, 30 + step), [7], boxes, UPRIGHT)
        boxes = found.boxes
        assert found.scores[0] == pytest.approx(0.9)
    assert iou_matrix(boxes, box_at(34, 37)[None])[0, 0] > 0.7


@pytest.mark.parametrize("kind", ["csrt", "kcf", "mosse"])
def test_a_box_over_the_edge_of_the_image_can_be_started(kind: FollowerKind) -> None:
    agreeing: Any = Agreeing()
    follower = make_follower(kind, agreeing)
    for box in (box_at(-25, 30), box_at(185, 140), box_at(-60, -60), box_at(300, 300)):
        follower.start(0, textured(20, 30), box)
        assert len(follower.follow(textured(20, 30), [0], box[None], UPRIGHT)) == 1


def test_a_track_that_was_never_started_begins_where_it_is_expected() -> None:
    agreeing: Any = Agreeing()
    follower = make_follower("kcf", agreeing)
    found = follower.follow(textured(20, 30), [3], box_at(20, 30)[None], UPRIGHT)
    assert iou_matrix(found.boxes, box_at(20, 30)[None])[0, 0] > 0.8


def test_a_stopped_track_is_forgotten() -> None:
    agreeing: Any = Agreeing()
    follower = make_follower("mosse", agreeing)
    follower.start(0, textured(20, 30), box_at(20, 30))
    follower.stop(0)
    follower.stop(0)
    found = follower.follow(textured(100, 100), [0], box_at(100, 100)[None], UPRIGHT)
    assert iou_matrix(found.boxes, box_at(100, 100)[None])[0, 0] > 0.8
