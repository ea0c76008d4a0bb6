from pathlib import Path

import pytest

from core.media.containers.end_marks import lacks_end_mark
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg

CODECS = {
    "gif": ("-c:v", "gif", "-pix_fmt", "pal8"),
    "apng": ("-c:v", "apng", "-pix_fmt", "rgb24"),
    "ogv": ("-c:v", "libtheora"),
    "mkv": ("-c:v", "libx264"),
}


@pytest.mark.parametrize("extension", CODECS)
def test_files_that_were_cut_off(tmp_path: Path, extension: str) -> None:
    """A GIF that lost most of its frames was processed without a word."""
    path = make_video(tmp_path / f"a.{extension}", gray_ramp(25, 64, 48), *CODECS[extension])
    container = probe_video(path).container
    whole = path.read_bytes()
    assert not lacks_end_mark(path, container)
    path.write_bytes(whole + bytes(5))
    assert not lacks_end_mark(path, container)
    for share in (0.5, 0.8, 0.98):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert lacks_end_mark(path, container) == (extension != "mkv"), share


def test_each_stream_of_an_ogg_file_may_end_it(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.ogv", gray_ramp(25, 64, 48), *CODECS["ogv"])
    for seconds in (0.4, 1.0, 4.0):
        path = tmp_path / f"{seconds}.ogv"
        tone = ("-f", "lavfi", "-i", f"sine=d={seconds}")
        run_ffmpeg("-i", str(video), *tone, "-c:v", "copy", "-c:a", "libvorbis", str(path))
        assert not lacks_end_mark(path, "ogg")


def test_files_that_are_gone_or_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    assert not lacks_end_mark(path, "gif")
    path.write_bytes(b"")
    assert lacks_end_mark(path, "gif") and lacks_end_mark(path, "ogg")
