"""OpenTimelineIO: the source with markers for people and shots, and above it a track per person.

Everything lies at its position in the source, in the source's timecode. The video is named by a URL relative to the
file, so results and video may be moved together.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from config import EXTRA_FILES
from core.errors import ToolMissingError
from core.types import FaceAnalysis, Identity, Timeline
from processors.extras.exporters.cuts import MARKER_COLORS, counted_timecode, source_cuts, source_length
from utils.console.printable_text import ascii_safe
from utils.files import atomic_path
from utils.urls import url_from

OTIO_FILE = EXTRA_FILES["otio"]

_FIRST_WITHOUT = (3, 14)
"""the first version of Python that has no release of the library (0.18.1)"""

SOURCE_TRACK = "source"
"""name of the lowest track, which shows the whole video"""


def write_otio(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write timeline.otio.

    Raises:
        ToolMissingError: the library is not installed.
    """
    made = _TimelineMaker(_library(), analysis, url_from(folder, analysis.video.path)).make(timeline)
    with atomic_path(folder / OTIO_FILE) as partial:
        made.to_json_file(str(partial))
    return (OTIO_FILE,)


def require_otio() -> None:
    """Raise ToolMissingError if the library is not installed; imports nothing."""
    if importlib.util.find_spec("opentimelineio") is None:
        raise _missing()


class _TimelineMaker:
    """Frame numbers count from the first frame of the source at its nominal rate; `_start` is that frame's timecode."""

    def __init__(self, otio: Any, analysis: FaceAnalysis, url: str) -> None:
        self._otio = otio
        self._analysis = analysis
        self._url = url
        self._rate = float(analysis.video.frame_rate)
        self._start = counted_timecode(analysis.video).start
        self._length = source_length(analysis)

    def make(self, timeline: Timeline) -> Any:
        schema = self._otio.schema
        name = ascii_safe(self._analysis.video.path.name)
        result = schema.Timeline(name=name, global_start_time=self._time(self._start))
        result.tracks.markers.extend(self._shot_markers())
        source = schema.Track(name=SOURCE_TRACK, kind=schema.TrackKind.Video)
        clip = self._clip(name, 0, self._length)
        for index, person in enumerate(timeline.people):
            clip.markers.extend(self._person_markers(person, MARKER_COLORS[index % len(MARKER_COLORS)]))
        source.append(clip)
        result.tracks.append(source)
        result.tracks.extend(self._track(person) for person in timeline.people if person.segments)
        return result

    def _track(self, person: Identity) -> Any:
        schema = self._otio.schema
        track = schema.Track(name=person.name, kind=schema.TrackKind.Video)
        end = 0
        for number, cut in enumerate(source_cuts(self._analysis, person), start=1):
            if cut.start > end:
                track.append(schema.Gap(source_range=self._range(0, cut.start - end)))
            clip = self._clip(f"{person.name} {number}", cut.start, cut.end - cut.start)
            clip.metadata["people"] = {"person": person.name, "shot": cut.shot}
            track.append(clip)
            end = cut.end
        return track

    def _clip(self, name: str, first: int, length: int) -> Any:
        """A clip of frames [first, first + length) of the source."""
        schema = self._otio.schema
        media = schema.ExternalReference(target_url=self._url, available_range=self._range(self._start, self._length))
        source_range = self._range(self._start + first, length)
        return schema.Clip(name=name, media_reference=media, source_range=source_range)

    def _person_markers(self, person: Identity, color: str) -> list[Any]:
        """The person's segments, on the clock of the source."""
        return [
            self._otio.schema.Marker(
                name=person.name, marked_range=self._range(self._start + cut.start, cut.end - cut.start), color=color
            )
            for cut in source_cuts(self._analysis, person)
        ]

    def _shot_markers(self) -> list[Any]:
        """Where shots begin, on the clock of the tracks, which begins with 0."""
        return [
            self._otio.schema.Marker(
                name=f"shot {shot.index + 1} ({shot.transition})",
                marked_range=self._range(round(self._analysis.seconds_at(shot.start) * self._rate), 0),
            )
            for shot in self._analysis.shots
        ]

    def _range(self, start: int, length: int) -> Any:
        return self._otio.opentime.TimeRange(self._time(start), self._time(length))

    def _time(self, frames: int) -> Any:
        return self._otio.opentime.RationalTime(frames, self._rate)


def _library() -> Any:
    # Imported on use: it is rarely needed and slow to import.
    try:
        import opentimelineio
    except ImportError as error:
        raise _missing() from error
    return opentimelineio


def _missing() -> ToolMissingError:
    hint = "python -m pip install opentimelineio -c constraints.txt"
    if sys.version_info >= _FIRST_WITHOUT:
        version = "{}.{}".format(*_FIRST_WITHOUT)
        hint = f"it has no release for Python {version}: use an older one, or leave out otio as in --export edl,fcpxml"
    return ToolMissingError(
        "--export otio needs the package opentimelineio, which is not installed", stage="export", hint=hint
    )
