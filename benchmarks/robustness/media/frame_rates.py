"""Frame rates that headers do not describe: slow beginnings, a frame every two seconds, variable rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import (
    H264,
    STEREO_AAC,
    Film,
    audio_input,
    film_input,
    tone_hz,
    tones,
)
from tests.material.fault_material import run_ffmpeg

KIND = "frame rates"
TICKS = 1000
"""ticks per second of the written times: Matroska's resolution"""
SMALL = (240, 180)
LONG_BEGINNING = 620
"""more frames than players examine to determine the rate"""


def cases(folder: Path) -> Iterator[MediaCase]:
    for slow, count, quick in ((4, LONG_BEGINNING, 25), (2, LONG_BEGINNING, 30), (1, 30, 25), (5, 60, 50)):
        times = slow_beginning(slow, count, quick)
        for extension in ("mp4", "mkv"):
            name = f"{count} frames of {slow} a second, then {quick}"
            yield _case(folder, name, extension, times, absent=count, size=SMALL)
    for rate in (Fraction(1, 2), Fraction(1, 5), Fraction(1), Fraction(3, 4)):
        times = [float(i / rate) for i in range(14)]
        for extension in ("mp4", "mkv"):
            yield _case(folder, f"{float(rate):g} frames a second", extension, times, is_plain=True)
    rng = np.random.default_rng(2)
    steps = {
        "20 and 60 ms in turn": [0.02, 0.06] * 24,
        "any of 33 to 67 ms": list(rng.choice([0.033, 0.05, 0.067], 50)),
        "any of 20 to 400 ms": list(rng.choice([0.02, 0.1, 0.4], 30)),
        "pauses of 2 s": [0.04] * 20 + [2.0] + [0.04] * 20 + [2.0] + [0.04] * 10,
        "slower and slower": [0.02 * 1.06**i for i in range(45)],
        "quicker and quicker": [0.02 * 1.06**i for i in reversed(range(45))],
    }
    for name, lengths in steps.items():
        times = [0.0, *np.cumsum(lengths)]
        for extension in ("mp4", "mkv"):
            yield _case(folder, name, extension, times, with_audio=True)


def slow_beginning(slow: int, count: int, quick: int, seconds: float = 2.0) -> list[float]:
    """Times of `count` frames at `slow` a second, then `seconds` at `quick` a second."""
    begin_s = count / slow
    return [i / slow for i in range(count)] + [begin_s + i / quick for i in range(round(seconds * quick))]


def write_timed(path: Path, film: Film, times: Sequence[float], *, with_audio: bool = False) -> Path:
    """H.264 without B-frames with these frame times, and AAC with bursts in sync."""
    audio = path.with_suffix(".s16")
    options = (*audio_input(audio, tones(times, times[-1] + 0.04)), *STEREO_AAC) if with_audio else ()
    changes = np.diff(np.round(np.asarray(times) * TICKS)).astype(int)
    # Runs of equal steps: first frame, its tick, ticks per frame.
    starts = [0, *(np.flatnonzero(np.diff(changes)) + 1)] if len(changes) else [0]
    expression = "0"
    for start in starts:
        tick, step = round(times[start] * TICKS), int(changes[start]) if len(changes) else 1
        expression = f"if(gte(N,{start}),{tick}+(N-{start})*{step},{expression})"
    stamps = f"setts=ts='({expression})/TB/{TICKS}'"
    fine = ("-enc_time_base:v", f"1:{TICKS}")  # else times are rounded to the frames of a constant rate
    run_ffmpeg(path, *film_input(path.parent, film), *options, *H264, "-bf", "0", *fine, "-bsf:v", stamps)
    audio.unlink(missing_ok=True)
    return path


def _case(
    folder: Path,
    name: str,
    extension: str,
    times: Sequence[float],
    *,
    absent: int = 0,
    size: tuple[int, int] = (320, 240),
    with_audio: bool = False,
    is_plain: bool = False,
) -> MediaCase:
    path = folder / f"{name.replace(', ', '_').replace(' ', '_')}.{extension}"
    film = Film(*size, frames=len(times), absent=absent)
    heard = (tone_hz(0), tone_hz(1)) if with_audio else ()
    # With a rate that keeps changing one frame in ten may be left out, and slow ones are repeated.
    gaps = len(times) // 10 if with_audio else 1
    expected = Expected(frames=len(times) - absent, tones=heard, gaps=gaps, is_steady=False, is_plain=is_plain)
    write = partial(write_timed, film=film, times=times, with_audio=with_audio)
    return MediaCase(KIND, f"{name} in {extension}", path, expected, write)
