"""Decoding: a file's frames in presentation order, whatever state the file is in."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.errors import DecodeError
from core.media.frame_clock import FrameClock
from core.media.frame_filter import FrameFilter
from core.media.frame_shape import container_aspect, sane_aspect
from core.media.media_input import MAX_FRAME_PX, demux, open_input
from core.media.video_frame import VideoFrame
from core.types import VideoInfo
from utils.stage_times import timed

logger = logging.getLogger(__name__)

MAX_CONSECUTIVE_FAILURES = 64
"""after so many packets in a row without a frame the rest of the file counts as lost"""

_INDEXED_CONTAINERS = ("mov", "matroska")
"""containers whose index and times can be trusted in a seek; in the others reading on is the only safe way"""
_SEEK_MARGINS_S = (0, 2, 10)
_READ_ON_S = 3
"""a range that begins no further ahead is reached by decoding on: a seek costs a key frame interval too"""


class VideoReader:
    """Reads the frames of one video stream; a context manager.

    Small damage is skipped and counted. Not safe for use by several threads at a time; of several
    iterators from `frames` only the newest may be used.

    Attributes:
        decode_failures: packets that could not be read or decoded, and packets and frames flagged as
            damaged, since the reader was made. Flagged frames are delivered all the same.
        truncated: whether the file ended before its stream did.
        barred_frames: frames of another shape than the first, which were given black bars.
        key_frames: frames which the container and the decoder both call key frames.
        false_key_frames: frames which only the container calls so: decoding cannot begin there.
    """

    def __init__(self, info: VideoInfo, *, threads: int = 0) -> None:
        """threads: for decoding, 0 = as many as the machine has."""
        self._info = info
        self._threads = threads
        self._clock = FrameClock(info)
        self._container: InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._pending: av.VideoFrame | None = None
        self._delivered_any = False
        self._seekable = is_indexed(info)
        self._replaced_aspect: Fraction | None = None
        self.decode_failures = 0
        self.truncated = False
        self.barred_frames = 0
        self.key_frames = 0
        self.false_key_frames = 0

    @property
    def repaired_pts(self) -> int:
        """Frames whose time was missing or not after the one before, and was made up."""
        return self._clock.repaired_pts

    @property
    def clock_shifts(self) -> list[int]:
        """What was added to the times in the file after each lasting leap of its clock, since the last beginning."""
        return self._clock.clock_shifts

    @property
    def statistics(self) -> dict[str, float | int]:
        """What an analysis records of the reading from beginning to end."""
        return {
            "repaired_times": self.repaired_pts,
            "barred_pictures": self.barred_frames,
            "key_frames": self.key_frames,
            "false_key_frames": self.false_key_frames,
        }

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release decoder and file; frames given out stay valid."""
        self._frames = iter(())
        self._pending = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def frames(self, start_pts: int | None = None, end_pts: int | None = None) -> Iterator[VideoFrame]:
        """The frames with start_pts <= pts < end_pts; None means from the beginning, to the end.

        `index` counts from 0 at the first frame given; pts increase strictly. Ranges in rising order are
        cheap: the reader decodes on, or seeks, whichever is less work.

        Raises:
            DecodeError: the file cannot be opened any more, or not one frame of it can be decoded.
        """
        self._go_to(start_pts)
        matrix, full_range = self._info.color.matrix, self._info.color.range == "pc"
        index = 0
        while (frame := self._take()) is not None:
            pts = _pts(frame)
            if end_pts is not None and pts >= end_pts:
                self._pending = frame
                return
            if start_pts is None or pts >= start_pts:
                yield VideoFrame(frame, index=index, pts=pts, matrix=matrix, full_range=full_range)
                index += 1
        if not self._delivered_any:
            raise DecodeError(
                "no frame of it can be decoded", path=self._info.path, stage="decode", hint="damaged or incomplete?"
            )

    def _go_to(self, start_pts: int | None) -> None:
        """Make `_take` give the frame at `start_pts`, or one before it, next."""
        if start_pts is None:
            self._rewind()
            return
        here = self._take()
        self._pending = here
        if here is not None and _pts(here) <= start_pts:
            ahead_s = self._info.seconds(start_pts - _pts(here))
            if ahead_s <= _READ_ON_S or not self._seekable:
                return
        if start_pts > self._info.start_pts and self._seekable:
            if self._seek(start_pts):
                return
            # Trying again for every range would read the file as often.
            self._seekable = False
        self._rewind()

    def _seek(self, start_pts: int) -> bool:
        """Go to a key frame at or before `start_pts`; False where none can be found.

        What the index calls a key frame need not be one: the decoder's word counts.
        """
        container = self._container or self._open()
        stream = self._stream(container)
        for margin_s in _SEEK_MARGINS_S:
            # The index knows decoding times, which B-frames set apart from pts: hence a second, earlier try.
            target = start_pts - round(margin_s / self._info.time_base)
            try:
                container.seek(target, stream=stream, backward=True)
            except (av.FFmpegError, OSError):
                continue
            self._start(container, self._from_key_frame(container, start_pts))
            self._pending = self._take()
            if self._pending is not None and _pts(self._pending) <= start_pts:
                return True
        logger.debug("%s: seeking does not work, decoding from the beginning", self._info.path.name)
        return False

    def _rewind(self) -> None:
        self._clock.clock_shifts = []
        container = self._open()
        self._start(container, self._decoded(container))

    def _open(self) -> InputContainer:
        self.close()
        path = self._info.path
        try:
            container = open_input(path, self._info.container)
            self._container = container
            stream = self._stream(container)
            context = stream.codec_context
            if container_aspect(stream) is not None:
                self._replaced_aspect = context.sample_aspect_ratio
            context.thread_type = "AUTO"
            context.thread_count = self._threads
            context.options = {"max_pixels": str(MAX_FRAME_PX)}
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DecodeError(
                "cannot be opened for decoding", path=path, stage="decode", hint="has it changed meanwhile?"
            ) from error
        return container

    def _stream(self, container: InputContainer) -> VideoStream:
        index = self._info.stream_index
        stream = container.streams[index] if index < len(container.streams) else None
        if not isinstance(stream, VideoStream) or stream.codec_context is None:
            raise ValueError(f"stream {index} is no video any more")
        return stream

    def _start(self, container: InputContainer, frames: Iterator[av.VideoFrame]) -> None:
        self._pending = None
        self._frames = self._normalised(container, self._clock.timed(frames))

    def _take(self) -> av.VideoFrame | None:
        if self._pending is not None:
            frame, self._pending = self._pending, None
            return frame
        return next(self._frames, None)

    def _from_key_frame(self, container: InputContainer, latest_pts: int) -> Iterator[av.VideoFrame]:
        """The frames from the first that the decoder calls a key frame: those before refer to what it has not seen.

        Where none comes until `latest_pts` they begin behind it.
        """
        frames = self._decoded(container)
        for frame in frames:
            pts = self._clock.stored_pts(frame)
            if frame.key_frame or (pts is not None and pts > latest_pts):
                yield frame
                break
        yield from frames

    def _decoded(self, container: InputContainer) -> Iterator[av.VideoFrame]:
        """Frames as the decoder gives them."""
        stream = self._stream(container)
        packets = demux(container, stream)
        flagged: set[int] = set()
        failures = 0
        while failures < MAX_CONSECUTIVE_FAILURES:
            packet = None
            frames: list[av.VideoFrame] = []
            try:
                with timed("decode"):
                    packet = next(packets)
                if packet.size:
                    # A packet that the end of the file cuts short is flagged by the demuxer.
                    self.truncated = packet.is_corrupt
                    self.decode_failures += packet.is_corrupt
                    if packet.is_keyframe and packet.pts is not None:
                        flagged.add(packet.pts)
                elif packet.dts is not None:
                    # Nothing changes in the frame (Theora); only the packet that flushes has no time.
                    continue
                with timed("decode"):
                    frames = stream.decode(packet)
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError) as error:
                self._count_failure(error)
                failures += 1
                if packet is None:
                    # An exception ends PyAV's generator, not the file.
                    packets = demux(container, stream)
            for frame in frames:
                failures = 0
                self.decode_failures += frame.is_corrupt
                if frame.pts in flagged:
                    self.key_frames += frame.key_frame
                    self.false_key_frames += not frame.key_frame
                    flagged.discard(frame.pts)
                yield frame
        self.truncated = True
        try:
            yield from stream.decode(None)
        except (av.FFmpegError, ValueError) as error:
            self._count_failure(error)

    def _count_failure(self, error: Exception) -> None:
        logger.debug("%s: %s", self._info.path.name, error)
        self.decode_failures += 1

    def _normalised(self, container: InputContainer, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same frames in the geometry that `VideoInfo` promises."""
        frame_filter = FrameFilter(self._info, threads=self._threads)
        context = self._stream(container).codec_context
        aspect: Fraction | None = None
        for frame in frames:
            # What the decoder tells may be ahead of the frames that come out of it, but for key frames.
            if aspect is None or frame.key_frame:
                told, aspect = context.sample_aspect_ratio, self._info.sample_aspect_ratio
                if told != self._replaced_aspect:
                    aspect = sane_aspect(told, aspect)
            barred = frame_filter.barred
            try:
                for ready in frame_filter.push(frame, aspect):
                    self._delivered_any = True
                    yield ready
            except (av.FFmpegError, ValueError) as error:
                self._count_failure(error)
            self.barred_frames += frame_filter.barred - barred
        try:
            for ready in frame_filter.finish():
                self._delivered_any = True
                yield ready
        except (av.FFmpegError, ValueError) as error:
            self._count_failure(error)


def is_indexed(video: VideoInfo) -> bool:
    """Whether `VideoReader` seeks in it; otherwise everything before a range is decoded too."""
    return video.container in _INDEXED_CONTAINERS


def _pts(frame: av.VideoFrame) -> int:
    assert frame.pts is not None  # _timed has seen to it
    return frame.pts
