from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness.media.late_streams import BOTH_S, late_pictures, late_sound
from tests.benchmarks.robustness.media.streams import packet_times


@pytest.mark.parametrize(
    "extension", ["mkv", *(pytest.param(name, marks=pytest.mark.slow) for name in ("ts", "mp4", "mpg", "vob"))]
)
def test_one_stream_begins_so_much_later(tmp_path: Path, extension: str) -> None:
    path = late_sound(tmp_path / f"sound.{extension}", 3)
    pictures, sound = (packet_times(path, stream) for stream in "va")
    assert min(sound) - min(pictures) == pytest.approx(3, abs=0.05)
    assert max(pictures) - min(pictures) == pytest.approx(3 + BOTH_S, abs=0.2)
    path = late_pictures(tmp_path / f"pictures.{extension}", 3)
    pictures, sound = (packet_times(path, stream) for stream in "va")
    assert min(pictures) - min(sound) == pytest.approx(3, abs=0.05)
    assert max(pictures) - min(pictures) == pytest.approx(BOTH_S, abs=0.2)
