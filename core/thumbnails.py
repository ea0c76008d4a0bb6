"""A few pictures of a finished clip, found without decoding it all."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from core.media_input import open_input
from core.types import ByteArray

logger = logging.getLogger(__name__)

CONTAINER = "mov,mp4,m4a,3gp,3g2,mj2"
FIRST_AFTER_S = 0.4
"""the first picture is one so far into the clip: a person's first frames may still be half a dissolve"""

_APART_S = 4.0
"""key frames nearer to the last picture than this show nothing new"""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A picture (h, w, 3) uint8 RGB and its time in the clip, seconds."""

    time_s: float
    pixels: ByteArray


def read_thumbnails(path: Path, height_px: int, limit: int) -> tuple[Thumbnail, ...]:
    """At most `limit` pictures of the clip, `height_px` high, in time order: one near its start, then at key frames.

    Our encoder sets a key frame at least every 250 pictures, so these come about every ten seconds, and
    only the first one needs any pictures decoded on the way. () where the file cannot be read.
    """
    found: list[Thumbnail] = []
    with contextlib.suppress(StopIteration):
        for thumbnail in _candidates(path, height_px):
            if not found or thumbnail.time_s - found[-1].time_s >= _APART_S:
                found.append(thumbnail)
    return tuple(found[i] for i in evenly(len(found), limit))


def evenly(count: int, limit: int) -> tuple[int, ...]:
    """At most `limit` of the numbers 0..count-1, evenly spread, the first always among them."""
    if count <= limit:
        return tuple(range(count))
    return tuple(i * count // limit for i in range(limit))


def _candidates(path: Path, height_px: int) -> Iterator[Thumbnail]:
    try:
        with open_input(path, CONTAINER) as container:
            yield from _first(container, height_px)
        with open_input(path, CONTAINER) as container:
            container.streams.video[0].codec_context.skip_frame = "NONKEY"
            for picture in container.decode(video=0):
                yield _thumbnail(picture, height_px)
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        logger.debug("%s: no thumbnails: %s", path.name, error)


def _first(container: InputContainer, height_px: int) -> Iterator[Thumbnail]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    length_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    wanted_s = min(FIRST_AFTER_S, length_s / 2)
    last = None
    for picture in container.decode(stream):
        last = picture
        if (picture.time or 0.0) >= wanted_s:
            break
    if last is not None:
        yield _thumbnail(last, height_px)


def _thumbnail(picture: av.VideoFrame, height_px: int) -> Thumbnail:
    width = max(1, round(picture.width * height_px / picture.height))
    small = picture.reformat(width, height_px, "rgb24", interpolation="AREA")
    return Thumbnail(float(picture.time or 0.0), np.ascontiguousarray(small.to_ndarray(), np.uint8))
