"""The shared clips as the gallery sees them: analysed, with who is who where somebody knows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.known_clips import CLIPS, LOST_AND_REPLACED, SAME_SIGNER, KnownFace
from benchmarks.quality.people import find_clips, known_truth
from benchmarks.quality.stored_analyses import analysed
from config import Settings
from core.model_manager import ModelManager
from core.types import Tracklet
from processors.id_timeline_generator import IdTimelineGenerator
from processors.known_people.gallery_types import PersonOfVideo, VideoKey
from processors.known_people.video_cast import people_of_video
from tests.material.scoring import Labelled, box_overlap
from utils.fingerprints import fingerprint

SHARED = CLIPS.parent
SERIES = "friends"
"""clips whose names begin so share their people"""
OWNED_IOU = 0.4
"""of a tracklet's box and a known face's, from which on it is that face"""


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """An analysed clip. truth: true person by label of the timeline; missing where nobody knows."""

    path: Path
    key: VideoKey
    people: tuple[PersonOfVideo, ...]
    together: frozenset[tuple[str, str]]
    truth: dict[str, str]


def videos(settings: Settings, models: ModelManager) -> list[Video]:
    """All shared clips with people, analysed."""
    faces = labelled_faces()
    found = []
    for name, path in [*find_clips(SHARED / "clips"), *((p.name, p) for p in sorted((SHARED / "who").iterdir()))]:
        if path.suffix not in (".mp4", ".mov", ".mkv", ".avi", ".gif") or not path.is_relative_to(SHARED):
            continue
        mark = fingerprint(path)
        analysis, key = analysed(path, settings, models)
        timeline = IdTimelineGenerator(settings.identity, settings.clip).generate(analysis)
        people, together = people_of_video(analysis, timeline, {})
        frames = faces.get(path.name) or known_truth(path)
        by_id = {t.id: t for t in analysis.tracklets}
        truth = {
            person.label: who
            for person in people
            if (who := _true_person(path, [by_id[i] for i in person.tracklets], frames)) is not None
        }
        found.append(Video(path, VideoKey(mark, key, path.name, name), tuple(people), together, truth))
    return found


def shows(tracklet: Tracklet, face: KnownFace) -> bool:
    """Whether a box of the tracklet lies around the face."""
    boxes = tracklet.boxes[tracklet.frames == face.frame]
    return any(left < face.x < right and top < face.y < bottom for left, top, right, bottom in boxes.tolist())


def labelled_faces() -> dict[str, dict[int, Labelled]]:
    """Faces of `who/faces.csv` by clip and frame."""
    found: dict[str, dict[int, Labelled]] = {}
    with (SHARED / "who" / "faces.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            box = np.array([float(row[k]) for k in ("x1", "y1", "x2", "y2")])
            found.setdefault(row["clip"], {}).setdefault(int(row["frame"]), []).append((row["person"], box))
    return found


def _true_person(path: Path, tracklets: Sequence[Tracklet], frames: dict[int, Labelled] | None) -> str | None:
    """Whose the tracklets mostly are, unique over all files; None where nobody knows."""
    for words in SAME_SIGNER:
        if path.stem.removeprefix("intel_asl_") in words:
            return f"signer {words[0]}"
    if frames is None:
        return f"{path.stem}/somebody" if path.stem in ("retalk_1", "pyfeat_noface_face") else None
    votes = sum((labelled_votes(tracklet, frames) for tracklet in tracklets), Counter[str]())
    votes.pop("-", None)
    if not votes:
        votes = Counter(
            face.person for face in LOST_AND_REPLACED.get(path.name, ()) if any(shows(t, face) for t in tracklets)
        )
    if not votes:
        # In the series it may be one of the six; elsewhere it is certainly nobody of another file.
        return None if path.name.startswith(SERIES) else f"{path.stem}/{tracklets[0].id}"
    return unique_name(votes.most_common(1)[0][0], path.stem)


def labelled_votes(tracklet: Tracklet, frames: Mapping[int, Labelled]) -> Counter[str]:
    """How many rows of a tracklet lie on each person's known face. frames: known faces by frame."""
    votes: Counter[str] = Counter()
    for row, frame in enumerate(tracklet.frames.tolist()):
        known = frames.get(frame, [])
        overlap = box_overlap([tracklet.boxes[row].astype(np.float64)], [box for _, box in known])
        if known and overlap.max() >= OWNED_IOU:
            votes[known[int(overlap[0].argmax())][0]] += 1
    return votes


def unique_name(person: str, clip: str) -> str:
    """A name for a person of the clip of that stem: the series has one cast, others are in one clip only."""
    return f"{SERIES if clip.startswith(SERIES) else clip}/{person}"


def photo_pairs() -> list[tuple[str, str, bool]]:
    """Names of the two photos of each labelled pair, and whether they show one person."""
    with (SHARED / "pairs" / "pairs.csv").open(newline="") as file:
        return [(row["a"], row["b"], row["same"] == "1") for row in csv.DictReader(file)]
