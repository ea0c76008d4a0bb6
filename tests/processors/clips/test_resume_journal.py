"""Clips that an interrupted render has finished are reused only if nothing about them has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.types import Clip, CropPath, Segment
from processors.clips.resume_journal import NOTES_FILE, FinishedClip, FinishedClips, has_finished_clips

FACTS = {"analysis": "aa", "encode": {"quality": 18}}
ENCODER = "libx264"


def path(person: str = "p", start: int = 0, shift: float = 0.0) -> CropPath:
    windows = np.tile([shift, 0.0, 64.0 + shift, 64.0], (3, 1))
    return CropPath(Segment(person, 0, start, start + 3, (0,)), start + np.arange(3), windows, 64, 64)


def clip(file: str) -> FinishedClip:
    made = Clip(file.split("/")[0], file, 0, 0, 3, 0.0, 0.12, 3, 64, 64, True, 1.2345)
    return FinishedClip(made, repeated_pictures=2, damaged_sound_packets=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two finished clips, an image, and an unfinished file."""
    folder = tmp_path / "partial"
    folder.mkdir()
    finished = FinishedClips(folder, FACTS)
    for file in ("p/1.mp4", "q/1.mp4"):
        (folder / file).parent.mkdir()
        (folder / file).write_bytes(file.encode() * 100)
        finished.add(path(file[0]), ENCODER, clip(file))
    (folder / "p/.partial-0123.mp4").write_bytes(b"half")
    (folder / "r/empty").mkdir(parents=True)
    (folder / "p/face.jpg").write_bytes(b"face")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name != NOTES_FILE)


def test_finished_clips_are_found_and_other_files_removed(folder):
    finished = FinishedClips(folder, FACTS)
    assert finished.find(path("p"), "p/1.mp4", ENCODER) == clip("p/1.mp4")
    assert finished.find(path("q"), "q/1.mp4", ENCODER) == clip("q/1.mp4")
    assert files(folder) == ["p", "p/1.mp4", "q", "q/1.mp4"]


@pytest.mark.parametrize("change", ["facts", "encoder", "name", "windows", "frames", "size", "person"])
def test_everything_that_determines_the_bytes_must_be_the_same(folder, change):
    facts, encoder, file, wanted = FACTS, ENCODER, "p/1.mp4", path("p")
    if change == "facts":
        facts = {**FACTS, "encode": {"quality": 20}}
    elif change == "encoder":
        encoder = "h264_nvenc"
    elif change == "name":
        file = "q/1.mp4"
    elif change == "windows":
        wanted = path("p", shift=0.25)
    elif change == "frames":
        wanted = path("p", start=1)
    elif change == "size":
        wanted = replace(wanted, width=96)
    else:
        wanted = path("someone")
    assert FinishedClips(folder, facts).find(wanted, file, encoder) is None


@pytest.mark.parametrize("damage", ["gone", "longer", "flipped", "link", "linked folder"])
def test_a_changed_file_is_not_reused(folder, tmp_path, damage):
    file = folder / "p/1.mp4"
    data = file.read_bytes()
    if damage == "longer":
        file.write_bytes(data + b"x")
    elif damage == "flipped":
        file.write_bytes(b"X" + data[1:])
    elif damage == "linked folder":
        (folder / "p").rename(tmp_path / "elsewhere")
        (folder / "p").symlink_to(tmp_path / "elsewhere")
    else:
        file.unlink()
        if damage == "link":
            (tmp_path / "other").write_bytes(data)
            file.symlink_to(tmp_path / "other")
    finished = FinishedClips(folder, FACTS)
    assert finished.find(path("p"), "p/1.mp4", ENCODER) is None
    assert finished.find(path("q"), "q/1.mp4", ENCODER) is not None
    assert files(folder) == ["q", "q/1.mp4"]
    assert damage != "linked folder" or (tmp_path / "elsewhere/1.mp4").exists()


@pytest.mark.parametrize("line", [b'{"digest": "aa", "by', b"\xff\n", b"[]\n", b'{"digest":1}\n', b"\n"])
def test_unreadable_lines_are_skipped(folder, line):
    with (folder / NOTES_FILE).open("ab") as notes:
        notes.write(line)
    assert FinishedClips(folder, FACTS).find(path("p"), "p/1.mp4", ENCODER) is not None


def test_the_journal_cannot_name_files_outside_of_the_folder(folder, tmp_path):
    (tmp_path / "precious").write_bytes(b"p/1.mp4" * 100)
    notes = (folder / NOTES_FILE).read_bytes()
    (folder / NOTES_FILE).write_bytes(notes.replace(b'"p/1.mp4"', b'"../precious"'))
    finished = FinishedClips(folder, FACTS)
    finished.keep_only([])
    assert (tmp_path / "precious").exists()
    assert files(folder) == []


def test_clips_of_another_timeline_are_removed_in_the_end(folder):
    finished = FinishedClips(folder, FACTS)
    (folder / "p/2.mp4").write_bytes(b"new")
    finished.add(path("p", start=3), ENCODER, clip("p/2.mp4"))
    finished.keep_only(["p/2.mp4"])
    assert files(folder) == ["p", "p/2.mp4"]


def test_a_clip_that_is_made_again_replaces_the_old_one(folder):
    finished = FinishedClips(folder, FACTS)
    (folder / "p/1.mp4").write_bytes(b"other")
    finished.add(path("p", start=7), ENCODER, clip("p/1.mp4"))
    again = FinishedClips(folder, FACTS)
    assert again.find(path("p", start=7), "p/1.mp4", ENCODER) is not None
    assert again.find(path("p"), "p/1.mp4", ENCODER) is None


def test_whether_there_are_clips_to_reuse(folder, tmp_path):
    assert has_finished_clips(folder)
    (tmp_path / "link").symlink_to(folder)
    assert not has_finished_clips(tmp_path / "link")
    assert not has_finished_clips(tmp_path / "nothing")
    (folder / NOTES_FILE).write_bytes(b'{"cut')
    assert not has_finished_clips(folder)
