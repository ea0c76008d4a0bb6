from pathlib import Path

import pytest

from core.media.video_probe import probe_video
from core.types import IS_SILENT
from tests.material.small_videos import run_ffmpeg

SILENCE, TONE = "anullsrc=r=48000:cl=mono", "sine=f=440:r=48000"
LATE_TONE = f"{TONE},volume=0:enable='lt(t,4)'"


def video_of(path: Path, *tracks: str, options: tuple[str, ...] = ("-c:a", "pcm_s16le")) -> list[str]:
    """The faults of the tracks of a video of 6 s. tracks: sources of ffmpeg."""
    sources = [word for track in tracks for word in ("-f", "lavfi", "-t", "6", "-i", track)]
    maps = [word for number in range(len(tracks) + 1) for word in ("-map", str(number))]
    images = ("-f", "lavfi", "-i", "color=gray:s=64x64:r=5:d=6")
    run_ffmpeg(*images, *sources, *maps, "-c:v", "mpeg4", *options, str(path))
    return [track.fault for track in probe_video(path).audio]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mov", ("-c:a", "pcm_s16le")),
        ("a.avi", ("-c:a", "pcm_u8")),
        ("a.mp4", ("-c:a", "aac")),
        ("a.ts", ("-c:a", "mp2")),
        ("a.mkv", ("-c:a", "pcm_f32le")),
    ],
)
def test_silent_tracks_are_found_beside_one_that_is_heard(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    assert video_of(tmp_path / name, SILENCE, TONE, SILENCE, options=options) == [IS_SILENT, "", IS_SILENT]


def test_a_declared_track_without_any_packet_is_silent(tmp_path: Path) -> None:
    options = ("-c:a", "aac", "-bsf:a:0", "noise=drop=1")
    assert video_of(tmp_path / "a.mkv", SILENCE, TONE, options=options) == [IS_SILENT, ""]


def test_a_track_that_is_heard_late_is_not_silent(tmp_path: Path) -> None:
    assert video_of(tmp_path / "a.mov", LATE_TONE, TONE) == ["", ""]


def test_nothing_is_said_where_no_track_is_heard(tmp_path: Path) -> None:
    assert video_of(tmp_path / "a.mov", SILENCE, SILENCE) == ["", ""]
    assert video_of(tmp_path / "b.mov", SILENCE) == [""]
