"""The gate on a film joined from all labelled clips: chance does not make two people of different scenes one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.edited import LABELS
from benchmarks.quality.evidence import Clip, labelled_clips
from benchmarks.quality.joined import FRAME_SIZE, joined, score
from config import Settings
from core.model_manager import ModelManager
from processors.people.tracklet_grouping import group_tracklets
from tests.material.factories import face_analysis, tracklet

MIXED_CROWD = "mrsingh_crowd/c17 + mrsingh_crowd/c9"
"""two people of a street out of focus, who are mixed in their clip already"""
MAX_EXTRA = {"sface": 4, "dlib": 8}
"""by embedder"""


def clip(name: str, *people: str) -> Clip:
    tracklets = tuple(tracklet(k, range(5, 10), (0, 0, 32, 24)) for k in range(len(people)))
    return Clip(name, face_analysis(tracklets, 10, cuts=(5,)), tracklets, people, np.full(len(people), 5))


def test_clips_follow_each_other_in_one_frame_size() -> None:
    film = joined([clip("a", "ann", "bob"), clip("b", "ann")], gap_s=10.0)
    assert film.people == ("ann", "bob", "ann") and [t.id for t in film.tracklets] == [0, 1, 2]
    assert film.tracklets[2].frames.tolist() == [15, 16, 17, 18, 19] and film.tracklets[2].shot == 2
    assert [(s.start, s.end) for s in film.analysis.shots] == [(0, 5), (5, 10), (10, 15), (15, 20)]
    assert film.tracklets[2].boxes[0].tolist() == [0, 0, FRAME_SIZE[0] / 2, FRAME_SIZE[1] / 2]
    steps = np.diff(film.analysis.bounds_s)
    assert steps[9] == pytest.approx(10 + steps[0]) and film.analysis.seconds_at(10) > 10


def test_mixed_and_extra_people_are_counted() -> None:
    film = joined([clip("a", "ann", "bob"), clip("b", "ann", "ann")])
    result = score(film, np.array([0, 0, 0, 1]))
    assert (result.people, result.found, result.extra, result.mixed) == (2, 2, 1, ("ann + bob",))
    assert score(film, np.array([0, 1, 0, -1])).extra == 0, "an unknown tracklet is no folder"


@pytest.mark.skipif(not LABELS.is_file(), reason=f"{LABELS} is not there")
@pytest.mark.clips
@pytest.mark.slow
def test_the_joined_film_mixes_nobody_who_is_not_mixed_in_a_clip(
    model_settings: Settings, models: ModelManager
) -> None:
    film = joined(list(labelled_clips(model_settings, models)))
    result = score(film, group_tracklets(film.tracklets, film.analysis, model_settings.identity).labels)
    assert set(result.mixed) <= {MIXED_CROWD}, result
    assert result.extra <= MAX_EXTRA[models.embedder.name], result
