"""Who is who, measured: the analysis and the timeline on clips with known faces, without rendering.

    python -m benchmarks.quality.people [NAME ...] [--folder DIR] [--tracker KIND] [--set SECTION.KEY=VALUE] [--jobs N]
                                        [--json FILE] [--raise-floors]

One line per clip goes to stdout, everything as JSON to `--json`. The sample is always among the clips. What was reached
once stands in `benchmarks/results/quality.json`; `tests/benchmarks/quality/test_people.py` fails where a run falls
below it, and `--raise-floors` raises what has become better. It never lowers anything.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.known_clips import CLIPS, KNOWN, PROJECT, Known
from benchmarks.quality.track_ends import EndErrors, end_errors, summary
from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.settings_file import load_settings
from core.types import FaceAnalysis, Timeline
from processors.face_analyzer import FaceAnalyzer
from processors.id_timeline_generator import IdTimelineGenerator
from tests.material.scoring import Labelled, Score, read_tracks, run_tracks, score, truth_tracks
from tests.material.synthetic.truth import film_truth
from utils.files import write_json
from videos.make_sample import SAMPLE, SAMPLE_FILE

FLOORS_FILE = PROJECT / "benchmarks" / "results" / "quality.json"
SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm"})
MIN_FACE_SHARE = 0.05
ABSENCE_S = 1.0
"""longest that a face may be hidden without ending its track"""

HIGHER_IS_BETTER = ("recall", "precision", "idf1", "purity")
LOWER_IS_BETTER = ("people_error", "missed_cuts", "false_cuts", "faces_in_faceless", "id_switches")


@dataclass(frozen=True, slots=True)
class Run:
    """One clip analysed. wall_ms, cpu_ms: per frame, of the analysis; 0.0 if it came out of the cache."""

    analysis: FaceAnalysis
    timeline: Timeline
    wall_ms: float = 0.0
    cpu_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """One clip judged; None is what nothing is known about. Ends are frames: (median, 95 %) of the errors' sizes."""

    clip: str
    frames: int
    tracklets: int
    unknown: int
    people: int
    true_people: int | None
    people_error: int | None
    segments: int
    still: tuple[str, ...]
    cuts: tuple[int, ...]
    missed_cuts: int | None
    false_cuts: int | None
    faces_in_faceless: int
    recall: float | None = None
    precision: float | None = None
    idf1: float | None = None
    purity: float | None = None
    id_switches: int | None = None
    switches_per_minute: float | None = None
    late_starts: tuple[float, float] | None = None
    late_ends: tuple[float, float] | None = None
    wall_ms: float = 0.0
    cpu_ms: float = 0.0


