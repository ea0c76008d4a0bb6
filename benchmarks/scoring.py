"""Scores a run's `tracks.csv` against known faces: recall, precision and identity F1 (Ristani et al. 2016).

A truth file has the columns `frame,person,x1,y1,x2,y2`; person "-" means do not care, an empty one that the
frame holds no face. Only frames that stand in the truth count.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.synthetic.truth import DO_NOT_CARE

Labelled = list[tuple[str, NDArray[np.float64]]]
"""faces of one frame: person and (4,) box, xyxy in displayed pixels"""

FORGIVEN_IOU = 0.3
"""a box that overlaps a do-not-care face by this much is not counted as wrong"""


@dataclass(frozen=True, slots=True)
class Score:
    """Ratios in [0, 1]; `people` are the persons of the run that own at least one true face."""

    recall: float
    precision: float
    idf1: float
    people: int
    true_people: int


def read_tracks(path: Path) -> dict[int, Labelled]:
    """Faces by frame from a truth file or a `tracks.csv`; other columns are ignored."""
    frames: dict[int, Labelled] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            faces = frames.setdefault(int(row["frame"]), [])
            if row["person"]:
                faces.append((row["person"], np.array([float(row[k]) for k in ("x1", "y1", "x2", "y2")])))
    return frames


def score(
    truth: Mapping[int, Labelled], found: Mapping[int, Labelled], *, iou: float = 0.5, min_height: float = 0
) -> Score:
    """Compare `found` with `truth`; true faces lower than `min_height` px are do-not-care."""
    true_people = sorted({person for faces in truth.values() for person, _ in faces} - {DO_NOT_CARE})
    people = sorted({person for frame in truth for person, _ in found.get(frame, [])})
    together = np.zeros((len(true_people), len(people)), int)
    true_count = found_count = 0
    for frame, faces in truth.items():
        wanted = [(p, box) for p, box in faces if p != DO_NOT_CARE and box[3] - box[1] >= min_height]
        ignored = [box for p, box in faces if p == DO_NOT_CARE or box[3] - box[1] < min_height]
        given = found.get(frame, [])
        overlap = box_overlap([box for _, box in wanted], [box for _, box in given])
        pairs = [(i, j) for i, j in zip(*linear_sum_assignment(-overlap), strict=True) if overlap[i, j] >= iou]
        for i, j in pairs:
            together[true_people.index(wanted[i][0]), people.index(given[j][0])] += 1
        left = [box for j, (_, box) in enumerate(given) if j not in {j for _, j in pairs}]
        forgiven = (box_overlap(left, ignored) >= FORGIVEN_IOU).any(1).sum() if ignored else 0
        true_count += len(wanted)
        found_count += len(given) - int(forgiven)
    rows, columns = linear_sum_assignment(-together)
    return Score(
        recall=float(together.sum()) / true_count if true_count else 1.0,
        precision=float(together.sum()) / found_count if found_count else 1.0,
        idf1=2 * float(together[rows, columns].sum()) / (true_count + found_count) if true_count + found_count else 1.0,
        people=int((together.sum(0) > 0).sum()),
        true_people=len(true_people),
    )


def box_overlap(a: Iterable[NDArray[np.float64]], b: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Intersection over union of every pair, (len(a), len(b)) float64."""
    first, second = np.array(list(a), float).reshape(-1, 1, 4), np.array(list(b), float).reshape(1, -1, 4)
    size = np.clip(np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2]), 0, None)
    shared = size.prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9), np.float64)
