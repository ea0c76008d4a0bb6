"""Shot detection measured: ours beside PySceneDetect's detectors, on clips and on synthetic transitions.

    python -m benchmarks.quality.shots [--seed N] [--rounds N] [--clips DIR] [--list] [--only KIND]

Needs `pip install --no-deps scenedetect click platformdirs`. Never without `--no-deps`: scenedetect demands
opencv-python, which overwrites the files of opencv-contrib-python-headless. Without it only ours is measured.
The development clips are used if they are there; otherwise the synthetic cases are made from stills alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.known_clips import CLIPS
from benchmarks.quality.shot_case import Case
from benchmarks.quality.shot_cases import cases
from benchmarks.quality.shot_footage import Frames
from processors.shots.shot_detector import ShotDetector


@dataclass
class Score:
    """Sums over cases."""

    cuts: int = 0
    exact: int = 0
    near: int = 0
    gradual: int = 0
    gradual_found: int = 0
    false: int = 0
    gradual_error: list[float] = field(default_factory=list)
    seconds: float = 0.0
    frames: int = 0


def ours(frames: Frames, rate: float) -> tuple[list[int], float]:
    detector = ShotDetector(rate)
    begin = time.thread_time()
    for frame in frames:
        detector.update(frame)
    detector.finish()
    seconds = time.thread_time() - begin
    return [s.start for s in detector.shots(len(frames))[1:]], seconds


def scenedetect_runner(make: Callable[[], Any]) -> Callable[[Frames, float], tuple[list[int], float]]:
    from scenedetect import FrameTimecode

    def detect(frames: Frames, rate: float) -> tuple[list[int], float]:
        detector = make()
        found: set[int] = set()
        seconds = 0.0
        for index, frame in enumerate(frames):
            bgr = np.ascontiguousarray(frame[..., ::-1])
            timecode = FrameTimecode(index, rate)
            begin = time.thread_time()
            found.update(c.frame_num for c in detector.process_frame(timecode, bgr))
            seconds += time.thread_time() - begin
        found.update(c.frame_num for c in detector.post_process(FrameTimecode(len(frames) - 1, rate)))
        return sorted(found), seconds

    return detect


def detectors() -> dict[str, Callable[[Frames, float], tuple[list[int], float]]]:
    result: dict[str, Callable[[Frames, float], tuple[list[int], float]]] = {"ours": ours}
    try:
        import scenedetect as sd
    except ImportError:
        return result
    # min_scene_len 2: the default of 0.6 s hides both false and true cuts.
    result["Content"] = scenedetect_runner(lambda: sd.ContentDetector(min_scene_len=2))
    result["Adaptive"] = scenedetect_runner(lambda: sd.AdaptiveDetector(min_scene_len=2))
    result["Histogram"] = scenedetect_runner(lambda: sd.HistogramDetector(min_scene_len=2))
    return result


def judge(case: Case, found: list[int], score: Score) -> str:
    """Adds to `score`; returns what is wrong, "" if nothing."""
    left = list(found)
    wrong = []
    for cut in case.cuts:
        score.cuts += 1
        near = [f for f in left if abs(f - cut) <= 2]
        if cut in left:
            score.exact += 1
            left.remove(cut)
        elif near:
            score.near += 1
            left.remove(near[0])
            wrong.append(f"{cut} found at {near[0]}")
        else:
            wrong.append(f"missed {cut}")
    middles = tuple((first + end) / 2 for first, end in case.gradual)
    begins: tuple[float, ...] = case.begins or middles
    for (first, end), begin in zip(case.gradual, begins, strict=True):
        score.gradual += 1
        inside = [f for f in left if first - 2 <= f <= end + 2]
        if inside:
            score.gradual_found += 1
            score.gradual_error.append(min(abs(f - begin) for f in inside))
            left = [f for f in left if f not in inside]
            score.false += len(inside) - 1
            if len(inside) > 1:
                wrong.append(f"[{first}, {end}) found {len(inside)} times {inside}")
        else:
            wrong.append(f"missed [{first}, {end})")
    score.false += len(left)
    if left:
        wrong.append(f"false {left}")
    return "; ".join(wrong)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clips", type=Path, default=CLIPS)
    parser.add_argument("--only", default="", help="one kind of case")
    parser.add_argument("--ours", action="store_true", help="leave the others out")
    parser.add_argument("--list", action="store_true", help="name every mistake of ours")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    clips = options.clips if options.clips.is_dir() else None
    runners = detectors()
    if options.ours:
        runners = {"ours": ours}
    scores: dict[str, dict[str, Score]] = defaultdict(lambda: defaultdict(Score))
    for case in cases(clips, options.seed, options.rounds, options.only):
        for name, run in runners.items():
            found, seconds = run(case.frames, case.rate)
            wrong = judge(case, found, scores[case.kind][name])
            judge(case, found, scores["all"][name])
            for kind in (case.kind, "all"):
                scores[kind][name].seconds += seconds
                scores[kind][name].frames += len(case.frames)
            if wrong and options.list and name == "ours":
                print(f"{case.kind}: {case.name}: {wrong}", file=sys.stderr)
    print("| case | detector | cuts exact | off by 1-2 | gradual found | their error | false | ms/frame |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, by_name in scores.items():
        for name, s in by_name.items():
            error = f"{np.mean(s.gradual_error):.1f}" if s.gradual_error else ""
            cuts = f"{s.exact}/{s.cuts}" if s.cuts else ""
            gradual = f"{s.gradual_found}/{s.gradual}" if s.gradual else ""
            cost = 1e3 * s.seconds / s.frames
            print(f"| {kind} | {name} | {cuts} | {s.near or ''} | {gradual} | {error} | {s.false} | {cost:.2f} |")


if __name__ == "__main__":
    main()
