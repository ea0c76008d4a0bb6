"""Decoding the packets of a video stream, past damage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.media.media_input import demux
from utils.stage_times import timed

logger = logging.getLogger(__name__)

MAX_CONSECUTIVE_FAILURES = 64
"""after so many packets in a row without a frame the rest of the file counts as lost"""


class FrameDecoder:
    """Decodes packets to frames and counts the damage; one decoder may read a file several times.

    Attributes:
        failures: packets that could not be read or decoded, and packets and frames flagged as damaged, but for a packet
            that the file's end cuts short. Flagged frames are delivered all the same.
        truncated: whether the file ended before its stream did.
        key_frames: frames that both the container and the decoder call key frames.
        false_key_frames: frames that only the container calls key frames: decoding cannot begin there.
    """

    def __init__(self, name: str, on_packet: Callable[[av.Packet[VideoStream]], object]) -> None:
        """name: of the file, for the log. on_packet: called with each packet before it is decoded."""
        self._name = name
        self._on_packet = on_packet
        self.failures = 0
        self.truncated = False
        self.key_frames = 0
        self.false_key_frames = 0

    def frames(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
        """The frames from where the container stands, as the decoder emits them."""
        packets = demux(container, stream)
        flagged: set[int] = set()
        failures = 0
        last_is_flagged, last_pts = False, None
        while failures < MAX_CONSECUTIVE_FAILURES:
            packet = None
            frames: list[av.VideoFrame] = []
            try:
                with timed("decode"):
                    packet = next(packets)
                if packet.size:
                    # The end of a file may cut a packet short, as in most recordings of broadcasts: a flagged packet is
                    # damage only if another one follows.
                    self.failures += last_is_flagged
                    self.truncated = last_is_flagged = packet.is_corrupt
                    last_pts = packet.pts
                    if packet.is_keyframe and packet.pts is not None:
                        flagged.add(packet.pts)
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
                if frame.is_corrupt and frame.pts == last_pts:
                    last_is_flagged = True
                else:
                    self.failures += frame.is_corrupt
                if frame.pts in flagged:
                    self.key_frames += frame.key_frame
                    self.false_key_frames += not frame.key_frame
                    flagged.discard(frame.pts)
                yield frame
        self.truncated = True
        try:
            yield from stream.decode(None)
        except (av.FFmpegError, ValueError) as error:
            self.count_failure(error)

    def count_failure(self, error: Exception) -> None:
        """Count something that went wrong with a packet or a frame."""
        logger.debug("%s: %s", self._name, error)
        self.failures += 1
