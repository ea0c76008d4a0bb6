"""The whole pass on a clip in which it is known who speaks."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.speech import analyse
from config import Settings
from core.errors import InterruptedRunError
from core.model_manager import ModelManager
from core.models.face_mesh import FaceMesh
from core.models.speech_net import load_speech_nets
from core.models.voice_activity import VoiceActivity
from core.types import FaceAnalysis
from processors.speech.speech_pass import SILENCE, SpeechModels, at_times, encoded_audio, find_speech, widened
from tests.speech_models import needs_speech_packages


@pytest.fixture(scope="module")
def turns_clip(shared: Path, model_settings: Settings, models: ModelManager) -> FaceAnalysis:
    return analyse(shared / "speech" / "turns-quiet__r1_r5.mp4", model_settings, models)


@pytest.mark.clips
@needs_speech_packages
def test_one_column_per_tracklet_the_same_every_time(
    turns_clip: FaceAnalysis, voice_activity: VoiceActivity, face_mesh: FaceMesh
) -> None:
    first, second = (find_speech(turns_clip, SpeechModels(voice_activity, face_mesh)) for _ in range(2))
    assert first is not None and second is not None
    assert set(first.columns) == {tracklet.id for tracklet in turns_clip.tracklets}
    for tracklet in turns_clip.tracklets:
        column = first.columns[tracklet.id]
        assert column.dtype == np.float32 and column.shape == tracklet.frames.shape and np.isfinite(column).all()
        assert np.array_equal(column, second.columns[tracklet.id])
    # The turns are joined, and where both people jump there is a cut; each of them speaks for about half of the time.
    for is_right in (False, True):
        own = [t for t in turns_clip.tracklets if (t.boxes[0, 0] > turns_clip.video.width / 2) == is_right]
        assert 0.2 < (np.concatenate([first.columns[t.id] for t in own]) > 0).mean() < 0.8


def test_what_is_around_a_voice_is_looked_at() -> None:
    mask = np.zeros(20, bool)
    mask[10] = True
    assert np.flatnonzero(widened(mask, 3)).tolist() == list(range(7, 14))
    assert not widened(np.zeros(5, bool), 2).any() and widened(np.ones(5, bool), 2).all()


def test_values_of_the_grid_at_frame_times() -> None:
    values = np.array([np.nan, 1.0, 2.0, np.nan])
    found = at_times(values, 25, np.array([0.0, 1.06, 1.08, 1.10, 9.0]))
    assert found == pytest.approx([SILENCE, 1.0, 1.5, 2.0, SILENCE])
    assert (at_times(np.full(3, np.nan), 0, np.array([0.0, 0.1])) == SILENCE).all()


@pytest.mark.clips
@needs_speech_packages
def test_a_video_without_audio_has_no_columns(
    turns_clip: FaceAnalysis, voice_activity: VoiceActivity, face_mesh: FaceMesh
) -> None:
    silent = dataclasses.replace(turns_clip, video=dataclasses.replace(turns_clip.video, audio=()))
    assert find_speech(silent, SpeechModels(voice_activity, face_mesh)) is None


@pytest.mark.clips
@needs_speech_packages
def test_a_run_that_is_stopped_ends(
    turns_clip: FaceAnalysis, voice_activity: VoiceActivity, face_mesh: FaceMesh
) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        find_speech(turns_clip, SpeechModels(voice_activity, face_mesh), stop=stop)


@pytest.mark.clips
def test_audio_in_chunks_has_the_same_features(speech_weights: dict[str, Path], models_cache: Path) -> None:
    mfcc = np.random.default_rng(1).normal(0, 8, (4 * 333, 13)).astype(np.float32)
    for net in load_speech_nets(speech_weights, models_cache):
        assert np.allclose(encoded_audio(net, mfcc), net.audio(mfcc), atol=1e-3)
