from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.robustness.media.film import Film
from benchmarks.robustness.media.frame_rates import slow_beginning, write_timed
from tests.benchmarks.robustness.media.streams import packet_times


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
@pytest.mark.parametrize(
    "times",
    [
        slow_beginning(5, 20, 50, 0.6),
        [0.0, *np.cumsum([0.02, 0.06] * 10)],
        [2.0 * i for i in range(8)],
        [0.0, *np.cumsum([0.02 * 1.06**i for i in range(45)])],
    ],
)
def test_times_are_written_as_they_are_wanted(tmp_path: Path, extension: str, times: list[float]) -> None:
    path = write_timed(tmp_path / f"timed.{extension}", Film(160, 120, frames=len(times)), times)
    found = np.array(packet_times(path, "v"))
    assert found - found[0] == pytest.approx(np.array(times), abs=0.0011)


def test_a_slow_beginning() -> None:
    times = slow_beginning(4, 620, 25)
    assert len(times) == 670
    assert times[619:622] == pytest.approx([154.75, 155, 155.04])
