"""The virtual camera measured, beside the method of TalkNet and SyncNet: boxes through a median of 13 frames.

    python -m benchmarks.quality.camera [VIDEO ...] [--cache-dir DIR]

Made-up faces first (a still head and a walker with the noise of a real detector's boxes, a face that comes closer,
one that sits down), then the tracks that the program finds in the given videos. Both methods frame alike; only the
way the window moves differs. The table goes to stdout, ready for docs/measurements.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import medfilt

from config import ClipSettings, RunSettings, Settings
from core.types import ColorInfo, FaceAnalysis, Segment, Shot, Tracklet, VideoInfo
from processors.camera.framing import EYES_TO_CROWN, Framing
from processors.crop_planner import CropPlanner
from utils.images.box_geometry import centered_windows

MODES: tuple[Literal["steady", "follow", "locked"], ...] = ("steady", "follow", "locked")
MEDIAN = "median 13"
RATE = Fraction(25)
TICKS = 512
AT_REST_PX = 0.02
"""per frame; what moves less does not move"""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measures:
    """face: share of frames with the whole face in the window. hair: the same for the top of the head.

    eyes: mean distance of the eyes from their ideal line, % of the window's height. velocity, acceleration: RMS of
    the window's centre, px per frame and px per frame squared. zoom: RMS change of its height, % per frame.
    reversals: changes of direction per second, both axes. rest: share of frames without motion.
    """

    face: float
    hair: float
    eyes: float
    velocity: float
    acceleration: float
    zoom: float
    reversals: float
    rest: float


def measure(windows: Values, boxes: Values, eyes: Values, eye_line: float, rate_hz: float) -> Measures:
    """windows, boxes: (T, 4) xyxy, px; eyes: (T,) y, px, of the same frames."""
    heights = windows[:, 3] - windows[:, 1]
    centers = (windows[:, :2] + windows[:, 2:]) / 2
    steps, jolts = np.diff(centers, axis=0), np.diff(centers, 2, axis=0)
    moving = (np.abs(steps) > AT_REST_PX).any(1) | (np.abs(np.diff(heights)) > AT_REST_PX)
    inside = ((boxes[:, :2] >= windows[:, :2] - 0.01) & (boxes[:, 2:] <= windows[:, 2:] + 0.01)).all(1)
    crown = np.maximum(eyes - EYES_TO_CROWN * (boxes[:, 3] - boxes[:, 1]), 0)
    reversals = sum(int((np.diff(np.sign(axis[np.abs(axis) > AT_REST_PX])) != 0).sum()) for axis in steps.T)
    return Measures(
        face=float(inside.mean()),
        hair=float((crown >= windows[:, 1] - 0.01).mean()),
        eyes=float(100 * np.abs((eyes - windows[:, 1]) / heights - eye_line).mean()),
        velocity=_rms(steps),
        acceleration=_rms(jolts),
        zoom=float(100 * np.sqrt((np.diff(np.log(heights)) ** 2).mean())),
        reversals=reversals * rate_hz / len(windows),
        rest=float(1 - moving.mean()),
    )


def _rms(vectors: Values) -> float:
    return float(np.sqrt((vectors**2).sum(1).mean()))


def median_windows(boxes: Values, eyes: Values, framing: Framing) -> Values:
    """TalkNet's and SyncNet's way: place and size of every frame's box, each through a median of 13."""
    x = medfilt((boxes[:, 0] + boxes[:, 2]) / 2, 13)
    y = medfilt(eyes, 13)
    size = medfilt(boxes[:, 3] - boxes[:, 1], 13)
    # Its zeros beyond the ends would pull the window to the corner; TalkNet's do.
    x[:6], x[-6:], y[:6], y[-6:] = x[6], x[-7], y[6], y[-7]
    size[:6], size[-6:] = size[6], size[-7]
    heights = np.clip(size / framing.face_share, framing.min_height, framing.max_height)
    centers = np.stack([x, y + (0.5 - framing.eye_line) * heights], 1)
    return centered_windows(centers, heights, framing.aspect, *framing.frame_size)


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """Segments to crop, and the true faces in them where they are known.

    true_boxes: (N, 4) xyxy, px, without the detector's noise; None where the tracks are all there is.
    """

    name: str
    analysis: FaceAnalysis
    segments: tuple[Segment, ...]
    true_boxes: Values | None = None


def made_up() -> Iterator[Take]:
    """Faces whose motion is known, seen through a detector's noise."""
    t = np.arange(500) / float(RATE)
    still = np.zeros_like(t)
    yield _take("still head", still + 900, still + 500, still + 220)
    walk = 300 + np.clip((t - 4) * 80, 0, 1200)
    yield _take("walking person", walk, 500 + 8 * np.sin(2 * np.pi * 1.8 * t), still + 150)
    growing = 100 * np.exp(t / t[-1] * np.log(3))
    yield _take("face comes closer", still + 900, still + 560, growing)
    down = 1 / (1 + np.exp(-(t - 10) * 6))
    yield _take("sits down", 800 + 60 * down, 350 + 350 * down, still + 140)


