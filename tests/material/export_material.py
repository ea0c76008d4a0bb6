"""Two people in two shots of a video at 29.97 frames a second, and their exports."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config import Settings
from core.types import AudioInfo, Clip, CropPath, FaceAnalysis, Identity, Segment, Timeline, Tracklet
from processors.extras.registry import EXTRAS, ExtrasContext
from tests.material.factories import face_analysis, tracklet, video_info
from utils.console.stage_monitor import StageMonitor

NTSC = Fraction(30000, 1001)
NAME = "a <b> & c.mp4"
HAS_OTIO = importlib.util.find_spec("opentimelineio") is not None

needs_otio = pytest.mark.skipif(not HAS_OTIO, reason="opentimelineio has no release for this version of Python")


def moving(number: int, shot: int, start: int, end: int) -> Tracklet:
    """A face that goes to the right by a pixel a frame and is hidden half-way."""
    n = end - start
    left = 10.0 + 100 * number + np.arange(n)
    boxes = np.column_stack([left, np.full(n, 20.25), left + 40, np.full(n, 80.5)]).astype(np.float32)
    scores = np.full(n, 0.9, np.float32)
    scores[n // 2] = 0
    landmarks = np.tile(boxes[:, None, :2], (1, 5, 1))
    return tracklet(number, range(start, end), boxes, shot=shot, scores=scores, landmarks=landmarks)


def example_analysis(folder: Path = Path("/secret"), **video: Any) -> FaceAnalysis:
    """90 frames with a cut at frame 40. folder: of the video. video: fields of its `VideoInfo`."""
    fields = {
        "width": 640, "height": 360, "time_base": Fraction(1, 30000), "frame_rate": NTSC, "duration_s": 3.0,
        "frame_count": 90, "audio": (AudioInfo(1, "aac", 48000, 2, 0.0),),
    }  # fmt: skip
    info = video_info(folder / NAME, **{**fields, **video})
    tracks = (moving(0, 0, 0, 40), moving(1, 0, 10, 40), moving(2, 1, 50, 90), moving(3, 1, 60, 70))
    return face_analysis(tracks, video=info, pts=5005 + np.arange(90) * 1001, cuts=[40])


def example_timeline() -> Timeline:
    first = (Segment("person_01", 0, 0, 40, (0,)), Segment("person_01", 1, 50, 90, (2,)))
    second = (Segment("Zoë <b>", 0, 10, 40, (1,)),)
    return Timeline((Identity("person_01", (0, 2), first), Identity("Zoë <b>", (1,), second)), unknown=(3,))


def export(
    name: str, folder: Path, analysis: FaceAnalysis, timeline: Timeline, paths: Sequence[CropPath] = ()
) -> tuple[str, ...]:
    """Write the export `name`; returns its files. paths: of the clips, in which it may be interested.

    Each segment has a clip.
    """
    clips = [
        Clip(s.person, f"{s.person}/{s.start}.mp4", s.shot, s.start, s.end, 0.0, 1.0, 30, 64, 64, False, 1.0)
        for person in timeline.people
        for s in person.segments
    ]
    return EXTRAS[name].write(
        ExtrasContext(folder, analysis, timeline, clips, Settings(), StageMonitor(), lambda: paths)
    )
