import dataclasses
from pathlib import Path

import pytest

from core.media.fragment_frames import frames_in_fragments
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg

FRAMES = 25
FRAGMENTS = ("-c:v", "libx264", "-g", "5", "-movflags", "frag_keyframe+empty_moov+default_base_moof")


def frames_shown(path: Path) -> int:
    with VideoReader(probe_video(path)) as reader:
        return sum(1 for _ in reader.frames())


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Five fragments with video and audio."""
    plain = make_video(tmp_path / "plain.mp4", gray_ramp(FRAMES, 64, 48))
    path = tmp_path / "a.mp4"
    run_ffmpeg("-i", str(plain), "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", *FRAGMENTS, str(path))
    return path


def test_frames_that_overlapping_fragments_hide(film: Path) -> None:
    """Most of such a video was left out without a word."""
    assert frames_in_fragments(probe_video(film)) == frames_shown(film) == FRAMES
    data = bytearray(film.read_bytes())
    at = -1
    while (at := data.find(b"tfdt", at + 1)) >= 0:
        assert data[at + 4] == 1  # times of 64 bits
        data[at + 8 : at + 16] = bytes(8)
    film.write_bytes(data)
    assert frames_in_fragments(probe_video(film)) == FRAMES > frames_shown(film)


def test_a_fragment_twice_counts_once(film: Path) -> None:
    data = film.read_bytes()
    begins = [at - 4 for at in range(len(data)) if data[at : at + 4] == b"moof"]
    film.write_bytes(data[: begins[2]] + data[begins[1] :])
    assert frames_in_fragments(probe_video(film)) == frames_shown(film) == FRAMES


def test_files_without_fragments(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        assert frames_in_fragments(probe_video(make_video(tmp_path / name, gray_ramp(5, 64, 48)))) == 0


def test_a_file_cut_off_in_a_fragment(film: Path) -> None:
    video = probe_video(film)
    data = film.read_bytes()
    for end in range(len(data) // 2, len(data), 37):
        film.write_bytes(data[:end])
        assert 0 <= frames_in_fragments(dataclasses.replace(video, size_bytes=end)) <= FRAMES
