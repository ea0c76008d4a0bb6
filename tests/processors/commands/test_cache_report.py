"""What `cache info` says is stored, and what `cache clear` removes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from core.analysis_store import AnalysisStore
from processors.batch.run_journal import RunJournal
from processors.commands.cache_command import run
from processors.commands.cache_report import cache_lines, clear_cache


@pytest.fixture
def store(tmp_path: Path) -> AnalysisStore:
    made = AnalysisStore(tmp_path / "cache", 10**9)
    made.folder.mkdir(parents=True)
    for digit, days in (("a", 5), ("b", 1)):
        path = made.folder / f"{digit * 64}.npz"
        path.write_bytes(bytes(1_000_000))
        os.utime(path, (time.time() - days * 86400,) * 2)
    (made.folder / f"{'a' * 64}.{'c' * 16}.signal.npz").write_bytes(bytes(1000))
    (made.folder / "notes.txt").write_text("mine")
    return made


def facts(lines: list[str]) -> dict[str, str]:
    return {line[:10].strip(): line[10:] for line in lines if line[:10].strip()}


def test_it_says_what_is_stored(store: AnalysisStore, tmp_path: Path) -> None:
    told = facts(list(cache_lines(store, tmp_path / "people.db", tmp_path)))
    assert told["folder"] == str(store.folder)
    assert (told["analyses"], told["size"]) == ("2 and 1 signal", "2.0 of 1000 MB")
    assert told["oldest"] == "last used 5 days ago"
    assert told["gallery"] == f"none yet; it will be {tmp_path / 'people.db'}"
    assert "--keep-analyses" in told["kept"]
    clear_cache(store)
    told = facts(list(cache_lines(store, None, tmp_path, kept_s=30 * 86400.0)))
    assert (told["analyses"], told["size"]) == ("0", "0.0 of 1000 MB") and "oldest" not in told
    assert told["gallery"] == "none (--no-gallery)"
    assert told["kept"].startswith("for 30 days ")


def test_clearing_removes_analyses_and_signals_only(store: AnalysisStore) -> None:
    assert len(clear_cache(store)) == 3
    assert [path.name for path in store.folder.iterdir()] == ["notes.txt"]


def test_the_command_names_the_gallery_of_the_output_folder(
    store: AnalysisStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "people.db").write_bytes(bytes(2_000_000))
    arguments = ["info", "-o", str(tmp_path), "--cache-dir", str(store.folder.parent), "--keep-analyses", "12h"]
    assert run(arguments, RunJournal()) == 0
    told = facts(capsys.readouterr().out.splitlines())
    assert told["gallery"].startswith(f"{tmp_path / 'people.db'} (2.0 MB)")
    assert told["kept"].startswith("for 12 hours ")
    assert str(tmp_path) in told["results"]
