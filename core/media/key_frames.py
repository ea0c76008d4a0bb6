"""Decodes a few key frames from all over a video: a quick look at it before the analysis."""

from __future__ import annotations

import logging
from collections.abc import Generator

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.media.frame_filter import FrameFilter
from core.media.media_input import MAX_FRAME_PX, open_input
from core.media.software_frame import SoftwareFrame
from core.media.video_frame import VideoFrame
from core.media.video_reader import is_indexed
from core.types import VideoInfo

logger = logging.getLogger(__name__)


def read_key_frames(
    info: VideoInfo, count: int, part: tuple[float, float | None] = (0.0, None)
) -> Generator[VideoFrame, None, None]:
    """At most `count` key frames, evenly spaced, in time order, none twice, each decoded when it is asked for.

    None where they would have to be searched for by reading the file, or cannot be read. `index` counts from 0.
    part: `AnalysisSettings.part`, seconds from the first frame; the key frame before each time in it is taken, so the
        first one may lie before its start.
    """
    if not is_indexed(info) or info.duration_s <= 0:
        return
    try:
        with open_input(info.path, info.container) as container:
            yield from _key_frames(container, info, count, part)
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        logger.debug("%s: no more key frames: %s", info.path.name, error)


def _key_frames(
    container: InputContainer, info: VideoInfo, count: int, part: tuple[float, float | None]
) -> Generator[VideoFrame, None, None]:
    stream = container.streams[info.stream_index]
    if not isinstance(stream, VideoStream):
        raise ValueError(f"stream {info.stream_index} is not a video stream")
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PX)}
    # One thread: several would each take a frame before the first one comes out.
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "NONKEY"
    frame_filter = FrameFilter(info, threads=1)
    last_pts: int | None = None
    index = 0
    start_s, end_s = part
    length_s = (info.duration_s if end_s is None else min(end_s, info.duration_s)) - start_s
    for number in range(count):
        time_s = start_s + length_s * (number + 0.5) / count
        container.seek(info.start_pts + round(time_s / info.time_base), stream=stream, backward=True)
        frame = next(iter(container.decode(stream)), None)
        if frame is None or frame.pts is None or frame.pts == last_pts:
            continue
        last_pts = frame.pts
        # Deinterlacing holds a frame back.
        ready = next(iter([*frame_filter.push(frame), *frame_filter.finish()]), None)
        if ready is not None:
            yield SoftwareFrame(ready, index=index, pts=last_pts, color=info.color, placed=frame_filter.placed)
            index += 1
