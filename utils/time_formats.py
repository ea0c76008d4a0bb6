"""Times as people and editing programs write them."""

from __future__ import annotations

from fractions import Fraction


def clock(seconds: float) -> str:
    """For people, tenths of a second: 3.24 -> "0:03.2", 75 -> "1:15.0", 3725.5 -> "1:02:05.5"."""
    minutes, tenths = divmod(max(0, round(seconds * 10)), 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def format_duration(seconds: float) -> str:
    """`seconds` for people: 3.2 -> "3.2 s", 75 -> "1:15", 3725 -> "1:02:05"."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def vtt_time(seconds: float) -> str:
    """As WebVTT has it: 3725.5 -> "01:02:05.500"."""
    minutes, ms = divmod(max(0, round(seconds * 1000)), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


def timecode_base(rate: Fraction) -> int:
    """Frames that a second of non-drop timecode counts at `rate` frames per second: 30 for 30000/1001."""
    return max(1, round(rate))


def timecode(frame: int, base: int) -> str:
    """Non-drop timecode of frame number `frame`, HH:MM:SS:FF, `base` frames to its second; 24 hours begin anew."""
    seconds, frames = divmod(frame, base)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}:{frames:0{max(2, len(str(base - 1)))}d}"
