"""timeline.json: who is shown when. People edit it, so it is checked in full before it is used.

It may be changed by hand or with `main.py rename`, `merge`, `split`, `assign` and `drop`; `main.py render` then makes
the clips again. Its fields:

    schema      2
    analysis    key of the analysis that the tracklet numbers belong to; must not be changed
    people      in any order:
      name        name of the person's folder
      tracklets   numbers of the tracklets that show the person; a tracklet belongs to at most one person
      segments    one clip each:
        shot        number of the shot; a clip never runs across a cut
        start_s     seconds from the first frame of the video
        end_s       start of the first frame that is no longer shown
        tracklets   which of the person's tracklets the camera follows
      still       the face never moves by itself (a portrait)
      face        path of the best face; informative, never read
      speaks      [start_s, end_s] of each turn, if speech was analysed; read by merge and split, ignored by render
    unknown     tracklets that could not be assigned to a person
    divided     tracklets of the analysis that show two people, one after the other; left out where there are none:
      tracklet    the number of the tracklet, which keeps the part before at_s
      at_s        seconds from the first frame of the video
      id          a new number, for the part from at_s on
    tracklets   all that were found or made by dividing: id, shot, start_s, end_s; informative

A tracklet that belongs to no person and is not unknown appears in no output.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from core.errors import SettingsError
from core.types import FaceAnalysis, Identity, Segment, Timeline, TrackletDivision
from processors.people.tracklet_division import divided_analysis, divided_tracklet, nearest_division
from processors.results.person_folders import check_name
from processors.results.tracks_table import UNKNOWN_PERSON
from utils.files import fold

TIMELINE_FILE = "timeline.json"
TIMELINE_SCHEMA = 2
MAX_BYTES = 64 << 20

_START_OVER = "correct it, or run the video again with --overwrite, which keeps a copy"

_ROUNDING_S = 1e-6
"""the file has microseconds"""

_Number = Annotated[int, Meta(ge=0, le=1 << 31)]
_Seconds = Annotated[float, Meta(ge=0, le=1e9)]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parts. The order of fields is the order of keys in the file."""


class SegmentEntry(_Entry, frozen=True, kw_only=True):
    """An interval in which a person is shown; becomes one clip."""

    shot: _Number
    start_s: _Seconds
    end_s: _Seconds
    tracklets: tuple[_Number, ...]


class PersonEntry(_Entry, frozen=True, kw_only=True):
    """One person."""

    name: str
    still: bool = False
    face: str | None = None
    tracklets: tuple[_Number, ...]
    segments: tuple[SegmentEntry, ...]
    speaks: tuple[tuple[_Seconds, _Seconds], ...] | UnsetType = UNSET


class TrackletEntry(_Entry, frozen=True, kw_only=True):
    """One tracklet that the analysis found."""

    id: _Number
    shot: _Number
    start_s: _Seconds
    end_s: _Seconds


class DivisionEntry(_Entry, frozen=True, kw_only=True):
    """Tracklet `tracklet` of the analysis ends at `at_s`; what follows is the tracklet `id`."""

    tracklet: _Number
    at_s: _Seconds
    id: _Number


class TimelineFile(_Entry, frozen=True, kw_only=True):
    """The whole file."""

    schema: int
    about: str = ""
    input: str = ""
    frame_rate: str = ""
    analysis: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    people: tuple[PersonEntry, ...]
    unknown: tuple[_Number, ...] = ()
    divided: tuple[DivisionEntry, ...] | UnsetType = UNSET
    tracklets: tuple[TrackletEntry, ...]

    @property
    def divisions(self) -> tuple[DivisionEntry, ...]:
        """`divided`, empty if the file does not have it."""
        return () if self.divided is UNSET else self.divided


