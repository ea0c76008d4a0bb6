"""Bytes that wait in a temporary file."""

from __future__ import annotations

import contextlib
import errno
import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pytest

from utils.processes.spill_file import SpilledBytes, SpillFile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """The temporary files that are made from now on."""
    files: list[IO[bytes]] = []
    make = tempfile.TemporaryFile

    def noted(**options: Any) -> IO[bytes]:
        files.append(make(**options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", noted)
    return files


def open_files(folder: Path) -> list[str]:
    """What this process has open there, with names or without."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        # The folder lists the file that reads it, too, which is closed by now.
        with contextlib.suppress(OSError):
            found.append(str(link.readlink()))
    return [target for target in found if target.startswith(str(folder))]


def test_pieces_are_read_back_in_any_order(folder: Path) -> None:
    file = SpillFile()
    pieces = [file.add(data) for data in (b"one", b"three", b"\0\xff")]
    assert [bytes(piece) for piece in reversed(pieces)] == [b"\0\xff", b"three", b"one"]
    assert [len(piece) for piece in pieces] == [3, 5, 2]
    assert bytes(pieces[1]) == b"three"
    assert all(isinstance(piece, SpilledBytes) for piece in pieces)


def test_nothing_is_nothing(folder: Path) -> None:
    assert SpillFile().add(b"") == b""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists open files")
def test_the_file_has_no_name_and_is_closed_with_its_last_piece(folder: Path) -> None:
    piece = SpillFile().add(b"data")
    assert list(folder.iterdir()) == [] and len(open_files(folder)) == 1
    assert bytes(piece) == b"data"
    del piece
    assert open_files(folder) == []


def test_what_cannot_be_written_stays_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Disk(io.FileIO):
        def write(self, data: Any) -> int:
            if self.tell():
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Disk(folder / "file", "w+"))
    file = SpillFile()
    before = file.add(b"before")
    assert [file.add(b"after"), file.add(b"later")] == [b"after", b"later"]
    assert bytes(before) == b"before"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "No space left" in caplog.text


def test_without_a_folder_for_temporary_files_it_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert SpillFile().add(b"data") == b"data"


def test_a_file_that_has_been_cut_short_is_an_error(made: list[IO[bytes]]) -> None:
    piece = SpillFile().add(b"data")
    made[0].truncate(2)
    with pytest.raises(OSError, match="temporary file"):
        bytes(piece)


def test_any_thread_may_add_and_read(folder: Path) -> None:
    file = SpillFile()

    def there_and_back(number: int) -> bool:
        data = bytes([number]) * (1 + number)
        return all(bytes(file.add(data)) == data for _ in range(50))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(there_and_back, range(16)))
