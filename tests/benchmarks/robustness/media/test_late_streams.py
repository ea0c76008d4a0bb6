from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness.media.late_streams import BOTH_S, late_audio, late_frames
from tests.benchmarks.robustness.media.streams import packet_times


@pytest.mark.parametrize(
    "extension", ["mkv", *(pytest.param(name, marks=pytest.mark.slow) for name in ("ts", "mp4", "mpg", "vob"))]
)
def test_one_stream_begins_so_much_later(tmp_path: Path, extension: str) -> None:
    path = late_audio(tmp_path / f"audio.{extension}", 3)
    frames, audio = (packet_times(path, stream) for stream in "va")
    assert min(audio) - min(frames) == pytest.approx(3, abs=0.05)
    assert max(frames) - min(frames) == pytest.approx(3 + BOTH_S, abs=0.2)
    path = late_frames(tmp_path / f"frames.{extension}", 3)
    frames, audio = (packet_times(path, stream) for stream in "va")
    assert min(frames) - min(audio) == pytest.approx(3, abs=0.05)
    assert max(frames) - min(frames) == pytest.approx(BOTH_S, abs=0.2)
