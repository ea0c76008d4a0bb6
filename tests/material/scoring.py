"""Scores the `tracks.csv` of a run against known faces: recall, precision and identity F1 (Ristani et al. 2016).

A truth file has the columns `frame,person,x1,y1,x2,y2`; the person "-" means "do not care", an empty person that the
frame shows no face. Frames that are not in the truth are ignored.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.types import FaceAnalysis, Timeline
from tests.material.synthetic.truth import DO_NOT_CARE, Truth

Labelled = list[tuple[str, NDArray[np.float64]]]
"""faces of one frame: person and (4,) box, xyxy in display pixels"""

FORGIVEN_IOU = 0.3
"""smallest IoU with a do-not-care face at which a box is not counted as a false positive"""

UNKNOWN = "unknown"
"""person of a face without an identity, as in tracks.csv"""


@dataclass(frozen=True, slots=True)
class Score:
    """Quality of a run.

    recall, precision, idf1, purity: ratios in [0, 1]; purity is the share of matched faces that belong to the most
    frequent true person of their person in the run.
    people: persons of the run with at least one matched face. true_people: persons in the truth;
    demanded_people: those of them with at least one face that is large enough.
    id_switches: how often the face of a true person is matched to another person of the run than the time before.
    """

    recall: float
    precision: float
    idf1: float
    people: int
    true_people: int
    demanded_people: int
    purity: float
    id_switches: int


def read_tracks(path: Path) -> dict[int, Labelled]:
    """Faces by frame from a truth file or a `tracks.csv`; other columns are ignored."""
    frames: dict[int, Labelled] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            faces = frames.setdefault(int(row["frame"]), [])
            if row["person"]:
                faces.append((row["person"], np.array([float(row[k]) for k in ("x1", "y1", "x2", "y2")])))
    return frames


def truth_tracks(truth: Truth) -> dict[int, Labelled]:
    """The faces of a generated video, for every frame."""
    frames: dict[int, Labelled] = {frame: [] for frame in range(truth.frame_count)}
    for face in truth.faces:
        frames[face.frame].append((face.person, np.array(face.box)))
    return frames


def run_tracks(analysis: FaceAnalysis, timeline: Timeline, *, hidden: bool = True) -> dict[int, Labelled]:
    """The faces in the `tracks.csv` of a run; without `hidden` only those with a score above 0."""
    names = {track: person.name for person in timeline.people for track in person.tracklets}
    names |= dict.fromkeys(timeline.unknown, UNKNOWN)
    frames: dict[int, Labelled] = {}
    for tracklet in analysis.tracklets:
        name = names.get(tracklet.id)
        if name is None:
            continue
        for frame, box, sure in zip(tracklet.frames.tolist(), tracklet.boxes, tracklet.scores, strict=True):
            if hidden or sure > 0:
                frames.setdefault(frame, []).append((name, box.astype(np.float64)))
    return frames


def score(
    truth: Mapping[int, Labelled], found: Mapping[int, Labelled], *, iou: float = 0.5, min_height: float = 0
) -> Score:
    """Compare `found` with `truth`; true faces of less than `min_height` px are do-not-care."""
    true_people = sorted({person for faces in truth.values() for person, _ in faces} - {DO_NOT_CARE})
    people = sorted({person for frame in truth for person, _ in found.get(frame, [])})
    together = np.zeros((len(true_people), len(people)), int)
    true_count = found_count = switches = 0
    demanded: set[str] = set()
    last: dict[str, str] = {}
    for frame, faces in sorted(truth.items()):
        wanted, ignored = split_demanded(faces, min_height)
        demanded |= {person for person, _ in wanted}
        given = found.get(frame, [])
        pairs = matched(wanted, given, iou)
        for i, j in pairs:
            person, guess = wanted[i][0], given[j][0]
            together[true_people.index(person), people.index(guess)] += 1
            switches += last.get(person, guess) != guess
            last[person] = guess
        left = [box for j, (_, box) in enumerate(given) if j not in {j for _, j in pairs}]
        forgiven = (box_overlap(left, ignored) >= FORGIVEN_IOU).any(1).sum() if ignored else 0
        true_count += len(wanted)
        found_count += len(given) - int(forgiven)
    rows, columns = linear_sum_assignment(-together)
    hits = int(together.sum())
    return Score(
        recall=hits / true_count if true_count else 1.0,
        precision=hits / found_count if found_count else 1.0,
        idf1=2 * float(together[rows, columns].sum()) / (true_count + found_count) if true_count + found_count else 1.0,
        people=int((together.sum(0) > 0).sum()),
        true_people=len(true_people),
        demanded_people=len(demanded),
        purity=float(together.max(0).sum()) / hits if hits else 1.0,
        id_switches=switches,
    )


def split_demanded(faces: Labelled, min_height: float) -> tuple[Labelled, list[NDArray[np.float64]]]:
    """The faces that have to be found, and the boxes of do-not-care faces."""
    small = [(person, box, person == DO_NOT_CARE or box[3] - box[1] < min_height) for person, box in faces]
    return [(person, box) for person, box, free in small if not free], [box for _, box, free in small if free]


def matched(wanted: Labelled, given: Labelled, iou: float) -> list[tuple[int, int]]:
    """Pairs of matching faces as positions in both lists."""
    overlap = box_overlap([box for _, box in wanted], [box for _, box in given])
    return [(i, j) for i, j in zip(*linear_sum_assignment(-overlap), strict=True) if overlap[i, j] >= iou]


def box_overlap(a: Iterable[NDArray[np.float64]], b: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Intersection over union of every pair, (len(a), len(b)) float64."""
    first, second = np.array(list(a), float).reshape(-1, 1, 4), np.array(list(b), float).reshape(1, -1, 4)
    size = np.clip(np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2]), 0, None)
    shared = size.prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9), np.float64)