def find_clips(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names, relative to `folder`, and files of what is measured; the sample comes first."""
    yield SAMPLE_FILE.name, SAMPLE_FILE
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES and path.parent.name != "broken":
            yield path.relative_to(folder).as_posix(), path


def run(path: Path, settings: Settings, models: ModelManager) -> Run:
    """Analyse `path` and say who is who."""
    info = probe_video(path)
    wall, cpu = time.perf_counter(), time.process_time()
    analysis = FaceAnalyzer(settings, models).analyze(info)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    timeline = IdTimelineGenerator(settings.identity, settings.clip).generate(analysis)
    per_frame = 1000 / max(analysis.frame_count, 1)
    return Run(analysis, timeline, wall * per_frame, cpu * per_frame)


def known_truth(path: Path) -> dict[int, Labelled] | None:
    """The true faces of a clip, None where there is no truth file."""
    if path == SAMPLE_FILE:
        return truth_tracks(film_truth(SAMPLE))
    file = path.with_name(f"{path.stem}.truth.csv")
    return read_tracks(file) if file.is_file() else None


def judge(name: str, path: Path, done: Run) -> Result:
    """Compare a run with what is known about its clip."""
    analysis, timeline = done.analysis, done.timeline
    truth, known = known_truth(path), KNOWN.get(name)
    min_height = MIN_FACE_SHARE * analysis.video.height
    found = run_tracks(analysis, timeline)
    reached: Score | None = None if truth is None else score(truth, found, min_height=min_height)
    true_cuts = set(film_truth(SAMPLE).cuts) if path == SAMPLE_FILE else set(known.cuts) if known else None
    cuts = tuple(shot.start for shot in analysis.shots[1:])
    faceless = known.faceless if known else ()
    ends = EndErrors((), ())
    rate = float(analysis.video.frame_rate)
    if truth is not None:
        seen = run_tracks(analysis, timeline, hidden=False)
        ends = end_errors(truth, seen, cuts=true_cuts or (), absence=ABSENCE_S * rate, min_height=min_height)
    minutes = analysis.frame_count / rate / 60
    return Result(
        clip=name,
        frames=analysis.frame_count,
        tracklets=len(analysis.tracklets),
        unknown=len(timeline.unknown),
        people=len(timeline.people) if reached is None else reached.people,
        true_people=known.people if known else None if reached is None else reached.true_people,
        people_error=_people_error(len(timeline.people), reached, known),
        segments=len(timeline.segments),
        still=tuple(person.name for person in timeline.people if person.still),
        cuts=cuts,
        missed_cuts=None if true_cuts is None else len(true_cuts - set(cuts)),
        false_cuts=None if true_cuts is None else len(set(cuts) - true_cuts),
        faces_in_faceless=sum(len(faces) for f, faces in found.items() if any(a <= f < b for a, b in faceless)),
        wall_ms=round(done.wall_ms, 2),
        cpu_ms=round(done.cpu_ms, 2),
        **({} if reached is None else _scores(reached, ends, minutes)),
    )


def _people_error(count: int, reached: Score | None, known: Known | None) -> int | None:
    """How many people too few or too many; where faces are known, only those who own a true one are counted."""
    if reached is None:
        return None if known is None else abs(count - known.people)
    # People whose faces are never large enough may be found or not.
    return max(reached.demanded_people - reached.people, reached.people - reached.true_people, 0)


def _scores(reached: Score, ends: EndErrors, minutes: float) -> dict[str, Any]:
    return {
        "recall": round(reached.recall, 4),
        "precision": round(reached.precision, 4),
        "idf1": round(reached.idf1, 4),
        "purity": round(reached.purity, 4),
        "id_switches": reached.id_switches,
        "switches_per_minute": round(reached.id_switches / minutes, 2),
        "late_starts": summary(ends.starts),
        "late_ends": summary(ends.ends),
    }


def floors(result: Result) -> dict[str, float]:
    """What of a result may not get worse."""
    values = asdict(result)
    return {key: values[key] for key in (*HIGHER_IS_BETTER, *LOWER_IS_BETTER) if values[key] is not None}


def undercut(result: Result, floor: dict[str, float], *, tolerance: float = 0.0) -> list[str]:
    """In words, where a result is worse than its floor; ratios may be lower by `tolerance`."""
    reached = floors(result)
    worse = []
    for key, value in floor.items():
        better = reached[key] >= value - tolerance if key in HIGHER_IS_BETTER else reached[key] <= value
        if not better:
            worse.append(f"{result.clip}: {key} {reached[key]}, was {value}")
    return worse


def raised(old: dict[str, dict[str, float]], results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """The floors with everything that has become better."""
    new = {clip: dict(floor) for clip, floor in old.items()}
    for result in results:
        floor = new.setdefault(result.clip, {})
        for key, value in floors(result).items():
            best = max if key in HIGHER_IS_BETTER else min
            floor[key] = best(value, floor.get(key, value))
    return dict(sorted(new.items()))


def read_floors() -> dict[str, dict[str, float]]:
    return json.loads(FLOORS_FILE.read_text(encoding="utf-8")) if FLOORS_FILE.is_file() else {}


def table(results: Sequence[Result]) -> Iterator[str]:
    """Lines of a Markdown table, with the means of the clips with truth at its end."""
    yield (
        "| clip | frames | recall | precision | IDF1 | people | purity | switches/min | starts off | ends off "
        "| cuts missed, false | tracks | unknown | still | wall, ms/frame | CPU, ms/frame |"
    )
    yield "|" + "---|" * 16
    for r in results:
        scores = [r.recall, r.precision, r.idf1]
        ends = ["-" if e is None else f"{e[0]:g}, {e[1]:g}" for e in (r.late_starts, r.late_ends)]
        cells = [
            r.clip,
            r.frames,
            *("-" if s is None else f"{s:.3f}" for s in scores),
            f"{r.people}/{'?' if r.true_people is None else r.true_people}",
            "-" if r.purity is None else f"{r.purity:.3f}",
            "-" if r.switches_per_minute is None else f"{r.switches_per_minute:g}",
            *ends,
            "-" if r.missed_cuts is None else f"{r.missed_cuts}, {r.false_cuts}",
            r.tracklets,
            r.unknown,
            ", ".join(r.still),
            f"{r.wall_ms:.1f}",
            f"{r.cpu_ms:.1f}",
        ]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"
    scored = [r for r in results if r.recall is not None]
    frames = sum(r.frames for r in results)
    if scored:
        means = [sum(getattr(r, key) for r in scored) / len(scored) for key in ("recall", "precision", "idf1")]
        costs = [sum(getattr(r, key) * r.frames for r in results) / frames for key in ("wall_ms", "cpu_ms")]
        yield (
            f"| all | {frames} | {means[0]:.3f} | {means[1]:.3f} | {means[2]:.3f} "
            + "| " * 9
            + f"| {costs[0]:.1f} | {costs[1]:.1f} |"
        )


def measure(name: str, path: Path, settings: Settings) -> Result:
    """One clip from file to figures; the models are loaded once a process."""
    models = ModelManager.instance(settings)
    assert models.detector and models.embedder and models.verifier  # loading them is no part of a clip's cost
    return judge(name, path, run(path, settings, models))


def _settings(args: argparse.Namespace) -> Settings:
    changes: dict[str, dict[str, Any]] = {"run": {"offline": True}}
    if args.tracker:
        changes["analysis"] = {"tracker": args.tracker}
    for text in args.set:
        key, _, value = text.partition("=")
        section, _, name = key.partition(".")
        try:
            changes.setdefault(section, {})[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[section][name] = value
    return load_settings(None, changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only clips whose names contain one of these")
    parser.add_argument("--folder", type=Path, default=CLIPS, help="where the clips lie (default: %(default)s)")
    parser.add_argument("--tracker", help="cascade, csrt, kcf or mosse")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="any other setting")
    parser.add_argument("--jobs", type=int, default=1, help="clips at a time; more than one makes times worthless")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--raise-floors", action="store_true", help="keep what has become better as floors")
    args = parser.parse_args()
    settings = _settings(args)
    clips = [clip for clip in find_clips(args.folder) if not args.names or any(n in clip[0] for n in args.names)]
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
            futures = [pool.submit(measure, name, path, settings) for name, path in clips]
            results = [future.result() for future in futures]
    else:
        results = [measure(name, path, settings) for name, path in clips]
    print("\n".join(table(results)))
    old = read_floors()
    for result in results:
        for line in undercut(result, old.get(result.clip, {})):
            print(f"below its floor: {line}")
    if args.json:
        write_json(args.json, [asdict(result) for result in results])
    if args.raise_floors:
        write_json(FLOORS_FILE, raised(old, results))


if __name__ == "__main__":
    main()
