"""Thumbnails of a finished clip, without decoding all of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from core.media.media_input import open_input
from core.types import ByteArray

logger = logging.getLogger(__name__)

CONTAINER = "mov,mp4,m4a,3gp,3g2,mj2"
FIRST_AFTER_S = 0.4
"""time of the first thumbnail: a clip's first frames may still be part of a dissolve"""

_SPACING_S = 8.0
_MIN_COUNT = 3
_MIN_SPACING_S = 0.6
"""one thumbnail per `_SPACING_S`, but at least start, middle and end unless they are closer than `_MIN_SPACING_S`"""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """An image (h, w, 3) uint8 RGB and its time in the clip, seconds."""

    time_s: float
    pixels: ByteArray


def read_thumbnails(path: Path, height_px: int, limit: int) -> tuple[Thumbnail, ...]:
    """At most `limit` thumbnails of the clip, `height_px` high, in time order, from near its start to near its end.

    B-frames are skipped on the way from a key frame (our encoder sets one at least every 250 frames), and in long clips
    a nearby key frame is taken instead of the exact time. The loop filter is off: that saves a sixth of the time and
    does not show after shrinking (42 dB and more). () if the file cannot be read.
    """
    try:
        with open_input(path, CONTAINER) as container:
            return tuple(_thumbnail(frame, height_px) for frame in _selected(container, limit))
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        logger.debug("%s: no thumbnails: %s", path.name, error)
        return ()


def evenly_spaced(count: int, limit: int) -> tuple[int, ...]:
    """At most `limit` of the numbers 0..count-1, evenly spaced, always including the first."""
    if count <= limit:
        return tuple(range(count))
    return tuple(i * count // limit for i in range(limit))


def _selected(container: InputContainer, limit: int) -> Iterator[av.VideoFrame]:
    stream = container.streams.video[0]
    stream.codec_context.skip_frame = "BIDIR"
    stream.codec_context.options = {"skip_loop_filter": "all"}
    tick = float(stream.time_base or 1)
    wanted = _times((stream.duration or 0) * tick, limit)
    plan = list(_seek_plan(wanted, lambda time_s: _key_before(container, stream, int(time_s / tick)) * tick))
    container.seek(0, stream=stream)
    frames: Iterator[av.VideoFrame] = container.decode(stream)
    for time_s, key_s in plan:
        if key_s is not None:
            container.seek(int(key_s / tick), stream=stream)
            frames = container.decode(stream)
        last = None
        for last in frames:
            if (last.time or 0.0) >= time_s:
                break
        if last is None:
            return
        yield last


def _seek_plan(wanted: Sequence[float], key_before: Callable[[float], float]) -> Iterator[tuple[float, float | None]]:
    """For each wanted time the one to take, and the time of the key frame to seek to, None to decode on."""
    near_s = 0.5 * (wanted[1] - wanted[0]) if len(wanted) > 1 else 0.0
    before_s = 0.0
    for number, time_s in enumerate(wanted):
        inner = 0 < number < len(wanted) - 1
        key_s = key_before(time_s + near_s if inner else time_s)
        if inner and key_s > before_s and abs(key_s - time_s) <= near_s:
            time_s = key_s
        yield time_s, key_s if before_s < key_s <= time_s else None
        before_s = time_s


def _key_before(container: InputContainer, stream: av.VideoStream, pts: int) -> int:
    container.seek(pts, stream=stream)
    packet = next(container.demux(stream))
    return packet.pts or 0


def _times(length_s: float, limit: int) -> tuple[float, ...]:
    """Wanted times, seconds into the clip."""
    first = min(FIRST_AFTER_S, length_s / 2)
    count = min(limit, max(min(_MIN_COUNT, int(length_s / _MIN_SPACING_S)), int(length_s / _SPACING_S) + 1))
    if count < 2:
        return (first,)
    step = (length_s - 2 * first) / (count - 1)
    return tuple(first + i * step for i in range(count))


def _thumbnail(frame: av.VideoFrame, height_px: int) -> Thumbnail:
    width = max(1, round(frame.width * height_px / frame.height))
    small = frame.reformat(width, height_px, "rgb24", interpolation="AREA")
    return Thumbnail(float(frame.time or 0.0), np.ascontiguousarray(small.to_ndarray(), np.uint8))
