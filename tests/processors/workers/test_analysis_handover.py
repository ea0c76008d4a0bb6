"""Analyses travel from one process to others, with all that was found out about them, and leave nothing behind."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.analysis_file import AnalysisRecord
from core.errors import OutputError, VideoProcessingError
from processors.results.output_folder import remove_leftovers
from processors.workers.analysis_handover import AnalysisHandover
from tests.material.factories import face_analysis, tracklet, video_info

KEY = "ab" * 32


def record() -> AnalysisRecord:
    spoken = replace(tracklet(0, range(5)), signals={"speech": np.arange(5, dtype=np.float32)})
    return AnalysisRecord(KEY, face_analysis([spoken], video=video_info("a.mp4")), {"device": "cpu"}, ("odd",))


def test_another_process_gets_what_was_handed_over(tmp_path: Path) -> None:
    ours = AnalysisHandover.in_folder(tmp_path)
    ours.put(record())
    theirs = pickle.loads(pickle.dumps(ours))
    got = theirs.get(KEY, video_info("a.mp4"))
    assert (got.models, got.warnings) == ({"device": "cpu"}, ("odd",))
    assert got.analysis.tracklets[0].signals["speech"].tolist() == [0, 1, 2, 3, 4]
    ours.drop(KEY)
    with pytest.raises(VideoProcessingError, match="its analysis is gone"):
        theirs.get(KEY, video_info("a.mp4"))
    ours.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_leaves_is_removed_by_the_next(tmp_path: Path) -> None:
    AnalysisHandover.in_folder(tmp_path).put(record())
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_the_video_s_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be handed over"):
        AnalysisHandover(tmp_path / "file").put(record())
