"""preview.mp4: the whole video with its audio, and with everything that was found drawn on it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from config import EXTRA_FILES, EncodeSettings
from core.errors import DecodeError, InterruptedRunError
from core.media.clip_writer import ClipWriter
from core.media.encoder_command import ClipAudio, ClipEncoding
from core.media.video_frame import VideoFrame
from core.media.video_reader import VideoReader
from core.types import ByteArray, FaceAnalysis, IntArray, Timeline
from processors.clips.constant_rate import (
    audio_write_errors,
    fill_rows,
    read_interval_audio,
    rows_interval,
    shown_frames,
)
from processors.extras.preview_artist import PreviewArtist
from processors.speech.person_turns import PeopleTurns
from utils.console.stage_monitor import StageMonitor
from utils.files import scratch_file
from utils.images.rgb_images import rgb_to_planes
from utils.processes.prefetch import prefetch

PREVIEW_FILE = EXTRA_FILES["preview"]

MAX_SIDE_PX = 1280

_STAGE = "preview"
_FRAMES_AHEAD = 4
_QUALITY_OFFSET = 5
"""added to the quality factor of the clips: the preview is for looking through, not for editing"""


def write_preview(
    folder: Path,
    analysis: FaceAnalysis,
    timeline: Timeline,
    settings: EncodeSettings,
    monitor: StageMonitor,
    turns: PeopleTurns | None = None,
) -> tuple[str, ...]:
    """Write preview.mp4, at most 1280 px wide and high, at the source's nominal rate.

    turns: who speaks when, if it is to be shown.

    Raises:
        DecodeError: the video cannot be decoded any more.
        EncodeError, OutputError: the preview cannot be written.
        InterruptedRunError: the monitor's `stop` was set. The file only exists if it is complete.
    """
    video = analysis.video
    shown = shown_frames(analysis, 0, analysis.frame_count)
    size = preview_size(video.width, video.height)
    target = folder / PREVIEW_FILE
    color = dataclasses.replace(video.color, matrix="smpte170m", range="tv")
    coarser = msgspec.structs.replace(settings, quality=min(settings.quality + _QUALITY_OFFSET, 51))
    with contextlib.ExitStack() as stack:
        audio = _read_audio(folder, analysis, len(shown), target, monitor, stack)
        encoding = ClipEncoding(*size, video.frame_rate, coarser, color, audio)
        writer = stack.enter_context(ClipWriter(target, encoding))
        reader = stack.enter_context(VideoReader(video))
        bounds = () if analysis.origin_pts is None else (int(analysis.frame_pts[0]), int(analysis.frame_pts[-1]) + 1)
        frames = stack.enter_context(prefetch(reader.frames(*bounds), _FRAMES_AHEAD, monitor.stop))
        artist = PreviewArtist(analysis, timeline, *size, turns)
        for image in _images(frames, analysis, shown, artist, size):
            if monitor.stop.is_set():
                break
            writer.write(*rgb_to_planes(image))
            monitor.update(_STAGE, writer.frames, len(shown))
        if monitor.stop.is_set():
            raise InterruptedRunError("stopped while drawing the preview", path=video.path, stage=_STAGE)
        if writer.frames == 0:
            raise DecodeError("no frame of it can be decoded any more", path=video.path, stage=_STAGE)
    return (PREVIEW_FILE,)


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the preview of a video of this size: even, at most `MAX_SIDE_PX`, never enlarged."""
    scale = min(1.0, MAX_SIDE_PX / max(width, height))
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def _images(
    frames: Iterator[VideoFrame], analysis: FaceAnalysis, shown: IntArray, artist: PreviewArtist, size: tuple[int, int]
) -> Iterator[ByteArray]:
    """The image of each row, RGB. Frames that are in no row are not converted."""
    drawn: VideoFrame | None = None
    image = np.zeros((0, 0, 3), np.uint8)
    for frame, rows, _ in fill_rows(((frame.pts, frame) for frame in frames), analysis.frame_pts[shown]):
        if frame is not drawn:
            drawn, image = frame, frame.rgb(*size)
            artist.draw(image, min(int(np.searchsorted(analysis.frame_pts, frame.pts)), analysis.frame_count - 1))
        for _ in rows:
            yield image


def _read_audio(
    folder: Path,
    analysis: FaceAnalysis,
    rows: int,
    target: Path,
    monitor: StageMonitor,
    stack: contextlib.ExitStack,
) -> ClipAudio | None:
    """The audio of the whole video, in a file that exists until `stack` is closed."""
    with audio_write_errors(target, _STAGE):
        file = stack.enter_context(scratch_file(folder, suffix=".pcm"))
        excerpt = read_interval_audio(analysis, rows_interval(analysis, 0, rows), file, monitor.stop)
    return None if excerpt is None else (Path(file.name), excerpt.format)
