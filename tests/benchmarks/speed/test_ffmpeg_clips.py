"""ffmpeg's crop follows the camera: whole pixels, inside the picture, a command where something changes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from benchmarks.speed.ffmpeg_clips import _camera


def test_the_camera_becomes_commands():
    windows = np.array([[-3.2, 10.4, 60.0, 70.4], [-3.2, 10.4, 60.0, 70.4], [1.0, 10.6, 60.0, 70.6], [9, 10, 102, 70]])
    path = SimpleNamespace(windows=windows, source_frames=np.array([2, 3, 4, 5]), segment=SimpleNamespace(start=2))
    video = SimpleNamespace(width=100, height=80, time_base=0.01)
    analysis = SimpleNamespace(frame_pts=np.arange(10) * 4 + 500, video=video)
    first, lines = _camera(path, analysis)
    assert first == {"w": 60, "h": 60, "x": 0, "y": 10}
    assert lines == [
        "0.0790 crop w 59, crop x 1, crop y 11;\n",
        "0.1190 crop w 91, crop x 9, crop y 10;\n",
    ]
