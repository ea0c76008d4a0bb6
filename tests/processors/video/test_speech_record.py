"""Who speaks is found out when something asks for it, once per video, and stored."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config import Settings
from core.analysis_file import AnalysisRecord
from core.analysis_store import AnalysisStore
from core.errors import ModelUnavailableError
from core.settings_file import load_settings
from core.types import AudioInfo
from processors.speech import speech_models, speech_pass
from processors.speech.person_turns import SPEECH_SIGNAL
from processors.speech.speech_models import SpeechFiles
from processors.speech.speech_pass import SpeechColumns
from processors.video.speech_record import speech_files, with_speech
from tests.material.factories import face_analysis, tracklet, video_info
from utils.console.stage_monitor import StageMonitor

HEARD = video_info(audio=(AudioInfo(1, "aac", 48000, 2, 0.25, "de"),))
WITH_GAZE = dataclasses.replace(tracklet(7), signals={"gaze": np.zeros(10, np.float32)})
RECORD = AnalysisRecord(
    "ab" * 32, face_analysis([WITH_GAZE, tracklet(2, range(3, 9))], video=HEARD), {"device": "cpu"}, ("a warning",)
)


def silent() -> AnalysisRecord:
    video = dataclasses.replace(RECORD.analysis.video, audio=())
    return dataclasses.replace(RECORD, analysis=dataclasses.replace(RECORD.analysis, video=video))


def wanting(**speech: Any) -> Settings:
    return load_settings(None, {"speech": speech})


@pytest.fixture
def store(tmp_path: Path) -> AnalysisStore:
    return AnalysisStore(tmp_path, 10**9)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passes over the video that are made; the models are scripted."""
    made: list[str] = []

    def find_speech(analysis: Any, models: str, **_: Any) -> SpeechColumns:
        made.append(models)
        return SpeechColumns({t.id: np.full(len(t.frames), 2.0, np.float32) for t in analysis.tracklets}, 1.0, 1.0)

    def files(settings: Settings) -> SpeechFiles:
        return SpeechFiles(Path("v"), Path("m"), {name: Path(name) for name in settings.run.speech_weights})

    monkeypatch.setattr(speech_pass, "find_speech", find_speech)
    monkeypatch.setattr(speech_models, "find_speech_files", files)
    monkeypatch.setattr(speech_models, "load_speech_models", lambda settings: files(settings).name)
    return made


def test_nothing_happens_unless_something_asks(store: AnalysisStore, passes: list[str]) -> None:
    assert with_speech(RECORD, Settings(), store, StageMonitor()) is RECORD
    assert with_speech(RECORD, wanting(speech="off"), store, StageMonitor()) is RECORD
    assert passes == []


@pytest.mark.parametrize("settings", [wanting(speech="on"), wanting(when="speaking")])
def test_the_second_run_uses_the_stored_signal(store: AnalysisStore, passes: list[str], settings: Settings) -> None:
    first, second = (with_speech(RECORD, settings, store, StageMonitor()) for _ in range(2))
    assert passes == ["movement"]
    for found in (first, second):
        assert found.models["speech"]["name"] == "movement"
        assert all((t.signals[SPEECH_SIGNAL] == 2).all() for t in found.analysis.tracklets)
        # Signals of the analysis itself stay.
        assert "gaze" in found.analysis.tracklets[0].signals


def test_other_models_and_another_analysis_make_another_pass(store: AnalysisStore, passes: list[str]) -> None:
    with_speech(RECORD, wanting(speech="on"), store, StageMonitor())
    weights = load_settings(None, {"speech": {"speech": "on"}, "run": {"speech_weights": ["ava"]}})
    with_speech(RECORD, weights, store, StageMonitor())
    with_speech(dataclasses.replace(RECORD, key="ef" * 32), weights, store, StageMonitor())
    with_speech(RECORD, weights, None, StageMonitor())
    assert passes == ["movement", "lr-asd+ava", "lr-asd+ava", "lr-asd+ava"]


def test_an_export_alone_leaves_the_manifest_as_it_is(store: AnalysisStore, passes: list[str]) -> None:
    found = with_speech(RECORD, load_settings(None, {"output": {"export": ["speech"]}}), store, StageMonitor())
    assert found.models == RECORD.models and found.warnings == RECORD.warnings
    assert SPEECH_SIGNAL in found.analysis.tracklets[0].signals and passes == ["movement"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (wanting(when="speaking"), "no clips of people speaking"),
        (wanting(speech="on"), "no audio"),
        (load_settings(None, {"output": {"export": ["speech"]}}), ""),
    ],
)
def test_a_silent_video_is_a_warning_and_no_signal(
    store: AnalysisStore, passes: list[str], caplog: pytest.LogCaptureFixture, settings: Settings, said: str
) -> None:
    with caplog.at_level(logging.WARNING):
        found = with_speech(silent(), settings, store, StageMonitor())
    new = found.warnings[len(RECORD.warnings) :]
    assert len(new) == bool(said) and all(said in warning and warning in caplog.text for warning in new)
    assert passes == [] and SPEECH_SIGNAL not in found.analysis.tracklets[0].signals


def test_audio_that_cannot_be_decoded_is_none(passes: list[str], store: AnalysisStore) -> None:
    broken = AudioInfo(1, "aac", 48000, 2, 0.25, "de", fault="cannot be decoded")
    video = dataclasses.replace(RECORD.analysis.video, audio=(broken,))
    other = dataclasses.replace(RECORD, analysis=dataclasses.replace(RECORD.analysis, video=video))
    found = with_speech(other, wanting(when="speaking"), store, StageMonitor())
    assert passes == [] and "no audio that can be played" in found.warnings[-1]


def test_without_the_packages_only_what_needs_them_fails(
    monkeypatch: pytest.MonkeyPatch, store: AnalysisStore, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(_: Settings) -> SpeechFiles:
        raise ModelUnavailableError("the package silero_vad is not installed", hint="pip install it")

    monkeypatch.setattr(speech_models, "find_speech_files", missing)
    video = RECORD.analysis.video
    for settings in (wanting(when="speaking"), load_settings(None, {"output": {"export": ["speech"]}})):
        with pytest.raises(ModelUnavailableError):
            speech_files(video, settings)
    with caplog.at_level(logging.WARNING):
        found = with_speech(RECORD, wanting(speech="on"), store, StageMonitor())
    assert "pip install it" in caplog.text and len(found.warnings) == len(RECORD.warnings) + 1
    assert SPEECH_SIGNAL not in found.analysis.tracklets[0].signals
    # A silent video needs no models.
    assert speech_files(silent().analysis.video, wanting(when="speaking")) is None
