"""The grid that mouths are looked at on, whatever the rate of the video."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import Tracklet
from processors.speech.mouth_features import decoded_stretches, grid_frames, runs


def tracklet(frames: list[int]) -> Tracklet:
    n = len(frames)
    return Tracklet(
        1,
        0,
        np.array(frames, np.int64),
        np.zeros((n, 4), np.float32),
        np.ones(n, np.float32),
        np.zeros((n, 5, 2), np.float32),
        np.ones(n, np.float32),
        np.zeros(0, np.int64),
        np.zeros(0, np.float32),
        np.zeros((0, 128), np.float32),
    )


@pytest.mark.parametrize("rate", [10, 24, 25, 29.97, 50, 60])
def test_each_row_shows_the_frame_of_its_middle(rate: float) -> None:
    times_s = np.arange(int(4 * rate) + 1) / rate
    frames = grid_frames(times_s)
    assert len(frames) == int(times_s[-1] * 25)
    middles = (np.arange(len(frames)) + 0.5) / 25
    assert (times_s[frames] <= middles + 1e-9).all() and (middles < times_s[frames + 1] + 1e-9).all()


def test_a_hole_and_what_is_not_wanted_divide_runs() -> None:
    frames = np.arange(10)
    wanted = np.ones(10, bool)
    wanted[8] = False
    found = [(rows.tolist(), at.tolist()) for rows, at in runs(tracklet([0, 1, 2, 5, 6, 7, 8, 9]), frames, wanted)]
    assert found == [([0, 1, 2], [0, 1, 2]), ([5, 6, 7], [3, 4, 5]), ([9], [7])]
    assert runs(tracklet([20, 21]), frames, wanted) == []


def test_small_holes_are_decoded_and_large_ones_sought_over() -> None:
    assert decoded_stretches([0, 1, 2, 40, 200, 201]) == [(0, 40), (200, 201)]
    assert decoded_stretches([]) == []