def _take(name: str, x: Values, y: Values, height: Values) -> Take:
    rng = np.random.default_rng(7)
    count = len(x)
    boxes = np.stack([x - 0.4 * height, y - 0.5 * height, x + 0.4 * height, y + 0.5 * height], 1)
    # Measured on still people: white noise, and a slower wander that no median takes out.
    white = rng.normal(0, 0.012, (count, 4))
    wander = np.stack([np.convolve(rng.normal(0, 0.012, count + 24), np.ones(25) / 5, "valid") for _ in range(4)], 1)
    noisy = boxes + (white + 0.5 * wander) * height[:, None]
    marks = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
    landmarks = noisy[:, None, :2] + marks * (noisy[:, 2:] - noisy[:, :2])[:, None]
    ones = np.ones(count, np.float32)
    tracklet = Tracklet(
        0, 0, np.arange(count), noisy.astype(np.float32), ones, landmarks.astype(np.float32), ones,
        np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, 1), np.float32),
    )  # fmt: skip
    video = VideoInfo(
        Path("made-up.mp4"), "mov", 0, "h264", "yuv420p", 1920, 1080, 1920, 1080, 0, Fraction(1),
        1 / (RATE * TICKS), RATE, 0, 0.0, count, False, ColorInfo(), (), 0,
    )  # fmt: skip
    analysis = FaceAnalysis(
        video, np.arange(count, dtype=np.int64) * TICKS, (Shot(0, 0, count, "start"),), (tracklet,), "none", 0
    )
    return Take(name, analysis, (Segment("person_01", 0, 0, count, (0,)),), boxes)


def filmed(video: Path, cache_dir: str) -> Take:
    """The segments that the program finds in a video."""
    from core.media.video_probe import probe_video
    from core.model_manager import ModelManager
    from processors.face_analyzer import FaceAnalyzer
    from processors.id_timeline_generator import IdTimelineGenerator
    from utils.console.stage_monitor import StageMonitor

    settings = Settings(run=RunSettings(offline=True, cache_dir=cache_dir))
    models = ModelManager.instance(settings)
    analysis = FaceAnalyzer(settings, models, StageMonitor(threading.Event())).analyze(probe_video(video))
    timeline = IdTimelineGenerator(settings.identity, settings.clip).generate(analysis)
    return Take(video.stem, analysis, timeline.segments)


def results(take: Take) -> dict[str, Measures]:
    """Every way of filming the take; means over its segments, weighted by their length."""
    found: dict[str, list[tuple[int, Measures]]] = {name: [] for name in (*MODES, MEDIAN)}
    video = take.analysis.video
    rate_hz = float(video.frame_rate)
    framing = Framing(ClipSettings(), video.width, video.height)
    for segment in take.segments:
        if segment.end - segment.start < 26:
            continue
        frames, boxes, eyes = _seen(take, segment)
        for mode in MODES:
            path = CropPlanner(ClipSettings(camera=mode)).plan(segment, take.analysis)
            rows = np.searchsorted(path.source_frames, frames).clip(0, len(path.source_frames) - 1)
            truth, level = (boxes, eyes) if take.true_boxes is None else _truth(take, frames)
            found[mode].append((len(rows), measure(path.windows[rows], truth, level, framing.eye_line, rate_hz)))
        windows = median_windows(boxes, eyes, framing)
        found[MEDIAN].append((len(frames), measure(windows, truth, level, framing.eye_line, rate_hz)))
    return {name: _mean(measures) for name, measures in found.items() if measures}


def _seen(take: Take, segment: Segment) -> tuple[NDArray[np.int64], Values, Values]:
    """Frames of the segment in which the face was seen, its boxes and the height of its eyes, as detected."""
    tracklets = [t for t in take.analysis.tracklets if t.id in segment.tracklets]
    frames = np.concatenate([t.frames[t.scores > 0] for t in tracklets])
    boxes = np.concatenate([t.boxes[t.scores > 0] for t in tracklets]).astype(np.float64)
    eyes = np.concatenate([t.landmarks[t.scores > 0, :2, 1].mean(1) for t in tracklets]).astype(np.float64)
    frames, first = np.unique(frames, return_index=True)
    # No window can show what is outside the frame.
    limits = np.tile([take.analysis.video.width, take.analysis.video.height], 2)
    return frames, np.clip(boxes[first], 0, limits), eyes[first]


def _truth(take: Take, frames: NDArray[np.int64]) -> tuple[Values, Values]:
    assert take.true_boxes is not None
    boxes = take.true_boxes[frames]
    return boxes, boxes[:, 1] + 0.4 * (boxes[:, 3] - boxes[:, 1])


def _mean(measures: list[tuple[int, Measures]]) -> Measures:
    weights = [length for length, _ in measures]
    means: dict[str, Any] = {
        f.name: float(np.average([getattr(m, f.name) for _, m in measures], weights=weights)) for f in fields(Measures)
    }
    return Measures(**means)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--cache-dir", default="", help="as of the program")
    args = parser.parse_args()
    head = "face in, % | hair in, % | eyes off, % | velocity | acceleration | zoom, % | reversals/s | at rest, %"
    print(f"| track | camera | {head} |")
    print("|---" * 10 + "|", flush=True)
    takes = [*made_up(), *(filmed(video, args.cache_dir) for video in args.videos)]
    for take in takes:
        for name, m in results(take).items():
            print(
                f"| {take.name} | {name} | {100 * m.face:.1f} | {100 * m.hair:.1f} | {m.eyes:.1f} | {m.velocity:.2f} "
                f"| {m.acceleration:.3f} | {m.zoom:.3f} | {m.reversals:.2f} | {100 * m.rest:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
