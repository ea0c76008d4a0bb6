"""Valid values of `core.types` for tests: a test names only the fields that it is about."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from core.types import ColorInfo, FaceAnalysis, FloatArray, Shot, Tracklet, VideoInfo

FACE_POINTS = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)
"""(5, 2) float32: landmarks of an upright face as shares of its box, xy"""


def video_info(path: Path | str = "a.mp4", *, width: int = 64, height: int = 48, **changes: Any) -> VideoInfo:
    """H.264 in an mp4 file, 25 Hz, without audio; coded as displayed unless `changes` says otherwise."""
    info = VideoInfo(
        path=Path(path),
        container="mov",
        stream_index=0,
        codec="h264",
        pixel_format="yuv420p",
        coded_width=width,
        coded_height=height,
        width=width,
        height=height,
        rotation=0,
        sample_aspect_ratio=Fraction(1),
        time_base=Fraction(1, 25),
        frame_rate=Fraction(25),
        start_pts=0,
        duration_s=0.0,
        frame_count=0,
        interlaced=False,
        color=ColorInfo(),
        audio=(),
        size_bytes=10,
    )
    return dataclasses.replace(info, **changes)


def tracklet(
    number: int = 0,
    frames: Iterable[int] = range(10),
    boxes: ArrayLike = (0, 0, 40, 40),
    *,
    shot: int = 0,
    scores: ArrayLike = 1.0,
    landmarks: ArrayLike | None = None,
    sharpness: ArrayLike = 1.0,
    embeddings: ArrayLike | None = None,
    sample_frames: Sequence[int] | None = None,
    sample_quality: ArrayLike = 1.0,
    face_jpeg: bytes = b"",
) -> Tracklet:
    """One face; every column may be one value for all of its rows.

    boxes: (4,) or (T, 4). landmarks: None for `FACE_POINTS` in each box. embeddings: (K, D), None for no samples.
    sample_frames: None for the first K frames.
    """
    rows = np.fromiter(frames, np.int64)
    all_boxes = _column(boxes, len(rows), 4)
    if landmarks is None:
        sizes = all_boxes[:, 2:] - all_boxes[:, :2]
        landmarks = all_boxes[:, None, :2] + FACE_POINTS * sizes[:, None]
    samples = np.zeros((0, 4), np.float32) if embeddings is None else np.asarray(embeddings, np.float32)
    return Tracklet(
        id=number,
        shot=shot,
        frames=rows,
        boxes=all_boxes,
        scores=_column(scores, len(rows)),
        landmarks=_column(landmarks, len(rows), 5, 2),
        sharpness=_column(sharpness, len(rows)),
        sample_frames=rows[: len(samples)] if sample_frames is None else np.asarray(sample_frames, np.int64),
        sample_quality=_column(sample_quality, len(samples)),
        embeddings=samples,
        face_jpeg=face_jpeg,
    )


def face_analysis(
    tracklets: Iterable[Tracklet] = (),
    frames: int = 10,
    *,
    video: VideoInfo | None = None,
    pts: ArrayLike | None = None,
    cuts: Sequence[int] = (),
    embedder: str = "dlib",
    **changes: Any,
) -> FaceAnalysis:
    """What a pass over `frames` frames found.

    pts: (N,) instead of `frames` frames at the video's rate. cuts: the first frames of all shots but the first.
    """
    video = video_info() if video is None else video
    ticks = 1 / (video.frame_rate * video.time_base)
    times = np.asarray([round(number * ticks) for number in range(frames)] if pts is None else pts, np.int64)
    edges = [0, *cuts, len(times)]
    intervals = [(start, end) for start, end in itertools.pairwise(edges) if start < end]
    shots = tuple(Shot(i, start, end, "cut" if i else "start") for i, (start, end) in enumerate(intervals))
    analysis = FaceAnalysis(video, times, shots, tuple(tracklets), embedder, decode_failures=0)
    return dataclasses.replace(analysis, **changes)


def _column(values: ArrayLike, *shape: int) -> FloatArray:
    return np.array(np.broadcast_to(np.asarray(values, np.float32), shape), order="C")
