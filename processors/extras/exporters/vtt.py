"""WebVTT that says who is visible, to be loaded as subtitles of the video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config import EXTRA_FILES
from core.types import FaceAnalysis, Timeline
from utils.files import write_text
from utils.time_formats import vtt_time

VTT_FILE = EXTRA_FILES["vtt"]


def write_vtt(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write people.vtt: one cue for each interval in which the same people are in the frame."""
    cues = []
    for start, end, names in visible_people(analysis, timeline):
        interval = f"{vtt_time(analysis.seconds_at(start))} --> {vtt_time(analysis.seconds_at(end))}"
        cues.append(f"{interval}\n{', '.join(escaped(name) for name in names)}\n")
    write_text(folder / VTT_FILE, "\n".join(["WEBVTT\n", *cues]))
    return (VTT_FILE,)


def visible_people(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Intervals [start, end) of frames in which the same people are present, with their names; none where nobody is."""
    owner = {track: number for number, person in enumerate(timeline.people) for track in person.tracklets}
    changes: dict[int, list[tuple[int, int]]] = {}
    for tracklet in analysis.tracklets:
        if tracklet.id in owner:
            changes.setdefault(tracklet.start, []).append((owner[tracklet.id], 1))
            changes.setdefault(tracklet.end, []).append((owner[tracklet.id], -1))
    count = [0] * len(timeline.people)
    since = 0
    shown: tuple[str, ...] = ()
    for frame in sorted(changes):
        for person, step in changes[frame]:
            count[person] += step
        now = tuple(person.name for person, tracks in zip(timeline.people, count, strict=True) if tracks)
        if now != shown:
            if shown:
                yield since, frame, shown
            since, shown = frame, now


def escaped(text: str) -> str:
    """`text` escaped for a cue: no markup, a single line."""
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
