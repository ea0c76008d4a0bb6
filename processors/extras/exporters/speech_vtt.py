"""WebVTT that says who speaks, to be loaded as subtitles of the video."""

from __future__ import annotations

from pathlib import Path

from config import EXTRA_FILES
from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.vtt import escaped
from processors.speech.person_turns import person_turns
from utils.files import write_text
from utils.time_formats import vtt_time

SPEECH_VTT_FILE = EXTRA_FILES["speech"]


def write_speech_vtt(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write speech.vtt: one cue for each turn; cues overlap where people talk at the same time."""
    rows = [
        (turn.start_s, number, turn.end_s)
        for number, person in enumerate(timeline.people)
        for turn in person_turns(analysis, person.tracklets)
    ]
    cues = [
        f"{vtt_time(start_s)} --> {vtt_time(end_s)}\n<v {escaped(timeline.people[number].name)}>"
        f"{escaped(timeline.people[number].name)}\n"
        for start_s, number, end_s in sorted(rows)
    ]
    write_text(folder / SPEECH_VTT_FILE, "\n".join(["WEBVTT\n", *cues]))
    return (SPEECH_VTT_FILE,)
