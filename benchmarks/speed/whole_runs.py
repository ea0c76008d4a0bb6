"""Whole runs compared with other programs: wall time, CPU time, memory, and where the time goes.

    python -m benchmarks.speed.whole_runs [NAME ...] [--rounds 3] [--without naive,deface] [--models DIR] [--keep DIR]

On the same videos (a generated one of 60 s at 720p with up to four people, the sample, the development clips where
they are beside the project), in turn, in reverse order in every second round; the table has medians:

ours            no analysis in the cache, the converted networks are there
ours, cached    the analysis comes from the cache
ffmpeg 2x       ffmpeg alone: one decode of everything, and a second one with the same clips (ffmpeg_clips.py)
ffmpeg 1x       the second of these two alone
deface          its own command, as installed with benchmarks/requirements-bench.txt
naive           benchmarks/speed/naive.py: how such programs are usually written

deface and naive are slow: they get the first frames only (--frames), and the time for the rest is extrapolated from
what they take beyond the time for a single frame. Both tables go to stdout, ready for docs/measurements, everything
measured to benchmarks/results/speed.json, or to benchmarks/results/local/speed.json where it is not all videos.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from benchmarks.known_clips import CLIPS
from benchmarks.processes import PROJECT, Usage, measure
from benchmarks.speed.ffmpeg_clips import clip_outputs
from benchmarks.speed.source_videos import LOCAL, crowd, stretch
from core.media.video_probe import probe_video
from core.models.networks.weights import default_cache_dir
from core.types import VideoInfo
from videos.make_sample import SAMPLE_FILE

RESULTS = PROJECT / "benchmarks" / "results" / "speed.json"
DEFACE = PROJECT / ".venv-bench" / "bin" / "deface"
SLOW = {"deface": 100, "naive": 25}
"""frames that the slow ones get"""


@dataclass(slots=True)
class Measured:
    """One program on one video. share: how many times the work that was measured the whole video is."""

    usages: list[Usage] = field(default_factory=list)
    start: Usage | None = None
    frames: int = 0
    share: float = 1.0

    def median(self, of: Callable[[Usage], float]) -> float:
        return statistics.median(of(usage) for usage in self.usages)

    def whole(self, of: Callable[[Usage], float]) -> float:
        """Median for the whole video, extrapolated where only a stretch was measured."""
        begin = of(self.start) if self.start else 0.0
        return begin + max(self.median(of) - begin, 0.0) * self.share


class Bench:
    """The programs on one video; everything they write is below `folder`."""

    def __init__(self, video: Path, info: VideoInfo, folder: Path, models: Path, frames: dict[str, int]) -> None:
        self._video, self._info, self._folder, self._models = video, info, folder, models
        self._frames = frames
        self._cold, self._warm = folder / "cache-cold", folder / "cache-warm"
        self._log = folder / "log.txt"
        self._outputs: list[str] | None = None
        self.measured: dict[str, Measured] = {}
        self.stages: dict[str, Any] = {}

    def run(self, rounds: int) -> None:
        programs: dict[str, Callable[[], Usage]] = {
            "ours": self._ours,
            "ours, cached": self._cached,
            "ffmpeg decode": self._ffmpeg_decode,
            "ffmpeg 1x": self._ffmpeg_clips,
            **{name: functools.partial(self._slow, name) for name in self._frames},
        }
        for number in range(rounds):
            # The first round is in this order: the cache and ffmpeg's clips come from the first run.
            for name in list(programs) if number % 2 == 0 else reversed(programs):
                usage = _checked(name, programs[name](), self._log)
                self.measured.setdefault(name, Measured()).usages.append(usage)
        both = zip(self.measured["ffmpeg decode"].usages, self.measured["ffmpeg 1x"].usages, strict=True)
        self.measured["ffmpeg 2x"] = Measured([_one_after_the_other(a, b) for a, b in both])
        self.stages = self._timed_stages()

    def _command(self, cache: Path, output: Path) -> list[str]:
        shutil.rmtree(output, ignore_errors=True)
        return [str(self._video), "--offline", "--quiet", "--cache-dir", str(cache), "-o", str(output)]

    def _ours(self) -> Usage:
        share_models(self._cold, self._models)
        usage = measure([sys.executable, "main.py", *self._command(self._cold, self._folder / "output")], self._log)
        if not self._warm.exists():
            share_models(self._warm, self._models)
            shutil.copytree(self._cold / "analyses", self._warm / "analyses")
        return usage

    def _cached(self) -> Usage:
        return measure([sys.executable, "main.py", *self._command(self._warm, self._folder / "again")], self._log)

    def _timed_stages(self) -> dict[str, Any]:
        share_models(self._cold, self._models)
        result = self._folder / "stages.json"
        command = self._command(self._cold, self._folder / "output")
        usage = measure([sys.executable, "-m", "benchmarks.speed.staged_run", str(result), *command], self._log)
        _checked("stages", usage, self._log)
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found

    def _ffmpeg(self, outputs: Sequence[str]) -> Usage:
        program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-copyts", "-i"]
        program.append(f"file:{self._video}")
        return measure([*program, *outputs], self._log)

    def _ffmpeg_decode(self) -> Usage:
        return self._ffmpeg(["-map", "0:v:0", "-f", "null", "-"])

    def _ffmpeg_clips(self) -> Usage:
        if self._outputs is None:
            manifest = self._folder / "output" / self._video.stem / "manifest.json"
            self._outputs = clip_outputs(manifest, self._warm / "analyses", self._folder)
        # Without clips there is still the second decode.
        return self._ffmpeg(self._outputs) if self._outputs else self._ffmpeg_decode()

    def _slow(self, name: str) -> Usage:
        frames = min(self._frames[name], self._info.frame_count)
        if name not in self.measured:
            start = _checked(name, self._slow_run(name, 1), self._log)
            share = (self._info.frame_count - 1) / max(frames - 1, 1)
            self.measured[name] = Measured(start=start, frames=frames, share=share)
        return self._slow_run(name, frames)

    def _slow_run(self, name: str, frames: int) -> Usage:
        piece = stretch(self._video, frames, self._folder)
        if name == "deface":
            return measure([str(DEFACE), str(piece), "-o", str(self._folder / "deface.mp4")], self._log)
        return measure(
            [sys.executable, "-m", "benchmarks.speed.naive", str(piece), str(self._folder / "naive")], self._log
        )


def share_models(cache: Path, models: Path) -> None:
    """Make `cache` a cache folder without analyses, with the networks of the folder `models`."""
    cache.mkdir(exist_ok=True)
    shutil.rmtree(cache / "analyses", ignore_errors=True)
    for name in ("openvino", "weights"):
        theirs = models / name
        theirs.mkdir(parents=True, exist_ok=True)
        (cache / name).unlink(missing_ok=True)
        (cache / name).symlink_to(theirs)


def _one_after_the_other(a: Usage, b: Usage) -> Usage:
    peak, tree = max(a.peak_mib, b.peak_mib), max(a.tree_mib, b.tree_mib)
    return Usage(0, a.wall_s + b.wall_s, a.cpu_s + b.cpu_s, peak, tree)


def _checked(name: str, usage: Usage, log: Path) -> Usage:
    if usage.exit_code:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
        raise SystemExit(f"{name} failed with exit code {usage.exit_code}:\n" + "\n".join(said))
    return usage


def rows(video: str, info: VideoInfo, measured: dict[str, Measured]) -> list[str]:
    """The lines of one video in the table of runs."""
    ours = measured["ours"].median(_wall)
    cached = measured["ours, cached"].median(_wall)
    ratios = {
        "ours": f"{ours / measured['ffmpeg 2x'].median(_wall):.2f} x ffmpeg 2x",
        "ours, cached": f"{cached / measured['ffmpeg 1x'].median(_wall):.2f} x ffmpeg 1x",
    }
    lines = []
    for name in ("ours", "ours, cached", "ffmpeg 2x", "ffmpeg 1x", *SLOW):
        if name not in measured:
            continue
        one = measured[name]
        size = f"{info.width}x{info.height}, {info.duration_s:.1f} s"
        first = f"{video}, {size}" if name == "ours" else ""
        label = f"{name} (from {one.frames} of {info.frame_count} frames)" if one.share > 1 else name
        ratio = ratios.get(name, f"{one.whole(_wall) / ours:.1f} x ours" if name in SLOW else "")
        lines.append(
            f"| {first} | {label} | {one.whole(_wall):.1f} | {one.whole(_cpu):.1f} "
            f"| {one.median(_peak):.0f} | {one.median(_tree):.0f} | {ratio} |"
        )
    return lines


def _wall(usage: Usage) -> float:
    return usage.wall_s


def _cpu(usage: Usage) -> float:
    return usage.cpu_s


def _peak(usage: Usage) -> float:
    return usage.peak_mib


def _tree(usage: Usage) -> float:
    return usage.tree_mib


def stage_table(stages: dict[str, dict[str, Any]]) -> list[str]:
    """Wall time in seconds that each stage kept a thread busy or waiting; columns are videos."""
    totals: dict[str, float] = {}
    for figures in stages.values():
        for name, stage in figures["stages"].items():
            totals[name] = totals.get(name, 0.0) + stage["wall_s"]
    lines = [f"| stage | {' | '.join(stages)} |", "|---" * (len(stages) + 1) + "|"]
    for name in sorted(totals, key=lambda stage: -totals[stage]):
        spent = (figures["stages"].get(name) for figures in stages.values())
        cells = ["-" if one is None else format(one["wall_s"], ".2f") for one in spent]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for label, key in (("CPU, process", "cpu_s"), ("CPU, children", "children_cpu_s"), ("whole run", "wall_s")):
        lines.append(f"| {label} | {' | '.join(f'{figures[key]:.2f}' for figures in stages.values())} |")
    return lines


def circumstances() -> dict[str, Any]:
    """What the figures depend on beside the program."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in cpus.read_text().splitlines() if line.startswith("model name")]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit,
        "cpu": f"{len(os.sched_getaffinity(0))} x {names[0] if names else platform.machine()}",
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only videos whose names contain one of these")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", default="", help="programs to leave out, of naive and deface, with a comma")
    parser.add_argument("--frames", default="", help="frames for the slow ones: naive=25,deface=100")
    parser.add_argument("--models", type=Path, default=default_cache_dir(), help="cache folder with the networks")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave everything there")
    args = parser.parse_args()
    frames = {name: count for name, count in SLOW.items() if name not in args.without.split(",")}
    frames |= {name: int(count) for name, _, count in (part.partition("=") for part in args.frames.split(",") if part)}
    if "deface" in frames and not DEFACE.is_file():
        raise SystemExit(f"{DEFACE} is not there: make bench installs it; --without deface leaves it out")
    found = (p for p in CLIPS.rglob("*") if p.suffix in (".mp4", ".mov") and p.parent.name != "broken")
    videos = [crowd(1280, 720, 60), SAMPLE_FILE, *sorted(found)]
    videos = [v for v in videos if not args.names or any(name in v.name for name in args.names)]
    facts = circumstances()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        print("| video | program | wall, s | CPU, s | peak, MiB | all processes, MiB | ratio of wall times |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for video in videos:
            folder = (args.keep or Path(temporary)) / video.stem
            folder.mkdir(parents=True, exist_ok=True)
            info = probe_video(video)
            bench = Bench(video, info, folder, args.models.resolve(), frames)
            bench.run(args.rounds)
            print("\n".join(rows(video.name, info, bench.measured)), flush=True)
            measured = {name: dataclasses.asdict(one) for name, one in bench.measured.items()}
            results[video.stem] = {"frames": info.frame_count, "programs": measured, **bench.stages}
    print("\n" + "\n".join(stage_table(results)))
    print(f"\n{facts}, {args.rounds} rounds")
    result = LOCAL / RESULTS.name if args.names else RESULTS
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps({**facts, "rounds": args.rounds, "videos": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
