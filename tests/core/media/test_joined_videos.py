from pathlib import Path

import pytest

from core.media.joined_videos import next_video_at
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video

ENCODINGS = {
    "mp4": (),
    "mov": ("-movflags", "faststart"),
    "wmv": ("-c:v", "wmv2"),
    "flv": ("-c:v", "flv"),
    "mkv": (),
    "avi": ("-c:v", "mpeg4"),
}
READ_AS_A_WHOLE = ("mkv", "avi")


@pytest.mark.parametrize("extension", ENCODINGS)
def test_a_second_video_in_the_file_is_found(tmp_path: Path, extension: str) -> None:
    one = make_video(tmp_path / f"one.{extension}", gray_ramp(4, 64, 48), *ENCODINGS[extension])
    container = probe_video(one).container
    assert next_video_at(one, container) is None
    length = one.stat().st_size
    both = tmp_path / f"both.{extension}"
    both.write_bytes(one.read_bytes() * 2)
    assert next_video_at(both, container) == (None if extension in READ_AS_A_WHOLE else length)
    padded = tmp_path / f"padded.{extension}"
    padded.write_bytes(one.read_bytes() + bytes(5000))
    assert next_video_at(padded, container) is None
    cut = tmp_path / f"cut.{extension}"
    cut.write_bytes(one.read_bytes()[: length // 2])
    assert next_video_at(cut, container) is None


def test_files_that_are_no_videos(tmp_path: Path) -> None:
    for content in (b"", b"FLV", bytes(100), b"\xff" * 100):
        file = tmp_path / "file"
        file.write_bytes(content)
        assert [next_video_at(file, container) for container in ("mov", "asf", "flv")] == [None] * 3
