"""The gate on edited material: people are not mixed, seldom in two, and cuts are where they are."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.quality.doubt import labelled_rows
from benchmarks.quality.edited import CASES, KNOWN_CASES, LABELS, b_cubed, look_at_case, score_clip
from benchmarks.quality.stored_analyses import analysed
from config import Settings
from core.model_manager import ModelManager

MIN_F1, MIN_FOUND = 0.95, 0.97
CROWD, MIN_F1_CROWD = "mrsingh_crowd.mp4", 0.85
"""a street out of focus: the labels' author could not tell all of its people apart in single frames"""

TRACKLETS = {
    "slideshow.mp4": 10,
    "h_diss12.mp4": 6,
    "grid_cuts.mp4": 10,
    "joined_signers.mp4": 9,
    "jump_avi.mp4": 6,
}
"""of cases in which people follow each other in one place"""

LABELLED = labelled_rows(LABELS) if LABELS.is_file() else {}
CLIPS = sorted(LABELLED, reverse=True)
"""Other tests that need these clips begin with the first one: side by side, neither analyses what the other does."""
needs_clips = pytest.mark.skipif(not CLIPS, reason=f"{LABELS} is not there")


def test_b_cubed_of_known_counts() -> None:
    assert b_cubed({"a": Counter(ann=2), "b": Counter(bob=2)}) == (1, 1, 1)
    # One person in two folders: each face shares its folder with half of its own.
    assert b_cubed({"a": Counter(ann=2), "b": Counter(ann=2)}) == pytest.approx((1, 0.5, 2 / 3))
    # Two people in one folder.
    assert b_cubed({"a": Counter(ann=2, bob=2)}) == pytest.approx((0.5, 1, 2 / 3))
    assert b_cubed({}) == (0, 0, 0)


@needs_clips
@pytest.mark.clips
@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_labelled_people_are_kept_apart_and_together(name: str, model_settings: Settings, models: ModelManager) -> None:
    score = score_clip(name, LABELLED[name], model_settings, models)
    assert score.faces >= MIN_FOUND * score.labelled, score
    assert score.f1 >= (MIN_F1_CROWD if name == CROWD else MIN_F1), score
    assert score.mixed == 0 or name == CROWD, score


@needs_clips
@pytest.mark.clips
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KNOWN_CASES) if CASES.is_dir() else [])
def test_cases_have_their_people_and_cuts(name: str, model_settings: Settings, models: ModelManager) -> None:
    assert look_at_case(name, model_settings, models) == KNOWN_CASES[name]


@needs_clips
@pytest.mark.clips
@pytest.mark.slow
@pytest.mark.parametrize(("name", "tracklets"), TRACKLETS.items() if CASES.is_dir() else [])
def test_each_of_several_people_in_one_place_has_a_tracklet(
    name: str, tracklets: int, model_settings: Settings, models: ModelManager
) -> None:
    analysis, _ = analysed(CASES / name, model_settings, models)
    assert len(analysis.tracklets) == tracklets == len({bytes(t.face_jpeg) for t in analysis.tracklets})
    assert all(len(t.sample_frames) for t in analysis.tracklets)
