"""What the place in a camera set-up says, on drawn backgrounds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.types import VIEW_HEIGHT, VIEW_WIDTH, ByteArray, FloatArray, Tracklet
from processors.people.place_evidence import PlaceEvidence
from tests.material.factories import tracklet

WIDTH, HEIGHT = 640, 360
"""px of the frame; a px of a view is 20 of them"""
SEAT = np.array([300, 100, 360, 180], np.float32)


def room(seed: int, moved: int = 0) -> ByteArray:
    """The view of a room, `moved` view px to the right."""
    wide = np.random.default_rng(seed).integers(0, 255, (VIEW_HEIGHT, VIEW_WIDTH + 16), np.uint8)
    return wide[:, 8 - moved : 8 - moved + VIEW_WIDTH].reshape(1, -1)


def seated(number: int, view: ByteArray, box: object = SEAT) -> Tracklet:
    base = tracklet(number, range(20 * number, 20 * number + 10), box)  # type: ignore[arg-type]
    return dataclasses.replace(base, look_frames=base.frames[:1], clothes=np.zeros((1, 1), np.uint8), views=view)


def evidence(*tracklets: Tracklet) -> FloatArray:
    everybody = slice(0, len(tracklets))
    return PlaceEvidence(tracklets, WIDTH, HEIGHT).block(everybody, everybody)


def log_odds(first: Tracklet, second: Tracklet) -> float:
    found = evidence(first, second)
    assert found[0, 1] == pytest.approx(found[1, 0], abs=1e-5)
    return float(found[0, 1])


def test_the_same_place_in_the_same_room() -> None:
    assert log_odds(seated(0, room(1)), seated(1, room(1))) == pytest.approx(2, abs=0.01)


def test_another_room_says_nothing() -> None:
    assert log_odds(seated(0, room(1)), seated(1, room(2))) == 0


def test_another_place_and_another_size_say_nothing() -> None:
    assert log_odds(seated(0, room(1)), seated(1, room(1), SEAT + np.array([200, 0, 200, 0], np.float32))) < 0.1
    assert log_odds(seated(0, room(1)), seated(1, room(1), SEAT + np.array([-60, -80, 60, 80], np.float32))) < 0.1


def test_a_camera_that_moved_is_followed() -> None:
    shift = np.array([40, 0, 40, 0], np.float32)
    assert log_odds(seated(0, room(1)), seated(1, room(1, moved=2), SEAT + shift)) == pytest.approx(2, abs=0.01)


def test_tracklets_without_looks_have_no_place() -> None:
    assert not evidence(tracklet(0), tracklet(1)).any()
    assert evidence().shape == (0, 0)
