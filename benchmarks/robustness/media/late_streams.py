"""Streams that begin late: audio that starts after the video, video that starts after the audio."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import (
    H264,
    MPEG2,
    SAMPLE_RATE_HZ,
    STEREO_AAC,
    Film,
    audio_input,
    film_input,
    frame_times,
    tone_hz,
    tones,
)
from tests.material.fault_material import run_ffmpeg

KIND = "late streams"
DELAYS_S = (3, 9, 20)
BOTH_S = 2.6
"""duration of video and audio together"""
RATE = Fraction(25)
SPARSE = Fraction(10)
"""frame rate of long films"""
TONES = (tone_hz(0), tone_hz(1))
BEFORE_HZ = 250.0
"""of the hum before the video starts"""
CONTAINERS = {
    "ts": (*H264, *STEREO_AAC),
    "mkv": (*H264, *STEREO_AAC),
    "mp4": (*H264, *STEREO_AAC),
    "mpg": (*MPEG2, "-c:a", "mp2"),
    "vob": (*MPEG2, "-c:a", "ac3"),
}


def cases(folder: Path) -> Iterator[MediaCase]:
    for extension in CONTAINERS:
        for delay_s in DELAYS_S:
            if extension != "vob" or delay_s == 9:
                path = folder / f"late_audio_{delay_s}.{extension}"
                rate = sparse_rate(extension)
                expected = Expected(
                    frames=round((delay_s + BOTH_S) * rate), tones=TONES, audio_from=delay_s, is_plain=True
                )
                write = partial(late_audio, delay_s=delay_s)
                yield MediaCase(KIND, f"audio after {delay_s} s in {extension}", path, expected, write)
                path = folder / f"late_frames_{delay_s}.{extension}"
                expected = Expected(frames=round(BOTH_S * RATE), tones=TONES, is_plain=True)
                write = partial(late_frames, delay_s=delay_s)
                yield MediaCase(KIND, f"frames after {delay_s} s in {extension}", path, expected, write)


def sparse_rate(extension: str) -> Fraction:
    """Frame rate of a long film; MPEG-2 does not support 10."""
    return RATE if CONTAINERS[extension][1] == "mpeg2video" else SPARSE


def late_audio(path: Path, delay_s: int) -> Path:
    """The film starts at once, its tones after `delay_s`."""
    extension = path.suffix[1:]
    rate = sparse_rate(extension)
    film = Film(frames=round((delay_s + BOTH_S) * rate))
    heard = tones(frame_times(film.frames, rate), delay_s + BOTH_S, begin_s=delay_s)
    _mux(path, film_input(path.parent, film, rate), heard, CONTAINERS[extension], audio_after_s=delay_s)
    return path


def late_frames(path: Path, delay_s: int) -> Path:
    """A hum from the beginning; the film and its tones start after `delay_s`."""
    film = Film(frames=round(BOTH_S * RATE))
    audio = tones([delay_s + time for time in frame_times(film.frames, RATE)], delay_s + BOTH_S)
    moment = np.arange(delay_s * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    audio[: len(moment)] += np.round(5000 * np.sin(2 * np.pi * BEFORE_HZ * moment)).astype(np.int16)[:, None]
    _mux(path, film_input(path.parent, film, RATE), audio, CONTAINERS[path.suffix[1:]], frames_after_s=delay_s)
    return path


def _mux(
    path: Path,
    film: tuple[str, ...],
    audio: NDArray[np.int16],
    codecs: tuple[str, ...],
    *,
    frames_after_s: int = 0,
    audio_after_s: int = 0,
) -> None:
    """Encode both separately and mux them: encoding together would fill the time before the late one."""
    frames, heard, raw = (path.with_suffix(suffix) for suffix in (".frames.mkv", ".audio.mkv", ".s16"))
    run_ffmpeg(frames, *film, *codecs)
    run_ffmpeg(heard, *audio_input(raw, audio), *codecs)
    inputs = (
        *("-itsoffset", str(frames_after_s), "-i", str(frames)),
        *("-itsoffset", str(audio_after_s), "-i", str(heard)),
    )
    run_ffmpeg(path, *inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", "-max_interleave_delta", "0")
    for file in (frames, heard, raw):
        file.unlink()
