"""What tests of rendering start from: small clips of a short video."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.sync import bare_analysis
from config import ClipSettings, EncodeSettings, Settings
from core.types import CropPath, FaceAnalysis, Segment
from processors.clips.constant_rate import shown_frames
from tests.material.flash_beep import frame_times, write_video

SETTINGS = Settings(clip=ClipSettings(size=64), encode=EncodeSettings(preset="ultrafast"))


def crop(
    analysis: FaceAnalysis, start: int = 0, end: int | None = None, person: str = "person_01", size: int = 64
) -> CropPath:
    """A crop path of the frames [start, end) with a resting camera."""
    end = analysis.frame_count if end is None else end
    rows = shown_frames(analysis, start, end)
    windows = np.tile([16.0, 8.0, 112.0, 104.0], (len(rows), 1))
    return CropPath(Segment(person, 0, start, end, (0,)), rows, windows, size, size)


def plain_analysis(tmp_path_factory: pytest.TempPathFactory) -> FaceAnalysis:
    """For a fixture of a module: the analysis of a short video with flashes and beeps."""
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    write_video(path, frame_times())
    return bare_analysis(path)
