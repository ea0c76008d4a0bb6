"""What all processes of a run hold together, over its time.

    python -m benchmarks.speed.memory [--cases 1,4,2x2] [--models DIR] [--work DIR] [--together] [VIDEO ...]

A case is a length in minutes of the generated 1080p film of `scale`, or files x minutes for several such files in one
call. Videos are runs of their own, or one run with --together. Runs are cold. Once a second the proportional memory
(PSS) of every process is read, in which a page counts once however many processes share it: what the run takes from
the machine, and what the goal of 800 MiB is judged by. Beside it stands the resident memory, in which shared pages
count in each process (11 MB of the supervisor's, 25 MB of each encoder's). "without clips" is the most while no encoder
was running, so only an analysis, a start or the writing of results; "with clips" the most of all processes and of its
parts while clips were made. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import PROJECT, process_tree, shared_memory_kib
from benchmarks.speed.source_videos import crowd
from benchmarks.speed.whole_runs import circumstances, share_models
from core.models.networks.weights import default_cache_dir

SAMPLE_S = 1.0
TENTHS = 10
COLUMNS = (
    "all, MiB",
    "resident",
    "without clips",
    "with clips",
    "worker then",
    "encoders then",
    "supervisor",
    "by tenths",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at one moment, MiB, proportional but for `resident`, of all processes.

    at_s: since the start. encoders: of all ffmpeg processes together.
    """

    at_s: float
    supervisor: float
    worker: float
    encoders: float
    resident: float

    @property
    def total(self) -> float:
        return self.supervisor + self.worker + self.encoders


@dataclass(slots=True)
class Watch:
    """Samples the processes of a run until it ends."""

    pid: int
    samples: list[Sample] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        begin = time.monotonic()
        while not self.ended.wait(SAMPLE_S):
            held = {"supervisor": 0.0, "worker": 0.0, "encoders": 0.0}
            resident = 0.0
            for pid in process_tree(self.pid):
                kind = "supervisor" if pid == self.pid else "encoders" if _is_encoder(pid) else "worker"
                share_kib, resident_kib = shared_memory_kib(pid)
                held[kind] += share_kib / 1024
                resident += resident_kib / 1024
            self.samples.append(Sample(time.monotonic() - begin, **held, resident=resident))


def _is_encoder(pid: int) -> bool:
    try:
        return b"ffmpeg" in Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]
    except OSError:
        return False


def watched_run(videos: Sequence[Path], folder: Path, models: Path) -> list[Sample]:
    """A cold run over `videos`; what its processes held."""
    cache = folder / "cache"
    share_models(cache, models)
    options = ["--offline", "--quiet", "--overwrite", "--cache-dir", str(cache), "-o", str(folder / "output")]
    with (folder / "log.txt").open("w+b") as log:
        command = [sys.executable, "main.py", *map(str, videos), *options]
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        watch = Watch(process.pid)
        thread = threading.Thread(target=watch.run, daemon=True)
        thread.start()
        exit_code = process.wait()
        watch.ended.set()
        thread.join()
    if exit_code:
        raise SystemExit(f"exit code {exit_code}\n{(folder / 'log.txt').read_text(errors='replace')[-2000:]}")
    return watch.samples


def row(name: str, samples: Sequence[Sample]) -> str:
    """A row of the table."""
    making = [sample for sample in samples if sample.encoders]
    without = max((sample.total for sample in samples if not sample.encoders), default=0.0)
    length_s = samples[-1].at_s + SAMPLE_S
    tenths = [
        max((s.total for s in samples if int(TENTHS * s.at_s / length_s) == tenth), default=0.0)
        for tenth in range(TENTHS)
    ]
    figures = [
        max(sample.total for sample in samples),
        max(sample.resident for sample in samples),
        without,
        *(max((getattr(s, kind) for s in making), default=0.0) for kind in ("total", "worker", "encoders")),
        max(sample.supervisor for sample in samples),
    ]
    return f"| {name} | {' | '.join(f'{value:.0f}' for value in figures)} | {' '.join(f'{v:.0f}' for v in tenths)} |"


def cases(text: str) -> list[tuple[str, list[Path]]]:
    """Name and videos of each case of `--cases`; several files of one length are links to one file."""
    found = []
    for case in filter(None, text.split(",")):
        files, _, minutes = case.rpartition("x")
        video = crowd(1920, 1080, 60 * int(minutes))
        found.append((f"{files or 1} x {minutes} min", [video] * int(files or 1)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--cases", default="1,4,2x2", help="minutes, or files x minutes, with commas")
    parser.add_argument("--together", action="store_true", help="all videos in one call")
    parser.add_argument("--models", type=Path, default=default_cache_dir(), help="cache folder with the networks")
    parser.add_argument("--work", type=Path, help="folder for clips; they are removed at the end")
    args = parser.parse_args()
    print(f"| case | {' | '.join(COLUMNS)} |\n" + "|---" * (len(COLUMNS) + 1) + "|", flush=True)
    given = [args.videos] if args.together else [[video] for video in args.videos]
    for name, videos in [*cases(args.cases), *((" + ".join(v.name for v in videos), videos) for videos in given)]:
        with tempfile.TemporaryDirectory(prefix="benchmark-", dir=args.work) as temporary:
            folder = Path(temporary)
            # Every file is another video: it has another name and, by a byte at its end, another fingerprint.
            copies = [folder / f"{number}-{video.name}" for number, video in enumerate(videos)]
            for number, (copy, video) in enumerate(zip(copies, videos, strict=True)):
                copy.write_bytes(video.read_bytes() + bytes(number))
            print(row(name, watched_run(copies, folder, args.models.resolve())), flush=True)
    print(circumstances())


if __name__ == "__main__":
    main()
