"""Thumbnails of clips: how many of each, and that reading them ahead does not change them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from core.media.thumbnails import Thumbnail
from core.types import Clip
from processors.clips import clip_thumbnails
from processors.clips.clip_thumbnails import ClipThumbnails
from utils.processes.spill_file import SpillFile

READ = "processors.clips.clip_thumbnails.read_thumbnails"


def clip(person: str, number: int) -> Clip:
    return Clip(person, f"{person}/{number}.mp4", 0, 0, 50, 0.0, 2.0, 50, 160, 120, False, 1.0)


def of(folder, clips: list[Clip], threads: int = 0) -> ClipThumbnails:
    return ClipThumbnails(folder, [one.person for one in clips], threads)


class Reader:
    """A fake `read_thumbnails`: images of `side` px that hold the number of the call."""

    def __init__(self, side: int = 4) -> None:
        self.side = side
        self.asked: list[tuple[str, int]] = []

    def __call__(self, path, height, limit):
        self.asked.append((path.name, limit))
        pixels = np.full((self.side, self.side, 3), len(self.asked), np.uint8)
        pixels[0, 1] = 7
        return (Thumbnail(0.4, pixels),)


def test_the_more_clips_the_fewer_thumbnails_each(tmp_path, monkeypatch):
    monkeypatch.setattr(READ, reader := Reader())
    clips = [clip("a", n) for n in range(25)] + [clip("b", n) for n in range(3)]
    list(of(tmp_path, clips).take(clips))
    assert [limit for _, limit in reader.asked] == [2] * 25 + [12] * 3
    clips = [clip("a", n) for n in range(100)]
    list(of(tmp_path, clips).take(clips))
    assert reader.asked[-1][1] == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_at_most_as_many_clips_are_read_at_a_time_as_the_run_has_threads(tmp_path, monkeypatch, threads):
    reading, most = [], []

    def read(path, height, limit):
        reading.append(path)
        most.append(len(reading))
        time.sleep(0.01)
        reading.remove(path)
        return ()

    monkeypatch.setattr(READ, read)
    clips = [clip("a", n) for n in range(20)]
    list(of(tmp_path, clips, threads).take(clips))
    assert max(most) == threads


def test_thumbnails_that_were_read_ahead_are_not_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(READ, reader := Reader())
    clips = [clip("a", n) for n in range(3)]
    thumbnails = of(tmp_path, clips)
    thumbnails.read_ahead(clips[1])
    assert [one.file for one, _ in thumbnails.take(clips)] == [one.file for one in clips]
    assert sorted(reader.asked) == [("0.mp4", 12), ("1.mp4", 12), ("2.mp4", 12)]


def test_thumbnails_that_wait_are_in_a_file_and_come_back_as_they_were(tmp_path, monkeypatch):
    spilled = []

    class NotedFile(SpillFile):
        def add(self, data):
            spilled.append(data)
            return super().add(data)

    monkeypatch.setattr(READ, Reader())
    monkeypatch.setattr(clip_thumbnails, "SpillFile", NotedFile)
    thumbnails = of(tmp_path, [clip("a", 0)])
    thumbnails.read_ahead(clip("a", 0))
    ((_, (shot,)),) = thumbnails.take([clip("a", 0)])
    wanted = np.ones((4, 4, 3), np.uint8)
    wanted[0, 1] = 7
    assert spilled == [wanted.tobytes()]
    np.testing.assert_array_equal(shot.pixels, wanted, strict=True)
    assert shot.time_s == 0.4


def test_a_clip_that_was_made_again_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(READ, Reader())
    thumbnails = of(tmp_path, [clip("a", 0)])
    thumbnails.read_ahead(clip("a", 0))
    thumbnails.read_ahead(clip("a", 0))
    ((_, (shot,)),) = thumbnails.take([clip("a", 0)])
    assert shot.pixels[0, 0, 0] == 2


def test_no_more_than_the_limit_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(READ, reader := Reader(100))
    monkeypatch.setattr(clip_thumbnails, "MAX_BYTES_AHEAD", 50_000)
    clips = [clip("a", n) for n in range(9)]
    thumbnails = of(tmp_path, clips)
    for one in clips:
        thumbnails.read_ahead(one)
    assert len(reader.asked) == 2  # of 30 000 bytes each
    assert len(list(thumbnails.take(clips))) == 9
    assert len(reader.asked) == 9
