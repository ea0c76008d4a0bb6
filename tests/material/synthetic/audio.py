"""The audio of a generated video: a speech-like voice per scene, and beeps at marked frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.material.synthetic.scenes import Film

SAMPLE_RATE_HZ = 48_000
BEEP_HZ = 1_000
BEEP_S = 0.04
VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""first three formants of a, i, u, e, o"""
SYLLABLE_S = 0.22


def render_audio(film: Film) -> NDArray[np.float32]:
    """(N,) float32 in -1..1 at `SAMPLE_RATE_HZ`, as long as the video, beginning with its first frame."""
    times = (film.pts - film.pts[0]) * float(film.time_base)
    track = np.zeros(round(times[-1] * SAMPLE_RATE_HZ), np.float32)
    for index, (scene, start) in enumerate(zip(film.scenes, film.starts, strict=True)):
        first, last = (round(times[n] * SAMPLE_RATE_HZ) for n in (start, start + scene.length))
        if scene.voice_hz:
            track[first:last] += _voice(last - first, scene.voice_hz, index)
        for frame in scene.beeps:
            begin = round(times[start + frame] * SAMPLE_RATE_HZ)
            length = min(round(BEEP_S * SAMPLE_RATE_HZ), len(track) - begin)
            track[begin : begin + length] += 0.5 * np.sin(2 * np.pi * BEEP_HZ * np.arange(length) / SAMPLE_RATE_HZ)
    return np.clip(track, -1, 1)


def _voice(samples: int, pitch_hz: float, seed: int) -> NDArray[np.float32]:
    """A sequence of vowels of varying loudness, with pauses as in speech."""
    random = np.random.RandomState(seed)
    time = np.arange(samples) / SAMPLE_RATE_HZ
    syllable = (time / SYLLABLE_S).astype(int)
    count = int(syllable[-1]) + 1
    pitch = pitch_hz * (1 + 0.06 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    formants = np.array(VOWELS_HZ)[random.randint(len(VOWELS_HZ), size=count)]
    audio = np.zeros(samples)
    for harmonic in range(1, int(3500 / pitch_hz)):
        distance = (harmonic * pitch_hz - formants) / np.array([90.0, 120.0, 160.0])
        loudness = (np.array([1.0, 0.5, 0.25]) / (1 + distance**2)).sum(1)
        audio += loudness[syllable] * np.sin(harmonic * phase)
    accent = np.where(random.rand(count) < 0.15, 0.0, 0.5 + 0.5 * random.rand(count))
    within = time / SYLLABLE_S % 1
    audio *= accent[syllable] * np.sin(np.pi * within) ** 0.7
    return (0.3 * audio / max(float(np.abs(audio).max()), 1e-9)).astype(np.float32)
