"""Decoding: a file's pictures in presentation order, whatever state the file is in."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import TracebackType

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.errors import DecodeError
from core.media_input import CLOCK_RESET_S, LONGEST_HOLE_S, MAX_PICTURE_PX, decoded_pts, demux, open_input
from core.picture_filter import PictureFilter
from core.types import VideoInfo
from core.video_frame import VideoFrame
from utils.stage_times import timed

logger = logging.getLogger(__name__)

MAX_CONSECUTIVE_FAILURES = 64
"""after so many packets in a row without a picture the rest of the file counts as lost"""

_INDEXED_CONTAINERS = ("mov", "matroska")
"""containers whose index and times can be trusted in a seek; in the others reading on is the only safe way"""
_SEEK_MARGINS_S = (0, 2, 10)
_READ_ON_S = 3
"""a range that begins no further ahead is reached by decoding on: a seek costs a key frame interval too"""
_PTS_LIMIT = 2**60
"""times beyond are damage; sums with them must still fit into 64 bits"""


class VideoReader:
    """Reads the pictures of one video stream; a context manager.

    Small damage is skipped and counted. Not safe for use by several threads at a time; of several
    iterators from `frames` only the newest may be used.

    Attributes:
        decode_failures: packets that could not be read or decoded, and packets and pictures flagged as
            damaged, since the reader was made. Flagged pictures are delivered all the same.
        repaired_pts: pictures whose time was missing or not after the one before, and was made up.
        truncated: whether the file ended before its stream did.
        clock_shifts: what was added to the times in the file after each lasting leap of its clock so far, since
            reading last began at the beginning; ticks of the stream's time base.
    """

    def __init__(self, info: VideoInfo, *, threads: int = 0) -> None:
        """threads: for decoding, 0 = as many as the machine has."""
        self._info = info
        self._threads = threads
        self._interval = max(1, round(1 / (info.frame_rate * info.time_base)))
        self._container: InputContainer | None = None
        self._pictures: Iterator[av.VideoFrame] = iter(())
        self._pending: av.VideoFrame | None = None
        self._delivered_any = False
        self.decode_failures = 0
        self.repaired_pts = 0
        self.truncated = False
        self.clock_shifts: list[int] = []

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release decoder and file; frames given out stay valid."""
        self._pictures = iter(())
        self._pending = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def frames(self, start_pts: int | None = None, end_pts: int | None = None) -> Iterator[VideoFrame]:
        """The frames with start_pts <= pts < end_pts; None means from the beginning, to the end.

        `index` counts from 0 at the first frame given; pts increase strictly. Ranges in rising order are
        cheap: the reader decodes on, or seeks, whichever is less work.

        Raises:
            DecodeError: the file cannot be opened any more, or not one picture of it can be decoded.
        """
        self._go_to(start_pts)
        matrix, full_range = self._info.color.matrix, self._info.color.range == "pc"
        index = 0
        while (picture := self._take()) is not None:
            pts = _pts(picture)
            if end_pts is not None and pts >= end_pts:
                self._pending = picture
                return
            if start_pts is None or pts >= start_pts:
                yield VideoFrame(picture, index=index, pts=pts, matrix=matrix, full_range=full_range)
                index += 1
        if not self._delivered_any:
            raise DecodeError(
                "no picture of it can be decoded", path=self._info.path, stage="decode", hint="damaged or incomplete?"
            )

    def _go_to(self, start_pts: int | None) -> None:
        """Make `_take` give the frame at `start_pts`, or one before it, next."""
        if start_pts is None:
            self._rewind()
            return
        here = self._take()
        self._pending = here
        indexed = is_indexed(self._info)
        if here is not None and _pts(here) <= start_pts:
            ahead_s = self._info.seconds(start_pts - _pts(here))
            if ahead_s <= _READ_ON_S or not indexed:
                return
        if start_pts > self._info.start_pts and indexed and self._seek(start_pts):
            return
        self._rewind()

    def _seek(self, start_pts: int) -> bool:
        """Go to a key frame at or before `start_pts`; False where none can be found."""
        container = self._container or self._open()
        stream = self._stream(container)
        for margin_s in _SEEK_MARGINS_S:
            # The index knows decoding times, which B-frames set apart from pts: hence a second, earlier try.
            target = start_pts - round(margin_s / self._info.time_base)
            try:
                container.seek(target, stream=stream, backward=True)
            except (av.FFmpegError, OSError):
                continue
            self._start(container)
            self._pending = self._take()
            if self._pending is not None and _pts(self._pending) <= start_pts:
                return True
        logger.debug("%s: seeking does not work, decoding from the beginning", self._info.path.name)
        return False

    def _rewind(self) -> None:
        self.clock_shifts = []
        self._start(self._open())

    def _open(self) -> InputContainer:
        self.close()
        path = self._info.path
        try:
            container = open_input(path, self._info.container)
            self._container = container
            context = self._stream(container).codec_context
            context.thread_type = "AUTO"
            context.thread_count = self._threads
            context.options = {"max_pixels": str(MAX_PICTURE_PX)}
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

    def _start(self, container: InputContainer) -> None:
        self._pending = None
        self._pictures = self._normalised(self._timed(self._decoded(container)))

    def _take(self) -> av.VideoFrame | None:
        if self._pending is not None:
            picture, self._pending = self._pending, None
            return picture
        return next(self._pictures, None)

    def _decoded(self, container: InputContainer) -> Iterator[av.VideoFrame]:
        """Pictures as the decoder gives them."""
        stream = self._stream(container)
        packets = demux(container, stream)
        failures = 0
        while failures < MAX_CONSECUTIVE_FAILURES:
            packet = None
            pictures: list[av.VideoFrame] = []
            try:
                with timed("decode"):
                    packet = next(packets)
                if packet.size:
                    # A packet that the end of the file cuts short is flagged by the demuxer.
                    self.truncated = packet.is_corrupt
                    self.decode_failures += packet.is_corrupt
                elif packet.dts is not None:
                    # Nothing changes in the picture (Theora); only the packet that flushes has no time.
                    continue
                with timed("decode"):
                    pictures = stream.decode(packet)
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError) as error:
                self._count_failure(error)
                failures += 1
                if packet is None:
                    # An exception ends PyAV's generator, not the file.
                    packets = demux(container, stream)
            for picture in pictures:
                failures = 0
                self.decode_failures += picture.is_corrupt
                yield picture
        self.truncated = True
        try:
            yield from stream.decode(None)
        except (av.FFmpegError, ValueError) as error:
            self._count_failure(error)

    def _count_failure(self, error: Exception) -> None:
        logger.debug("%s: %s", self._info.path.name, error)
        self.decode_failures += 1

    def _timed(self, pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same pictures with pts that exist and increase."""
        last: int | None = None
        shift = 0
        reset = round(CLOCK_RESET_S / self._info.time_base)
        hole = round(LONGEST_HOLE_S / self._info.time_base)
        following: av.VideoFrame | None = None
        while (picture := following or next(pictures, None)) is not None:
            following = None
            pts = self._stored_pts(picture)
            if pts is not None:
                pts += shift
            if last is not None and pts is not None and pts > last + reset:
                # One wrong time must not move all that come after it away from their sound.
                following = next(pictures, None)
                after = None if following is None else self._stored_pts(following)
                if after is not None and last < after + shift < pts - reset:
                    pts = None
            if last is not None and (pts is None or not last < pts <= last + hole):
                self.repaired_pts += 1
                if pts is None:
                    pts = last + self._interval
                elif not last - reset <= pts <= last:
                    shift += last + self._interval - pts
                    self.clock_shifts.append(shift)
                    pts = last + self._interval
                else:
                    pts = last + 1
            elif pts is None:
                self.repaired_pts += 1
                pts = self._info.start_pts
            picture.pts = last = pts
            yield picture

    def _stored_pts(self, picture: av.VideoFrame) -> int | None:
        pts = decoded_pts(picture, self._info.container)
        return None if pts is None or abs(pts) > _PTS_LIMIT else pts

    def _normalised(self, pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same pictures in the geometry that `VideoInfo` promises."""
        picture_filter = PictureFilter(self._info, threads=self._threads)
        for picture in pictures:
            try:
                for ready in picture_filter.push(picture):
                    self._delivered_any = True
                    yield ready
            except (av.FFmpegError, ValueError) as error:
                self._count_failure(error)
        try:
            for ready in picture_filter.finish():
                self._delivered_any = True
                yield ready
        except (av.FFmpegError, ValueError) as error:
            self._count_failure(error)


def is_indexed(video: VideoInfo) -> bool:
    """Whether `VideoReader` seeks in it; otherwise everything before a range is decoded too."""
    return video.container in _INDEXED_CONTAINERS


def _pts(picture: av.VideoFrame) -> int:
    assert picture.pts is not None  # _timed has seen to it
    return picture.pts
