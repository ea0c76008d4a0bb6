"""A sheet for judging the camera by eye: frames with crop windows drawn in, next to what the clips show.

    python -m benchmarks.quality.framing_sheet VIDEO -o SHEET.jpg [--rows N] [--cache-dir DIR]

.github/example.jpg, at the top of the README, is made by

    python -m benchmarks.quality.framing_sheet videos/input/sample.mp4 -o .github/example.jpg --rows 3
"""

from __future__ import annotations

import argparse
import itertools
import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.camera_paths import camera_paths
from config import ClipSettings, RunSettings, Settings
from core.media.video_frame import VideoFrame
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.types import CropPath, FaceAnalysis
from processors.face_analyzer import FaceAnalyzer
from utils.console.stage_monitor import StageMonitor
from utils.images.plane_crops import crop_plane

ROW_HEIGHT_PX = 240
GAP_PX = 6
COLOURS = ((255, 176, 0), (0, 190, 255), (255, 80, 160), (90, 230, 90), (190, 130, 255), (255, 255, 110))
"""RGB, one per person"""

Image = NDArray[np.uint8]


def planned(video: Path, settings: Settings) -> tuple[FaceAnalysis, list[CropPath]]:
    """What the program would render."""
    models = ModelManager.instance(settings)
    analysis = FaceAnalyzer(settings, models, StageMonitor(threading.Event())).analyze(probe_video(video))
    return analysis, camera_paths(analysis, settings)


def chosen_frames(paths: list[CropPath], count: int) -> list[int]:
    """Frames that show a person, evenly spread over all clips."""
    shown = np.unique(np.concatenate([path.source_frames for path in paths]))
    return [int(shown[i]) for i in np.linspace(0, len(shown) - 1, count + 2).round().astype(int)[1:-1]]


def row(frame: VideoFrame, number: int, paths: list[CropPath]) -> Image:
    """A frame with windows, and the crops of everybody in it."""
    rgb = frame.rgb(frame.width, frame.height)
    scale = ROW_HEIGHT_PX / frame.height
    size = (round(frame.width * scale), ROW_HEIGHT_PX)
    whole = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    images = [whole]
    people = sorted({path.segment.person for path in paths})
    for path in paths:
        if not path.segment.start <= number < path.segment.end:
            continue
        colour = COLOURS[people.index(path.segment.person) % len(COLOURS)]
        window = path.windows[np.searchsorted(path.source_frames, number).clip(0, len(path.windows) - 1)]
        x1, y1, x2, y2 = (round(float(v)) for v in window * scale)
        cv2.rectangle(whole, (x1, y1), (x2 - 1, y2 - 1), colour, 2)
        width = round(ROW_HEIGHT_PX * path.width / path.height)
        crop = np.stack([crop_plane(rgb[..., c], window, width, ROW_HEIGHT_PX) for c in range(3)], -1)
        cv2.rectangle(crop, (0, 0), (width - 1, ROW_HEIGHT_PX - 1), colour, 2)
        images.append(crop)
    gap = np.full((ROW_HEIGHT_PX, GAP_PX, 3), 255, np.uint8)
    parts = list(itertools.chain.from_iterable((image, gap) for image in images))[:-1]
    return np.hstack(parts)


def sheet(video: Path, settings: Settings, count: int, at: list[int]) -> Image:
    """(H, W, 3) uint8 RGB."""
    analysis, paths = planned(video, settings)
    numbers = at or chosen_frames(paths, count)
    rows = []
    with VideoReader(analysis.video) as reader:
        rows = [row(frame, frame.index, paths) for frame in reader.frames() if frame.index in numbers]
    width = max(r.shape[1] for r in rows)
    padded = [
        cv2.copyMakeBorder(r, 0, GAP_PX, 0, width - r.shape[1], cv2.BORDER_CONSTANT, value=[255] * 3) for r in rows
    ]
    return np.vstack(padded)[:-GAP_PX]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=6)
    parser.add_argument("--at", type=int, nargs="+", default=[], help="these frames")
    parser.add_argument("--cache-dir", default="")
    parser.add_argument("--camera", default="steady")
    parser.add_argument("--framing", default="head")
    parser.add_argument("--aspect", default="1:1")
    args = parser.parse_args()
    clip = ClipSettings(camera=args.camera, framing=args.framing, aspect=args.aspect)
    settings = Settings(clip=clip, run=RunSettings(offline=True, cache_dir=args.cache_dir))
    image = sheet(args.video, settings, args.rows, args.at)
    cv2.imwrite(str(args.output), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
