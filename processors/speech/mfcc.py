"""Mel-frequency cepstral coefficients of speech, as LR-ASD was trained with them.

The method is that of Davis and Mermelstein (1980) with the mel scale and the liftering of HTK: pre-emphasis, power
spectrum of overlapping frames, triangular filters equally wide on the mel scale, logarithm, cosine transform. The
settings are those of the networks' training (the defaults of the Python package `python_speech_features`, which is
no longer maintained; the tests hold values computed with it).
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray

SAMPLE_RATE_HZ = 16_000
COEFFICIENTS = 13
STEP_SAMPLES = 160
"""10 ms: 100 rows per second"""
WINDOW_SAMPLES = 400
"""25 ms"""

_SPECTRUM_SAMPLES = 512
_FILTERS = 26
_PRE_EMPHASIS = 0.97
_LIFTER = 22
_FLOOR = float(np.finfo(np.float64).eps)
"""replaces an energy of zero, which has no logarithm"""


def mfcc(samples: NDArray[np.int16], *, before: int = 0) -> FloatArray:
    """(M, 13) float32, row i from samples [160 i, 160 i + 400); the first column is the logarithm of the energy.

    samples: (S,) int16, 16 kHz, mono. Only whole windows give a row: M = max(0, (S - 400) // 160 + 1).
    before: the sample before the first.
    """
    count = max((len(samples) - WINDOW_SAMPLES) // STEP_SAMPLES + 1, 0)
    if not count:
        return np.zeros((0, COEFFICIENTS), np.float32)
    signal = samples.astype(np.float64)
    signal -= _PRE_EMPHASIS * np.concatenate([[before], signal[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW_SAMPLES)[::STEP_SAMPLES][:count]
    spectrum = np.fft.rfft(windows, _SPECTRUM_SAMPLES)
    power = (spectrum.real**2 + spectrum.imag**2) / _SPECTRUM_SAMPLES
    bands = np.maximum(power @ _filter_bank().T, _FLOOR)
    # OpenCV's cosine transform is the orthonormal DCT-II.
    cepstra = np.array(cv2.dct(np.log(bands), flags=cv2.DCT_ROWS)[:, :COEFFICIENTS], np.float64)
    cepstra *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER)
    cepstra[:, 0] = np.log(np.maximum(power.sum(1), _FLOOR))
    return np.asarray(cepstra, np.float32)


@functools.cache
def _filter_bank() -> NDArray[np.float64]:
    """(26, 257): triangles over the bins of the power spectrum, their corners equally far apart in mel."""
    highest_mel = 2595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, highest_mel, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_SPECTRUM_SAMPLES + 1) * corners_hz / SAMPLE_RATE_HZ)
    bins = np.arange(_SPECTRUM_SAMPLES // 2 + 1)
    left, peak, right = (corners[i : i + _FILTERS, None] for i in range(3))
    rising = (bins - left) / (peak - left)
    falling = (right - bins) / (right - peak)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0))
