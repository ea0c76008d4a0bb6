"""Fragmented MP4 files whose segment index is right, and wrong in each of its numbers."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.media.audio_reader import read_audio
from core.media.containers.segment_index import has_false_index
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader, is_indexed
from tests.material.small_videos import gray_ramp, make_video, number_in_ramp, run_ffmpeg

FRAMES, GOP = 100, 12
COUNT_AT, FIRST_REFERENCE, REFERENCE_BYTES = 38, 40, 12
"""byte offsets in an index of version 1, and the size of each of its rows"""
TONE = ("-f", "lavfi", "-i", "sine=d=4:r=48000")
MUXED = ("-c:v", "copy", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov+default_base_moof+global_sidx")


@pytest.fixture(scope="module")
def fragmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fragmented")
    ramp = [image for image in gray_ramp(FRAMES // 5, 64, 48) for _ in range(5)]
    frames = make_video(folder / "frames.mp4", ramp, "-g", str(GOP), "-sc_threshold", "0")
    path = folder / "right.mp4"
    run_ffmpeg("-i", str(frames), *TONE, *MUXED, str(path))
    return path


def with_index(path: Path, change: Callable[[int, int], tuple[int, int]]) -> Path:
    """A copy with changed sizes and durations in the index of the first track."""
    data = bytearray(path.read_bytes())
    begin = data.index(b"sidx") - 4
    assert data[begin + 8] == 1
    for number in range(int.from_bytes(data[begin + COUNT_AT : begin + COUNT_AT + 2], "big")):
        at = begin + FIRST_REFERENCE + number * REFERENCE_BYTES
        struct.pack_into(">II", data, at, *change(*struct.unpack_from(">II", data, at)))
    changed = path.with_name("changed.mp4")
    changed.write_bytes(data)
    return changed


def test_a_right_index_is_trusted(fragmented: Path) -> None:
    info = probe_video(fragmented)
    assert not has_false_index(info) and is_indexed(info)
    assert not has_false_index(replace(info, container="matroska"))


@pytest.mark.parametrize(
    "change",
    [
        lambda size, duration: (size // 2, duration),
        lambda size, duration: (size * 3, duration),
        lambda size, duration: (size, duration // 2),
        lambda size, duration: (size, duration * 3),
    ],
    ids=["too small", "too large", "too short", "too long"],
)
def test_the_audio_and_the_frames_behind_a_wrong_index_are_read(fragmented: Path, change) -> None:
    info = probe_video(with_index(fragmented, change))
    assert has_false_index(info) and not is_indexed(info)
    for start_s in (0, 1, 3):
        target = io.BytesIO()
        excerpt = read_audio(info, Fraction(start_s), Fraction(1, 2), target)
        assert excerpt is not None and excerpt.silent == 0
        assert np.abs(np.frombuffer(target.getvalue(), "<i2").astype(int)).max() > 1000
    with VideoReader(info) as reader:
        ramp = [number_in_ramp(frame.planes()[0]) for frame in reader.frames(round(3 / info.time_base))]
    assert ramp == [number for number in range(15, 20) for _ in range(5)]
