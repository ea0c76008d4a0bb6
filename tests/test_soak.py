"""A short soak (`python -m benchmarks.robustness.soak` is the long one): the real program on many small videos in one
run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness.soak import MAY_GROW, UNUSUAL, Growth, Sample, differing, growth, make_videos, run, table
from tests.material.real_models import models_cache, net_files

__all__ = ["models_cache", "net_files"]

VIDEOS = 8
WARMING_UP_MB = 150.0
"""what the first videos of a run add; that nothing grows after them takes hundreds to show"""


@pytest.mark.slow
def test_many_videos_in_one_run(tmp_path: Path, models_cache: Path, net_files: object) -> None:
    assert net_files  # converted once for all tests
    videos = make_videos(tmp_path / "in", VIDEOS)
    assert len({video.read_bytes() for video in videos}) == VIDEOS
    code, samples = run(videos, tmp_path / "out", models_cache)
    assert code == 0
    assert len(list((tmp_path / "out").glob("*/manifest.json"))) == VIDEOS
    memory, *others = growth(samples)
    assert [row for row in others if not row.is_flat] == []
    assert memory.quarters[-1][0] < memory.quarters[0][0] + WARMING_UP_MB
    # Both people, so their numbers count, late in the run.
    assert differing([videos[-4]], tmp_path / "out", tmp_path, models_cache) == []


def test_what_counts_as_growth() -> None:
    samples = [
        Sample(float(i), (100.0 + (i > 75) * MAY_GROW["memory, MB"] + 0.1 * (i > 75), 9.0, 20.0, 0.0))
        for i in range(101)
    ]
    rows = growth(samples)
    assert [row.what for row in rows if not row.is_flat] == ["memory, MB"]
    assert rows[1] == Growth("open files", ((9.0, 9.0),) * 4)
    assert table(rows)[3] == "| open files | 9, 9 | 9, 9 | 9, 9 | 9, 9 |"


def test_a_thread_more_for_each_video_is_growth_whatever_else_comes_and_goes() -> None:
    def threads(leak: float) -> Growth:
        values = [(100.0, 9.0, 18.0 + 10.0 * (i % 7 < 3) + leak * i / 3, 0.0) for i in range(36)]
        return growth([Sample(float(i), v) for i, v in enumerate(values)])[2]

    assert threads(0).is_flat and not threads(0.2).is_flat


@pytest.mark.slow
def test_every_fourth_film_is_unusual(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", 4 * len(UNUSUAL), unusual=True)
    assert len({video.read_bytes() for video in videos}) == len(videos)
    for name, video in zip(UNUSUAL, videos[3::4], strict=True):
        assert video.suffix == Path(name).suffix
        assert video.read_bytes().startswith((tmp_path / name).read_bytes())
