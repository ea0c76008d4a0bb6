"""Audio of any rate and number of channels lands on the right rows of the grid."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.media.audio_reader import PcmFormat
from core.types import FloatArray
from processors.speech.audio_features import AudioFeatures, FeatureSink


class Loudness:
    """In place of the network: the mean loudness of each window."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._rest = np.zeros(0)

    def feed(self, samples: NDArray[np.int16]) -> FloatArray:
        waiting = np.concatenate([self._rest, np.abs(samples / 32768)])
        count = len(waiting) // 512
        self._rest = waiting[count * 512 :]
        return np.asarray(waiting[: count * 512].reshape(-1, 512).mean(1), np.float32)


def features(pcm: PcmFormat, audio: NDArray[np.int16], block: int, frames: int) -> AudioFeatures:
    sink = FeatureSink(pcm, Loudness())  # type: ignore[arg-type]
    for start in range(0, len(audio), block):
        sink.write(audio[start : start + block].data)
    return sink.finish(frames)


def late_tone(rate_hz: int, channels: int) -> NDArray[np.int16]:
    """Two seconds, of which the second has a tone in all channels."""
    t = np.arange(2 * rate_hz) / rate_hz
    tone = np.where(t >= 1, 9000 * np.sin(2 * np.pi * 300 * t), 0)
    return np.repeat(tone[:, None], channels, axis=1).astype("<i2")


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (16000, 1), (44100, 2), (48000, 6)])
def test_a_tone_begins_in_its_row(rate_hz: int, channels: int) -> None:
    found = features(PcmFormat(rate_hz, channels), late_tone(rate_hz, channels), 5000, 50)
    assert found.voice.shape == (50,) and found.mfcc.shape == (200, 13)
    loud = found.energy > (found.energy.min() + found.energy.max()) / 2
    assert int(np.argmax(loud)) in (24, 25) and loud[26:48].all()
    assert int(np.argmax(found.voice > found.voice.max() / 2)) in (24, 25)


def test_the_size_of_the_pieces_makes_no_difference() -> None:
    audio = np.random.default_rng(0).normal(0, 3000, (400_000, 2)).astype("<i2")
    one, other = (features(PcmFormat(44100, 2), audio, block, 220) for block in (len(audio), 1024))
    assert np.allclose(one.mfcc, other.mfcc, atol=1e-5) and np.allclose(one.voice, other.voice, atol=1e-6)


def test_audio_that_ends_early_is_silence_to_the_end() -> None:
    found = features(PcmFormat(16000, 1), np.full((8000, 1), 1000, "<i2"), 4000, 75)
    assert found.voice.shape == (75,) and found.mfcc.shape == (300, 13) and np.isfinite(found.mfcc).all()


def test_no_samples_at_all() -> None:
    found = features(PcmFormat(16000, 1), np.zeros((0, 1), "<i2"), 1, 25)
    assert found.voice.shape == (25,) and (found.voice == 0).all() and found.mfcc.shape == (100, 13)
