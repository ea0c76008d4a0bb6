"""Decoding the packets of a video stream, past damage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.media.clock_repair import clock_limits
from core.media.containers.ts_joins import recording_begins
from core.media.media_input import demux
from utils.processes.stage_times import timed

logger = logging.getLogger(__name__)

MAX_CONSECUTIVE_FAILURES = 64
"""after so many packets in a row without a frame the rest of the file counts as lost"""
_DOUBT_PACKETS = 2
"""packets between one that is flagged and the end of what was recorded, where the flag means no damage: libav flags the
last or the last but one"""
_LONGEST_STEP = 1.5
"""of the step between two packets: with a longer one, a frame is missing"""


class FrameDecoder:
    """Decodes packets to frames and counts the damage; one decoder may read a file several times.

    Attributes:
        failures: packets that could not be read or decoded, and packets and frames flagged as damaged, but for the last
            ones of the file and of each of the recordings that it is joined from. Flagged frames are delivered all the
            same.
        truncated: whether the file ended before its stream did.
        key_frames: frames that both the container and the decoder call key frames.
        false_key_frames: frames that only the container calls key frames: decoding cannot begin there.
    """

    def __init__(self, path: Path, on_packet: Callable[[av.Packet[VideoStream]], object]) -> None:
        """path: of the file. on_packet: called with each packet before it is decoded."""
        self._path = path
        self._name = path.name
        self._on_packet = on_packet
        self.failures = 0
        self.truncated = False
        self.key_frames = 0
        self.false_key_frames = 0

    def frames(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
        """The frames from where the container stands, as the decoder emits them."""
        packets = demux(container, stream)
        claimed_key_frames: set[int] = set()
        damage = _DamageFlags(self._path)
        failures = 0
        while failures < MAX_CONSECUTIVE_FAILURES:
            packet = None
            frames: list[av.VideoFrame] = []
            try:
                with timed("decode"):
                    packet = next(packets)
                if packet.size:
                    self.failures += damage.add(packet)
                    self.truncated = damage.is_pending
                    if packet.is_keyframe and packet.pts is not None:
                        claimed_key_frames.add(packet.pts)
                    self._on_packet(packet)
                elif packet.dts is not None:
                    # An empty packet with a time repeats the frame (Theora); the one that flushes has no time.
                    continue
                with timed("decode"):
                    frames = stream.decode(packet)
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError) as error:
                self.count_failure(error)
                failures += 1
                if packet is None:
                    # An exception ends PyAV's generator, not the file.
                    packets = demux(container, stream)
            for frame in frames:
                failures = 0
                if frame.is_corrupt and not damage.is_of_last_packet(frame):
                    self.failures += 1
                self._check_key_frame(frame, claimed_key_frames)
                yield frame
        self.truncated = True
        yield from self._frames_held_back(stream)

    def count_failure(self, error: Exception) -> None:
        """Count something that went wrong with a packet or a frame."""
        logger.debug("%s: %s", self._name, error)
        self.failures += 1

    def _check_key_frame(self, frame: av.VideoFrame, claimed: set[int]) -> None:
        """Count whether the decoder agrees that this is a key frame. claimed: times where the container says so."""
        if frame.pts in claimed:
            self.key_frames += frame.key_frame
            self.false_key_frames += not frame.key_frame
            claimed.discard(frame.pts)

    def _frames_held_back(self, stream: VideoStream) -> Iterator[av.VideoFrame]:
        """The frames that the decoder still holds when no packet follows."""
        try:
            yield from stream.decode(None)
        except (av.FFmpegError, ValueError) as error:
            self.count_failure(error)


class _DamageFlags:
    """Which of the packets that libav flags as damaged are.

    The end of a file may cut a packet short, as in most recordings of broadcasts; and where recordings are joined, the
    numbers of their packets jump, so that the end of the first is flagged although nothing is lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._since: int | None = None  # packets after a flagged one
        self._last: av.Packet[VideoStream] | None = None
        self._step: int | None = None  # ticks between the decoding times of the last two packets

    @property
    def is_pending(self) -> bool:
        """Whether one of the last packets is flagged."""
        return self._since is not None

    def add(self, packet: av.Packet[VideoStream]) -> int:
        """The next packet of the file; returns how many of those before turned out to be damaged."""
        damaged = 0
        if self._last is not None and (_is_new_clock(self._last, packet) or self._is_joined(self._last, packet)):
            self._since = None
        if self._since is not None:
            self._since += 1
            if packet.is_corrupt or self._since >= _DOUBT_PACKETS:
                damaged, self._since = 1, None
        if packet.is_corrupt:
            self._since = 0
        if self._last is not None and self._last.dts is not None and packet.dts is not None:
            self._step = packet.dts - self._last.dts
        self._last = packet
        return damaged

    def _is_joined(self, last: av.Packet[VideoStream], packet: av.Packet[VideoStream]) -> bool:
        """Whether another recording begins with `packet` on the same clock, so that no frame is missing between."""
        if self._since is None or self._step is None or last.dts is None or packet.dts is None:
            return False
        if last.pos is None or packet.pos is None or packet.dts - last.dts > _LONGEST_STEP * self._step:
            return False
        return recording_begins(self._path, last.pos, packet.pos)

    def is_of_last_packet(self, frame: av.VideoFrame) -> bool:
        """Whether a flagged frame is that of the last packet, which may be the file's last one; it is noted if so."""
        if self._last is None or frame.pts != self._last.pts:
            return False
        self._since = 0
        return True


def _is_new_clock(last: av.Packet[VideoStream], packet: av.Packet[VideoStream]) -> bool:
    """Whether another recording begins with `packet`, by its decoding time."""
    if last.dts is None or packet.dts is None or not packet.time_base:
        return False
    reset, hole = clock_limits(packet.time_base)
    return not -reset <= packet.dts - last.dts <= hole
