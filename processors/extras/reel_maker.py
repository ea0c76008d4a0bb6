"""reel.mp4: one film of all clips of a person, with a title and short cross-fades."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from config import EncodeSettings
from core.errors import EncodeError, InterruptedRunError, PipelineError, ToolMissingError
from core.media.clip_writer import ClipWriter
from core.media.ffmpeg_tool import find_ffmpeg
from core.types import ByteArray, Clip, ColorInfo
from processors.clips.clip_names import REEL_FILE
from processors.extras.drawn_names import drawn_names
from processors.extras.reel_audio import Part, reel_frames, write_reel_sound
from processors.extras.title_card import title_card
from utils.files import PARTIAL_PREFIX
from utils.plurals import count_of
from utils.rgb_images import rgb_to_planes
from utils.stage_monitor import StageMonitor
from utils.time_formats import clock

TITLE_S = 1.6
FADE_S = 0.3

_STAGE = "reel"
_STOP_ARRIVES_S = 0.3
"""a Ctrl-C may end moviepy's decoders before our own word to stop arrives"""


def write_reels(
    folder: Path,
    clips: Sequence[Clip],
    faces: Mapping[str, Sequence[bytes]],
    rate: Fraction,
    settings: EncodeSettings,
    monitor: StageMonitor,
) -> tuple[str, ...]:
    """Write person_NN/reel.mp4 for everybody who has a clip; `folder` holds the clips.

    faces: JPEGs of each person, in the timeline's order, the best one first. rate: pictures per second of the
    clips, and of the reels.

    Raises:
        EncodeError, OutputError: a reel cannot be made. DecodeError, InvalidVideoError: a clip cannot be read.
        ToolMissingError: moviepy or ffmpeg is not there.
        InterruptedRunError: the monitor's `stop` was set. A reel is there only when it is complete.
    """
    names = drawn_names(dict.fromkeys([*faces, *(clip.person for clip in clips)]))
    files = []
    for person in dict.fromkeys(clip.person for clip in clips):
        own = sorted((clip for clip in clips if clip.person == person), key=lambda clip: (clip.start, clip.end))
        face = next(iter(faces.get(person, ())), b"")
        file = f"{person}/{REEL_FILE}"
        _write_reel(folder, file, own, names[person], face, rate, settings, monitor)
        files.append(file)
    return tuple(files)


def reel_parts(folder: Path, clips: Sequence[Clip], rate: Fraction) -> list[Part]:
    """Title, then the clips; neighbours share `FADE_S`, less where one of them is too short for it."""
    lengths = [max(1, round(TITLE_S * rate)), *(clip.frames for clip in clips)]
    films = [None, *(folder / clip.file for clip in clips)]
    # A part must not fade in and out at the same time.
    overlaps = [min(round(FADE_S * rate), a // 3, b // 3) for a, b in itertools.pairwise(lengths)]
    return [Part(*part) for part in zip(films, lengths, [*overlaps, 0], strict=True)]


def _write_reel(
    folder: Path,
    file: str,
    clips: Sequence[Clip],
    name: str,
    face: bytes,
    rate: Fraction,
    settings: EncodeSettings,
    monitor: StageMonitor,
) -> None:
    target, size = folder / file, (clips[0].width, clips[0].height)
    parts = reel_parts(folder, clips, rate)
    length_s = sum(clip.frames for clip in clips) / rate
    facts = f"{count_of(len(clips), 'clip')}, {clock(float(length_s))}"
    card = title_card(*size, name, facts, face)
    color = ColorInfo(matrix="smpte170m", range="tv")
    try:
        with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, dir=target.parent) as scratch:
            sound_file = Path(scratch) / "sound.pcm"
            pcm = write_reel_sound(parts, rate, sound_file, monitor.stop)
            sound = None if pcm is None else (sound_file, pcm)
            with ClipWriter(target, *size, rate, settings, color=color, sound=sound) as writer:
                for picture in _pictures(parts, card, rate):
                    if monitor.stop.is_set():
                        raise InterruptedRunError("stopped while making a reel", path=target, stage=_STAGE)
                    writer.write(*rgb_to_planes(picture))
                    monitor.update(_STAGE, writer.frames, reel_frames(parts))
    except Exception as error:
        if monitor.stop.wait(_STOP_ARRIVES_S):
            raise InterruptedRunError("stopped while making a reel", path=target, stage=_STAGE) from error
        if isinstance(error, PipelineError):
            raise
        raise EncodeError(f"the reel cannot be made: {error}", path=target, stage=_STAGE) from error


def _pictures(parts: Sequence[Part], card: ByteArray, rate: Fraction) -> Iterator[ByteArray]:
    """The reel's pictures, (H, W, 3) uint8; never more than two films are open."""
    moviepy = load_moviepy()
    opened: list[Any] = []
    try:
        film, shared = _open(moviepy, parts[0], card, rate, opened), 0
        for part, following in itertools.zip_longest(parts, parts[1:]):
            yield from _run(film, shared, part.frames - part.overlap)
            if following is None:
                return
            coming = _open(moviepy, following, card, rate, opened)
            if part.overlap:
                yield from _run(_cross_fade(moviepy, film, coming, part), 0, part.overlap)
            _close(film)
            film, shared = coming, part.overlap
    except (OSError, ValueError) as error:
        # Not left to the caller, who would take it for a full disk.
        raise EncodeError(f"moviepy cannot read a clip: {error}", stage=_STAGE) from error
    finally:
        for film in opened:
            _close(film)


def _open(moviepy: Any, part: Part, card: ByteArray, rate: Fraction, opened: list[Any]) -> Any:
    """The part as moviepy's clip, its size that of `card`."""
    if part.clip is None:
        return moviepy.ImageClip(card, duration=part.frames / float(rate)).with_fps(float(rate))
    film = moviepy.VideoFileClip(str(part.clip), audio=False)
    opened.append(film)
    # It knows the length to a hundredth of a second only.
    film.duration = film.end = part.frames / film.fps
    size = (card.shape[1], card.shape[0])
    return film if tuple(film.size) == size else film.resized(size)


def _close(film: Any) -> None:
    """End the film's decoder; moviepy leaves the pipes of one that has ended by itself open."""
    reader = getattr(film, "reader", None)
    process = getattr(reader, "proc", None)
    film.close()
    if process is not None:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def _cross_fade(moviepy: Any, film: Any, coming: Any, part: Part) -> Any:
    """The last pictures of `film`, over which the first ones of `coming` appear."""
    length_s = part.overlap / coming.fps
    first_s = (part.frames - part.overlap) / film.fps
    leaving = film.with_updated_frame_function(lambda t: film.get_frame(first_s + t)).with_duration(length_s)
    arriving = coming.with_duration(length_s).with_effects([moviepy.vfx.CrossFadeIn(length_s)])
    return moviepy.CompositeVideoClip([leaving, arriving], size=film.size).with_fps(coming.fps)


def _run(film: Any, start: int, end: int) -> Iterator[ByteArray]:
    for frame in range(start, end):
        # On moviepy's own clock, which reads the rate from a rounded text, and in the middle of the picture:
        # so every picture comes, and comes once.
        yield np.ascontiguousarray(film.get_frame((frame + 0.5) / film.fps), np.uint8)


def load_moviepy() -> Any:
    """moviepy, told to use our ffmpeg. It is heavy and wanted by few, so nobody else imports it.

    Raises:
        ToolMissingError: it is not there, or no ffmpeg is.
    """
    # It looks for its settings in the environment, and in .env files that are none of its business.
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
