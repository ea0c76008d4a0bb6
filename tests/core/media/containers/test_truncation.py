"""Files that were cut off, in containers that claim no length."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from core.media.containers.truncation import FRAME, INDEX, PACKET, truncated_within
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg

TONE = ("-f", "lavfi", "-i", "sine=d=1:r=48000", "-c:a")
MPEG2 = ("-c:v", "mpeg2video", "-bf", "2", *TONE[4:], "mp2")
COPY = ("-c:v", "copy", "-c:a", "aac")
KINDS = {
    "ts": (COPY, PACKET),
    "m2ts": (COPY, PACKET),
    "vob": (MPEG2, PACKET),
    "mpg": (MPEG2, PACKET),
    "mkv": (COPY, FRAME),
    "webm": (("-c:v", "libvpx", "-b:v", "1M", "-c:a", "libopus"), FRAME),
    "dv": (("-c:v", "dvvideo", "-s", "720x576", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-ac", "2"), FRAME),
}


@pytest.fixture(scope="module")
def ramp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("ramp") / "ramp.mp4", gray_ramp(25, 320, 240))


@pytest.mark.parametrize("extension", KINDS)
def test_files_that_end_within_something(ramp: Path, tmp_path: Path, extension: str) -> None:
    codecs, within = KINDS[extension]
    path = tmp_path / f"a.{extension}"
    run_ffmpeg("-i", str(ramp), *TONE[:4], *codecs, str(path))
    container, whole = probe_video(path).container, path.read_bytes()
    assert truncated_within(path, container) == ""
    for share in (0.5, 0.7, 0.9):
        end = int(len(whole) * share)
        # Not the end of a packet of MPEG-TS or M2TS, of a pack, or of a part of a DV frame.
        end -= 7 * (end % 188 == 0 or end % 192 < 6 or end % 12000 == 0 or end % 2048 == 0)
        path.write_bytes(whole[:end])
        assert truncated_within(path, container) == within, share
    path.write_bytes(whole + bytes(3000))
    assert truncated_within(path, container) in ("", FRAME if extension == "dv" else "")


def test_a_recording_that_was_not_ended(ramp: Path, tmp_path: Path) -> None:
    """Matroska written to a pipe, as after a crash: no sizes, no length, no index."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(ramp), "-c", "copy", "-f", "matroska"]
    piped = subprocess.run([*command, "-live", "1", "-"], capture_output=True, check=True).stdout
    path = tmp_path / "a.mkv"
    for end, within in ((len(piped), ""), (len(piped) - 1, FRAME), (len(piped) // 2, FRAME)):
        path.write_bytes(piped[:end])
        assert truncated_within(path, "matroska") == within


def test_an_index_that_is_cut_off(ramp: Path, tmp_path: Path) -> None:
    """The second track was lost without a word: the rest of the index was read."""
    path = tmp_path / "a.mp4"
    run_ffmpeg("-i", str(ramp), *TONE[:4], *COPY, str(path))
    whole = path.read_bytes()
    assert truncated_within(path, "mov") == ""
    index = whole.rindex(b"moov") - 4
    path.write_bytes(whole[: (index + len(whole)) // 2])
    assert not probe_video(path).audio
    assert truncated_within(path, "mov") == INDEX


def test_files_that_are_gone_empty_or_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    for content in (None, b"", b"\0\0\1\xba", b"\x1f\x43\xb6\x75", bytes(5000)):
        if content is not None:
            path.write_bytes(content)
        for container in ("mpegts", "matroska", "mov", "avi"):
            assert truncated_within(path, container) == ""
