"""Who speaks in one video, its stages scripted: when it is found out, and which files tell of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ModelUnavailableError
from core.types import AudioInfo, FaceAnalysis
from processors.speech import speech_models, speech_pass
from processors.speech.speech_models import SpeechFiles
from processors.speech.speech_pass import SpeechColumns
from tests.material.scripted_stages import ANALYSIS, INFO, pretend_cache, pretend_make, pretend_monitor, pretend_stages

stages = pytest.fixture(pretend_stages)
monitor = pytest.fixture(pretend_monitor)
cache = pytest.fixture(pretend_cache)
make = pytest.fixture(pretend_make)


@pytest.fixture
def talking(monkeypatch) -> list[Path]:
    """The passes that find out who speaks; the face speaks in the frames 3 to 8, of 10."""
    made = []

    def find(analysis: FaceAnalysis, *_: Any, **__: Any) -> SpeechColumns:
        made.append(analysis.video.path)
        values = np.where((np.arange(10) >= 3) & (np.arange(10) < 9), 2, -2).astype(np.float32)
        return SpeechColumns({0: values}, 0.24, 0.4)

    monkeypatch.setattr(speech_pass, "find_speech", find)
    monkeypatch.setattr(speech_models, "find_speech_files", lambda _: SpeechFiles(Path("v"), Path("m"), {}))
    monkeypatch.setattr(speech_models, "load_speech_models", lambda _: None)
    return made


HEARD = dataclasses.replace(INFO, audio=(AudioInfo(1, "aac", 48000, 2, 0.0),))


@pytest.fixture
def heard(stages):
    """Stages whose analysis has audio."""
    stages["analysis"] = dataclasses.replace(ANALYSIS, video=HEARD)
    return stages


def test_who_speaks_is_in_every_file_that_tells_of_people(tmp_path, heard, make, talking):
    processor = make(info=HEARD, speech={"speech": "on"}, output={"export": ["speech"]})
    processor.prepare()
    manifest = processor.finish(processor.analyse())
    folder = tmp_path / "a"
    assert (folder / "speech.csv").read_text() == ("person,start_s,end_s,score\nperson_01,0.120000,0.360000,2.000\n")
    (person,) = json.loads((folder / "timeline.json").read_text())["people"]
    assert person["speaks"] == [[0.12, 0.36]]
    assert (manifest.people[0].turns, manifest.people[0].speaks_s) == (1, 0.24)
    assert manifest.models["speech"]["name"] == "movement"
    assert "speech.csv" in {entry.file for entry in manifest.files}
    assert "00:00:00.120 --> 00:00:00.360\n<v person_01>" in (folder / "speech.vtt").read_text()
    assert 'class="speaks"' in (folder / "report.html").read_text()


def test_an_export_of_speech_changes_no_other_file(tmp_path, heard, make, talking):
    files = {}
    for export in ((), ("speech",)):
        processor = make(info=HEARD, output={"export": export})
        processor.prepare()
        processor.finish(processor.analyse())
        names = ("timeline.json", "tracks.csv", "person_01/clip_001.mp4")
        files[export] = {name: (tmp_path / "a" / name).read_bytes() for name in names}
    assert files[()] == files["speech",] and talking == [HEARD.path]
    assert not (tmp_path / "a/speech.csv").exists() and (tmp_path / "a/speech.vtt").exists()


def test_asking_later_who_speaks_detects_nothing_again_and_gives_the_same_bytes(tmp_path, heard, make, talking):
    def run(**settings: Any) -> dict[str, bytes]:
        heard.pop("analyzer", None)
        processor = make(info=HEARD, **settings)
        processor.prepare()
        processor.finish(processor.analyse())
        return {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}

    visible = run()
    assert "analyzer" in heard and talking == []
    speaking = run(speech={"when": "speaking"})
    assert "analyzer" not in heard and heard["generator"][2].when == "speaking" and len(talking) == 1
    assert run() == visible and run(speech={"when": "speaking"}) == speaking
    assert "analyzer" not in heard and len(talking) == 1
    assert "speech.csv" in speaking and "speech.csv" not in visible


def test_missing_models_are_said_before_anything_is_analysed(monkeypatch, heard, make):
    def missing(_: Any) -> SpeechFiles:
        raise ModelUnavailableError("the package silero_vad is not installed")

    monkeypatch.setattr(speech_models, "find_speech_files", missing)
    with pytest.raises(ModelUnavailableError):
        make(info=HEARD, speech={"when": "speaking"}).prepare()
    assert "analyzer" not in heard
