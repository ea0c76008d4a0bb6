"""The coefficients are those that the networks were trained with."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.speech.mfcc import STEP_SAMPLES, WINDOW_SAMPLES, mfcc

REFERENCE = {
    0: (
        18.535, -3.7612, 6.9781, 4.5227, 4.8758, 0.6722, -3.0418,
        -8.5925, -11.6687, -13.8038, -13.1213, -11.5197, -8.689,
    ),
    20: (
        19.9297, -2.8357, -3.336, -17.1858, -12.8188, 4.0863, 22.4087,
        21.8348, 4.4676, -15.9383, -20.3036, -6.5197, 13.1666,
    ),
    47: (
        21.1642, -5.4393, -14.2377, -10.0112, 24.3826, 14.0419, -20.2866,
        -12.2771, 23.9053, 16.6931, -16.1272, -14.6186, 11.2676,
    ),
}  # fmt: skip
"""rows of `chirp` by python_speech_features 0.6 with its defaults"""


def chirp() -> NDArray[np.int16]:
    t = np.arange(8000) / 16000
    tones = 6000 * np.sin(2 * np.pi * (200 * t + 1500 * t * t)) + 3000 * np.sign(np.sin(2 * np.pi * 97 * t))
    return np.asarray(tones, np.int16)


@pytest.mark.parametrize("row", sorted(REFERENCE))
def test_values_are_those_of_the_training(row: int) -> None:
    assert mfcc(chirp())[row] == pytest.approx(REFERENCE[row], abs=2e-4)


def test_pieces_give_the_same_as_the_whole() -> None:
    samples = chirp()
    cut = 20 * STEP_SAMPLES
    first = mfcc(samples[: cut - STEP_SAMPLES + WINDOW_SAMPLES])
    second = mfcc(samples[cut:], before=int(samples[cut - 1]))
    assert np.array_equal(np.concatenate([first, second]), mfcc(samples))


def test_digital_silence_is_finite() -> None:
    assert np.isfinite(mfcc(np.zeros(1000, np.int16))).all()


@pytest.mark.parametrize(("samples", "rows"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)])
def test_only_whole_windows_count(samples: int, rows: int) -> None:
    assert mfcc(np.zeros(samples, np.int16)).shape == (rows, 13)
