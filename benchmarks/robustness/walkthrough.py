"""All commands of the program in turn, as a new user would try them, with their times.

    python -m benchmarks.robustness.walkthrough [VIDEO ...] [--cache-dir DIR]

Default: the sample. Each command is a process of its own, timed as a user waits for it. The networks are converted
beforehand unless they are cached. The exit code is 1 if a command ended with an unexpected exit code.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "videos" / "input" / "sample.mp4"

PHOTOS = ".github"
"""folder with an image in which there are faces"""

EDITING = ("people", "index", "merge", "split", "assign", "drop", "undo", "name", "link", "unlink")
WITHOUT_OUTPUT, WITHOUT_CACHE = ("--help", "compare", "config"), ("--help", "config", *EDITING)
WITHOUT_MODELS = ("--help", "cache", "clean", "config", "forget", "rename", *EDITING)

Step = tuple[str, Sequence[str], int]
"""title, arguments of main.py, expected exit code"""


def steps(inputs: Sequence[str], edited: str) -> Iterator[Step]:
    """edited: name of the video whose people are edited; it needs two people, and two tracklets for person_01."""
    yield "--help", ["--help"], 0
    yield from _dry_runs(inputs)
    yield from _runs(inputs)
    yield from _extras(inputs)
    yield from _gallery_steps(edited)
    yield from _edits(edited)
    yield "run after editing", inputs, 0
    yield "index", ["index"], 0
    yield "forget", ["forget", "P0001"], 0
    yield "--keep-analyses 30d", [*inputs, "--keep-analyses", "30d"], 0
    yield "cache info", ["cache", "info"], 0
    yield "clean --older-than 30d --dry-run", ["clean", "--older-than", "30d", "--dry-run"], 0
    yield "clean --older-than 0h", ["clean", "--older-than", "0h"], 0
    yield "cache clear", ["cache", "clear"], 0
    yield "config", ["config"], 0


def _dry_runs(inputs: Sequence[str]) -> Iterator[Step]:
    yield "--dry-run", [*inputs, "--dry-run"], 0
    yield "--dry-run of a part", [*inputs, "--dry-run", "--start", "0:01", "--duration", "5", "--min-time", "2"], 0
    yield "--dry-run of folders inside folders", [*inputs, "--dry-run", "--recursive"], 0


def _runs(inputs: Sequence[str]) -> Iterator[Step]:
    yield "run", inputs, 0
    yield "run again", inputs, 0
    other = ["--size", "256", "--framing", "bust"]
    yield "other clips: --size 256 --framing bust", [*inputs, *other], 1
    yield "beside the first ones: --variant small", [*inputs, *other, "--variant", "small"], 0
    yield "other clips: --for edit", [*inputs, "--for", "edit"], 1
    yield "beside the first ones: --for reels --variant reels", [*inputs, "--for", "reels", "--variant", "reels"], 0
    yield "instead of the first ones: --overwrite", [*inputs, *other, "--overwrite"], 0
    yield "run again: the same clips", inputs, 0
    yield "--progress json", [*inputs, "--progress", "json"], 0


def _extras(inputs: Sequence[str]) -> Iterator[Step]:
    yield "--preview", [*inputs, "--preview"], 0
    yield "--reel", [*inputs, "--reel"], 0
    for name in ("mot", "coco", "vtt", "otio", "edl", "fcpxml"):
        yield f"--export {name}", [*inputs, "--export", name], 0


def _gallery_steps(edited: str) -> Iterator[Step]:
    yield "people", ["people", edited], 0
    yield "people --tracklets", ["people", edited, "--tracklets"], 0
    yield "people of all videos", ["people"], 0
    yield "unlink: two people are not one", ["unlink", "P0001", "P0002"], 0
    yield "link: they are after all", ["link", "P0002", "P0001"], 0
    yield "name", ["name", "P0001", "Clara"], 0
    yield "photos", ["photos", PHOTOS], 0
    yield "compare", ["compare", f"{PHOTOS}/example.jpg", f"{PHOTOS}/example.jpg"], 0


def _edits(edited: str) -> Iterator[Step]:
    yield "rename", ["rename", edited, "person_01", "Anna"], 0
    yield "a name that nobody has", ["rename", edited, "person_01", "Bob"], 2
    yield "merge", ["merge", edited, "Anna", "person_02", "--force"], 0
    yield "split", ["split", edited, "Anna", "--tracklets", "0", "--name", "Bob"], 0
    yield "split --at", ["split", edited, "Anna", "--at", "0:08", "--name", "Dora"], 0
    yield "undo", ["undo", edited], 0
    yield "assign", ["assign", edited, "Eve", "--tracklets", "0"], 0
    yield "undo again", ["undo", edited], 0
    yield "drop", ["drop", edited, "Anna"], 0
    yield "render", ["render", edited], 0


def launch(arguments: Sequence[str], output: Path, cache: Path) -> tuple[int, float, str]:
    """Exit code, seconds and output."""
    command, *rest = arguments
    own = [] if command in WITHOUT_OUTPUT else ["-o", str(output)]
    own += [] if command in WITHOUT_CACHE else ["--cache-dir", str(cache)]
    own += [] if command in WITHOUT_MODELS else ["--offline"]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "main.py", command, *rest, *own], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return done.returncode, time.monotonic() - started, done.stdout + done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument(
        "--cache-dir", type=Path, help="the networks converted there are used (default: converted anew)"
    )
    arguments = parser.parse_args()
    inputs = [str(video.resolve()) for video in arguments.videos]
    failed = False
    with tempfile.TemporaryDirectory(prefix="walkthrough-") as name:
        cache = Path(name) / "cache"
        if arguments.cache_dir is not None:
            shutil.copytree(arguments.cache_dir, cache, ignore=shutil.ignore_patterns("analyses"))
        launch([inputs[0]], Path(name) / "warm", cache)
        launch(["cache", "clear"], Path(name) / "warm", cache)
        print("| step | wall time, s |\n|---|---|")
        for title, command, expected in steps(inputs, Path(inputs[0]).stem):
            code, seconds, said = launch(command, Path(name) / "out", cache)
            print(f"| {title} | {seconds:.1f} |", flush=True)
            if code != expected:
                failed = True
                print(f"{title}: exit code {code}\n{said}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
