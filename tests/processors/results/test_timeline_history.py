"""The versions that are kept of timeline.json, also where an edit was interrupted."""

from __future__ import annotations

from pathlib import Path

from processors.results.timeline_history import (
    HISTORY_FOLDER,
    VERSIONS_KEPT,
    forget_version,
    history_files,
    keep_version,
    last_version,
)


def edit(folder: Path, text: str) -> None:
    keep_version(folder)
    (folder / "timeline.json").write_text(text)


def undo(folder: Path) -> str | None:
    version = last_version(folder)
    if version is None:
        return None
    (folder / "timeline.json").write_bytes(version.data)
    forget_version(version)
    return version.data.decode()


def test_versions_come_back_last_first_and_leave_nothing(tmp_path):
    (tmp_path / "timeline.json").write_text("a")
    for text in "bcd":
        edit(tmp_path, text)
    assert [path.name for path in history_files(tmp_path)] == ["0001.json", "0002.json", "0003.json"]
    assert [undo(tmp_path) for _ in range(4)] == ["c", "b", "a", None]
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.json"]


def test_the_oldest_are_forgotten(tmp_path):
    (tmp_path / "timeline.json").write_text("0")
    for number in range(1, VERSIONS_KEPT + 6):
        edit(tmp_path, str(number))
    assert len(history_files(tmp_path)) == VERSIONS_KEPT
    assert [undo(tmp_path) for _ in range(VERSIONS_KEPT + 1)] == [
        *(str(number) for number in range(VERSIONS_KEPT + 4, 4, -1)),
        None,
    ]


def test_an_edit_that_was_interrupted_before_it_was_written_does_not_count(tmp_path):
    (tmp_path / "timeline.json").write_text("a")
    edit(tmp_path, "b")
    keep_version(tmp_path)
    assert undo(tmp_path) == "a"
    assert undo(tmp_path) is None and not history_files(tmp_path)


def test_an_undo_that_was_interrupted_before_it_forgot_does_not_count(tmp_path):
    (tmp_path / "timeline.json").write_text("a")
    edit(tmp_path, "b")
    edit(tmp_path, "c")
    (tmp_path / "timeline.json").write_text("b")
    assert undo(tmp_path) == "a"


def test_other_files_and_links_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "secret.json").write_text("secret")
    history = tmp_path / HISTORY_FOLDER
    history.mkdir()
    (history / "notes.txt").write_text("mine")
    (history / "0007.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "timeline.json").write_text("a")
    assert last_version(tmp_path) is None
    edit(tmp_path, "b")
    assert undo(tmp_path) == "a"
    assert sorted(path.name for path in history.iterdir()) == ["0007.json", "notes.txt"]
    assert (tmp_path / "secret.json").read_text() == "secret"


def test_a_folder_without_a_timeline_has_no_versions(tmp_path):
    keep_version(tmp_path)
    assert last_version(tmp_path) is None and not (tmp_path / HISTORY_FOLDER).exists()
