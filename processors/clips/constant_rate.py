"""The constant-rate output of an interval of a video: which frame each row shows, and the audio that goes with it.

A *row* is one frame of the output. Rows come at the nominal rate of the source, whatever the rate of its frames.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, TypeVar

import numpy as np

from core.errors import OutputError
from core.full_disk import full_disk_hint
from core.media.audio_reader import PcmExcerpt, read_audio
from core.types import FaceAnalysis, IntArray
from utils.timebase import frames_at_rate

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time on the container's clock, in exact seconds."""

    start_s: Fraction
    duration_s: Fraction


def shown_frames(analysis: FaceAnalysis, start: int, end: int) -> IntArray:
    """(M,) int64: number of the source frame that each row of the frames [start, end) shows, at the nominal rate."""
    video = analysis.video
    pts = analysis.frame_pts[start:end]
    return np.asarray(start + frames_at_rate(pts, video.time_base, analysis.end_pts(end), video.frame_rate), np.int64)


def rows_interval(analysis: FaceAnalysis, start: int, rows: int) -> Interval:
    """The interval of `rows` rows that begin with frame number `start`."""
    video = analysis.video
    return Interval(int(analysis.frame_pts[start]) * video.time_base, Fraction(rows) / video.frame_rate)


def fill_rows(frames: Iterable[tuple[int, T]], wanted_pts: IntArray) -> Iterator[tuple[T, range, bool]]:
    """Distribute decoded frames over the rows.

    frames: pts and content, in presentation order. A frame that the analysis has seen may be missing: decoding damaged
        data can give other frames the second time.
    wanted_pts: (M,) int64, pts of the frame that each row shows, in rising order.

    Yields a frame, the rows that show it, and whether it only stands in for frames that are missing: the rows of a
    missing frame repeat the frame decoded before it, or show the first one if there is none. All rows are covered, in
    order, unless `frames` is empty.
    """
    row = 0
    latest: tuple[T] | None = None
    for pts, frame in frames:
        first = int(np.searchsorted(wanted_pts, pts))
        end = int(np.searchsorted(wanted_pts, pts, side="right"))
        if first > row:
            yield frame if latest is None else latest[0], range(row, first), True
            row = first
        if end > row:
            yield frame, range(row, end), False
            row = end
        latest = (frame,)
    if latest is not None and row < len(wanted_pts):
        yield latest[0], range(row, len(wanted_pts)), True


def read_interval_audio(
    analysis: FaceAnalysis, interval: Interval, target: IO[bytes], stop: threading.Event
) -> PcmExcerpt | None:
    """Write the audio of `interval` to `target` as raw PCM, exactly as long as the interval, and flush it.

    Returns None, and writes nothing, if the video has no audio that can be decoded.

    Raises:
        DecodeError: the video cannot be opened any more.
        InterruptedRunError: `stop` was set.
        OSError: `target` cannot be written.
    """
    shifts = analysis.clock_shifts
    excerpt = read_audio(analysis.video, interval.start_s, interval.duration_s, target, clock_shifts=shifts, stop=stop)
    target.flush()
    return excerpt


@contextlib.contextmanager
def audio_write_errors(output: Path, stage: str) -> Iterator[None]:
    """Turn an OSError of writing temporary audio into an OutputError about `output`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = full_disk_hint(error.errno, output)
        raise OutputError(f"its audio cannot be written: {reason}", path=output, stage=stage, hint=hint) from error
