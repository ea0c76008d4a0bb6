"""Hundreds of short videos in one run: does anything grow, and is every result the same as in a run of its own?

    python -m benchmarks.robustness.soak [--videos 300] [--alone 12] [--usual] [--cache-dir DIR]

Memory, open files, threads and child processes of the run are sampled all the time; the first quarter of the time
after the first result is compared with the last one. Some of the videos are then done again, each in a run of its own
with the same settings, and have to end in the same bytes. Every fourth one is of unusual build (`UNUSUAL`), unless
--usual is given. Linux only. Exit code 1 where anything grew or differed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.robustness.interruptions import PROJECT, results
from benchmarks.robustness.media import atoms
from benchmarks.robustness.media.audio_layouts import ambisonic_opus, labelled_movie
from benchmarks.robustness.media.film import H264, STEREO_AAC, Film
from benchmarks.robustness.media.frame_rates import write_timed
from benchmarks.robustness.media.late_streams import late_audio
from benchmarks.robustness.media.stream_changes import PLAIN, STRETCHED, TURNED, Piece, joined
from core.media.ffmpeg_tool import find_ffmpeg
from tests.material.fault_material import SAMPLE

FILMS = (("mp4", 0.4), ("mkv", 2.4), ("mov", 3.9), ("mp4", 6.0), ("mkv", 8.5), ("mov", 10.9))
"""container, and where in the sample the film begins, s: one or two people, with and without a cut"""
FILM_S = 1.2
UNUSUAL: dict[str, Callable[[Path], object]] = {
    "labels.mov": partial(labelled_movie, labels=(atoms.RIGHT, atoms.LEFT)),
    "unused.mov": partial(labelled_movie, labels=(atoms.LEFT, atoms.RIGHT, atoms.UNUSED, atoms.UNUSED)),
    "ambisonic.mkv": partial(ambisonic_opus, order=1),
    "turned.mkv": partial(joined, pieces=[Piece(PLAIN), Piece(TURNED)], options=(*H264, *STEREO_AAC)),
    "wide.mp4": partial(joined, pieces=[Piece(PLAIN), Piece(STRETCHED)], options=(*H264, *STEREO_AAC)),
    "late.mp4": partial(late_audio, delay_s=3),
    "slow.mkv": partial(write_timed, film=Film(frames=12), times=[2.0 * i for i in range(12)]),
}
"""by name, what writes it: files that are whole, but not built as most are"""
UNUSUAL_EVERY = 4
SAMPLE_S = 0.1
MAY_GROW = {"memory, MB": 25.0, "open files": 2.0, "threads": 1.0, "processes": 1.0}
"""by how much the last quarter's low value may exceed the first one's: the number of clips in progress varies"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of the run. values: in the order of `MAY_GROW`."""

    time_s: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """One row of the table. quarters: low value and maximum in each quarter of the time.

    The low value is the first quartile of the samples. While clips are encoded there are ten threads more than between
    them, so the median of few samples is one or the other by chance; a leak shows in the quartile too.
    """

    what: str
    quarters: tuple[tuple[float, float], ...]

    @property
    def is_flat(self) -> bool:
        return self.quarters[-1][0] <= self.quarters[0][0] + MAY_GROW[self.what]


def make_videos(folder: Path, count: int, *, unusual: bool = False) -> list[Path]:
    """`count` videos that differ in content or at least in a few meaningless bytes.

    unusual: every fourth is one of `UNUSUAL`.
    """
    folder.mkdir(parents=True)
    bases = []
    for number, (extension, start_s) in enumerate(FILMS):
        base = folder.parent / f"film{number}.{extension}"
        command = [find_ffmpeg(), "-v", "error", "-y", "-ss", str(start_s), "-t", str(FILM_S), "-i", str(SAMPLE)]
        command += ["-vf", "scale=480:270", "-preset", "veryfast", "-fflags", "+bitexact", str(base)]
        subprocess.run(command, check=True)
        bases.append(base)
    odd = []
    for name, write in UNUSUAL.items() if unusual else ():
        odd.append(folder.parent / name)
        write(odd[-1])
    videos = []
    for number in range(count):
        base = bases[number % len(bases)]
        if odd and number % UNUSUAL_EVERY == UNUSUAL_EVERY - 1:
            base = odd[number // UNUSUAL_EVERY % len(odd)]
        videos.append(folder / f"v{number:04d}{base.suffix}")
        videos[-1].write_bytes(base.read_bytes() + _ignored(base.suffix, number))
    return videos


def _ignored(suffix: str, number: int) -> bytes:
    """Padding that is allowed at the end of such a file: a "free" box or a Void element."""
    content = number.to_bytes(8, "big")
    return b"\xec\x88" + content if suffix == ".mkv" else (16).to_bytes(4, "big") + b"free" + content


def run(inputs: Sequence[Path], output: Path, cache: Path) -> tuple[int, list[Sample]]:
    """Run the program on `inputs`; returns its exit code and its samples from the first result on."""
    command = [sys.executable, "main.py", *map(str, inputs), "-o", str(output), "--quiet", "--offline", "--no-cache"]
    command += ["--no-gallery"]  # what the gallery knew depends on the order of the videos
    command += [
        "--cache-dir",
        str(cache),
        "--embedder",
        "dlib",
        "--device",
        "cpu",
        "--size",
        "128",
        "--min-clip",
        "0.3",
    ]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)
    samples = []
    begun = False
    while process.poll() is None:
        begun = begun or any(output.glob("*/manifest.json"))
        if begun and (values := _look(process.pid)):
            samples.append(Sample(time.monotonic() - started, values))
        time.sleep(SAMPLE_S)
    return process.returncode, samples


