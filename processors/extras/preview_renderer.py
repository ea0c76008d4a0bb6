"""preview.mp4: the whole video, with its sound, and everything that was found drawn on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from config import EXTRA_FILES, EncodeSettings
from core.errors import DecodeError, InterruptedRunError, OutputError
from core.media.audio_reader import PcmFormat, read_audio
from core.media.clip_writer import ClipWriter
from core.media.video_frame import VideoFrame
from core.media.video_reader import VideoReader
from core.types import ByteArray, FaceAnalysis, Timeline
from processors.extras.preview_artist import PreviewArtist
from utils.files import scratch_file
from utils.prefetch import prefetch
from utils.rgb_images import rgb_to_planes
from utils.stage_monitor import StageMonitor
from utils.timebase import frames_at_rate

PREVIEW_FILE = EXTRA_FILES["preview"]

MAX_SIDE_PX = 1280

_STAGE = "preview"
_FRAMES_AHEAD = 4
_COARSER = 5
"""by how much the quality factor is above that of the clips: this film is to be looked through, not cut"""


def write_preview(
    folder: Path, analysis: FaceAnalysis, timeline: Timeline, settings: EncodeSettings, monitor: StageMonitor
) -> tuple[str, ...]:
    """Write preview.mp4, at most 1280 px wide and high, at the source's nominal rate.

    Raises:
        DecodeError: the video cannot be decoded any more. EncodeError, OutputError: the film cannot be written.
        InterruptedRunError: the monitor's `stop` was set. The file is there only when it is complete.
    """
    video = analysis.video
    shown = frames_at_rate(
        analysis.frame_pts, video.time_base, analysis.end_pts(analysis.frame_count), video.frame_rate
    )
    width, height = preview_size(video.width, video.height)
    target = folder / PREVIEW_FILE
    color = dataclasses.replace(video.color, matrix="smpte170m", range="tv")
    coarser = msgspec.structs.replace(settings, quality=min(settings.quality + _COARSER, 51))
    with scratch_file(folder, suffix=".pcm") as file:
        sound = _extract_sound(analysis, Fraction(len(shown)) / video.frame_rate, file, target, monitor)
        with (
            ClipWriter(target, width, height, video.frame_rate, coarser, color=color, sound=sound) as writer,
            VideoReader(video) as reader,
            prefetch(reader.frames(), _FRAMES_AHEAD, monitor.stop) as frames,
        ):
            artist = PreviewArtist(analysis, timeline, width, height)
            for row, picture in enumerate(_rows(frames, analysis, shown, artist, (width, height))):
                if monitor.stop.is_set():
                    break
                writer.write(*rgb_to_planes(picture))
                monitor.update(_STAGE, row + 1, len(shown))
            if monitor.stop.is_set():
                raise InterruptedRunError("stopped while drawing the preview", path=video.path, stage=_STAGE)
    return (PREVIEW_FILE,)


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the preview of a picture of this size: even, at most `MAX_SIDE_PX`, never enlarged."""
    scale = min(1.0, MAX_SIDE_PX / max(width, height))
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def _rows(
    frames: Iterator[VideoFrame],
    analysis: FaceAnalysis,
    shown: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    artist: PreviewArtist,
    size: tuple[int, int],
) -> Iterator[ByteArray]:
    """The preview's pictures; a frame that cannot be decoded this time shows the one before."""
    wanted = analysis.frame_pts[shown]
    picture: ByteArray | None = None
    row = 0
    for frame in frames:
        missed = int(np.searchsorted(wanted, frame.pts))
        until = int(np.searchsorted(wanted, frame.pts, side="right"))
        if until == row:
            continue
        fresh = frame.rgb(*size)
        if until > missed:
            artist.draw(fresh, int(shown[until - 1]))
        for _ in range(row, missed):
            yield fresh if picture is None else picture
        for _ in range(max(row, missed), until):
            yield fresh
        row, picture = max(row, until), fresh
    if picture is None:
        raise DecodeError("no picture of it can be decoded any more", path=analysis.video.path, stage=_STAGE)
    for _ in range(row, len(wanted)):
        yield picture


def _extract_sound(
    analysis: FaceAnalysis, duration_s: Fraction, file: IO[bytes], target: Path, monitor: StageMonitor
) -> tuple[Path, PcmFormat] | None:
    video = analysis.video
    start_s = int(analysis.frame_pts[0]) * video.time_base
    try:
        sound = read_audio(video, start_s, duration_s, file, clock_shifts=analysis.clock_shifts, stop=monitor.stop)
        file.flush()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"its sound cannot be written: {reason}", path=target, stage=_STAGE) from error
    return None if sound is None else (Path(file.name), sound.format)
