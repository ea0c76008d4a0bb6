"""The gallery where it may be read but not written."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from core.errors import GalleryError
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_file import GalleryFile
from tests.material.ordinary_user import locking, ordinary
from tests.processors.known_people.people import run


def listing(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (file.stat().st_mode, file.read_bytes()) for file in folder.iterdir()}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder whose gallery knows Anna."""
    folder = tmp_path / "out #1?"
    folder.mkdir()
    with Gallery(folder / "people.db") as gallery:
        run(gallery, "one", [1])
        gallery.name("P0001", "Anna")
    return folder


@pytest.mark.parametrize("locked", ["folder", "file"])
def test_what_cannot_be_written_is_listed_but_not_changed(output: Path, tmp_path: Path, locked: str) -> None:
    gallery = output / "people.db"
    before = listing(output)
    with locking(tmp_path) as lock:
        lock(output if locked == "folder" else gallery)
        listed = ordinary(["main.py", "people", "-o", str(output)])
        assert listed.returncode == 0 and "P0001  Anna" in listed.stdout and not listed.stderr
        changed = ordinary(["main.py", "name", "P0001", "Berta", "-o", str(output)])
        again = ordinary(["main.py", "name", "P0001", "Berta", "-o", str(output)])
    for refused in (changed, again):
        assert refused.returncode == 1 and not refused.stdout
        assert refused.stderr.count("\n") == 1 and "people.db" in refused.stderr and "read-only" in refused.stderr
    assert listing(output) == before


def test_changes_that_are_only_in_the_log_are_not_left_out(output: Path, tmp_path: Path) -> None:
    """A process died with changes in the log, and the log's index is gone, as on a copy or a remounted disk."""
    copy = tmp_path / "copy"
    copy.mkdir()
    with Gallery(output / "people.db") as gallery:
        gallery.name("P0001", "Berta")
        for name in ("people.db", "people.db-wal"):
            shutil.copy(output / name, copy / name)
    assert (copy / "people.db-wal").stat().st_size
    with locking(tmp_path) as lock:
        lock(copy)
        done = ordinary(["main.py", "people", "-o", str(copy)])
    assert done.returncode == 1 and "its last changes are in its log" in done.stderr
    done = ordinary(["main.py", "people", "-o", str(copy)])
    assert "P0001  Berta" in done.stdout


def test_reading_makes_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="is not there"):
        GalleryFile(tmp_path / "people.db", for_reading=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "people.db").touch()
    with pytest.raises(GalleryError, match="is empty"):
        GalleryFile(tmp_path / "people.db", for_reading=True)
    assert (tmp_path / "people.db").stat().st_size == 0


def test_reading_tells_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "people.db").write_bytes(b"not a database" * 500)
    with pytest.raises(GalleryError, match="damaged or no database"):
        GalleryFile(tmp_path / "people.db", for_reading=True)


def test_a_gallery_is_made_private_but_no_more_writable_than_it_was(output: Path) -> None:
    gallery = output / "people.db"
    for before, after in ((0o644, 0o600), (0o444, 0o400)):
        gallery.chmod(before)
        with Gallery(gallery):
            assert gallery.stat().st_mode & 0o777 == after


def test_who_reads_cannot_change_it_where_it_is_locked(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Gallery(output / "people.db", for_reading=True) as gallery:
        assert gallery.find("Anna").number == 1
        with pytest.raises(GalleryError, match="read-only"):
            gallery.name("Anna", "Berta")
    with sqlite3.connect(output / "people.db") as rows:
        assert rows.execute("SELECT name FROM people").fetchall() == [("Anna",)]
    rows.close()
