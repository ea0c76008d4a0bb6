"""The nominal frame rate of a video, which its clips get: measured, because headers and beginnings mislead."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from core.media.media_input import RAW_FORMATS
from core.types import LONGEST_HOLD_S, IntArray, VideoInfo
from utils.timebase import snap_rate

logger = logging.getLogger(__name__)

MIN_RATE, MAX_RATE = Fraction(1), Fraction(240)
FALLBACK_RATE = Fraction(25)

RATE_PACKETS = 600
"""number of packets whose times are read if there is no index"""

_INDEX_STRETCHES, _STRETCH = 40, 500
"""a longer index is sampled: so many stretches of so many entries, spread evenly"""

_STEADY_SHARE, _STEADY_WITHIN = 0.9, 0.05
"""a rate is steady if this share of the intervals is within this share of the nominal interval"""

_AVERAGE_WITHIN = Fraction(1, 200)
"""the header's average is that of the file's length: one long frame, or frames in front of an edit, make it wrong by
more than this share although all other intervals are equal"""

_QUICK_SHARE = 0.25
"""the quantile of the intervals that a varying rate is measured at: the quicker part counts, or motion would stutter"""

_QUICKER = 1.5
"""a part of a video is quicker where a second of it has this many times as many frames as usual"""
_QUICK_S, _QUICK_TIME_SHARE = 3.0, 0.01
"""a quicker part decides the rate where it lasts this long and for this share of the time ..."""
_SHORT_QUICK_S, _QUICK_FRAME_SHARE = 1.0, 0.05
"""... or at least this long with this share of the frames: of what moves at all it is a good part"""

_STANDARDS = (*(Fraction(n) for n in (10, 12, 15, 20, 24, 25, 30, 50, 60, 100, 120)), Fraction(24000, 1001))

_Intervals = NDArray[np.float64]


def nominal_rate(
    name: str, container: str, stream: VideoStream, packet_pts: Sequence[int], time_base: Fraction
) -> Fraction:
    """The header's average rate if the frames keep to it, else the rate measured from their times.

    name: of the file, for the log. packet_pts: times of the packets at the beginning, in any order. MP4 and
    MOV have an index of all frames, which is used where it is longer; for other containers `with_rate_of_all` has the
    last word.
    """
    times = np.unique(np.asarray(packet_pts, np.int64))
    intervals = np.diff(times).astype(np.float64)
    indexed = _index_intervals(stream) if container == "mov" else intervals
    if len(indexed) > len(intervals):
        intervals = indexed
    average = stated_rate(stream)
    if MIN_RATE <= average <= MAX_RATE:
        if _keeps_to(average, intervals, time_base):
            exact = _rate_of_equal_intervals(intervals, time_base)
            if exact is not None and abs(exact - average) > average * _AVERAGE_WITHIN:
                return exact
            # The average is measured over the file's length, the guess is derived from the header's fields.
            guessed = stream.guessed_rate or average
            close = MIN_RATE <= guessed <= MAX_RATE and abs(guessed - average) <= average / 100
            snapped = snap_rate(average)
            return snapped if snapped != average or not close else snap_rate(guessed)
        reason = "a variable frame rate"
    else:
        reason = f"an impossible frame rate ({float(average):g}/s)"
    rate = _measured_rate(intervals, time_base)
    logger.info("%s: %s; clips get %.5g frames/s", name, reason, float(rate))
    return rate


def stated_rate(stream: VideoStream) -> Fraction:
    """The frame rate in the file's headers, 0 if there is none."""
    guessed, average = stream.guessed_rate or Fraction(0), stream.average_rate or Fraction(0)
    if stream.container.format.name in RAW_FORMATS and guessed:
        return guessed
    # Of DV that is interleaved with its audio (AVI type 1), the average is a tick count as well.
    return guessed if average > MAX_RATE >= guessed > 0 else average or guessed


