"""Times, lengths and ages as text, for people and for editing programs."""

from __future__ import annotations

import re
from fractions import Fraction

_CLOCK = re.compile(r"(?:(?:(?P<hours>\d{1,6}):)?(?P<minutes>\d{1,6}):)?(?P<seconds>\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
_AGE = re.compile(r"(\d{1,5})([hdw])", re.ASCII)
_AGE_UNITS_S = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)[:;.,](\d{2,3})", re.ASCII)


def clock(seconds: float) -> str:
    """Format a position for people, in tenths of a second: 3.24 -> "0:03.2", 75 -> "1:15.0", 3725.5 -> "1:02:05.5"."""
    minutes, tenths = divmod(max(0, round(seconds * 10)), 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def parse_clock(text: str) -> float:
    """Seconds in "11.64", "0:11.64", "62:11" or "1:02:11.640".

    Raises:
        ValueError: it is no time, or minutes after hours, or seconds after minutes, are 60 or more.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is not None:
        hours, minutes, seconds = match["hours"], match["minutes"], float(match["seconds"])
        if not (hours and int(minutes) >= 60) and not (minutes and seconds >= 60):
            return int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds
    raise ValueError(f"{text!r} is not a time in seconds, MM:SS or HH:MM:SS.mmm")


def parse_age(text: str) -> float:
    """Seconds of "12h", "30d" or "4w".

    Raises:
        ValueError: `text` has another form.
    """
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueError("expected a number with h, d or w (hours, days, weeks), like 30d")
    return int(match[1]) * _AGE_UNITS_S[match[2]]


def format_duration(seconds: float) -> str:
    """Format a length for people: 3.2 -> "3.2 s", 75 -> "1:15", 3725 -> "1:02:05"."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def vtt_time(seconds: float) -> str:
    """Format a WebVTT time: 3725.5 -> "01:02:05.500"."""
    minutes, ms = divmod(max(0, round(seconds * 1000)), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


def timecode_base(rate: Fraction) -> int:
    """Return the frames per second that non-drop timecode counts at `rate`: 30 for 30000/1001."""
    return max(1, round(rate))


def timecode(frame: int, base: int, *, drop_frame: bool = False) -> str:
    """Format frame number `frame` as timecode HH:MM:SS:FF, `base` frames per second; wraps at 24 hours.

    drop_frame: numbers are skipped so that the code follows the clock (SMPTE ST 12-1): the first 2 of 30, or 4 of
        60, in every minute but each tenth; written with ";" before the frames. `base` must then be a multiple of 30.
    """
    if drop_frame:
        frame += _dropped_before(frame, base)
    seconds, frames = divmod(frame, base)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    mark = ";" if drop_frame else ":"
    return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:0{max(2, len(str(base - 1)))}d}"


def parse_timecode(text: str, base: int, *, drop_frame: bool = False) -> int:
    """Frame number of the timecode `text`, with any separator before the frames; the inverse of `timecode`.

    Raises:
        ValueError: it is no timecode of less than 24 hours with `base` frames per second.
    """
    match = _TIMECODE.fullmatch(text.strip())
    hours, minutes, seconds, frames = (0, 0, 0, base) if match is None else (int(part) for part in match.groups())
    if hours >= 24 or minutes >= 60 or seconds >= 60 or frames >= base:
        raise ValueError(f"no timecode at {base} frames/s: {text!r}")
    number = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if drop_frame:
        all_minutes = hours * 60 + minutes
        number -= base // 15 * (all_minutes - all_minutes // 10)
    return number


def _dropped_before(frame: int, base: int) -> int:
    """How many numbers drop-frame timecode skips before frame number `frame`."""
    per_minute = base // 15
    first, later = 60 * base, 60 * base - per_minute
    tens, rest = divmod(frame, first + 9 * later)
    minutes = 0 if rest < first else 1 + (rest - first) // later
    return per_minute * (9 * tens + minutes)
