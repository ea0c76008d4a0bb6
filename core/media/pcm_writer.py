"""Decoded audio frames laid on the time line of one interval, as raw PCM."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any, cast

import av
import numpy as np

from core.media.audio_layout import ChannelMixer

logger = logging.getLogger(__name__)

_RESYNC_S = 0.01
"""by which pts may differ from the sample count before they win: times in files are rounded"""
_SILENCE_BLOCK = 65536  # samples
_CUT_PACKETS = 2
"""so many failures where reading begins or the file ends are packets that were cut (MPEG-PS, MPEG-TS), not damage"""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Interleaved signed 16-bit little-endian PCM."""

    sample_rate_hz: int
    channels: int

    @property
    def layout(self) -> str:
        """libav's name of the channel layout."""
        return {1: "mono", 2: "stereo", 6: "5.1"}[self.channels]


@dataclass(slots=True)
class _Run:
    """Consecutive frames of one shape (format, layout, rate in Hz); `samples` so far, at their rate."""

    shape: tuple[str, str, int]
    begin_s: Fraction
    mixer: ChannelMixer
    samples: int = 0


class PcmWriter:
    """Lays decoded frames end to end on a time line that begins at `start_s` and is `length` samples long.

    Attributes:
        length: samples per channel.
        silent: how many of those written no frame provided.
        damaged: packets and frames of the interval that could not be decoded or converted.
    """

    def __init__(self, target: IO[bytes], pcm: PcmFormat, track_layout: str, start_s: Fraction, length: int) -> None:
        self._target = target
        self._pcm = pcm
        self._track_layout = track_layout
        self._start_s = start_s
        self._end_s = float(start_s) + length / pcm.sample_rate_hz
        self._run: _Run | None = None
        self._cursor = 0  # where on the time line the resampler's next output belongs, samples
        self._written = 0
        self.length = length
        self._lost = 0  # packets since the last frame whose time is known
        self.silent = 0
        self.damaged = 0

    def add(self, frame: av.AudioFrame, lost: int) -> bool:
        """False once the interval is full. lost: packets before this frame that could not be decoded."""
        self._lost += lost
        rate_hz, samples, pts, time_base = frame.sample_rate, frame.samples, frame.pts, frame.time_base
        if rate_hz <= 0 or samples <= 0:
            return True
        run = self._run
        # Fractions take ten times as long as floats, and samples depend on them only where a run begins.
        expected_s = None if run is None else float(run.begin_s) + run.samples / run.shape[2]
        if pts is not None and time_base is not None:
            time_s = pts * time_base.numerator / time_base.denominator
        elif expected_s is not None:
            time_s = expected_s
        else:
            return True  # neither pts nor a predecessor: its place is unknown
        # The lost packets lie between the frame before, which did not end the interval, and this one.
        if time_s > self._start_s and (run is not None or self._lost > _CUT_PACKETS):
            self.damaged += self._lost
        self._lost = 0
        shape = (frame.format.name, frame.layout.name, rate_hz)
        if run is None or expected_s is None or abs(time_s - expected_s) > _RESYNC_S or shape != run.shape:
            exact_s = Fraction(time_s) if pts is None or time_base is None else pts * time_base
            run = self._begin_run(shape, exact_s)
        run.samples += samples
        frame.pts = None  # makes the resampler count samples
        self._push(frame)
        return self._written < self.length and time_s < self._end_s

    def end(self, lost: int) -> None:
        """The file has ended before the interval was full. lost: packets after the last frame."""
        self._lost += lost
        if self._run is None or self._lost > _CUT_PACKETS:
            self.damaged += self._lost

    def finish(self) -> None:
        """Write what the resampler still holds, then silence to the end."""
        self._push(None)
        self._silence(self.length)

    def _begin_run(self, shape: tuple[str, str, int], time_s: Fraction) -> _Run:
        self._push(None)
        mixer = ChannelMixer(self._track_layout, self._pcm.layout, self._pcm.sample_rate_hz)
        self._run = _Run(shape, time_s, mixer)
        self._cursor = round((time_s - self._start_s) * self._pcm.sample_rate_hz)
        return self._run

    def _push(self, frame: av.AudioFrame | None) -> None:
        if self._run is None:
            return
        try:
            converted = self._run.mixer.convert(frame)
        except (av.FFmpegError, ValueError) as error:
            logger.debug("audio frame: %s", error)
            self.damaged += 1
            return
        for piece in converted:
            # `to_ndarray` would take as long as the decoding.
            data = np.frombuffer(cast(Any, piece.planes[0]), np.int16, piece.samples * self._pcm.channels)
            self._place(data.reshape(-1, self._pcm.channels).astype("<i2", copy=False))

    def _place(self, data: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
        begin, self._cursor = self._cursor, self._cursor + len(data)
        self._silence(min(begin, self.length))
        wanted = data[max(self._written - begin, 0) : max(self.length - begin, 0)]
        self._target.write(wanted.data)
        self._written += len(wanted)

    def _silence(self, until: int) -> None:
        while self._written < until:
            count = min(until - self._written, _SILENCE_BLOCK)
            self._target.write(bytes(2 * self._pcm.channels * count))
            self._written += count
            self.silent += count
