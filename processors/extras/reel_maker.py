"""reel.mp4: all clips of a person in one video, with a title and short cross-fades."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from config import EncodeSettings
from core.errors import EncodeError, InterruptedRunError, PipelineError, ToolMissingError
from core.media.clip_writer import ClipWriter
from core.media.encoder_command import ClipEncoding
from core.media.extra_streams import without_extra_streams
from core.media.ffmpeg_tool import find_ffmpeg
from core.types import ByteArray, Clip, ColorInfo
from processors.clips.clip_names import REEL_FILE
from processors.extras.drawn_names import drawn_names
from processors.extras.earlier_reels import EarlierReels, reel_order
from processors.extras.reel_audio import ReelPart, reel_frames, write_reel_audio
from processors.extras.title_card import title_card
from utils.console.plurals import count_of
from utils.console.stage_monitor import StageMonitor
from utils.files import PARTIAL_PREFIX, link_or_copy
from utils.images.rgb_images import rgb_to_planes
from utils.time_formats import clock

TITLE_S = 1.6
FADE_S = 0.3

_STAGE = "reel"
_STOP_ARRIVES_S = 0.3
"""Ctrl-C may end moviepy's decoders before the monitor's `stop` is set; an error is only reported after this time."""


@dataclass(frozen=True, slots=True)
class ReelOutput:
    """Where reels are written, and how. folder: it holds the clips. rate: of the clips and of the reels, Hz."""

    folder: Path
    rate: Fraction
    settings: EncodeSettings


def write_reels(
    output: ReelOutput,
    clips: Sequence[Clip],
    faces: Mapping[str, Sequence[bytes]],
    monitor: StageMonitor,
    earlier: EarlierReels | None = None,
) -> tuple[str, ...]:
    """Write PERSON/reel.mp4 for each person who has a clip.

    faces: JPEGs of each person, in the timeline's order, the best one first. earlier: reels that may be reused.

    Raises:
        EncodeError, OutputError: a reel cannot be made. DecodeError, InvalidVideoError: a clip cannot be read.
        OSError: a reel cannot be reused.
        ToolMissingError: moviepy or ffmpeg is not installed.
        InterruptedRunError: the monitor's `stop` was set. A reel only exists if it is complete.
    """
    names = drawn_names(dict.fromkeys([*faces, *(clip.person for clip in clips)]))
    files = []
    for person in dict.fromkeys(clip.person for clip in clips):
        own = reel_order(clips, person)
        face = next(iter(faces.get(person, ())), b"")
        file = f"{person}/{REEL_FILE}"
        kept = None if earlier is None else earlier.find(person, own, face, names[person])
        if kept is None:
            _write_reel(output, _Reel(file, own, names[person], face), monitor)
        else:
            link_or_copy(kept, output.folder / file)
        files.append(file)
    return tuple(files)


def reel_parts(folder: Path, clips: Sequence[Clip], rate: Fraction) -> list[ReelPart]:
    """The title, then the clips; neighbours overlap by `FADE_S`, less if one of them is too short for it."""
    lengths = [max(1, round(TITLE_S * rate)), *(clip.frames for clip in clips)]
    files = [None, *(folder / clip.file for clip in clips)]
    # The fades at both ends of a part must not overlap.
    overlaps = [min(round(FADE_S * rate), a // 3, b // 3) for a, b in itertools.pairwise(lengths)]
    return [ReelPart(*part) for part in zip(files, lengths, [*overlaps, 0], strict=True)]


@dataclass(frozen=True, slots=True)
class _Reel:
    """What one reel shows. file: relative path. clips: in order. name, face: of the title, the face a JPEG or empty."""

    file: str
    clips: Sequence[Clip]
    name: str
    face: bytes


def _write_reel(output: ReelOutput, reel: _Reel, monitor: StageMonitor) -> None:
    clips, rate = reel.clips, output.rate
    target, size = output.folder / reel.file, (clips[0].width, clips[0].height)
    parts = reel_parts(output.folder, clips, rate)
    length_s = sum(clip.frames for clip in clips) / rate
    facts = f"{count_of(len(clips), 'clip')}, {clock(float(length_s))}"
    card = title_card(*size, reel.name, facts, reel.face)
    color = ColorInfo(matrix="smpte170m", range="tv")
    try:
        with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, dir=target.parent) as scratch:
            audio_file = Path(scratch) / "audio.pcm"
            pcm = write_reel_audio(parts, rate, audio_file, monitor.stop)
            audio = None if pcm is None else (audio_file, pcm)
            with ClipWriter(target, ClipEncoding(*size, rate, output.settings, color, audio)) as writer:
                for image in _images(parts, card, rate, Path(scratch)):
                    if monitor.stop.is_set():
                        raise InterruptedRunError("stopped while making a reel", path=target, stage=_STAGE)
                    writer.write(*rgb_to_planes(image))
                    monitor.update(_STAGE, writer.frames, reel_frames(parts))
    except Exception as error:
        if monitor.stop.wait(_STOP_ARRIVES_S):
            raise InterruptedRunError("stopped while making a reel", path=target, stage=_STAGE) from error
        if isinstance(error, PipelineError):
            raise
        raise EncodeError(f"the reel cannot be made: {error}", path=target, stage=_STAGE) from error


def _images(parts: Sequence[ReelPart], card: ByteArray, rate: Fraction, scratch: Path) -> Iterator[ByteArray]:
    """The frames of the reel, (H, W, 3) uint8 RGB; no more than two clips are open at a time. scratch: a folder."""
    moviepy = load_moviepy()
    copies = itertools.cycle([scratch / "one.mp4", scratch / "two.mp4"])
    opened: list[Any] = []
    try:
        clip, shared = open_clip(moviepy, parts[0], card, rate, next(copies), opened), 0
        for part, next_part in itertools.zip_longest(parts, parts[1:]):
            yield from _run(clip, shared, part.frames - part.overlap)
            if next_part is None:
                return
            following = open_clip(moviepy, next_part, card, rate, next(copies), opened)
            if part.overlap:
                yield from _run(_cross_fade(moviepy, clip, following, part), 0, part.overlap)
            _close(clip)
            clip, shared = following, part.overlap
    except (OSError, ValueError) as error:
        # Handled here, because the caller takes an OSError for a full disk.
        raise EncodeError(f"moviepy cannot read a clip: {error}", stage=_STAGE) from error
    finally:
        for clip in opened:
            _close(clip)


def open_clip(moviepy: Any, part: ReelPart, card: ByteArray, rate: Fraction, copy: Path, opened: list[Any]) -> Any:
    """The part as a clip of moviepy, of the size of `card`. opened: files are added, for the caller to close.

    copy: a file that may be written and replaced: moviepy parses ffmpeg's description of a file, and fails if the file
        has a timecode track.
    """
    if part.clip is None:
        return moviepy.ImageClip(card, duration=part.frames / float(rate)).with_fps(float(rate))
    clip = moviepy.VideoFileClip(str(without_extra_streams(part.clip, copy)), audio=False)
    opened.append(clip)
    # moviepy reads the length with a resolution of 0.01 s only.
    clip.duration = clip.end = part.frames / clip.fps
    size = (card.shape[1], card.shape[0])
    return clip if tuple(clip.size) == size else clip.resized(size)


def _close(clip: Any) -> None:
    """End the decoder of a clip; moviepy leaves the pipes of one that has ended by itself open."""
    reader = getattr(clip, "reader", None)
    process = getattr(reader, "proc", None)
    clip.close()
    if process is not None:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def _cross_fade(moviepy: Any, clip: Any, following: Any, part: ReelPart) -> Any:
    """The overlap: the last frames of `clip`, into which the first ones of `following` fade."""
    length_s = part.overlap / following.fps
    first_s = (part.frames - part.overlap) / clip.fps
    leaving = clip.with_updated_frame_function(lambda t: clip.get_frame(first_s + t)).with_duration(length_s)
    arriving = following.with_duration(length_s).with_effects([moviepy.vfx.CrossFadeIn(length_s)])
    return moviepy.CompositeVideoClip([leaving, arriving], size=clip.size).with_fps(following.fps)


def _run(clip: Any, start: int, end: int) -> Iterator[ByteArray]:
    for frame in range(start, end):
        # Each frame is read at its middle, in moviepy's own time, which comes from a rounded rate: so each frame comes
        # exactly once.
        yield np.ascontiguousarray(clip.get_frame((frame + 0.5) / clip.fps), np.uint8)


def load_moviepy() -> Any:
    """moviepy, set up to use our ffmpeg. Imported only on use: it is rarely needed and slow to import.

    Raises:
        ToolMissingError: moviepy or ffmpeg is not installed.
    """
    # It reads settings from the environment, and from .env files of unrelated programs.
    own = {"FFMPEG_BINARY": find_ffmpeg(), "PYTHON_DOTENV_DISABLED": "1"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        import moviepy
    except (ImportError, OSError) as error:
        raise ToolMissingError(
            f"moviepy cannot be used: {error}",
            stage=_STAGE,
            hint="python -m pip install -r requirements.txt -c constraints.txt",
        ) from error
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    return moviepy