def _look(pid: int) -> tuple[float, ...]:
    """Memory, open files, threads and child processes of `pid`; () if it has just ended."""
    own = Path(f"/proc/{pid}")
    try:
        memory_mb = int((own / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        threads = list((own / "task").iterdir())
        children = sum(len((thread / "children").read_text().split()) for thread in threads)
        return memory_mb, float(len(list((own / "fd").iterdir()))), float(len(threads)), float(children)
    except (OSError, IndexError):
        return ()


def growth(samples: Sequence[Sample]) -> list[Growth]:
    """Resources in each quarter of the run's time."""
    begin, quarter_s = samples[0].time_s, (samples[-1].time_s - samples[0].time_s) / 4
    parts = [
        [s.values for s in samples if begin + i * quarter_s <= s.time_s <= begin + (i + 1) * quarter_s]
        for i in range(4)
    ]
    return [
        Growth(
            what, tuple((column[len(column) // 4], column[-1]) for column in (sorted(v[i] for v in p) for p in parts))
        )
        for i, what in enumerate(MAY_GROW)
    ]


def table(rows: Sequence[Growth]) -> list[str]:
    """Lines of a Markdown table: low value and maximum per quarter."""
    lines = ["| calm, most | 1st quarter | 2nd | 3rd | 4th |", "|---|---|---|---|---|"]
    return lines + [f"| {r.what} | {' | '.join(f'{m:.0f}, {most:.0f}' for m, most in r.quarters)} |" for r in rows]


def differing(videos: Sequence[Path], output: Path, folder: Path, cache: Path) -> list[str]:
    """Files that differ when each of `videos` has a run of its own."""
    found = []
    for video in videos:
        alone = folder / f"alone-{video.stem}"
        code, _ = run([video], alone, cache)
        wanted = {name: data for name, data in results(output).items() if name.startswith(f"{video.stem}/")}
        got = results(alone)
        if code != 0 or not any(name.endswith("manifest.json") for name in wanted):
            found.append(f"{video.name}: exit code {code}, {len(wanted)} files in the long run")
        found += [name for name in sorted({*wanted, *got}) if wanted.get(name) != got.get(name)]
        shutil.rmtree(alone, ignore_errors=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--alone", type=int, default=12, help="how many are done again, each alone")
    parser.add_argument("--usual", action="store_true", help="no films of unusual build among them")
    parser.add_argument("--cache-dir", type=Path, help="converted networks are kept here (default: nowhere)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        cache = arguments.cache_dir or folder / "cache"
        videos = make_videos(folder / "in", arguments.videos, unusual=not arguments.usual)
        run(videos[:1], folder / "first", cache)  # converts the networks
        started = time.monotonic()
        code, samples = run(videos, folder / "out", cache)
        wall_s = time.monotonic() - started
        done = len(list((folder / "out").glob("*/manifest.json")))
        rows = growth(samples)
        step = max(1, len(videos) // max(1, arguments.alone))
        # Evenly spaced choices would always hit the same source.
        chosen = [videos[(i * step + i) % len(videos)] for i in range(min(arguments.alone, len(videos)))]
        different = differing(chosen, folder / "out", folder, cache)
    print(f"{done} of {len(videos)} videos done in {wall_s:.0f} s, exit code {code}; {len(samples)} samples\n")
    print("\n".join(table(rows)))
    print(f"\n{len(chosen)} done again alone, files that differ: {len(different)}")
    print(*different, sep="\n", file=sys.stderr)
    return int(code != 0 or done != len(videos) or bool(different) or not all(row.is_flat for row in rows))


if __name__ == "__main__":
    sys.exit(main())
