"""Three curves: cost of a run by length of the video, by faces per frame, and by people found so far.

    python -m benchmarks.speed.scale [--minutes 1,5,15,60] [--faces 1,2,4,8,16] [--people 1,...,500]
                                     [--part lengths,faces,people] [--models DIR] [--work DIR]

lengths: whole runs without a cached analysis over a generated 1080p video with cuts and up to four people; longer
ones repeat the same 20 s without encoding. faces: one shot of 10 s at 720p with that many people in every frame,
and one without any: CPU time of the whole run, start-up included, and of the analysis alone. people: the identities of
2000 made-up tracklets of that many people, and what one more tracklet costs.

What is measured is merged into benchmarks/results/scale.json, so that the parts may be measured one after the other;
the table and benchmarks/results/scale.png show all of it. An hour of 1080p takes 20 to 40 minutes on two cores and
some 2 GB in --work.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as main.py does, before numpy is imported
import numpy as np

from benchmarks.processes import PROJECT, measure
from benchmarks.speed.made_up_film import made_up_video
from benchmarks.speed.source_videos import RATE, crowd, faces_film, kept
from benchmarks.speed.whole_runs import circumstances, share_models
from config import ClipSettings, IdentitySettings
from core.embedding_manager import SmartEmbeddingManager
from core.models.networks.weights import default_cache_dir
from core.models.similarity import Similarity
from core.types import FaceAnalysis, Shot, Tracklet
from processors.id_timeline_generator import IdTimelineGenerator

RESULTS = PROJECT / "benchmarks" / "results"
FACES_S = 10
RENDERING = ("render", "encode", "audio", "plan", "people", "write", "start-up", "models")
"""stages that are no part of the analysis"""

TRACKLETS, TRACKLET_FRAMES = 2000, 50
EMBEDDER, DIMENSIONS = "dlib", 128
SAMPLES = 6


def run(video: Path, folder: Path, models: Path, *, staged: bool = False) -> tuple[Any, dict[str, Any]]:
    """A whole run without a cached analysis: what it took, and its stages."""
    cache, result = folder / "cache", folder / "stages.json"
    share_models(cache, models)
    program = ["-m", "benchmarks.speed.staged_run", str(result)] if staged else ["main.py"]
    options = ["--offline", "--quiet", "--overwrite", "--cache-dir", str(cache), "-o", str(folder / "output")]
    log = folder / "log.txt"
    usage = measure([sys.executable, *program, str(video), *options], log)
    if usage.exit_code:
        raise SystemExit(f"{video.name}: exit code {usage.exit_code}\n{log.read_text(errors='replace')[-2000:]}")
    return usage, json.loads(result.read_text(encoding="utf-8")) if staged else {}


def measure_lengths(minutes: list[int], folder: Path, models: Path) -> dict[str, dict[str, float]]:
    found = {}
    for count in minutes:
        usage, _ = run(crowd(1920, 1080, 60 * count), folder, models)
        found[str(count)] = {
            "wall_s_per_minute": usage.wall_s / count,
            "cpu_s_per_minute": usage.cpu_s / count,
            "peak_mib": usage.peak_mib,
            "tree_mib": usage.tree_mib,
        }
        print(f"{count} min: {found[str(count)]}", file=sys.stderr)
    return found


def measure_faces(faces: list[int], folder: Path, models: Path) -> dict[str, dict[str, float]]:
    found = {}
    for count in (0, *faces):
        video = kept(f"faces-{count}-720p-{FACES_S}s.mp4", faces_film(1280, 720, count, FACES_S))
        _, figures = run(video, folder, models, staged=True)
        analysis = sum(stage["cpu_s"] for name, stage in figures["stages"].items() if name not in RENDERING)
        frames = FACES_S * RATE
        found[str(count)] = {
            "run_cpu_ms": 1000 * (figures["cpu_s"] + figures["children_cpu_s"]) / frames,
            "analysis_cpu_ms": 1000 * analysis / frames,
        }
        print(f"{count} faces: {found[str(count)]}", file=sys.stderr)
    return found


def measure_people(people: list[int]) -> dict[str, dict[str, float]]:
    found = {}
    for count in people:
        rng = np.random.default_rng(0)
        analysis = made_up_analysis(count, rng)
        begin = time.perf_counter()
        timeline = IdTimelineGenerator(IdentitySettings(), ClipSettings()).generate(analysis)
        took = time.perf_counter() - begin
        found[str(count)] = {
            "ms_per_frame": 1000 * took / analysis.frame_count,
            "ms_per_assignment": assignment_ms(analysis),
            "people_found": len(timeline.people),
        }
        print(f"{count} people: {found[str(count)]}", file=sys.stderr)
    return found


def assignment_ms(analysis: FaceAnalysis) -> float:
    """Median time of one online assignment over the later half of the tracklets, when everybody has been seen."""
    manager = SmartEmbeddingManager(Similarity.for_embedder(EMBEDDER))
    took = []
    for number, tracklet in enumerate(analysis.tracklets):
        mean = tracklet.embeddings.mean(0)
        begin = time.perf_counter()
        manager.assign(mean / np.linalg.norm(mean), number * TRACKLET_FRAMES / RATE)
        took.append(1000 * (time.perf_counter() - begin))
    return float(np.median(took[len(took) // 2 :]))


def made_up_analysis(people: int, rng: np.random.Generator) -> FaceAnalysis:
    """2000 tracklets of 2 s, one after the other, of `people` people in turn; a cut between two."""
    faces = rng.standard_normal((people, DIMENSIONS)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    tracklets, shots = [], []
    for number in range(TRACKLETS):
        start = number * TRACKLET_FRAMES
        frames = np.arange(start, start + TRACKLET_FRAMES)
        embeddings = faces[number % people] + rng.normal(0, 0.02, (SAMPLES, DIMENSIONS)).astype(np.float32)
        corner = 300 + np.cumsum(rng.normal(0, 1, (TRACKLET_FRAMES, 2)), 0)
        boxes = np.concatenate([corner, corner + 90], 1).astype(np.float32)
        shape = np.array([[25, 35], [65, 35], [45, 55], [30, 70], [60, 70]])
        tracklets.append(
            Tracklet(
                id=number,
                shot=number,
                frames=frames,
                boxes=boxes,
                scores=np.ones(TRACKLET_FRAMES, np.float32),
                landmarks=(corner[:, None] + shape).astype(np.float32),
                sharpness=np.full(TRACKLET_FRAMES, 200, np.float32),
                sample_frames=frames[:: TRACKLET_FRAMES // SAMPLES][:SAMPLES],
                sample_quality=np.full(SAMPLES, 0.8, np.float32),
                embeddings=(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32),
                face_jpeg=b"",
            )
        )
        shots.append(Shot(number, start, start + TRACKLET_FRAMES, "cut" if number else "start"))
    pts = 40 * np.arange(TRACKLETS * TRACKLET_FRAMES)
    return FaceAnalysis(made_up_video(), pts, tuple(shots), tuple(tracklets), EMBEDDER, 0)


def tables(results: dict[str, Any]) -> list[str]:
    """What was measured, as Markdown."""
    lines: list[str] = []
    for part, (unit, columns) in PARTS.items():
        rows = _in_order(results.get(part, {}))
        if not rows:
            continue
        lines += [f"| {unit} | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
        lines += [f"| {count} | {' | '.join(f'{row[key]:.4g}' for key in columns)} |" for count, row in rows]
        lines.append("")
    return lines


PARTS = {
    "lengths": (
        "minutes",
        {
            "wall_s_per_minute": "wall, s per minute",
            "cpu_s_per_minute": "CPU, s per minute",
            "peak_mib": "peak, MiB",
            "tree_mib": "all processes, MiB",
        },
    ),
    "faces": (
        "faces in the image",
        {"analysis_cpu_ms": "analysis, CPU ms per frame", "run_cpu_ms": "whole run, CPU ms per frame"},
    ),
    "people": (
        "people seen",
        {
            "ms_per_frame": "identities, ms per frame",
            "ms_per_assignment": "one assignment, ms",
            "people_found": "people found",
        },
    ),
}
"""by part: what is varied, and what was measured by name"""


def draw(results: dict[str, Any], path: Path) -> None:
    """The three curves side by side."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    curves = (
        ("lengths", "length, minutes", ("wall_s_per_minute", "cpu_s_per_minute"), "s per minute of video"),
        ("faces", "faces in the image", ("analysis_cpu_ms", "run_cpu_ms"), "CPU ms per frame"),
        ("people", "people seen so far", ("ms_per_frame", "ms_per_assignment"), "ms"),
    )
    for axis, (part, label, keys, unit) in zip(axes, curves, strict=True):
        rows = _in_order(results.get(part, {}))
        for key in keys:
            axis.plot([n for n, _ in rows], [row[key] for _, row in rows], "o-", label=PARTS[part][1][key])
        axis.set(xlabel=label, ylabel=unit, ylim=(0, None))
        axis.grid(alpha=0.3)
        handles, labels = axis.get_legend_handles_labels()
        if part == "lengths":
            memory = axis.twinx()
            memory.plot([n for n, _ in rows], [row["peak_mib"] for _, row in rows], "s--", color="gray", label="peak")
            memory.set(ylabel="peak, MiB", ylim=(0, None))
            more = memory.get_legend_handles_labels()
            handles, labels = handles + more[0], labels + more[1]
        axis.legend(handles, labels, fontsize=8, loc="best")
    figure.savefig(path, dpi=110)


