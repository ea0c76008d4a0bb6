"""A range is the same images whether the reader sought or read on, whatever the container says of key frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import VideoInfo
from tests.material.small_videos import make_video
from tests.material.wrong_key_frames import with_matroska_flags, with_stss, without_stss

RANGES = ((70, 74), (30, 33), (31, 40), (52, 53), (76, 80), (9, 12))
CODECS = {
    "mpeg4": ("-c:v", "mpeg4", "-q:v", "3", "-bf", "2", "-sc_threshold", "1000000000", "-g", "15"),
    "h264": ("-c:v", "libx264", "-qp", "12", "-bf", "2", "-sc_threshold", "0", "-g", "15"),
}
LIES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "no stss": ("mp4", without_stss),
    "wrong stss": ("mp4", partial(with_stss, frames=(0, 21, 37, 50, 67, 71))),
    "all flags": ("mkv", partial(with_matroska_flags, key=True)),
    "no flags": ("mkv", partial(with_matroska_flags, key=False)),
}


def moving(count: int = 80) -> list[np.ndarray]:
    """A square that wanders over noise: every image refers to those before."""
    noise = np.random.default_rng(5).integers(40, 120, (96, 128, 3)).astype(np.uint8)
    images = []
    for number in range(count):
        image = np.roll(noise, number, 1)
        image[20:50, number % 96 : number % 96 + 24] = 230
        images.append(image)
    return images


def read(info: VideoInfo, reader: VideoReader, *interval: int | None) -> list[tuple[int, bytes]]:
    return [(f.pts, b"".join(np.ascontiguousarray(p).tobytes() for p in f.planes())) for f in reader.frames(*interval)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("lie", [None, *LIES])
def test_ranges_are_those_of_a_sequential_decode(tmp_path: Path, codec: str, lie: str | None) -> None:
    extension, change = LIES[lie] if lie else ("mp4", lambda path: None)
    # 5 images/s: so far apart that ranges are sought
    path = make_video(tmp_path / f"a.{extension}", moving(), *CODECS[codec], rate="5")
    change(path)
    info = probe_video(path)
    with VideoReader(info) as reader:
        whole = read(info, reader)
    assert len(whole) == 80
    if lie is None:
        assert (reader.key_frames, reader.false_key_frames) == (6, 0)
    with VideoReader(info) as one:
        for start, end in RANGES:
            interval = whole[start][0], whole[end][0] if end < len(whole) else None
            assert read(info, one, *interval) == whole[start:end], f"{start} after others"
            with VideoReader(info) as fresh:
                assert read(info, fresh, *interval) == whole[start:end], start


def test_a_valid_index_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "a.mp4", moving(), *CODECS["mpeg4"], "-video_track_timescale", "10240", rate="5")
    info = probe_video(path)
    monkeypatch.setattr(VideoReader, "_rewind", lambda self: pytest.fail("read from the beginning"))
    with VideoReader(info) as reader:
        assert len(read(info, reader, info.start_pts + 70 * 2048)) == 10


def test_where_seeking_does_not_work_it_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "a.mp4", moving(), *CODECS["mpeg4"][:-1], "300", rate="2")
    without_stss(path)
    info = probe_video(path)
    with VideoReader(info) as reader:
        pts = [frame.pts for frame in reader.frames()]
    assert (reader.key_frames, reader.false_key_frames) == (1, 79)
    tried = []
    seek = VideoReader._seek

    def noted(self: VideoReader, start_pts: int) -> bool:
        tried.append(start_pts)
        return seek(self, start_pts)

    monkeypatch.setattr(VideoReader, "_seek", noted)
    with VideoReader(info) as reader:
        for start in (30, 50, 70):
            assert next(reader.frames(pts[start])).pts == pts[start]
    assert len(tried) == 1
