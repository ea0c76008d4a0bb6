"""Finished clips are reused only if nothing about them has changed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.types import Clip, ColorInfo, CropPath, Segment
from processors.clips.clip_spec import ClipSpec
from processors.clips.constant_rate import Interval
from processors.clips.resume_journal import NOTES_FILE, EarlierClips, FinishedClips, has_finished_clips

ANALYSIS_KEY = "aa"


def clip(file: str, recipe: str = "") -> Clip:
    """A clip whose recipe follows from its name unless it is given."""
    made = Clip(file.split("/")[0], file, 0, 0, 3, 0.0, 0.12, 3, 64, 64, True, 1.2345)
    return replace(made, repeated_frames=2, damaged_audio_packets=1, recipe=recipe or f"recipe of {file}")


def wanted(file: str, recipe: str | None = None) -> ClipSpec:
    """What would make `clip(file)`."""
    path = CropPath(Segment(file.split("/")[0], 0, 0, 3, (0,)), np.arange(3), np.zeros((3, 4)), 64, 64)
    made = clip(file).recipe if recipe is None else recipe
    interval = Interval(Fraction(0), Fraction(3, 25))
    return ClipSpec(path, file, np.arange(3), 0, 3, 0.0, 0.12, interval, ColorInfo(), "libx264", (), made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two finished clips, an image, and an unfinished file."""
    folder = tmp_path / "partial"
    folder.mkdir()
    finished = FinishedClips(folder, ANALYSIS_KEY)
    for file in ("p/1.mp4", "q/1.mp4"):
        (folder / file).parent.mkdir()
        (folder / file).write_bytes(file.encode() * 100)
        finished.add(clip(file))
    (folder / "p/.partial-0123.mp4").write_bytes(b"half")
    (folder / "r/empty").mkdir(parents=True)
    (folder / "p/face.jpg").write_bytes(b"face")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name != NOTES_FILE)


def test_finished_clips_are_found_and_other_files_removed(folder):
    finished = FinishedClips(folder, ANALYSIS_KEY)
    assert finished.find(wanted("p/1.mp4")) == clip("p/1.mp4")
    assert finished.find(wanted("q/1.mp4")) == clip("q/1.mp4")
    assert files(folder) == ["p", "p/1.mp4", "q", "q/1.mp4"]


@pytest.mark.parametrize(
    ("file", "recipe"), [("p/1.mp4", "another"), ("p/1.mp4", ""), ("q/1.mp4", "recipe of p/1.mp4")]
)
def test_recipe_and_name_must_be_the_same(folder, file, recipe):
    assert FinishedClips(folder, ANALYSIS_KEY).find(wanted(file, recipe)) is None


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
    finished = FinishedClips(folder, ANALYSIS_KEY)
    assert finished.find(wanted("p/1.mp4")) is None
    assert finished.find(wanted("q/1.mp4")) is not None
    assert files(folder) == ["q", "q/1.mp4"]
    assert damage != "linked folder" or (tmp_path / "elsewhere/1.mp4").exists()


@pytest.mark.parametrize("line", [b'{"digest": "aa", "by', b"\xff\n", b"[]\n", b'{"digest":1}\n', b"\n"])
def test_unreadable_lines_are_skipped(folder, line):
    with (folder / NOTES_FILE).open("ab") as notes:
        notes.write(line)
    assert FinishedClips(folder, ANALYSIS_KEY).find(wanted("p/1.mp4")) is not None


def test_the_journal_cannot_name_files_outside_of_the_folder(folder, tmp_path):
    (tmp_path / "precious").write_bytes(b"p/1.mp4" * 100)
    notes = (folder / NOTES_FILE).read_bytes()
    (folder / NOTES_FILE).write_bytes(notes.replace(b'"p/1.mp4"', b'"../precious"'))
    finished = FinishedClips(folder, ANALYSIS_KEY)
    finished.keep_only([])
    assert (tmp_path / "precious").exists()
    assert files(folder) == []


