"""Times of frames in containers that store when frames are decoded, but not when they are shown: AVI, and some MXF."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator

import av
from av.video.stream import VideoStream

from core.media.avi_delay import encoder_delay_s
from core.types import VideoInfo

_PACKETS = 512
"""how many packets are remembered: more than decoders hold back, with any number of threads"""
_MAX_LAG = 16
"""frames that a decoder holds back to put B-frames in order (H.264, A.3.1); if it seems to be more, the first frames
were lost"""
_ALWAYS, _SOMETIMES = "avi", "mxf"
UNTIMED = (_ALWAYS, _SOMETIMES)
"""containers: AVI has no presentation times; MXF has them in an index that may lack them or be cut off"""


class DecodeOrder:
    """Frame n is shown when packet n is due, because decoders emit frames in the order in which they are shown.

    The time that libav gives to a frame is later by as many frames as the decoder holds back, although the audio is
    not: writers of AVI files (ffmpeg, VirtualDub, packed B-frames of Xvid) put the first frame beside the first sample.
    A packet without a frame, and a frame that cannot be decoded, move no other frame.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._container = info.container
        # ffmpeg makes up for the audio's encoder by moving the frames behind the first one, by whole frames.
        self._max_move = math.ceil(encoder_delay_s(info) / info.time_base)
        self._move = 0
        self._dts: deque[int | None] = deque(maxlen=_PACKETS)
        self._first_dts: int | None = None

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """To be called with each packet that goes into the decoder."""
        if self._container not in UNTIMED:
            return
        if len(self._dts) == 1 and self._first_dts is not None and packet.dts is not None:
            # A tick of an AVI file is a frame.
            gap = packet.dts - self._first_dts - 1
            self._move = gap if 0 < gap <= self._max_move else 0
        self._dts.append(packet.dts)
        if self._first_dts is None:
            self._first_dts = packet.dts

    def timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same frames, with the times of their packets as pts where the container does not tell these."""
        first = next(frames, None)
        if first is None:
            return
        frames = itertools.chain((first,), frames)
        # Where MXF has presentation times, the first is 0 and decoding begins earlier.
        is_untimed = self._first_dts is not None and self._first_dts >= 0
        if self._container == _ALWAYS or (self._container == _SOMETIMES and is_untimed):
            frames = self._with_packet_times(frames)
        yield from frames

    def _with_packet_times(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        lag: int | None = None
        behind = 0
        for frame in frames:
            # Counted from the newest packet, because the oldest ones are forgotten.
            place = self._packets_behind(frame.dts)
            behind = behind - 1 if place is None else place
            if lag is None:
                lag = len(self._dts) - 1 - behind
                lag = lag if lag <= _MAX_LAG else 0
            at = len(self._dts) - 1 - behind - lag
            dts = self._dts[at] if 0 <= at < len(self._dts) else None
            frame.pts = None if dts is None else self._shown_at(dts)
            yield frame

    def _shown_at(self, dts: int) -> int:
        first = self._first_dts or 0
        return dts - (self._move if dts > first else 0)

    def _packets_behind(self, dts: int | None) -> int | None:
        """How many packets came after the one with this time, None if there is none."""
        if dts is None:
            return None
        return next((number for number, other in enumerate(reversed(self._dts)) if other == dts), None)
