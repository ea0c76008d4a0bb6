"""Which rate a video has when its beginning is not like the rest."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.media.frame_rate import with_rate_of_all
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import VideoInfo
from tests.material.factories import video_info
from tests.material.small_videos import gray_ramp, make_video

TICKS = 90_000


def video(rate: Fraction | int) -> VideoInfo:
    return video_info(time_base=Fraction(1, TICKS), frame_rate=Fraction(rate))


def times(*parts: tuple[int, float]) -> np.ndarray:
    """pts of parts of (frames per second, seconds) one after the other."""
    intervals = np.concatenate([np.full(round(rate * seconds), TICKS // rate) for rate, seconds in parts])
    return np.concatenate([[0], np.cumsum(intervals)]).astype(np.int64)


@pytest.mark.parametrize(
    ("parts", "rate"),
    [
        (((5, 7200),), 5),
        (((5, 120), (25, 5)), 25),
        (((5, 7200), (30, 300)), 30),  # a waiting room, in which somebody talks for five minutes
        (((5, 3600), (60, 2)), 5),
        (((4, 155), (25, 2)), 25),  # two seconds, but a twelfth of the frames
        (((4, 155), (25, 0.5)), 4),
        (((5, 120), (60, 2)), 60),
        (((25, 30), (5, 36000)), 5),  # a night camera; the day is too short
        (((25, 3600), (5, 36000)), 25),
        (((30, 3600), (29, 20), (30, 100)), 30),
    ],
)
def test_all_frames_decide(parts: tuple[tuple[int, float], ...], rate: int) -> None:
    probed = video(parts[0][0])
    found = with_rate_of_all(probed, times(*parts))
    assert found.frame_rate == rate
    # Times that a reader makes up are those that it made up in the analysis.
    assert found.frame_interval == (0 if found is probed else TICKS // parts[0][0])


def test_what_the_beginning_was_judged_by_stands_where_the_rest_is_like_it() -> None:
    """Frames that a container leaves out (AVI) make a rate no other than its header says."""
    sparse = times(*[(10, 0.5), (15, 1)] * 100)
    assert with_rate_of_all(video(30), sparse) == video(30)
    jitter = np.random.default_rng(3).integers(-600, 600, 5000)
    assert with_rate_of_all(video(30), np.arange(5000) * 3000 + jitter) == video(30)
    bursts = np.cumsum(
        np.tile([300, 300, 300, 300, 300, 16500], 2000)
    )  # a camera's network: 6 at once, 5 times a second
    assert with_rate_of_all(video(30), bursts) == video(30)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_one_long_frame_does_not_change_the_rate_of_the_others(tmp_path: Path, name: str) -> None:
    """The header's average was 24.04, so a frame was left out every second."""
    stretched = ("-vf", "setpts='N+gte(N,24)'", "-fps_mode", "passthrough")
    info = probe_video(make_video(tmp_path / name, gray_ramp(25, 64, 48), "-bf", "0", *stretched))
    assert info.frame_rate == 25


def test_no_frames_and_one() -> None:
    for count in (0, 1):
        assert with_rate_of_all(video(30), np.arange(count)) == video(30)


def uneven(path: Path, slow: int, quick: int) -> Path:
    """`slow` images at 5 a second, then `quick` ones at 25."""
    images = [image for image in gray_ramp(2, 32, 32) for _ in range((slow + quick + 1) // 2)][: slow + quick]
    steps = f"if(lt(N,{slow}),N/5,{slow}/5+(N-{slow})/25)/TB"
    return make_video(path, images, "-vf", f"settb=1/90000,setpts='{steps}'", "-fps_mode", "passthrough")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_slow_beginning(tmp_path: Path, name: str) -> None:
    info = probe_video(uneven(tmp_path / name, 620, 125))
    assert info.frame_rate == (25 if name == "a.mp4" else 5)  # MP4 has an index of all frames
    with VideoReader(info) as reader:
        pts = np.array([frame.pts for frame in reader.frames()])
    found = with_rate_of_all(info, pts)
    assert found.frame_rate == 25
    with VideoReader(found) as reader:
        assert [frame.pts for frame in reader.frames()] == pts.tolist()
