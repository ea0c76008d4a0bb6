"""The whole program measured: wall time, peak memory and quality on the sample and on the development clips.

    python -m benchmarks.clips [NAME ...] [--keep DIR]

Beside each clip stands the time that ffmpeg alone needs to decode it twice and to encode the same clips. "again" is
a second run into another folder, whose analysis comes from the cache, beside ffmpeg's one decode and the same encoding.
The table goes to stdout, ready for refactor.md. The development clips are used where they lie beside the project.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from benchmarks.scoring import Score, read_tracks, score
from benchmarks.synthetic.truth import film_truth
from core.weights import default_cache_dir
from videos.make_sample import SAMPLE, SAMPLE_FILE

PROJECT = Path(__file__).resolve().parent.parent
CLIPS = PROJECT.parent / "shared" / "clips"
MIN_FACE_SHARE = 0.05
KIB_PER_MAXRSS = 1 if sys.platform != "darwin" else 1 / 1024
"""unit of ru_maxrss: KiB, but bytes on macOS"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took; the peak is that of its largest process."""

    exit_code: int
    wall_s: float
    peak_mib: float


def measure(command: list[str], log: Path) -> Usage:
    """Run `command` to its end; what it says goes to `log`."""
    with log.open("ab") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(process.returncode, wall, usage.ru_maxrss * KIB_PER_MAXRSS / 1024)


def ffmpeg_alone(video: Path, clips: list[dict[str, Any]], folder: Path) -> tuple[float, float]:
    """Seconds for one decode of everything, and for one more with the clips cut out, cropped to squares and encoded."""
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-i", f"file:{video}"]
    decode = measure([*ffmpeg, "-map", "0:v:0", "-f", "null", "-"], folder / "ffmpeg.log").wall_s
    outputs: list[str] = []
    for number, clip in enumerate(clips):
        interval = f"start={clip['start_s']}:end={clip['end_s']}"
        square = f"crop='min(iw,ih)':'min(iw,ih)',scale={clip['width']}:{clip['height']}"
        outputs += ["-map", "0:v:0", "-vf", f"trim={interval},setpts=PTS-STARTPTS,{square}"]
        outputs += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"]
        if clip["has_sound"]:
            outputs += ["-map", "0:a:0", "-af", f"atrim={interval},asetpts=PTS-STARTPTS", "-c:a", "aac", "-b:a", "160k"]
        outputs.append(str(folder / f"ffmpeg_{number}.mp4"))
    # Without clips there is still the second decode.
    return decode, measure([*ffmpeg, *(outputs or ["-map", "0:v:0", "-f", "null", "-"])], folder / "ffmpeg.log").wall_s


def quality(video: Path, output: Path, manifest: dict[str, Any]) -> Score | None:
    """The run's score, None where there is no truth."""
    truth = video.with_name(f"{video.stem}.truth.csv")
    if video == SAMPLE_FILE:
        truth = output / "sample.truth.csv"
        film_truth(SAMPLE).write_csv(truth)
    if not truth.is_file():
        return None
    height = MIN_FACE_SHARE * manifest["video"]["height"]
    return score(read_tracks(truth), read_tracks(output / video.stem / "tracks.csv"), min_height=height)


def share_models(cache: Path) -> None:
    """Make `cache` a cache folder without analyses, with the models that the user's has."""
    cache.mkdir(exist_ok=True)
    shutil.rmtree(cache / "analyses", ignore_errors=True)
    for name in ("openvino", "weights"):
        theirs = default_cache_dir() / name
        theirs.mkdir(parents=True, exist_ok=True)
        (cache / name).unlink(missing_ok=True)
        (cache / name).symlink_to(theirs)


def row(video: Path, folder: Path) -> str:
    """One line of the table."""
    output = folder / f"{video.stem}-output"
    log, cache = folder / f"{video.stem}.log", folder / f"{video.stem}-cache"
    share_models(cache)
    command = [sys.executable, "main.py", str(video), "--offline", "--cache-dir", str(cache), "-o"]
    usage = measure([*command, str(output)], log)
    again = measure([*command, str(folder / f"{video.stem}-again")], log)
    if usage.exit_code or again.exit_code:
        return f"| {video.name} | exit {usage.exit_code}, {again.exit_code}, see {log.name} |"
    manifest = json.loads((output / video.stem / "manifest.json").read_text(encoding="utf-8"))
    clips, length = manifest["clips"], manifest["video"]["duration_s"]
    decode_s, clips_s = ffmpeg_alone(video, clips, folder)
    alone = decode_s + clips_s
    result = quality(video, output, manifest)
    scores = f"{result.recall:.3f} | {result.precision:.3f} | {result.idf1:.3f}" if result else "- | - | -"
    people = f"{len(manifest['people'])}/{result.true_people}" if result else str(len(manifest["people"]))
    return (
        f"| {video.name} | {length:.1f} | {usage.wall_s:.1f} | {alone:.1f} | {usage.wall_s / alone:.1f} "
        f"| {again.wall_s:.1f} | {again.wall_s / clips_s:.1f} "
        f"| {usage.peak_mib:.0f} | {len(clips)} | {people} | {scores} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only clips whose names contain one of these")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave everything there")
    args = parser.parse_args()
    found = (p for p in CLIPS.rglob("*") if p.suffix in (".mp4", ".mkv", ".mov") and p.parent.name != "broken")
    videos = [
        video for video in [SAMPLE_FILE, *sorted(found)] if not args.names or any(n in video.name for n in args.names)
    ]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(
            "| clip | s | run, s | ffmpeg alone, s | x | again, s | x | peak, MiB | clips | people "
            "| recall | precision | IDF1 |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
        for video in videos:
            print(row(video, folder), flush=True)


if __name__ == "__main__":
    main()
