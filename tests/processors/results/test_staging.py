"""Where new results are made: beside the video's folder or on a local disk, and never in a folder of somebody else."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from core.errors import InterruptedRunError, LeaseLostError, OutputError
from processors.results.output_folder import resumable_clips, staged_results
from processors.results.output_leases import OutputLeases
from processors.results.staging import make_staging, move_beside, remove_old_scratch, staged_folder
from tests.processors.results.test_output_folder import SOURCE, note_finished, tree, write_run
from utils.fingerprints import Fingerprint


def test_results_are_made_on_the_local_disk_and_moved_at_the_end(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "out" / "2024" / "a", tmp_path / "disk"
    for content in ("one", "two"):
        with staged_results(folder, SOURCE, scratch=scratch) as staging:
            assert scratch in staging.parents
            write_run(staging, {"p/1.mp4": content})
            assert not list((tmp_path / "out").rglob(".partial-*"))
        assert tree(folder) == {"p/1.mp4": content}
        assert not list(tmp_path.rglob(".partial-*"))


def test_another_file_system_is_copied_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, scratch, rename = tmp_path / "out" / "a", tmp_path / "disk", Path.rename

    def across(self: Path, target: Path) -> Path:
        if scratch in self.parents:
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", across)
    with staged_results(folder, SOURCE, scratch=scratch) as staging:
        write_run(staging, {"p/1.mp4": "clip"})
    assert tree(folder) == {"p/1.mp4": "clip"}
    assert not list(tmp_path.rglob(".partial-*"))

    def full(source: Path, target: Path) -> None:
        target.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    no_room = pytest.raises(OutputError, match=rf"No space .*make room in {folder.parent},")
    with no_room, staged_results(folder, SOURCE, scratch=scratch) as staging:
        write_run(staging, {"p/1.mp4": "new"})
    assert tree(folder) == {"p/1.mp4": "clip"}
    assert not list(tmp_path.rglob(".partial-*"))


def test_a_run_resumes_on_the_local_disk_with_and_without_it(tmp_path: Path) -> None:
    folder, scratch = tmp_path / "out" / "a", tmp_path / "disk"
    folder.parent.mkdir()
    for before, then in ((scratch, scratch), (None, scratch)):
        with pytest.raises(InterruptedRunError), staged_results(folder, SOURCE, resume=True, scratch=before) as staging:
            if not (staging / "p").exists():
                note_finished(staging)
            raise InterruptedRunError("stopped")
        assert resumable_clips(folder, SOURCE, then)
        assert not resumable_clips(folder, Fingerprint(10, "bb"), then)
    with staged_results(folder, SOURCE, resume=True, scratch=scratch) as staging:
        assert (staging / "p/1.mp4").read_text() == "clip"
    assert not list(tmp_path.rglob(".partial-*"))


def test_whoever_wakes_up_late_has_no_staging_folder_any_more(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with OutputLeases(tmp_path) as late, OutputLeases(tmp_path) as quick:
        lease = late.take_video(folder)
        with pytest.raises(LeaseLostError), staged_results(folder, SOURCE, lease=lease.ticket) as staging:
            # Suspended here, until another call has taken the video over and begun.
            lease.ticket.path.unlink()
            other = quick.take_video(folder)
            with staged_results(folder, SOURCE, lease=other.ticket) as theirs:
                assert not staging.exists()
                write_run(theirs, {"p/1.mp4": "theirs"})
            write_run_where_it_was(staging)
        assert tree(folder) == {"p/1.mp4": "theirs"}


def write_run_where_it_was(staging: Path) -> None:
    """As an encoder does that was told to make its folder if it is missing."""
    staging.mkdir()
    write_run(staging, {"p/1.mp4": "late"})


def test_output_folders_do_not_share_staging_folders_on_one_disk(tmp_path: Path) -> None:
    first, second = (make_staging(tmp_path / n / "a", SOURCE, tmp_path / "disk", resume=False) for n in ("x", "y"))
    assert first.parent != second.parent
    assert first.exists()
    assert move_beside(first, tmp_path / "x" / "a").parent == tmp_path / "x"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        (".partial-a.00ff-10.0123abcd", "a"),
        (".partial-a.00ff-10", "a"),  # until 2026-11-28
        (".partial-a.00ff-10.00ff-10.0123abcd", "a.00ff-10"),
        (".partial-0123456789abcdef.json", None),
        (".partial-a", None),
        ("a", None),
    ],
)
def test_whose_a_staging_folder_is(tmp_path: Path, name: str, folder: str | None) -> None:
    assert staged_folder(tmp_path / name) == (None if folder is None else tmp_path / folder)


def test_what_killed_runs_left_on_the_local_disk_goes_after_a_week(tmp_path: Path) -> None:
    old, new = (make_staging(tmp_path / n / "a", SOURCE, tmp_path / "disk", resume=False) for n in ("x", "y"))
    week_ago = time.time() - 8 * 86400
    os.utime(old, (week_ago, week_ago))
    remove_old_scratch(tmp_path / "disk")
    assert (old.exists(), new.exists()) == (False, True)
    remove_old_scratch(tmp_path / "no disk")
