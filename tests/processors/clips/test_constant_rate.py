"""Which source frame each row shows, worked out by hand, and the audio of an interval."""

from __future__ import annotations

import io
import threading
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.quality.sync import bare_analysis
from core.errors import OutputError
from core.types import FaceAnalysis
from processors.clips.constant_rate import (
    Interval,
    audio_write_errors,
    fill_rows,
    read_interval_audio,
    rows_interval,
    shown_frames,
)
from tests.material import factories
from tests.material.flash_beep import frame_times, write_video


def analysis(pts: list[int], rate: int = 10) -> FaceAnalysis:
    """A video with a time base of 1/100 s."""
    info = factories.video_info(time_base=Fraction(1, 100), frame_rate=Fraction(rate), start_pts=pts[0])
    return factories.face_analysis(video=info, pts=pts)


@pytest.mark.parametrize(
    ("pts", "interval", "expected"),
    [
        ([0, 10, 20, 30], (0, 4), [0, 1, 2, 3]),
        ([500, 510, 520, 530], (1, 3), [1, 2]),
        # Twice the nominal rate. The last frame is shown for 0.1 s: 0.35 s in all, rounded up to four rows.
        ([0, 5, 10, 15, 20, 25], (0, 6), [1, 3, 5, 5]),
        ([0, 20, 40], (0, 3), [0, 0, 1, 1, 2]),
        # A frame that is shown for 0.3 s covers three rows; the interval ends where frame 3 begins.
        ([0, 10, 40, 50], (1, 3), [1, 1, 1, 2]),
        # Frames that deviate by less than half a row map one to one.
        ([0, 9, 21, 30], (0, 4), [0, 1, 2, 3]),
        ([0, 1, 2], (0, 1), [0]),
    ],
)
def test_rows_show_the_frame_that_is_visible_in_the_middle_of_their_time(pts, interval, expected):
    assert shown_frames(analysis(pts), *interval).tolist() == expected


def test_the_interval_of_rows_is_exact():
    ntsc = analysis([7, 10, 13])
    assert rows_interval(ntsc, 1, 3) == Interval(Fraction(1, 10), Fraction(3, 10))


def filled(frames: list[int], wanted: list[int]) -> list[tuple[str, list[int], bool]]:
    items = [(pts, f"frame {pts}") for pts in frames]
    return [(frame, list(rows), repeat) for frame, rows, repeat in fill_rows(items, np.array(wanted, np.int64))]


@pytest.mark.parametrize(
    ("frames", "wanted", "expected"),
    [
        ([0, 10, 20], [0, 10, 20], [("frame 0", [0], False), ("frame 10", [1], False), ("frame 20", [2], False)]),
        ([0, 5, 10], [0, 0, 10], [("frame 0", [0, 1], False), ("frame 10", [2], False)]),
        # Frame 10 is missing: its row repeats the frame decoded before it, even one that no row shows.
        ([0, 5, 20], [0, 10, 20], [("frame 0", [0], False), ("frame 5", [1], True), ("frame 20", [2], False)]),
        # The first frames are missing: their rows show the first one there is.
        ([20, 30], [0, 10, 20, 30], [("frame 20", [0, 1], True), ("frame 20", [2], False), ("frame 30", [3], False)]),
        ([15], [0, 10], [("frame 15", [0, 1], True)]),
        ([0], [0, 10, 20], [("frame 0", [0], False), ("frame 0", [1, 2], True)]),
        ([], [0, 10], []),
    ],
)
def test_rows_of_missing_frames_repeat_a_neighbour(frames, wanted, expected):
    assert filled(frames, wanted) == expected


def test_audio_of_an_interval_is_exactly_as_long(tmp_path):
    write_video(tmp_path / "a.mp4", frame_times())
    video = bare_analysis(tmp_path / "a.mp4")
    pcm = io.BytesIO()
    excerpt = read_interval_audio(video, rows_interval(video, 5, 20), pcm, threading.Event())
    assert excerpt is not None
    samples = round(Fraction(20) / video.video.frame_rate * excerpt.format.sample_rate_hz)
    assert excerpt.samples == samples == len(pcm.getvalue()) // 2 // excerpt.format.channels


def test_a_full_disk_is_reported_as_an_error_of_the_output(tmp_path):
    with (
        pytest.raises(OutputError, match="its audio cannot be written: No space") as caught,
        audio_write_errors(tmp_path / "clip.mp4", "render"),
    ):
        raise OSError(28, "No space left on device")
    assert caught.value.path == tmp_path / "clip.mp4" and str(tmp_path) in caught.value.hint
