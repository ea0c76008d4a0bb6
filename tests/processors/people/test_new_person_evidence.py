"""How much has to be seen of a face before it is somebody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from processors.people.new_person_evidence import supports_new_person
from tests.material.factories import tracklet

BOUNDS_S = np.arange(201) / 25.0
"""of 200 frames at 25 Hz"""


def seen(frames: range, quality: float = 0.0, scores: Any = 0.5) -> Any:
    return tracklet(frames=frames, embeddings=[[1]], sample_quality=quality, scores=scores)


@pytest.mark.parametrize(
    ("frames", "quality", "score", "founds"),
    [
        (range(10), 0.1, 0.5, True),
        (range(9), 1.0, 1.0, False),
        (range(10), 0.09, 1.0, False),
        (range(25), 0.0, 0.8, True),
        (range(24), 0.0, 0.8, False),
        (range(49), 0.0, 0.79, False),
        (range(50), 0.0, 0.3, True),
    ],
)
def test_a_good_face_for_a_moment_or_a_poor_one_for_longer(
    frames: range, quality: float, score: float, founds: bool
) -> None:
    assert supports_new_person([seen(frames, quality, score)], BOUNDS_S) == founds


def test_the_time_is_that_of_all_tracklets_and_the_quality_of_the_best() -> None:
    short = [seen(range(0, 5), 0.2), seen(range(100, 105), 0.0)]
    assert supports_new_person(short, BOUNDS_S)
    assert not supports_new_person(short[:1], BOUNDS_S)
    assert not supports_new_person([seen(range(0, 20), scores=0.9), seen(range(100, 120), scores=0.9)], BOUNDS_S), (
        "a steady track is one"
    )
    assert not supports_new_person([seen(range(0, 30)), seen(range(100, 130))], BOUNDS_S), "a lasting track is one"


def test_frames_that_hide_the_face_do_not_count() -> None:
    hidden = np.where(np.arange(40) < 24, 0.9, 0.0)
    assert not supports_new_person([seen(range(40), scores=hidden)], BOUNDS_S)
    assert supports_new_person([seen(range(40), scores=np.roll(np.where(np.arange(40) < 25, 0.9, 0.0), 3))], BOUNDS_S)
