"""Files that are complete or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.material.small_disk import no_file_above
from utils.files import PARTIAL_PREFIX, scratch_file, write_bytes


def test_a_scratch_file_is_gone_afterwards(tmp_path: Path) -> None:
    with scratch_file(tmp_path, suffix=".pcm") as file:
        file.write(b"intact")
        file.flush()
        path = Path(file.name)
        assert path.read_bytes() == b"intact"
        assert path.parent == tmp_path
        assert path.name.startswith(PARTIAL_PREFIX)
        assert path.suffix == ".pcm"
    assert not list(tmp_path.iterdir())


def test_a_scratch_file_that_its_disk_has_no_room_for_goes_in_silence(tmp_path: Path) -> None:
    with no_file_above(100), scratch_file(tmp_path) as file:
        file.write(bytes(200))  # still in the buffer
    assert file.closed
    assert not list(tmp_path.iterdir())


def test_a_scratch_file_whose_folder_is_removed_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with scratch_file(folder) as file:
        Path(file.name).unlink()
        folder.rmdir()
    assert file.closed


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    write_bytes(target, b"old")
    with no_file_above(100), pytest.raises(OSError, match="File too large"):
        write_bytes(target, bytes(5000))
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
