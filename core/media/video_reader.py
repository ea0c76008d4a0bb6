"""The frames of a file in presentation order, whatever state the file is in."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.errors import DecodeError
from core.media.containers.segment_index import has_false_index
from core.media.frame_clock import FrameClock
from core.media.frame_decoder import FrameDecoder
from core.media.frame_filter import FrameFilter, is_on_device
from core.media.frame_shape import container_aspect, sane_aspect
from core.media.media_input import MAX_FRAME_PX, open_input
from core.media.software_frame import SoftwareFrame
from core.media.video_frame import VideoFrame
from core.types import PixelBox, VideoInfo

if TYPE_CHECKING:
    from core.media.nvdec import Nvdec

logger = logging.getLogger(__name__)

_INDEXED_CONTAINERS = ("mov", "matroska")
"""containers whose index and times can be trusted when seeking; in the others only reading on is safe"""
_SEEK_MARGINS_S = (0, 2, 10)
_READ_ON_S = 3
"""a range that begins at most so far ahead is reached by decoding on: a seek also costs a key frame interval"""


class _FittedFrame(NamedTuple):
    """A frame in the geometry that `VideoInfo` promises. placed: as in `VideoFrame`."""

    frame: av.VideoFrame
    placed: PixelBox | None

    @property
    def pts(self) -> int:
        assert self.frame.pts is not None  # FrameClock sets it
        return self.frame.pts


class VideoReader:
    """Reads the frames of one video stream; a context manager.

    Small damage is skipped and counted. Not thread-safe; of several iterators from `frames` only the newest may be
    used.

    Attributes:
        info: of the file that is read.
        barred_frames: frames of another shape than the first, which were fitted between black bars.
        device_frames: frames that were delivered in the memory of a GPU.
    """

    def __init__(self, info: VideoInfo, *, threads: int = 0, nvdec: Nvdec | None = None) -> None:
        """threads: for decoding, 0 = one per CPU. nvdec: decodes instead, and delivers `DeviceFrame`s where frames need
        no filter.
        """
        self.info = info
        self._threads = threads
        self._nvdec = nvdec
        self._clock = FrameClock(info)
        self._decoder = FrameDecoder(info.path, self._clock.add_packet)
        self._container: InputContainer | None = None
        self._frames: Iterator[_FittedFrame] = iter(())
        self._pending: _FittedFrame | None = None
        self._delivered_any = False
        self._seekable = is_indexed(info)
        self._replaced_aspect: Fraction | None = None
        self.barred_frames = 0
        self.device_frames = 0

    @property
    def decode_failures(self) -> int:
        """Packets that could not be read or decoded, and packets and frames flagged as damaged."""
        return self._decoder.failures

    @property
    def truncated(self) -> bool:
        """Whether the file ended before its stream did."""
        return self._decoder.truncated

    @property
    def key_frames(self) -> int:
        """Frames that both the container and the decoder call key frames."""
        return self._decoder.key_frames

    @property
    def false_key_frames(self) -> int:
        """Frames that only the container calls key frames."""
        return self._decoder.false_key_frames

    @property
    def repaired_pts(self) -> int:
        """Frames whose time was missing or not after that of the frame before, and was replaced."""
        return self._clock.repaired_pts

    @property
    def clock_shifts(self) -> list[int]:
        """What was added to the file's times after each restart of its clock, since reading last began."""
        return self._clock.clock_shifts

    @property
    def statistics(self) -> dict[str, float | int]:
        """What an analysis records of a reading from beginning to end."""
        return {
            "repaired_times": self.repaired_pts,
            "barred_pictures": self.barred_frames,
            "key_frames": self.key_frames,
            "false_key_frames": self.false_key_frames,
            **({"reordered_times": self._clock.reordered_pts} if self._clock.reordered_pts else {}),
            **({"device_frames": self.device_frames} if self.device_frames else {}),
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

        `index` counts from 0 at the first frame yielded; pts are strictly increasing. Ascending ranges are cheap: the
        reader decodes on or seeks, whichever is less work.

        Raises:
            DecodeError: the file cannot be opened any more, or none of its frames can be decoded.
        """
        self._go_to(start_pts)
        index = 0
        while (fitted := self._take()) is not None:
            if end_pts is not None and fitted.pts >= end_pts:
                self._pending = fitted
                return
            if start_pts is None or fitted.pts >= start_pts:
                yield self._shown(fitted, index)
                index += 1
        if not self._delivered_any:
            raise DecodeError(
                "none of its frames can be decoded", path=self.info.path, stage="decode", hint="damaged or incomplete?"
            )

    def _shown(self, fitted: _FittedFrame, index: int) -> VideoFrame:
        on_device = self._nvdec is not None and is_on_device(fitted.frame)
        self.device_frames += on_device
        make = self._nvdec.frame if self._nvdec is not None and on_device else SoftwareFrame
        return make(fitted.frame, index=index, pts=fitted.pts, color=self.info.color, placed=fitted.placed)

    def _go_to(self, start_pts: int | None) -> None:
        """Position the reader so that `_take` next returns the frame at `start_pts`, or one before it."""
        if start_pts is None:
            self._rewind()
            return
        here = self._take()
        self._pending = here
        if here is not None and here.pts <= start_pts:
            ahead_s = self.info.seconds(start_pts - here.pts)
            if ahead_s <= _READ_ON_S or not self._seekable:
                return
        if start_pts > self.info.start_pts and self._seekable:
            if self._seek(start_pts):
                return
            # Do not try again for each range: every attempt may read the whole file.
            self._seekable = False
        self._rewind()

    def _seek(self, start_pts: int) -> bool:
        """Go to a key frame at or before `start_pts`; False where none can be found.

        The index may call frames key frames that are none, so the decoder decides.
        """
        container = self._container or self._open()
        stream = self._stream(container)
        for margin_s in _SEEK_MARGINS_S:
            # The index holds decoding times, which differ from pts where there are B-frames: hence the margins.
            target = start_pts - round(margin_s / self.info.time_base)
            try:
                container.seek(target, stream=stream, backward=True)
            except (av.FFmpegError, OSError):
                continue
            self._start(container, self._from_key_frame(container, start_pts))
            self._pending = self._take()
            if self._pending is not None and self._pending.pts <= start_pts:
                return True
        logger.debug("%s: seeking does not work, decoding from the beginning", self.info.path.name)
        return False

    def _rewind(self) -> None:
        self._clock.clock_shifts = []
        container = self._open()
        self._start(container, self._decoded(container))

    def _open(self) -> InputContainer:
        self.close()
        path = self.info.path
        try:
            opened = open_input if self._nvdec is None else self._nvdec.open
            container = opened(path, self.info.container)
            self._container = container
            stream = self._stream(container)
            context = stream.codec_context
            if container_aspect(stream) is not None:
                self._replaced_aspect = context.sample_aspect_ratio
            context.thread_type = "AUTO"
            # Several threads would only take surfaces of the GPU from each other.
            context.thread_count = self._threads if self._nvdec is None else 1
            context.options = {"max_pixels": str(MAX_FRAME_PX)}
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DecodeError(
                "cannot be opened for decoding", path=path, stage="decode", hint="was it changed during the run?"
            ) from error
        return container

    def _stream(self, container: InputContainer) -> VideoStream:
        index = self.info.stream_index
        stream = container.streams[index] if index < len(container.streams) else None
        if not isinstance(stream, VideoStream) or stream.codec_context is None:
            raise ValueError(f"stream {index} is no longer a video stream")
        return stream

    def _start(self, container: InputContainer, frames: Iterator[av.VideoFrame]) -> None:
        self._pending = None
        self._frames = self._normalised(container, self._clock.timed(frames))

    def _take(self) -> _FittedFrame | None:
        if self._pending is not None:
            fitted, self._pending = self._pending, None
            return fitted
        return next(self._frames, None)

    def _from_key_frame(self, container: InputContainer, latest_pts: int) -> Iterator[av.VideoFrame]:
        """The frames from the first that the decoder calls a key frame; those before refer to frames it has not seen.

        Without a key frame up to `latest_pts` they begin after it.
        """
        frames = self._decoded(container)
        for frame in frames:
            pts = self._clock.stored_pts(frame)
            if frame.key_frame or (pts is not None and pts > latest_pts):
                yield frame
                break
        yield from frames

    def _decoded(self, container: InputContainer) -> Iterator[av.VideoFrame]:
        return self._decoder.frames(container, self._stream(container))

    def _normalised(self, container: InputContainer, frames: Iterator[av.VideoFrame]) -> Iterator[_FittedFrame]:
        """The same frames in the geometry that `VideoInfo` promises."""
        frame_filter = FrameFilter(self.info, threads=self._threads)
        context = self._stream(container).codec_context
        aspect: Fraction | None = None
        for frame in frames:
            # The decoder's aspect may belong to a later frame than the one it emits, except at key frames.
            if aspect is None or frame.key_frame:
                told, aspect = context.sample_aspect_ratio, self.info.sample_aspect_ratio
                if told != self._replaced_aspect:
                    aspect = sane_aspect(told, aspect)
            barred = frame_filter.barred
            try:
                for ready in frame_filter.push(frame, aspect):
                    self._delivered_any = True
                    yield _FittedFrame(ready, frame_filter.placed)
            except (av.FFmpegError, ValueError) as error:
                self._decoder.count_failure(error)
            self.barred_frames += frame_filter.barred - barred
        try:
            for ready in frame_filter.finish():
                self._delivered_any = True
                yield _FittedFrame(ready, frame_filter.placed)
        except (av.FFmpegError, ValueError) as error:
            self._decoder.count_failure(error)


def is_indexed(video: VideoInfo) -> bool:
    """Whether `VideoReader` can seek in it; otherwise everything before a range is decoded too."""
    return video.container in _INDEXED_CONTAINERS and not video.has_repaired_times and not has_false_index(video)
