from pathlib import Path

import pytest

from core.media.containers.joined_videos import next_video_at
from core.media.scrambled_stream import stream_pid
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg

ENCODINGS = {
    "mp4": (),
    "mov": ("-movflags", "faststart"),
    "wmv": ("-c:v", "wmv2"),
    "flv": ("-c:v", "flv"),
    "mkv": (),
    "avi": ("-c:v", "mpeg4"),
}
MPEG2 = ("-c:v", "mpeg2video", "-g", "1")
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


@pytest.mark.parametrize("before", [b"", bytes(4)])
def test_a_broadcast_that_goes_on_in_another_stream(tmp_path: Path, before: bytes) -> None:
    """Recordings over a change of the channel, or joined from two encoders: half of them was left out in silence."""
    first, later = (
        make_video(tmp_path / f"{pid}.ts", gray_ramp(25, 320, 240), *MPEG2, "-mpegts_start_pid", str(pid))
        for pid in (0x100, 0x180)
    )
    pieces = {}
    for name, parts in {"one": [first, first], "two": [first, later, later], "first alone": [first]}.items():
        data = b"".join(part.read_bytes() for part in parts)
        pieces[name] = tmp_path / f"{name}.m2ts"
        pieces[name].write_bytes(b"".join(before + data[at : at + 188] for at in range(0, len(data), 188)))
    video = probe_video(pieces["two"])
    assert (video.container, stream_pid(video)) == ("mpegts", 0x100)
    found = next_video_at(pieces["two"], "mpegts", 0x100)
    assert found is not None
    assert found / pieces["two"].stat().st_size == pytest.approx(1 / 3, abs=0.02)
    assert next_video_at(pieces["two"], "mpegts", 0x180) is None
    assert next_video_at(pieces["one"], "mpegts", 0x100) is None
    assert next_video_at(pieces["first alone"], "mpegts", 0x100) is None
    padded = tmp_path / "padded.ts"
    padded.write_bytes(pieces["first alone"].read_bytes() + bytes(200_000))
    assert next_video_at(padded, "mpegts", 0x100) is None


def test_audio_that_goes_on_is_no_other_video(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.ts", gray_ramp(10, 64, 48), *MPEG2)
    path = tmp_path / "a.ts"
    run_ffmpeg("-i", str(video), "-f", "lavfi", "-i", "sine=d=20", "-c:v", "copy", "-c:a", "mp2", str(path))
    assert next_video_at(path, "mpegts", 0x100) is None
