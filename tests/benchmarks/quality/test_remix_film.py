"""Films of remixes: transitions, cameras, and that labels lie on what the film shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.remix_film import blended, film_frames, filmed
from benchmarks.quality.remix_plan import Camera, Plan, Source, Take, truth_rows
from tests.material.small_videos import make_video

BLACK, WHITE = np.zeros((40, 80, 3), np.uint8), np.full((40, 80, 3), 255, np.uint8)


def test_a_dissolve_mixes_everywhere_and_a_wipe_along_an_edge() -> None:
    assert (blended("dissolve", BLACK, WHITE, 0.5) == 128).all()
    for join, new in (("right", np.s_[:, :36]), ("left", np.s_[:, 44:]), ("down", np.s_[:18])):
        image = blended(join, BLACK, WHITE, 0.5)
        assert (image[new] == 255).all() and image.mean() == pytest.approx(127.5, abs=4), join


def test_a_push_moves_both_images() -> None:
    ramp = np.broadcast_to(np.arange(80, dtype=np.uint8)[None, :, None], (40, 80, 3))
    image = blended("push", ramp, WHITE, 0.25)
    assert image[0, 0, 0] == 20 and image[0, 59, 0] == 79 and (image[:, 60:] == 255).all()


def test_a_camera_shows_its_window_between_bars() -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:30, 20:40] = (200, 100, 0)
    camera = Camera(window=(20, 10, 60, 30), picture=(0, 10, 80, 50), mirrored=True)
    shown = filmed(image, camera, 80, 60)
    assert not shown[:10].any() and not shown[50:].any()
    assert (shown[12:48, 44:] == (200, 100, 0)).all() and not shown[12:48, :36].any()
    grey = filmed(image, Camera((0, 0, 80, 40), (0, 0, 80, 40), saturation=0.0), 80, 40)
    assert len(set(grey[20, 30].tolist())) == 1


def test_labels_lie_on_what_the_film_shows(tmp_path: Path) -> None:
    frames = [np.zeros((120, 160, 3), np.uint8) for _ in range(30)]
    for k, image in enumerate(frames):
        image[40:80, 20 + 2 * k : 50 + 2 * k] = 255
    path = make_video(tmp_path / "square.mp4", frames)
    faces = {k: [("ann", np.array([20.0 + 2 * k, 40, 50 + 2 * k, 80]))] for k in range(30)}
    clip = Source("square", path, 160, 120, 25, 30, faces, (80, 60))
    camera = Camera(window=(10, 20, 150, 100), picture=(0, 0, 280, 160), mirrored=True, noise=2.0)
    plan = Plan(0, 280, 160, 20, (Take(clip, camera, first=5, start=0, length=10, join="cut", joint=0),))
    images, labels = list(film_frames(plan)), list(truth_rows(plan))
    assert len(images) == 10 and len(labels) == 10
    for image, row in zip(images, labels, strict=True):
        columns = np.flatnonzero(image.mean((0, 2)) > 40)
        assert columns[0] == pytest.approx(float(row["x1"]), abs=3)
        assert columns[-1] + 1 == pytest.approx(float(row["x2"]), abs=3)