def read_timeline(folder: Path) -> TimelineFile:
    """Read and check the timeline in the output folder `folder`.

    Raises:
        SettingsError: there is none, or it is wrong; the message names the field, as in `people[1].segments[0].end_s`.
    """
    path = folder / TIMELINE_FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"cannot read the timeline: {error.strerror}", path=path, hint=_START_OVER) from error
    if len(data) > MAX_BYTES:
        raise SettingsError("is too large for a timeline", path=path)
    return parse_timeline(data, path)


def timeline_sha256(folder: Path) -> str | None:
    """SHA-256 of the timeline.json in `folder`, hexadecimal; None where there is none that can be read."""
    try:
        return hashlib.sha256((folder / TIMELINE_FILE).read_bytes()).hexdigest()
    except OSError:
        return None


def parse_timeline(data: bytes, path: Path) -> TimelineFile:
    """`data` as a timeline; raises like `read_timeline`. path: for error messages."""
    try:
        schema = msgspec.json.decode(data, type=_Versioned).schema
        if schema != TIMELINE_SCHEMA:
            message = f"schema: it is {schema}, but this version of the program reads {TIMELINE_SCHEMA}"
            raise SettingsError(message, path=path, hint="run the video again with --overwrite")
        found = msgspec.json.decode(data, type=TimelineFile)
    except msgspec.ValidationError as error:
        raise SettingsError(_field_first(str(error)), path=path, hint=_START_OVER) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"is not valid JSON: {error}", path=path, hint=_START_OVER) from error
    check(found, path)
    return found


def check(timeline: TimelineFile, path: Path) -> None:
    """Check that a timeline does not contradict itself.

    Raises:
        SettingsError: the message names the field.
    """
    shots = {tracklet.id: tracklet.shot for tracklet in timeline.tracklets}
    names: dict[str, int] = {}
    owners: dict[int, str] = {}

    def claim(tracklets: tuple[int, ...], owner: str, where: str) -> None:
        for i, number in enumerate(tracklets):
            _require(number in shots, path, f"{where}[{i}]", f"there is no tracklet {number}")
            taken = owners.setdefault(number, owner)
            _require(taken == owner, path, f"{where}[{i}]", f"tracklet {number} belongs to {taken} already")

    for p, person in enumerate(timeline.people):
        at = f"people[{p}]"
        check_name(person.name, path, f"{at}.name")
        first = names.setdefault(fold(person.name), p)
        _require(first == p, path, f"{at}.name", f"people[{first}] has this name already")
        claim(person.tracklets, person.name, f"{at}.tracklets")
        for s, segment in enumerate(person.segments):
            spot = f"{at}.segments[{s}]"
            _require(segment.end_s > segment.start_s, path, f"{spot}.end_s", f"{segment.end_s:g} is not after start_s")
            _require(bool(segment.tracklets), path, f"{spot}.tracklets", "there is none that the camera could follow")
            for i, number in enumerate(segment.tracklets):
                spot_i = f"{spot}.tracklets[{i}]"
                _require(
                    number in person.tracklets, path, spot_i, f"tracklet {number} does not belong to {person.name}"
                )
                _require(shots[number] == segment.shot, path, spot_i, f"{number} lies in shot {shots[number]}")
    claim(timeline.unknown, UNKNOWN_PERSON, "unknown")
    for d, division in enumerate(timeline.divisions):
        for key, number in (("tracklet", division.tracklet), ("id", division.id)):
            _require(number in shots, path, f"divided[{d}].{key}", f"there is no tracklet {number}")


