"""Plans of remixes: where a clip's face is in the film, and who is labelled in which of its frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.remix_plan import FILM_S, RATE, Camera, Plan, Source, Take, plan_film, truth_rows, visible_face

CAMERA = Camera(window=(100, 50, 420, 230), picture=(0, 0, 640, 360))


def source(name: str, frame_count: int = 200, rate: float = RATE) -> Source:
    faces = {frame: [(name, np.array([200.0, 100, 240, 150]))] for frame in range(0, frame_count, 5)}
    return Source(name, Path(f"{name}.mp4"), 640, 360, rate, frame_count, faces, (320.0, 180.0))


def test_a_box_moves_with_the_camera() -> None:
    box = np.array([200.0, 100, 240, 150])
    assert CAMERA.moved(box).tolist() == [200, 100, 280, 200]
    assert replace(CAMERA, mirrored=True).moved(box).tolist() == [360, 100, 440, 200]
    letterboxed = Camera(window=(0, 0, 640, 268), picture=(0, 46, 640, 314))
    assert letterboxed.moved(box).tolist() == [200, 146, 240, 196]


def test_faces_that_are_cut_off_or_small_do_not_count() -> None:
    assert visible_face(CAMERA, np.array([110.0, 100, 150, 150])) is not None
    cut_off = visible_face(CAMERA, np.array([95.0, 100, 145, 150]))
    assert cut_off is not None and cut_off[0] == 0, "the part that is shown"
    assert visible_face(CAMERA, np.array([80.0, 100, 130, 150])) is None
    assert visible_face(CAMERA, np.array([200.0, 100, 210, 110])) is None, "20 px of 360"


def test_labels_follow_takes_and_spare_what_is_mixed() -> None:
    ann, bob = source("ann"), source("bob", rate=2 * RATE)
    takes = (
        Take(ann, CAMERA, first=10, start=0, length=20, join="cut", joint=0),
        Take(bob, CAMERA, first=5, start=15, length=20, join="dissolve", joint=5),
    )
    found = [(int(row["frame"]), row["person"]) for row in truth_rows(Plan(0, 640, 360, 23, takes))]
    # ann's labels are her frames 10, 15 and 20; frame 25 is in the dissolve, as bob's 5, 10 and 15.
    assert found == [(0, "ann"), (5, "ann"), (10, "ann"), (20, "bob"), (25, "bob"), (30, "bob")]
    assert takes[1].frame_of(5) == 15


@pytest.mark.parametrize("seed", range(12))
def test_films_are_whole_and_the_same_every_time(seed: int) -> None:
    lengths = {"a": 40, "b": 150, "c": 300, "d": 20, "e": 500, "f": 200}
    sources = [source(name, frames) for name, frames in lengths.items()]
    plan = plan_film(sources, seed)
    assert plan == plan_film(sources, seed) != plan_film(sources, seed + 1)
    assert plan.frame_count >= FILM_S[0] * RATE and len({take.source.name for take in plan.takes}) >= 2
    end = 0
    for number, take in enumerate(plan.takes):
        assert take.start == end - take.joint, "no frame of the film is left out"
        following = plan.takes[number + 1].joint if number + 1 < len(plan.takes) else 0
        assert take.length > take.joint + following, "every take is also seen alone"
        assert 0 <= take.first <= take.frame_of(take.length - 1) < take.source.frame_count
        x1, y1, x2, y2 = take.camera.window
        left, top, right, bottom = take.camera.picture
        assert 0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 360
        assert (x2 - x1) / (y2 - y1) == pytest.approx((right - left) / (bottom - top), rel=0.03), "not distorted"
        end = take.start + take.length
