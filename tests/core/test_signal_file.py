"""Signals come back as they were stored, for the analysis that they were measured on and no other."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from core.analysis_file import AnalysisRecord
from core.analysis_store import AnalysisStore
from core.signal_file import read_signal, write_signal
from tests.material.factories import face_analysis, tracklet

KEY, OTHER = "ab" * 32, "cd" * 32
ANALYSIS = face_analysis([tracklet(7, range(5)), tracklet(2, range(1, 3)), tracklet(3, range(5, 10))])
RECORD = AnalysisRecord(KEY, ANALYSIS, {}, ())
COLUMNS = {t.id: np.linspace(-4, 4, len(t.frames), dtype=np.float32) for t in ANALYSIS.tracklets}


def test_a_signal_comes_back(tmp_path: Path) -> None:
    write_signal(tmp_path / "a.npz", KEY, COLUMNS)
    found = read_signal(tmp_path / "a.npz", KEY, ANALYSIS)
    assert found.keys() == COLUMNS.keys()
    assert all(np.array_equal(found[i], COLUMNS[i]) and found[i].dtype == np.float32 for i in COLUMNS)


def test_an_analysis_without_tracklets_has_an_empty_signal(tmp_path: Path) -> None:
    write_signal(tmp_path / "a.npz", KEY, {})
    assert read_signal(tmp_path / "a.npz", KEY, dataclasses.replace(ANALYSIS, tracklets=())) == {}


def test_the_same_signal_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_signal(tmp_path / name, KEY, dict(reversed(COLUMNS.items())) if name == "b.npz" else COLUMNS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("wrong", ["key", "tracklet", "length", "nan", "cut off", "analysis file"])
def test_another_signal_is_refused(tmp_path: Path, wrong: str) -> None:
    path, key, columns = tmp_path / "a.npz", KEY, dict(COLUMNS)
    if wrong == "key":
        key = OTHER
    elif wrong == "tracklet":
        columns[99] = columns.pop(7)
    elif wrong == "length":
        columns[7] = columns[7][:-1]
    elif wrong == "nan":
        columns[7] = np.full_like(columns[7], np.nan)
    write_signal(path, key, columns)
    if wrong == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    elif wrong == "analysis file":
        store = AnalysisStore(tmp_path, 10**9)
        store.save(RECORD)
        path = store.folder / f"{KEY}.npz"
    with pytest.raises(ValueError, match=r"."):
        read_signal(path, KEY, ANALYSIS)


def test_the_store_keeps_signals_beside_analyses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = AnalysisStore(tmp_path, 10**9)
    assert store.load_signal(OTHER, RECORD) is None
    store.save(RECORD)
    store.save_signal(OTHER, KEY, COLUMNS)
    found = store.load_signal(OTHER, RECORD)
    assert found is not None and np.array_equal(found[7], COLUMNS[7])
    assert sorted(entry.is_analysis for entry in store.entries()) == [False, True]
    assert {entry.analysis for entry in store.entries()} == {KEY}
    path = store.folder / f"{KEY}.{OTHER[:16]}.signal.npz"
    path.write_bytes(b"damaged")
    with caplog.at_level(logging.WARNING):
        assert store.load_signal(OTHER, RECORD) is None
    assert "measured again" in caplog.text


def test_signals_count_towards_the_limit_of_the_store(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, 1)
    store.save_signal(OTHER, KEY, COLUMNS)
    store.save_signal(KEY, KEY, COLUMNS)
    assert [entry.path.name for entry in store.entries()] == [f"{KEY}.{KEY[:16]}.signal.npz"]
