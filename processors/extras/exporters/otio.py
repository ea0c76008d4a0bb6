"""OpenTimelineIO: one track per person, with each segment at its position in the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config import EXTRA_FILES
from core.errors import ToolMissingError, ascii_safe
from core.types import FaceAnalysis, Identity, Timeline
from processors.extras.exporters.cuts import source_cuts, source_length
from utils.files import atomic_path
from utils.urls import href

OTIO_FILE = EXTRA_FILES["otio"]


def write_otio(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write timeline.otio. It refers to the video by file name only; the editing program has to find it.

    Raises:
        ToolMissingError: the library is not installed.
    """
    with atomic_path(folder / OTIO_FILE) as partial:
        _timeline(analysis, timeline).to_json_file(str(partial))
    return (OTIO_FILE,)


def _timeline(analysis: FaceAnalysis, timeline: Timeline) -> Any:
    otio = _library()
    name = ascii_safe(analysis.video.path.name)
    result = otio.schema.Timeline(name=name)
    result.tracks.markers.extend(_shot_markers(otio, analysis))
    result.tracks.extend(_track(otio, analysis, person) for person in timeline.people if person.segments)
    return result


def _track(otio: Any, analysis: FaceAnalysis, person: Identity) -> Any:
    track = otio.schema.Track(name=person.name, kind=otio.schema.TrackKind.Video)
    end = 0
    for number, cut in enumerate(source_cuts(analysis, person), start=1):
        if cut.start > end:
            track.append(otio.schema.Gap(source_range=_range(otio, analysis, 0, cut.start - end)))
        media = otio.schema.ExternalReference(
            target_url=href(analysis.video.path.name),
            available_range=_range(otio, analysis, 0, source_length(analysis)),
        )
        clip = otio.schema.Clip(
            name=f"{person.name} {number}",
            media_reference=media,
            source_range=_range(otio, analysis, cut.start, cut.end - cut.start),
        )
        clip.metadata["people"] = {"person": person.name, "shot": cut.shot}
        track.append(clip)
        end = cut.end
    return track


def _shot_markers(otio: Any, analysis: FaceAnalysis) -> list[Any]:
    rate = float(analysis.video.frame_rate)
    return [
        otio.schema.Marker(
            name=f"shot {shot.index + 1} ({shot.transition})",
            marked_range=_range(otio, analysis, round(analysis.seconds_at(shot.start) * rate), 0),
        )
        for shot in analysis.shots
    ]


def _range(otio: Any, analysis: FaceAnalysis, start: int, length: int) -> Any:
    rate = float(analysis.video.frame_rate)
    return otio.opentime.TimeRange(otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(length, rate))


def _library() -> Any:
    # Imported only now: it is rarely needed and slow to import.
    try:
        import opentimelineio
    except ImportError as error:
        raise ToolMissingError(
            "the package opentimelineio is not installed", stage="export", hint="pip install opentimelineio"
        ) from error
    return opentimelineio
