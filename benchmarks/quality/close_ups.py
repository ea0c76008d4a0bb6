"""Faces larger than the frame: clips enlarged until one face fills the frame, analysed and judged.

    python -m benchmarks.quality.close_ups [NAME ...] [--folder DIR] [--keep DIR] [--json FILE]

Of each clip the longest track is the subject, and ffmpeg enlarges a window around it in which the face has a share of
the height. The truth are the boxes of the clip as it is, enlarged; they reach beyond the frame, and so may those that
are found. Nothing is labelled by hand, so any clip with a face that is easily followed will do.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from benchmarks.known_clips import CLIPS, KNOWN
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.settings_file import load_settings
from core.types import FaceAnalysis, Tracklet
from processors.face_analyzer import FaceAnalyzer
from tests.material.scoring import box_overlap
from utils.files import write_json

Box = NDArray[np.float64]

FACE_SHARES = (0.8, 1.1, 1.4)
"""height of the subject's face as a share of the frame's"""

HEIGHT_PX, ASPECT = 360, 16 / 9
"""of the enlarged films"""

MAX_FRAMES = 100
"""of the subject's track that are enlarged, from its middle"""

VISIBLE_SHARE = 0.4
"""a face is demanded if at least this share of its box is inside the frame"""

SAME_IOU = 0.5
RUNAWAY = 1.6
"""a found box that covers half of the true one and is this many times as high has run away"""


@dataclass(frozen=True, slots=True)
class CloseUp:
    """What to enlarge. start, end: frames [start, end) of the clip. window: x, y, width, height in its px, even.

    boxes: by frame of the film, (4,) xyxy in its px, true ones, also beyond the frame.
    """

    start: int
    end: int
    window: tuple[int, int, int, int]
    size: tuple[int, int]
    boxes: dict[int, Box]


@dataclass(frozen=True, slots=True)
class Followed:
    """Frames in which the face is demanded, in which a box fits, and in which one has run away."""

    frames: int
    found: int
    runaway: int

    def __add__(self, other: Followed) -> Followed:
        return Followed(self.frames + other.frames, self.found + other.found, self.runaway + other.runaway)

    def text(self) -> str:
        frames = max(self.frames, 1)
        return f"{self.frames} | {self.found / frames:.3f} | {self.runaway / frames:.3f}"


def close_up(subject: Tracklet, frame_width: int, frame_height: int, share: float) -> CloseUp:
    """The window around the middle of a track in which its face has `share` of the height."""
    spare = max((len(subject.frames) - MAX_FRAMES) // 2, 0)
    rows = slice(spare, spare + MAX_FRAMES)
    frames, boxes = subject.frames[rows], subject.boxes[rows].astype(np.float64)
    middle = np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0)
    height = min(float(np.median(boxes[:, 3] - boxes[:, 1])) / share, frame_height, frame_width / ASPECT)
    wide, high = (2 * max(int(side / 2), 8) for side in (height * ASPECT, height))
    room = np.array([frame_width - wide, frame_height - high])
    x, y = (2 * int(v / 2) for v in np.clip(middle - np.array([wide, high]) / 2, 0, np.maximum(room, 0)))
    size = (2 * int(HEIGHT_PX * ASPECT / 2), HEIGHT_PX)
    scale = np.tile([size[0] / wide, size[1] / high], 2)
    moved = {int(f - frames[0]): (box - np.array([x, y, x, y])) * scale for f, box in zip(frames, boxes, strict=True)}
    return CloseUp(int(frames[0]), int(frames[-1]) + 1, (x, y, wide, high), size, moved)


def make(path: Path, plan: CloseUp, target: Path) -> None:
    """Write the enlarged film to `target`, without audio."""
    x, y, wide, high = plan.window
    filters = (
        f"trim=start_frame={plan.start}:end_frame={plan.end},setpts=PTS-STARTPTS,"
        f"crop={wide}:{high}:{x}:{y},scale={plan.size[0]}:{plan.size[1]}:flags=bicubic,setsar=1"
    )
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", f"file:{path}", "-an", "-vf", filters]
    command += ["-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "veryfast", "-crf", "12"]
    subprocess.run([*command, f"file:{target}"], check=True)


def judge(plan: CloseUp, found: Iterable[Tracklet]) -> Followed:
    """How well the boxes that were found follow the true ones."""
    by_frame: dict[int, list[Box]] = {}
    for tracklet in found:
        for frame, box in zip(tracklet.frames.tolist(), tracklet.boxes.astype(np.float64), strict=True):
            by_frame.setdefault(frame, []).append(box)
    frames = right = runaway = 0
    for frame, true in plan.boxes.items():
        if _visible_share(true, plan.size) < VISIBLE_SHARE:
            continue
        boxes = by_frame.get(frame, [])
        frames += 1
        right += bool(boxes) and float(box_overlap([true], boxes).max()) >= SAME_IOU
        runaway += any(_has_run_away(box, true) for box in boxes)
    return Followed(frames, right, runaway)


def _has_run_away(box: Box, true: Box) -> bool:
    sides = np.clip(np.minimum(box[2:], true[2:]) - np.maximum(box[:2], true[:2]), 0, None)
    covers = sides.prod() >= 0.5 * (true[2:] - true[:2]).prod()
    return bool(covers and box[3] - box[1] >= RUNAWAY * (true[3] - true[1]))


def _visible_share(box: Box, size: tuple[int, int]) -> float:
    inside = np.clip(np.minimum(box[2:], size) - np.maximum(box[:2], 0), 0, None)
    return float(inside.prod() / max((box[2:] - box[:2]).prod(), 1e-9))


def subject_of(analysis: FaceAnalysis) -> Tracklet | None:
    """The longest track; of equally long ones, the first."""
    return max(analysis.tracklets, key=lambda t: len(t.frames), default=None)


def measure(path: Path, folder: Path, shares: Sequence[float] = FACE_SHARES) -> Iterator[tuple[float, Followed]]:
    """For each share of the height, how well the enlarged face is followed."""
    settings = load_settings(None, {"run": {"offline": True}})
    models = ModelManager.instance(settings)
    info = probe_video(path)
    subject = subject_of(FaceAnalyzer(settings, models).analyze(info))
    if subject is None:
        return
    for share in shares:
        plan = close_up(subject, info.width, info.height, share)
        target = folder / f"{path.stem} {share:.2f}.mp4"
        make(path, plan, target)
        found = FaceAnalyzer(settings, models).analyze(probe_video(target))
        yield share, judge(plan, found.tracklets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only clips whose names contain one of these")
    parser.add_argument("--folder", type=Path, default=CLIPS, help="where the clips are")
    parser.add_argument("--keep", type=Path, help="make the films in this folder, and keep them")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    rows, total = [], Followed(0, 0, 0)
    print("| clip | face height | frames | IoU >= 0.5 | runaway |\n" + "|---" * 5 + "|")
    with tempfile.TemporaryDirectory(prefix="close-ups-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in KNOWN:
            if args.names and not any(part in name for part in args.names):
                continue
            for share, followed in measure(args.folder / name, folder):
                total += followed
                print(f"| {name} | {share:.2f} | {followed.text()} |", flush=True)
                rows.append({"clip": name, "share": share, **asdict(followed)})
    print(f"| all | | {total.text()} |")
    if args.json:
        write_json(args.json, rows)


if __name__ == "__main__":
    main()
