"""A few frames from all over a video."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.media import key_frames
from core.media.key_frames import read_key_frames
from core.media.video_probe import probe_video
from tests.material.small_videos import assert_upright, gray_ramp, make_video, number_in_ramp, quadrants, run_ffmpeg

KEYS = ("-g", "5", "-sc_threshold", "0")


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_they_come_from_all_over_the_video(tmp_path: Path, container: str) -> None:
    path = make_video(tmp_path / f"a.{container}", gray_ramp(25, 64, 48), *KEYS)
    frames = list(read_key_frames(probe_video(path), 3))
    numbers = [number_in_ramp(frame.planes()[0]) for frame in frames]
    # The key frames before 1/6, 3/6 and 5/6 of the length.
    assert numbers == [0, 10, 20]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [round(frame.pts * float(probe_video(path).time_base) * 25) for frame in frames] == numbers


def test_they_come_from_all_over_a_part_of_the_video(tmp_path: Path) -> None:
    info = probe_video(make_video(tmp_path / "a.mp4", gray_ramp(25, 64, 48), *KEYS))

    def numbers(part: tuple[float, float | None]) -> list[int]:
        return [number_in_ramp(frame.planes()[0]) for frame in read_key_frames(info, 2, part)]

    # The key frames before 1/4 and 3/4 of the part.
    assert numbers((0.44, 0.84)) == [10, 15]
    assert numbers((0.6, None)) == [15, 20]
    assert numbers((0.0, 0.4)) == [0, 5]


def test_none_comes_twice(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", gray_ramp(25, 64, 48), "-g", "100")
    assert len(list(read_key_frames(probe_video(path), 5))) == 1


def test_they_are_upright_and_of_square_pixels(tmp_path: Path) -> None:
    plain = make_video(tmp_path / "plain.mp4", [quadrants(160, 96)] * 5, "-vf", "setsar=2/1")
    path = tmp_path / "turned.mp4"
    run_ffmpeg("-display_rotation", "180", "-i", str(plain), "-c", "copy", str(path))
    (frame,) = read_key_frames(probe_video(path), 1)
    assert (frame.width, frame.height) == (320, 96)
    rgb = frame.rgb(320, 96)
    assert_upright(rgb[::-1, ::-1])


def test_they_are_not_searched_for_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "a.ts", gray_ramp(25, 64, 48), *KEYS)
    monkeypatch.setattr(key_frames, "open_input", None)
    assert list(read_key_frames(probe_video(path), 3)) == []


def test_a_file_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    info = probe_video(make_video(tmp_path / "a.mp4", gray_ramp(5, 64, 48)))
    assert list(read_key_frames(dataclasses.replace(info, path=tmp_path / "gone.mp4"), 3)) == []
    assert list(read_key_frames(dataclasses.replace(info, stream_index=7), 3)) == []