def with_rate_of_all(info: VideoInfo, frame_pts: IntArray) -> VideoInfo:
    """`info` with the rate of all frames if it differs from that of the beginning, which is all that probing sees.

    frame_pts: (N,) int64, pts of every frame, strictly increasing. Times that the reader makes up stay the same.
    """
    intervals = np.diff(frame_pts).astype(np.float64)
    if _keeps_to(info.frame_rate, intervals, info.time_base):
        return info
    rate = _measured_rate(intervals, info.time_base)
    # Probing measured packets, which need not be frames; measuring the first frames again compares like with like.
    beginning = _measured_rate(intervals[:RATE_PACKETS], info.time_base)
    if any(abs(rate - known) <= known * Fraction(_STEADY_WITHIN) for known in (info.frame_rate, beginning)):
        return info
    interval = info.frame_interval or max(1, round(1 / (info.frame_rate * info.time_base)))
    return dataclasses.replace(info, frame_rate=rate, frame_interval=interval)


def _index_intervals(stream: VideoStream) -> _Intervals:
    """Intervals between the decoding times in the index, ticks; a long index is sampled."""
    entries = stream.index_entries
    starts = [0]
    length = len(entries)
    if length > _INDEX_STRETCHES * _STRETCH:
        starts = [round(k * (length - _STRETCH) / (_INDEX_STRETCHES - 1)) for k in range(_INDEX_STRETCHES)]
        length = _STRETCH
    found = [np.diff(np.unique([entry.timestamp for entry in entries[a : a + length]])) for a in starts]
    return np.concatenate(found).astype(np.float64)


def _keeps_to(rate: Fraction, intervals: _Intervals, time_base: Fraction) -> bool:
    if not len(intervals):
        return True
    nominal = float(1 / (rate * time_base))
    # A coarse time base rounds by up to one tick.
    steady = np.abs(intervals - nominal) <= max(1.0, _STEADY_WITHIN * nominal)
    return bool(steady.mean() >= _STEADY_SHARE) and not _quicker_part(intervals, nominal, time_base).any()


def _rate_of_equal_intervals(intervals: _Intervals, time_base: Fraction) -> Fraction | None:
    """The rate of frames at equal intervals, but for a few; None if they vary or ticks are too coarse to tell."""
    usual = float(np.median(intervals)) if len(intervals) else 0.0
    if usual * _AVERAGE_WITHIN < 1 or (np.abs(intervals - usual) <= 1).mean() < _STEADY_SHARE:
        return None
    return snap_rate(1 / (Fraction(usual) * time_base))


def _measured_rate(intervals: _Intervals, time_base: Fraction) -> Fraction:
    interval = float(np.quantile(intervals, _QUICK_SHARE)) if len(intervals) else 0.0
    if interval > 0:
        quick = intervals[_quicker_part(intervals, interval, time_base)]
        if len(quick):
            interval = float(np.quantile(quick, _QUICK_SHARE))
    measured = 1 / (Fraction(interval) * time_base) if interval > 0 else FALLBACK_RATE
    near = min(_STANDARDS, key=lambda standard: abs(standard - measured))
    rate = near if abs(near - measured) <= measured / 20 else measured
    return snap_rate(min(max(rate, MIN_RATE), MAX_RATE).limit_denominator(1001))


def _quicker_part(intervals: _Intervals, usual: float, time_base: Fraction) -> NDArray[np.bool_]:
    """Which intervals lie in parts much quicker than one frame per `usual` ticks; none if those are too short."""
    second = float(1 / time_base)
    times = np.concatenate([[0.0], np.cumsum(intervals)])
    # Counted per second, because a burst is no rate; + 1 because one more frame may fall into it by chance.
    around = np.searchsorted(times, times + second / 2) - np.searchsorted(times, times - second / 2)
    quick = around[1:] > _QUICKER * second / usual + 1
    shown = np.minimum(intervals, LONGEST_HOLD_S * second)
    lasts = float(shown[quick].sum())
    long_enough = lasts >= max(_QUICK_S * second, _QUICK_TIME_SHARE * float(shown.sum()))
    full_enough = lasts >= _SHORT_QUICK_S * second and quick.sum() >= _QUICK_FRAME_SHARE * len(quick)
    return quick if long_enough or full_enough else np.zeros_like(quick)
