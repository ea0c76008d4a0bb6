"""What calls that share an output folder compare before they begin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config import VERSION, Settings
from core.settings_file import load_settings
from processors.batch import call_terms as module
from processors.batch.call_terms import call_terms, program_digest, term_differences


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "possible_embedders", lambda settings: ("facenet", "dlib"))


def test_equal_calls_have_equal_terms_wherever_they_run() -> None:
    elsewhere = load_settings(None, {"run": {"threads": 3, "cache_dir": "/elsewhere"}, "analysis": {"device": "cpu"}})
    assert term_differences(call_terms(elsewhere), call_terms(Settings())) == []
    assert call_terms(Settings())["version"] == VERSION


def test_every_difference_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = call_terms(load_settings(None, {"clip": {"aspect": "16:9"}, "output": {"reel": True}}))
    monkeypatch.setattr(module, "possible_embedders", lambda settings: ("dlib",))
    theirs = call_terms(load_settings(None, {"encode": {"preset": "ultrafast"}})) | {"version": "0.9"}
    said = ", ".join(term_differences(theirs, ours))
    for text in (
        f"version 0.9 (here {VERSION})",
        "embedder dlib (here facenet or dlib)",
        "weights ",
        "aspect default (here 16:9)",
        "preset ultrafast (here default)",
        "extras default (here reel)",
    ):
        assert text in said


def test_the_code_counts(tmp_path: Path) -> None:
    (tmp_path / "core" / "media").mkdir(parents=True)
    (tmp_path / "config.py").write_text("")
    digests = {program_digest(tmp_path)}
    (tmp_path / "core" / "media" / "x.py").write_text("x = 1")
    digests.add(program_digest(tmp_path))
    (tmp_path / "core" / "media" / "x.py").write_text("x = 2")
    digests.add(program_digest(tmp_path))
    assert len(digests) == 3


def test_terms_fit_into_a_lease() -> None:
    cuts = " ".join(map(str, range(3000)))
    terms = call_terms(load_settings(None, {"analysis": {"cuts": f"cuts {cuts}"}}))
    assert len(json.dumps(terms)) < 2500
