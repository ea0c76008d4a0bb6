from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.material.loaded_module import load_module
from tests.material.scoring import Labelled, box_overlap, read_tracks, score

Tracks = dict[int, Labelled]


def face(person: str, x: float, size: float = 10) -> tuple[str, Any]:
    return person, np.array([x, 0, x + size, size], float)


def test_overlap_of_boxes() -> None:
    boxes = [np.array([0, 0, 10, 10.0]), np.array([5, 0, 15, 10.0]), np.array([20, 20, 21, 21.0])]
    assert box_overlap(boxes[:1], boxes) == pytest.approx(np.array([[1, 50 / 150, 0]]))
    assert box_overlap([], boxes).shape == (0, 3)


def test_a_perfect_run_scores_one_whatever_the_names() -> None:
    truth: Tracks = {n: [face("a", 0), face("b", 50)] for n in range(4)}
    found: Tracks = {n: [face("person_02", 0), face("person_01", 50)] for n in range(4)}
    result = score(truth, found)
    assert (result.recall, result.precision, result.idf1, result.people, result.true_people) == (1, 1, 1, 2, 2)


def test_a_person_split_in_two_costs_identity_but_not_recall() -> None:
    truth: Tracks = {n: [face("a", 0)] for n in range(10)}
    found: Tracks = {n: [face("x" if n < 5 else "y", 0)] for n in range(10)}
    result = score(truth, found)
    assert (result.recall, result.precision, result.idf1, result.people) == (1, 1, 0.5, 2)


def test_missed_and_false_faces() -> None:
    truth: Tracks = {0: [face("a", 0), face("b", 50)], 1: [], 2: [face("-", 0)]}
    found: Tracks = {0: [face("x", 0)], 1: [face("x", 0)], 2: [face("x", 0)], 3: [face("x", 0)]}
    result = score(truth, found)
    assert result.recall == 0.5
    assert result.precision == 0.5  # frame 1 is wrong, frame 2 forgiven, frame 3 stands in no truth
    assert result.idf1 == 0.5


def test_small_faces_are_forgiven() -> None:
    truth: Tracks = {0: [face("a", 0, size=4)]}
    result = score(truth, {0: [face("x", 0, size=4)]}, min_height=5)
    assert (result.recall, result.precision, result.true_people) == (1, 1, 1)


@pytest.mark.clips
@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_the_shared_scorer(shared: Path, tmp_path: Path, seed: int) -> None:
    theirs = load_module(shared / "eval" / "score.py")
    truth_file = shared / "clips" / "hamilton_short.truth.csv"
    # A run that is nearly right: boxes shaken, some missing, some made up, names swapped now and then.
    random = np.random.RandomState(seed)
    lines = ["frame,person,x1,y1,x2,y2"]
    for frame, faces in read_tracks(truth_file).items():
        for person, box in faces:
            name = person if random.rand() < 0.8 else "someone"
            corners = ",".join(str(v) for v in box + random.randn(4) * 0.15 * (box[3] - box[1]))
            lines += [f"{frame},{name},{corners}"] if random.rand() < 0.9 else []
        lines += [f"{frame},ghost,5,5,40,40"] if random.rand() < 0.1 else []
    run_file = tmp_path / "tracks.csv"
    run_file.write_text("\n".join(lines) + "\n")
    ours = score(read_tracks(truth_file), read_tracks(run_file), min_height=18)
    wanted = theirs.score(theirs.read(truth_file), theirs.read(run_file), 0.5, 18)
    assert (ours.recall, ours.precision, ours.idf1) == pytest.approx(
        (wanted["recall"], wanted["precision"], wanted["idf1"]), abs=1e-4
    )
    assert (ours.people, ours.true_people) == (wanted["persons_pred"], wanted["persons_true"])
