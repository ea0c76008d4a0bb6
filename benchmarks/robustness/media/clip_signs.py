"""Reading a clip of a `film`: number and roundness of each frame, times and level of each tone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.media.film import AMPLITUDE, BURST_EVERY, BURST_FRAMES, NUMBERS

_MIN_PX = 30
"""minimum area of the disc, px; the dot has at least a quarter of it"""
_MARGIN = 70
"""by how much one colour component has to exceed another, of 255"""
_ENVELOPE_S = 0.008
_SILENCE = 0.01
"""of full scale"""


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """One clip.

    times: (N,) seconds of its frames. numbers: (N,) of the clock, nan where it cannot be read. roundness: (N,) width
    divided by height of the disc, nan likewise. audio: (channels, samples) float32, full scale 1; no samples where
    there is no audio. audio_begin_s: of the first sample. rate_hz: its sampling rate, 1 without audio.
    """

    times: NDArray[np.float64]
    numbers: NDArray[np.float64]
    roundness: NDArray[np.float64]
    audio: NDArray[np.float32]
    audio_begin_s: float
    rate_hz: int

    @property
    def is_readable(self) -> NDArray[np.bool_]:
        return np.isfinite(self.numbers)

    def steps(self) -> NDArray[np.int_]:
        """Difference of each readable number to the one before, -15 to 16."""
        found = np.round(self.numbers[self.is_readable]).astype(int)
        return (np.diff(found) + NUMBERS // 2 - 1) % NUMBERS - (NUMBERS // 2 - 1)

    def burst_times(self) -> NDArray[np.float64]:
        """Seconds at which bursts should begin according to the frames."""
        numbers = np.round(self.numbers) % BURST_EVERY
        begins = (numbers == 0) & ~np.concatenate([[True], numbers[:-1] == 0])
        return np.asarray(self.times[begins])

    def heard_times(self) -> NDArray[np.float64]:
        """Seconds at which bursts begin in the audio."""
        envelope = self._envelope()
        if not envelope.size or envelope.max() < _SILENCE:
            return np.zeros(0)
        on = envelope > 0.3 * np.quantile(envelope, 0.95)
        rises = np.flatnonzero(on[1:] & ~on[:-1]) + 1
        rest = round(0.04 / _ENVELOPE_S)
        return np.array([self.audio_begin_s + i * _ENVELOPE_S for i in rises if not on[max(0, i - rest) : i].any()])

    def level_db(self, hertz: float, from_s: float = 0.0) -> float:
        """Level of one tone in the loudest channel after a time, decibels; 0 is its level in the source."""
        audio = self.audio[:, max(0, round((from_s - self.audio_begin_s) * self.rate_hz)) :]
        if not audio.size:
            return -200.0
        moment = np.arange(audio.shape[1]) / self.rate_hz
        wave = np.exp(-2j * np.pi * hertz * moment) * np.hanning(len(moment)) * 2
        amplitude = 2 * float(np.abs(audio @ wave).max()) / len(moment)
        return float(20 * np.log10(max(amplitude * BURST_EVERY / BURST_FRAMES / AMPLITUDE, 1e-10)))

    def _envelope(self) -> NDArray[np.float64]:
        block = max(1, round(_ENVELOPE_S * self.rate_hz))
        whole = self.audio[:, : self.audio.shape[1] // block * block]
        return np.asarray(np.abs(whole.reshape(len(whole), -1, block)).max(2).max(0), np.float64)


def read_signs(path: Path) -> Signs:
    """Raises: av.FFmpegError if the clip cannot be decoded."""
    times, frames = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            times.append(float(frame.time or 0.0))
            frames.append(clock(frame.to_ndarray(format="rgb24")))
    audio, begin_s, rate_hz = _audio(path)
    found = np.array(frames, float).reshape(-1, 2)
    return Signs(np.array(times), found[:, 0], found[:, 1], audio, begin_s, rate_hz)


def clock(rgb: NDArray[Any]) -> tuple[float, float]:
    """(number, roundness) of one frame, (H, W, 3) uint8; (nan, nan) if the clock is damaged.

    The disc's standard deviations in both directions give its shape to a fraction of a pixel.
    """
    red, green, blue = (rgb[..., i].astype(int) for i in range(3))
    disc = _spot(green - np.maximum(red, blue) > _MARGIN, _MIN_PX)
    dot = _spot(np.minimum(red, blue) - green > _MARGIN, _MIN_PX / 4)
    if disc is None or dot is None:
        return np.nan, np.nan
    (x, y), (width, height), _ = disc
    # In a squeezed frame the dot moves on an ellipse.
    angle = np.arctan2((dot[0][1] - y) / height, (dot[0][0] - x) / width)
    return float(angle / (2 * np.pi) * NUMBERS % NUMBERS), width / height


def _spot(mask: NDArray[np.bool_], least: float) -> tuple[tuple[float, float], tuple[float, float], int] | None:
    """Centre, standard deviations and area of the pixels of one colour; None if they form no spot."""
    ys, xs = np.nonzero(mask)
    if len(xs) < least:
        return None
    # Ignores single pixels elsewhere, of a badge or noise.
    near = (np.abs(xs - np.median(xs)) < 40) & (np.abs(ys - np.median(ys)) < 40)
    xs, ys = xs[near], ys[near]
    spread = float(xs.std()), float(ys.std())
    filled = len(xs) / (4 * np.pi * spread[0] * spread[1]) if min(spread) > 0 else 0.0
    # The area of a filled ellipse is 4 pi times the product of its standard deviations.
    return ((float(xs.mean()), float(ys.mean())), spread, len(xs)) if filled > 0.6 else None


def _audio(path: Path) -> tuple[NDArray[np.float32], float, int]:
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.zeros((1, 0), np.float32), 0.0, 1
        resampler = av.AudioResampler(format="fltp")
        pieces: list[NDArray[Any]] = []
        begin_s = None
        for frame in container.decode(audio=0):
            begin_s = float(frame.time or 0.0) if begin_s is None else begin_s
            pieces.extend(piece.to_ndarray() for piece in resampler.resample(frame))
        rate_hz = int(container.streams.audio[0].sample_rate)
    audio = np.concatenate(pieces, axis=1) if pieces else np.zeros((1, 0))
    return np.asarray(audio, np.float32), begin_s or 0.0, rate_hz


def loudest(signs: Iterable[Signs], hertz: float, from_s: float = 0.0) -> float:
    """Highest level of a tone in any clip after a time, decibels."""
    return max((clip.level_db(hertz, from_s) for clip in signs), default=-200.0)
