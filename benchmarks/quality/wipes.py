"""Wipes and pushes made with ffmpeg's xfade: how many are found, by kind and length.

    python -m benchmarks.quality.wipes [--set chosen|aside|clips] [--clips DIR] [--list]

The limits of `processors/shots/wipe_fit.py` and `processors/shots/slide_fit.py` were chosen on the set `chosen`;
`aside` has other scenes and other kinds of wipes, `clips` joins stretches of the development clips by all kinds.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from benchmarks.known_clips import CLIPS
from benchmarks.quality.shot_footage import HEIGHT, PIECES, WIDTH, Frames, camera, decode, piece, stills
from processors.shots.shot_detector import ShotDetector

RATE = 25
SHOT_FRAMES = 88
LENGTHS_S = (0.4, 0.8, 1.5)
KINDS = {
    "chosen": (
        "wipeleft", "wipeup", "diagtl", "circleopen", "radial", "horzopen", "smoothleft", "slideleft", "coverup",
    ),
    "aside": (
        "wiperight", "wipedown", "diagbr", "circleclose", "vertopen", "wipetr", "smoothdown", "slideup", "slideright",
        "revealleft",
    ),
}  # fmt: skip
STILLS = {"chosen": (0, 1, 2), "aside": (3, 4, 5)}
PIECE_PAIRS = ((0, 5), (3, 7), (6, 2), (8, 9), (4, 0), (10, 6))


@dataclass(frozen=True, slots=True)
class Wipe:
    """A transition of [start, end) frames, in a video of `SHOT_FRAMES` on both sides without what they share."""

    kind: str
    seconds: float
    scenes: str
    frames: Frames
    start: int
    end: int


def wipes(name: str, clips: Path, folder: Path) -> Iterator[Wipe]:
    """All cases of a set; `folder` keeps their files while they are made."""
    if name == "clips":
        shots = {number: list(piece(clips, *PIECES[number])) for number in set(itertools.chain(*PIECE_PAIRS))}
        pairs = [
            (f"{PIECES[a][0]} {PIECES[b][0]}", shots[a][-SHOT_FRAMES:], shots[b][:SHOT_FRAMES]) for a, b in PIECE_PAIRS
        ]
        kinds = [*KINDS["chosen"], *KINDS["aside"]]
    else:
        pairs, kinds = list(_made_pairs(STILLS[name])), list(KINDS[name])
    for number, (kind, seconds) in enumerate(itertools.product(kinds, LENGTHS_S)):
        chosen = pairs if name != "clips" else [pairs[(number + number // len(LENGTHS_S)) % len(pairs)]]
        for scenes, first, second in chosen:
            start = len(first) - round(seconds * RATE)
            yield Wipe(kind, seconds, scenes, _joined(first, second, kind, start, seconds, folder), start, len(first))


def _made_pairs(images: tuple[int, ...]) -> Iterator[tuple[str, Frames, Frames]]:
    """Two shots that are still, two that drift, and two in which somebody moves in front."""
    rng = np.random.default_rng(images)
    t = np.linspace(0, 1, SHOT_FRAMES)
    steady = np.full(SHOT_FRAMES, 0.5)
    for number, (motion, drift) in enumerate((("still", 0.0), ("drift", 0.06), ("person", 0.0))):
        shots = []
        for side in (0, 1):
            which = images[(number + side) % len(images)]
            zoom = np.full(SHOT_FRAMES, 1.3)
            shot = camera(stills()[which], 0.5 + drift * (t - 0.5), steady, zoom, 2.0, rng)
            if motion == "person":
                shot = _with_person(shot, stills()[images[(number + side + 1) % len(images)]], 1.0 + side)
            shots.append(shot)
        yield motion, shots[0], shots[1]


def _with_person(shot: Frames, image: np.ndarray, phase: float) -> Frames:
    """An upright ellipse of another image, a third of the width, that sways and nods."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    face = cv2.resize(image, (WIDTH, HEIGHT))
    result = []
    for i, frame in enumerate(shot):
        x = WIDTH * (0.5 + 0.05 * np.sin(phase + i / 9))
        y = HEIGHT * (0.6 + 0.02 * np.sin(phase + i / 5))
        mask = (((xs - x) / (WIDTH / 6)) ** 2 + ((ys - y) / (HEIGHT / 2.2)) ** 2 < 1)[..., None]
        moved = np.roll(face, (round(y - HEIGHT / 2), round(x - WIDTH / 2)), (0, 1))
        result.append(np.where(mask, moved, frame))
    return result


def _joined(first: Frames, second: Frames, kind: str, start: int, seconds: float, folder: Path) -> Frames:
    """What ffmpeg makes of two shots, encoded as H.264 and decoded again."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    inputs = []
    for number, shot in enumerate((first, second)):
        raw = folder / f"{number}.rgb"
        raw.write_bytes(np.stack(shot).tobytes())
        inputs += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", str(raw)]
    made = folder / "joined.mp4"
    effect = f"[0][1]xfade={kind}:duration={seconds}:offset={start / RATE},format=yuv420p"
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "1"]
    command = [ffmpeg, "-v", "error", "-y", *inputs, "-filter_complex", effect, *encode, str(made)]
    subprocess.run(command, check=True)
    return list(decode(made))


def boundaries(frames: Frames) -> list[tuple[int, str]]:
    """First frame and transition of each shot after the first."""
    detector = ShotDetector(RATE)
    for frame in frames:
        detector.update(frame)
    detector.finish()
    return [(shot.start, shot.transition) for shot in detector.shots(len(frames))[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="name", choices=("chosen", "aside", "clips"), default="aside")
    parser.add_argument("--clips", type=Path, default=CLIPS)
    parser.add_argument("--list", action="store_true", help="name every case that went wrong")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found: dict[tuple[str, float], list[bool]] = defaultdict(list)
    errors, false = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for wipe in wipes(options.name, options.clips, Path(folder)):
            all_found = boundaries(wipe.frames)
            inside = [frame for frame, _ in all_found if wipe.start - 2 <= frame <= wipe.end + 2]
            found[wipe.kind, wipe.seconds].append(len(inside) == 1)
            false += len(all_found) - min(len(inside), 1)
            if len(inside) == 1:
                errors.append(abs(inside[0] - (wipe.start + wipe.end) / 2))
            if options.list and (len(all_found) != 1 or not inside):
                print(f"{wipe.kind} {wipe.seconds} s, {wipe.scenes}: {all_found}", file=sys.stderr)
    print("| kind | " + " | ".join(f"{seconds} s" for seconds in LENGTHS_S) + " |\n|" + "---|" * (1 + len(LENGTHS_S)))
    for kind in dict.fromkeys(kind for kind, _ in found):
        print(f"| {kind} | " + " | ".join(_share(found[kind, seconds]) for seconds in LENGTHS_S) + " |")
    totals = [
        _share([one for key, each in found.items() if key[1] == seconds for one in each]) for seconds in LENGTHS_S
    ]
    print("| all | " + " | ".join(totals) + " |")
    mean, most = np.mean(errors or [0]), max(errors, default=0)
    print(f"\nfalse boundaries {false}; frames from the middle: mean {mean:.1f}, most {most:.1f}")


def _share(found: list[bool]) -> str:
    return f"{sum(found)}/{len(found)}"


if __name__ == "__main__":
    main()
