"""Lists of cuts made by other programs: PySceneDetect's scene lists (CSV) and edit decision lists (CMX3600 EDL).

A list is kept as one line of text, "frames 100 201" or "timecodes 00:00:04:00 00:00:08:01". It contains the cuts
themselves, so it can be recorded and compared as a setting, independent of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from core.errors import SettingsError

SUFFIXES = (".csv", "-Scenes.csv", ".edl")
"""endings of the name of a list, after the name of its video; the second is PySceneDetect's default"""

MAX_BYTES = 16_000_000
"""a feature film has two thousand cuts, 200 kB"""

_HINT = "see README.md, --cuts, for the formats"
_FRAME, _SECONDS, _TIMECODE = "start frame", "start time (seconds)", "start timecode"
"""columns of a scene list, best first: frames are exact at any frame rate"""
_EVENT = re.compile(
    r"\d+\s+(?P<reel>\S+)\s+(?P<channel>\S+)\s+(?P<kind>\S+)(?:\s+(?P<length>\d+))?"
    r"\s+(?P<times>\S+\s+\S+\s+\S+\s+\S+)\s*"
)
_EDL_TIMECODE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;.,])(\d\d)")
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)")
_LIST = re.compile(r"(frames|seconds|timecodes)(?: [0-9:;.+]+)*")


def is_cut_list(text: str) -> bool:
    """Whether a setting holds a list instead of the name of a file."""
    return _LIST.fullmatch(text) is not None


def read_cut_list(path: Path) -> str:
    """The cuts in a file: *.edl is an EDL, everything else a scene list.

    Raises:
        SettingsError: it cannot be read, or is malformed; the message names the line and what is expected there.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"cannot read the cuts: {error.strerror}", path=path) from error
    if len(data) > MAX_BYTES:
        raise SettingsError(f"is not a list of cuts: larger than {MAX_BYTES // 1_000_000} MB", path=path, hint=_HINT)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SettingsError(f"is not a list of cuts: not UTF-8 text ({error.reason})", path=path, hint=_HINT) from error
    return _read_edl(path, lines) if path.suffix.lower() == ".edl" else _read_scenes(path, lines)


def cut_frames(cuts: str, frame_rate: float) -> list[int]:
    """The first frames of the shots after each cut, increasing, > 0. cuts: a list, see `read_cut_list`.

    frame_rate: of the video, frames per second; needed for seconds and timecodes.
    """
    unit, *values = cuts.split(" ")
    if unit == "frames":
        frames = [int(value) for value in values]
    elif unit == "seconds":
        frames = [round(float(value) * frame_rate) for value in values]
    else:
        frames = [_frame_at(value, round(frame_rate)) for value in values]
    return sorted({frame for frame in frames if frame > 0})


def _read_scenes(path: Path, lines: Sequence[str]) -> str:
    """The rows of a scene list; the row with all cuts that may precede its header adds nothing."""
    rows = list(enumerate(csv.reader(lines), 1))
    for position, (_, names) in enumerate(rows[:2]):
        columns = {name.strip().lower(): index for index, name in enumerate(names)}
        kind = next((name for name in (_FRAME, _SECONDS, _TIMECODE) if name in columns), None)
        if kind is not None:
            scenes = [(number, row) for number, row in rows[position + 1 :] if row]
            starts = [(number, _scene_start(path, number, row, columns[kind], kind)) for number, row in scenes]
            _require_order(path, starts)
            if kind == _FRAME:
                return " ".join(["frames", *(str(int(start)) for _, start in starts)])
            return " ".join(["seconds", *(f"{start:.6f}" for _, start in starts)])
    raise SettingsError(
        "line 1: expected the header of a scene list, with a column 'Start Frame', 'Start Time (seconds)' or "
        "'Start Timecode'",
        path=path,
        hint=_HINT,
    )


def _scene_start(path: Path, number: int, row: Sequence[str], index: int, column: str) -> float:
    """The start of a scene: its frame counted from 0, or seconds."""
    text = row[index].strip() if index < len(row) else ""
    if column == _FRAME and re.fullmatch(r"\d{1,12}", text) and int(text) >= 1:
        return int(text) - 1
    if column == _SECONDS and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    clock = _CLOCK.fullmatch(text) if column == _TIMECODE else None
    if clock is not None:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    expected = {_FRAME: "a whole number from 1", _SECONDS: "a number", _TIMECODE: "HH:MM:SS.mmm"}[column]
    raise SettingsError(f"line {number}: {column} is {text!r}, expected {expected}", path=path, hint=_HINT)


def _read_edl(path: Path, lines: Sequence[str]) -> str:
    """Where the video events begin in the programme; audio, comments and other statements are ignored."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not re.match(r"\s*\d+\s", line):
            continue
        event = _EVENT.fullmatch(line.strip())
        times = event["times"].split() if event else []
        if event is None or any(_EDL_TIMECODE.fullmatch(time) is None for time in times):
            raise SettingsError(
                f"line {number}: expected an event like '001 AX V C 00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00'",
                path=path,
                hint=_HINT,
            )
        shows_image = event["channel"].upper().startswith(("V", "B")) or event["channel"].upper().endswith("/V")
        if shows_image and times[2] != times[3]:
            half = int(event["length"] or 0) // 2  # of a dissolve or wipe: its middle counts
            found.append((number, times[2] + (f"+{half}" if half else "")))
    if not found:
        raise SettingsError("is not an EDL: it has no event for the image", path=path, hint=_HINT)
    hour = int(found[0][1][:2])  # programmes usually begin at 01:00:00:00
    begins = []
    for number, time in found:
        if int(time[:2]) < hour:
            raise SettingsError(f"line {number}: begins before the programme does", path=path, hint=_HINT)
        begins.append((number, f"{int(time[:2]) - hour:02d}{time[2:]}"))
    _require_order(path, [(number, _frame_at(time, 100)) for number, time in begins])
    return " ".join(["timecodes", *(time for _, time in begins)])


def _require_order(path: Path, starts: Iterable[tuple[int, float]]) -> None:
    last = -1.0
    for number, start in starts:
        if start < last:
            raise SettingsError(f"line {number}: begins before the line above does", path=path, hint=_HINT)
        last = start


def _frame_at(timecode: str, rate: int) -> int:
    """Frame number of "HH:MM:SS:FF" or, with drop frames, "HH:MM:SS;FF"; "+N" adds frames. rate: nominal, a second."""
    timecode, _, more = timecode.partition("+")
    match = _EDL_TIMECODE.fullmatch(timecode)
    assert match is not None, f"{timecode!r} was checked when it was read"
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    count = ((hours * 60 + minutes) * 60 + seconds) * rate + frames + int(more or 0)
    if match[4] in ";,":
        # Two numbers (at 30/s) are skipped in every minute except each tenth.
        whole = hours * 60 + minutes
        count -= round(Fraction(rate, 15)) * (whole - whole // 10)
    return count
