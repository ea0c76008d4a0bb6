"""Decoding the packets of an audio track, past damage and from anywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer

from core.media.audio_layout import read_layout
from core.media.media_input import demux

logger = logging.getLogger(__name__)

_WARM_UPS_S = (Fraction(1), Fraction(15))
"""how far before the interval reading starts: decoders need some packets, and seeks may land late"""
_MAX_CONSECUTIVE_FAILURES = 256


class AudioPackets:
    """Decoded frames of one audio track; damage is counted."""

    def __init__(self, container: InputContainer, index: int) -> None:
        stream = container.streams[index]
        if not isinstance(stream, AudioStream) or stream.time_base is None:
            raise ValueError(f"stream {index} is not an audio stream")
        if isinstance(stream.codec_context, AudioCodecContext):
            read_layout(stream.codec_context)
        self._container = container
        self._stream = stream
        self.time_base: Fraction = stream.time_base
        self._pending: list[av.AudioFrame] = []
        self._packets: Iterator[av.Packet[AudioStream]] = demux(container, stream)
        self._failures = 0

    def take_failures(self) -> int:
        """How many packets could not be decoded since the last call."""
        failures, self._failures = self._failures, 0
        return failures

    def go_before(self, start_s: Fraction) -> None:
        """Seek to before `start_s`, far enough for the decoder to have warmed up by then."""
        first_s = (self._stream.start_time or 0) * self.time_base
        for warm_up_s in _WARM_UPS_S:
            if start_s - warm_up_s <= first_s:
                break
            if self._seek(int((start_s - warm_up_s) / self.time_base)):
                frame = next(self.frames(), None)
                if frame is not None and frame.pts is not None and frame.pts * self.time_base <= start_s:
                    self._pending = [frame]
                    return
        if not self._seek(int(first_s / self.time_base)):
            logger.debug("%s: seeking does not work in the audio", self._container.name)
        self._failures = 0
        self._packets = demux(self._container, self._stream)

    def _seek(self, pts: int) -> bool:
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except (av.FFmpegError, OSError):
            return False
        self._failures = 0
        self._packets = demux(self._container, self._stream)
        return True

    def frames(self) -> Iterator[av.AudioFrame]:
        """The frames from the current position on."""
        failures = 0
        while failures < _MAX_CONSECUTIVE_FAILURES:
            yield from self._taken()
            packet: av.Packet[AudioStream] | None = None
            try:
                packet = next(self._packets)
                self._pending = list(packet.decode())
                failures = 0
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError) as error:
                logger.debug("audio packet: %s", error)
                self._failures += 1
                failures += 1
                if packet is None:
                    # An exception ends PyAV's generator, not the file.
                    self._packets = demux(self._container, self._stream)

    def _taken(self) -> Iterator[av.AudioFrame]:
        pending, self._pending = self._pending, []
        yield from pending
