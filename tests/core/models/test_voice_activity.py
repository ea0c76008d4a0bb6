"""Silero's network: silence, noise and music are no voice; pieces are as good as the whole."""

from __future__ import annotations

import numpy as np

from core.models.voice_activity import VoiceActivity
from tests.speech_models import needs_speech_packages

pytestmark = needs_speech_packages


def test_neither_silence_nor_noise_nor_a_tone_is_a_voice(voice_activity: VoiceActivity) -> None:
    seconds = np.arange(32_000) / 16_000
    noise = np.random.default_rng(0).normal(0, 3000, 32_000)
    for audio in (np.zeros(32_000), noise, 8000 * np.sin(2 * np.pi * 440 * seconds)):
        voice_activity.reset()
        found = voice_activity.feed(audio.astype(np.int16))
        assert found.shape == (62,) and found.mean() < 0.3


def test_pieces_of_any_length_are_as_good_as_the_whole(voice_activity: VoiceActivity) -> None:
    audio = np.random.default_rng(1).normal(0, 3000, 20_000).astype(np.int16)
    voice_activity.reset()
    whole = voice_activity.feed(audio)
    voice_activity.reset()
    pieces = [voice_activity.feed(piece) for piece in np.split(audio, [1, 700, 701, 9000])]
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-5) and len(whole) == 39
