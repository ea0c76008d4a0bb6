"""Tracks on generated videos with known faces: python -m benchmarks.quality.tracks [NAME ...] [--keep DIR]

For each film: recall, precision, IDF1, people, how far off the starts and ends of tracks are (frames; median and
95th percentile per true stretch), cuts. Rows whose score is 0 say that a face is hidden: they are not counted.
The goals: median at most 1 frame, 95 % within 5, no cut at a flash.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.people import ABSENCE_S, MIN_FACE_SHARE, Run, run
from benchmarks.quality.run_settings import offline_settings
from benchmarks.quality.track_ends import EndErrors, end_errors, summary
from core.model_manager import ModelManager
from tests.material.scoring import Score, run_tracks, score, truth_tracks
from tests.material.synthetic.cases import CASES
from tests.material.synthetic.render import render_video
from tests.material.synthetic.truth import Truth

NEAR_TRANSITION = 2
"""frames by which a dissolve's or fade's boundary may lie outside of it"""


@dataclass(frozen=True, slots=True)
class Reached:
    """Result for one video. tracks_per_stretch: tracklets divided by true stretches; 1 is best."""

    score: Score
    ends: EndErrors
    people: int
    tracks: int
    missed_cuts: tuple[int, ...]
    false_cuts: tuple[int, ...]
    missed_transitions: tuple[tuple[int, int], ...]


def judge(done: Run, truth: Truth) -> Reached:
    """Compare a run with the truth of its video."""
    faces = truth_tracks(truth)
    seen = run_tracks(done.analysis, done.timeline, hidden=False)
    min_height = MIN_FACE_SHARE * done.analysis.video.height
    starts = [shot.start for shot in done.analysis.shots[1:]]
    gradual = {
        interval: [s for s in starts if interval[0] - NEAR_TRANSITION <= s <= interval[1] + NEAR_TRANSITION]
        for interval in truth.transitions
    }
    explained = {s for inside in gradual.values() for s in inside} | set(truth.cuts)
    return Reached(
        score=score(faces, seen, min_height=min_height),
        ends=end_errors(
            faces, seen, cuts=truth.cuts, absence=ABSENCE_S * float(truth.frame_rate), min_height=min_height
        ),
        people=len(done.timeline.people),
        tracks=len(done.analysis.tracklets),
        missed_cuts=tuple(c for c in truth.cuts if c not in starts),
        false_cuts=tuple(s for s in starts if s not in explained),
        missed_transitions=tuple(interval for interval, inside in gradual.items() if not inside),
    )


def row(name: str, reached: Reached) -> str:
    """One line of the table."""
    s = reached.score
    starts, ends = summary(reached.ends.starts), summary(reached.ends.ends)
    wrong = [f"missed {c}" for c in (*reached.missed_cuts, *reached.missed_transitions)]
    wrong += [f"false {c}" for c in reached.false_cuts]
    return (
        f"| {name.replace('_', ' ')} | {s.recall:.3f} | {s.precision:.3f} | {s.idf1:.3f} "
        f"| {reached.people}/{s.demanded_people} | {s.id_switches} | {reached.tracks}/{len(reached.ends.starts)} "
        f"| {starts[0]:g}, {starts[1]:g} | {ends[0]:g}, {ends[1]:g} | {'; '.join(wrong)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only films whose names contain one of these")
    parser.add_argument("--keep", type=Path, help="keep the films in this folder, and use those that lie there")
    parser.add_argument("--cache-dir", default="", help="where converted models are kept")
    parser.add_argument("--list", action="store_true", help="name every error")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir)
    models = ModelManager.instance(settings)
    print("| film | recall | precision | IDF1 | people | switches | tracks/stretches | starts off | ends off | cuts |")
    print("|" + "---|" * 10, flush=True)
    total = EndErrors((), ())
    with tempfile.TemporaryDirectory(prefix="tracks-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, make in CASES.items():
            if args.names and not any(n in name for n in args.names):
                continue
            path = folder / f"{name}.mp4"
            truth = render_video(path, make())
            reached = judge(run(path, settings, models), truth)
            total += reached.ends
            print(row(name, reached), flush=True)
            if args.list:
                print(f"    starts {reached.ends.starts}, ends {reached.ends.ends}", flush=True)
    starts, ends = summary(total.starts), summary(total.ends)
    print(f"| all | | | | | | | {starts[0]:g}, {starts[1]:g} | {ends[0]:g}, {ends[1]:g} | |")


if __name__ == "__main__":
    main()