def to_timeline(file: TimelineFile, analysis: FaceAnalysis, path: Path) -> Timeline:
    """The timeline in frames of `analysis`; times are rounded to the nearest frame.

    Raises:
        SettingsError: it does not fit the analysis; the message names the field.
    """
    divisions = _divisions(file, analysis, path)
    by_id = {tracklet.id: tracklet for tracklet in divided_analysis(analysis, divisions).tracklets}
    times = analysis.bounds_s
    for p, person in enumerate(file.people):
        for i, number in enumerate(person.tracklets):
            _require(number in by_id, path, f"people[{p}].tracklets[{i}]", f"the analysis has no tracklet {number}")
    for i, number in enumerate(file.unknown):
        _require(number in by_id, path, f"unknown[{i}]", f"the analysis has no tracklet {number}")

    def segment_of(person: PersonEntry, entry: SegmentEntry, at: str) -> Segment:
        _require(entry.shot < len(analysis.shots), path, f"{at}.shot", f"there is no shot {entry.shot}")
        shot = analysis.shots[entry.shot]
        for i, number in enumerate(entry.tracklets):
            where = by_id[number].shot
            _require(where == entry.shot, path, f"{at}.tracklets[{i}]", f"{number} lies in shot {where}")
        start, end = (int(np.abs(times - s).argmin()) for s in (entry.start_s, entry.end_s))
        bounds = f"shot {entry.shot} lasts from {times[shot.start]:.3f} to {times[shot.end]:.3f}"
        # For a time past the end of the video, the nearest frame would be the last one.
        late = entry.end_s > times[-1] + _frame_s(times)
        _require(shot.start <= start < shot.end, path, f"{at}.start_s", f"{entry.start_s:g}: {bounds}")
        _require(end <= shot.end and not late, path, f"{at}.end_s", f"{entry.end_s:g}: {bounds}")
        _require(start < end, path, f"{at}.end_s", "the segment is shorter than a frame")
        return Segment(person.name, entry.shot, start, end, entry.tracklets)

    people = tuple(
        Identity(
            person.name,
            person.tracklets,
            tuple(segment_of(person, s, f"people[{p}].segments[{i}]") for i, s in enumerate(person.segments)),
            person.still,
        )
        for p, person in enumerate(file.people)
    )
    statistics: dict[str, float | int] = {
        "tracklets": len(by_id),
        "people": len(people),
        "unknown_tracklets": len(file.unknown),
    }
    return Timeline(people, file.unknown, statistics, divisions)


def _divisions(file: TimelineFile, analysis: FaceAnalysis, path: Path) -> tuple[TrackletDivision, ...]:
    """The divisions in frames, each at the frame nearest to its time that leaves both parts with one."""
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    found = []
    for d, entry in enumerate(file.divisions):
        at = f"divided[{d}]"
        tracklet = by_id.get(entry.tracklet)
        if tracklet is None:
            raise SettingsError(f"{at}.tracklet: the analysis has no tracklet {entry.tracklet}", path=path)
        _require(entry.id not in by_id, path, f"{at}.id", f"the analysis has a tracklet {entry.id} already")
        start_s, end_s = analysis.seconds_at(tracklet.start), analysis.seconds_at(tracklet.end)
        within = start_s - _ROUNDING_S <= entry.at_s <= end_s + _ROUNDING_S
        bounds = f"tracklet {entry.tracklet} lasts from {start_s:.3f} to {end_s:.3f}"
        _require(within, path, f"{at}.at_s", f"{entry.at_s:g}: {bounds}")
        frame = nearest_division(tracklet, int(np.abs(analysis.bounds_s - entry.at_s).argmin()))
        if frame is None:
            raise SettingsError(f"{at}.at_s: tracklet {entry.tracklet} is a single frame", path=path)
        by_id[entry.tracklet], by_id[entry.id] = divided_tracklet(tracklet, frame, entry.id)
        found.append(TrackletDivision(entry.tracklet, frame, entry.id))
    return tuple(found)


class _Versioned(msgspec.Struct):
    schema: int


def _frame_s(times: Any) -> float:
    return float(times[-1] - times[-2]) if len(times) > 1 else math.inf


def _field_first(message: str) -> str:
    """msgspec's "what is wrong - at `$.people[0].name`" with the field first."""
    match = re.fullmatch(r"(.*) - at `\$\.?(.*?)`", message, re.DOTALL)
    return f"{match[2]}: {match[1]}" if match and match[2] else message


def _require(condition: bool, path: Path | None, field: str, complaint: str) -> None:
    if not condition:
        raise SettingsError(f"{field}: {complaint}", path=path)
