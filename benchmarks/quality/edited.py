"""Who is who on edited material: hand-labelled clips, and constructed cases with known people and cuts.

    python -m benchmarks.quality.edited [NAME ...] [--embedder NAME] [--cache-dir DIR] [--json FILE]

One line per clip: B-cubed precision, recall and F1 over the labelled faces (Bagga and Baldwin 1998), and how many
people are mixed (a tenth of their labelled faces are somebody else's); of cases, the people and cuts found and true.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.known_clips import CLIPS
from benchmarks.quality.doubt import Row, faces_of_people, is_mixed, labelled_rows
from benchmarks.quality.run_settings import offline_settings
from benchmarks.quality.stored_analyses import analysed_people
from config import Settings
from core.model_manager import ModelManager
from core.types import FaceAnalysis, Timeline
from utils.files import write_json

WHO = CLIPS.parent / "who"
LABELS = WHO / "faces.csv"
CASES = CLIPS.parent / "cases" / "faces"


@dataclass(frozen=True, slots=True)
class Case:
    """people: how many are shown. cuts: first frames of new shots. dissolves: how many."""

    people: int
    cuts: tuple[int, ...] = ()
    dissolves: int = 0


KNOWN_CASES = {
    "joined_signers.mp4": Case(4, (66, 109, 201, 242, 291, 352, 427, 466)),
    "jump_avi.mp4": Case(2, (150, 270)),
    "jump_vv.mp4": Case(2, (100, 201)),
    "grid_cuts.mp4": Case(10, tuple(range(50, 500, 50))),
    "slideshow.mp4": Case(10, dissolves=9),
    "h_diss12.mp4": Case(6, dissolves=5),
    # Looked at: two people, and a third one before another background in the middle.
    "whippan2.mp4": Case(3),
    "close070.mp4": Case(1),
    "close140.mp4": Case(1),
    "disguise.mp4": Case(2, (40, 80, 120, 160, 200)),
    "zoominout.mp4": Case(1),
}


@dataclass(frozen=True, slots=True)
class ClipScore:
    """precision, recall, f1: B-cubed, over the `faces` that were found of those labelled. mixed: people."""

    clip: str
    labelled: int
    faces: int
    precision: float
    recall: float
    f1: float
    mixed: int


def tracked_rows(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[Row]:
    """The rows of tracks.csv that a score needs; unknown tracklets are people of their own."""
    owner = {number: person.name for person in timeline.people for number in person.tracklets}
    for tracklet in analysis.tracklets:
        person = owner.get(tracklet.id, f"unknown {tracklet.id}")
        for frame, box in zip(tracklet.frames.tolist(), tracklet.boxes.tolist(), strict=True):
            yield {
                "frame": str(frame),
                "person": person,
                **dict(zip(("x1", "y1", "x2", "y2"), map(str, box), strict=True)),
            }


def b_cubed(found: Mapping[Any, Counter[str]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of faces by person found and true person; 0 without faces."""
    everybody: Counter[str] = Counter()
    for faces in found.values():
        everybody.update(faces)
    total = everybody.total()
    if not total:
        return 0.0, 0.0, 0.0
    precision = sum(n * n / faces.total() for faces in found.values() for n in faces.values()) / total
    recall = sum(n * n / everybody[person] for faces in found.values() for person, n in faces.items()) / total
    return precision, recall, 2 * precision * recall / (precision + recall)


def score_clip(name: str, rows: list[Row], settings: Settings, models: ModelManager) -> ClipScore:
    """One labelled clip, analysed or out of the cache."""
    analysis, timeline = analysed_people(WHO / name, settings, models)
    found = faces_of_people(rows, tracked_rows(analysis, timeline))
    precision, recall, f1 = (round(value, 4) for value in b_cubed(found))
    count = sum(faces.total() for faces in found.values())
    mixed = sum(is_mixed(faces) for faces in found.values())
    return ClipScore(name, len(rows), count, precision, recall, f1, mixed)


def look_at_case(name: str, settings: Settings, models: ModelManager) -> Case:
    """What is found in a case."""
    analysis, timeline = analysed_people(CASES / name, settings, models)
    cuts = tuple(shot.start for shot in analysis.shots if shot.transition == "cut")
    return Case(len(timeline.people), cuts, sum(shot.transition == "dissolve" for shot in analysis.shots))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only clips whose names contain one of these")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--cache-dir", default="", help="where analyses and converted networks are kept")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder)
    models = ModelManager.instance(settings)

    def is_wanted(name: str) -> bool:
        return not args.names or any(part in name for part in args.names)

    scores = [
        score_clip(name, rows, settings, models) for name, rows in labelled_rows(LABELS).items() if is_wanted(name)
    ]
    print("| clip | faces | found | precision | recall | F1 | mixed |\n|" + "---|" * 7)
    for s in scores:
        print(f"| {s.clip} | {s.labelled} | {s.faces} | {s.precision:.3f} | {s.recall:.3f} | {s.f1:.3f} | {s.mixed} |")
    if scores:
        mean = sum(s.f1 for s in scores) / len(scores)
        print(f"| all | | | | | {mean:.4f} | {sum(s.mixed for s in scores)} |")
    found = {name: look_at_case(name, settings, models) for name in KNOWN_CASES if is_wanted(name)}
    print("\n| case | people, true | cuts missed, false | dissolves, true |\n|" + "---|" * 4)
    for name, case in found.items():
        known = KNOWN_CASES[name]
        missed, false = len(set(known.cuts) - set(case.cuts)), len(set(case.cuts) - set(known.cuts))
        print(f"| {name} | {case.people}, {known.people} | {missed}, {false} | {case.dissolves}, {known.dissolves} |")
    if args.json:
        cases = {name: asdict(case) for name, case in found.items()}
        write_json(args.json, {"clips": [asdict(s) for s in scores], "cases": cases})


if __name__ == "__main__":
    main()