def test_clips_of_another_timeline_are_removed_in_the_end(folder):
    finished = FinishedClips(folder, ANALYSIS_KEY)
    (folder / "p/2.mp4").write_bytes(b"new")
    finished.add(clip("p/2.mp4"))
    finished.keep_only(["p/2.mp4"])
    assert files(folder) == ["p", "p/2.mp4"]


def test_a_clip_that_is_made_again_replaces_the_old_one(folder):
    finished = FinishedClips(folder, ANALYSIS_KEY)
    (folder / "p/1.mp4").write_bytes(b"other")
    finished.add(clip("p/1.mp4", "another"))
    again = FinishedClips(folder, ANALYSIS_KEY)
    assert again.find(wanted("p/1.mp4", "another")) is not None
    assert again.find(wanted("p/1.mp4")) is None


def test_whether_there_are_clips_to_reuse(folder, tmp_path):
    assert has_finished_clips(folder)
    (tmp_path / "link").symlink_to(folder)
    assert not has_finished_clips(tmp_path / "link")
    assert not has_finished_clips(tmp_path / "nothing")
    (folder / NOTES_FILE).write_bytes(b'{"cut')
    assert not has_finished_clips(folder)


def test_clips_of_finished_results_are_taken_over_under_their_new_names(folder, tmp_path):
    (tmp_path / "old/p").mkdir(parents=True)
    (tmp_path / "old/p/7.mp4").write_bytes(b"seven")
    old = clip("p/7.mp4")
    finished = FinishedClips(folder, ANALYSIS_KEY, EarlierClips(tmp_path / "old", {old.recipe: old}))
    assert finished.find(wanted("r/9.mp4", old.recipe)) == replace(old, person="r", file="r/9.mp4")
    assert (folder / "r/9.mp4").read_bytes() == b"seven"
    # Should this run be interrupted, the next one knows the clip.
    assert FinishedClips(folder, ANALYSIS_KEY).find(wanted("r/9.mp4", old.recipe)) is not None


def test_a_clip_that_is_taken_over_replaces_one_that_is_not_wanted_any_more(folder, tmp_path):
    (tmp_path / "old/p").mkdir(parents=True)
    (tmp_path / "old/p/7.mp4").write_bytes(b"seven")
    old = clip("p/7.mp4")
    finished = FinishedClips(folder, ANALYSIS_KEY, EarlierClips(tmp_path / "old", {old.recipe: old}))
    assert finished.find(wanted("p/1.mp4", old.recipe)) is not None
    assert (folder / "p/1.mp4").read_bytes() == b"seven"
    assert (tmp_path / "old/p/7.mp4").read_bytes() == b"seven"


def test_journals_of_several_processes_are_joined_by_whoever_has_the_folder_alone(folder):
    shared = [FinishedClips(folder, ANALYSIS_KEY, is_shared=True) for _ in range(2)]
    for finished, file in zip(shared, ("p/2.mp4", "q/2.mp4"), strict=True):
        (folder / file).write_bytes(file.encode() * 100)
        finished.add(clip(file))
    made = ["p/1.mp4", "p/2.mp4", "q/1.mp4", "q/2.mp4"]
    another = FinishedClips(folder, ANALYSIS_KEY, is_shared=True)
    assert all(another.find(wanted(file)) == clip(file) for file in made)
    assert (folder / "p/.partial-0123.mp4").exists(), "somebody may be writing it"
    (folder / NOTES_FILE).unlink()
    assert has_finished_clips(folder)
    alone = FinishedClips(folder, ANALYSIS_KEY)
    assert [alone.find(wanted(file)) for file in made] == [None, clip("p/2.mp4"), None, clip("q/2.mp4")]
    assert files(folder) == ["p", "p/2.mp4", "q", "q/2.mp4"]
    assert FinishedClips(folder, ANALYSIS_KEY).find(wanted("q/2.mp4")) is not None, "it is in the journal that stays"
