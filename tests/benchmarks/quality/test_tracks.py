"""The gate on tracks: generated films of single difficulties, run through the program with the real networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality.people import Run, run
from benchmarks.quality.track_ends import EndErrors, summary
from benchmarks.quality.tracks import Reached, judge
from config import Settings
from core.model_manager import ModelManager
from tests.material.scoring import run_tracks, truth_tracks
from tests.material.synthetic.cases import CASES
from tests.material.synthetic.render import render_video
from tests.material.synthetic.truth import Truth, film_truth

GATED = (
    "enters_and_leaves_over_the_edge",
    "appears_and_vanishes",
    "vanishes_in_motion",
    "crossing",
    "hidden_for_just_under_a_second",
    "flashes",
    "cuts",
    "strong_motion_blur",
)


class Films(dict[str, tuple[Run, Truth, Reached]]):
    """Films by name, made and analysed when first asked for."""

    def __init__(self, folder: Path, settings: Settings, models: ModelManager) -> None:
        self._folder, self._settings, self._models = folder, settings, models

    def __missing__(self, name: str) -> tuple[Run, Truth, Reached]:
        path = self._folder / f"{name}.mp4"
        truth = render_video(path, CASES[name]())
        done = run(path, self._settings, self._models)
        self[name] = done, truth, judge(done, truth)
        return self[name]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, model_settings: Settings, models: ModelManager) -> Films:
    return Films(tmp_path_factory.mktemp("films"), model_settings, models)


@pytest.mark.parametrize("name", GATED)
def test_everybody_is_found_and_nobody_is_mixed_up(films: Films, name: str) -> None:
    _, truth, reached = films[name]
    score = reached.score
    assert reached.people == len(truth.people)
    assert score.purity >= 0.99
    assert score.recall >= 0.93 and score.precision >= 0.95
    assert score.idf1 >= 0.95
    assert (reached.missed_cuts, reached.false_cuts, reached.missed_transitions) == ((), (), ())


def test_tracks_begin_and_end_with_their_faces(films: Films) -> None:
    errors = sum((films[name][2].ends for name in GATED), start=EndErrors((), ()))
    assert len(errors.starts) >= 15
    for ends in (errors.starts, errors.ends):
        median, slow = summary(ends)
        assert median <= 1 and slow <= 5, ends


def test_crossing_faces_keep_their_names(films: Films) -> None:
    done, truth, _ = films["crossing"]
    found, faces = run_tracks(done.analysis, done.timeline), truth_tracks(truth)

    def from_left(frame: int, tracks: dict[int, list[tuple[str, object]]]) -> list[str]:
        return [person for person, _ in sorted(tracks[frame], key=lambda face: face[1][0])]  # type: ignore[index]

    first, last = 0, truth.frame_count - 1
    assert from_left(first, faces) == from_left(last, faces)[::-1]  # type: ignore[arg-type]
    assert from_left(first, found) == from_left(last, found)[::-1]  # type: ignore[arg-type]
    assert len(set(from_left(first, found))) == 2  # type: ignore[arg-type]


def test_a_face_hidden_for_less_than_a_second_stays_one_track(films: Films) -> None:
    done, truth, _ = films["hidden_for_just_under_a_second"]
    (tracklet,) = done.analysis.tracklets
    assert (tracklet.start, tracklet.end) == (0, truth.frame_count)
    hidden = [frame for frame, faces in truth_tracks(truth).items() if not faces]
    assert len(hidden) >= 15
    assert tracklet.scores[hidden].max() < 0.5


def test_a_flash_is_not_a_cut_and_ends_no_track(films: Films) -> None:
    done, truth, _ = films["flashes"]
    assert len(done.analysis.shots) == 1
    assert [(t.start, t.end) for t in done.analysis.tracklets] == [(0, truth.frame_count)] * 2


@pytest.mark.parametrize("name", ["appears_and_vanishes", "vanishes_in_motion", "enters_and_leaves_over_the_edge"])
def test_nothing_is_followed_where_a_face_is_gone(films: Films, name: str) -> None:
    done, truth, _ = films[name]
    found = run_tracks(done.analysis, done.timeline)
    faces = truth_tracks(truth)
    drifted = {frame: len(boxes) - len(faces[frame]) for frame, boxes in found.items()}
    assert {frame: count for frame, count in drifted.items() if count > 0} == {}


def test_every_film_says_what_it_shows() -> None:
    for name, make in CASES.items():
        assert film_truth(make()).people, name


def test_faces_that_are_lost_continue_with_their_own_tracks(films: Films) -> None:
    """One behind the other for a moment; and a fast one, whose old places are none of its business."""
    assert len(films["crossing"][0].analysis.tracklets) == 2
    fast = films["strong_motion_blur"][0].analysis.tracklets
    assert sum(int((t.scores == 0).sum()) for t in fast) <= 2