def _in_order(part: dict[str, dict[str, float]]) -> list[tuple[int, dict[str, float]]]:
    return sorted((int(count), row) for count, row in part.items())


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=_numbers, default=[1, 5, 15, 60])
    parser.add_argument("--faces", type=_numbers, default=[1, 2, 4, 8, 16])
    parser.add_argument("--people", type=_numbers, default=[1, 5, 15, 50, 150, 500])
    parser.add_argument("--part", default="lengths,faces,people", help="what to measure, with commas")
    parser.add_argument("--models", type=Path, default=default_cache_dir(), help="cache folder with the networks")
    parser.add_argument("--work", type=Path, help="folder for clips; they are removed at the end")
    args = parser.parse_args()
    parts = args.part.split(",")
    file = RESULTS / "scale.json"
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    models = args.models.resolve()
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=args.work) as temporary:
        folder = Path(temporary)
        measured = {}
        if "lengths" in parts:
            measured["lengths"] = measure_lengths(args.minutes, folder, models)
        if "faces" in parts:
            measured["faces"] = measure_faces(args.faces, folder, models)
        if "people" in parts:
            measured["people"] = measure_people(args.people)
    for part, rows in measured.items():
        results[part] = {**results.get(part, {}), **rows}
        results.setdefault("circumstances", {})[part] = circumstances()
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draw(results, RESULTS / "scale.png")
    print("\n".join(itertools.chain(tables(results), [str(results["circumstances"])])))


if __name__ == "__main__":
    main()
