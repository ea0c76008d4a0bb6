"""ffmpeg's crop follows the camera: whole pixels, inside the image, a command where something changes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.speed.ffmpeg_clips import camera_commands
from core.types import CropPath, Segment
from tests.material.factories import face_analysis, video_info


def test_the_camera_becomes_commands():
    windows = np.array([[-3.2, 10.4, 60.0, 70.4], [-3.2, 10.4, 60.0, 70.4], [1.0, 10.6, 60.0, 70.6], [9, 10, 102, 70]])
    path = CropPath(Segment("a", 0, 2, 6, ()), np.array([2, 3, 4, 5]), windows, 60, 60)
    video = video_info(width=100, height=80, time_base=Fraction(1, 100))
    analysis = face_analysis(video=video, pts=np.arange(10) * 4 + 500)
    first, lines = camera_commands(path, analysis)
    assert first == {"w": 60, "h": 60, "x": 0, "y": 10}
    assert lines == [
        "0.0790 crop w 59, crop x 1, crop y 11;\n",
        "0.1190 crop w 91, crop x 9, crop y 10;\n",
    ]
