"""CMX 3600 edit decision lists: for each person the source's stretches in which they are shown, end to end.

Timecode is non-drop: it counts frames, so every number can be turned back into a frame. At 29.97 frames per
second it therefore runs 0.1 % slower than the clock on the wall. It begins at 00:00:00:00 with the video's
first frame, whatever timecode the file itself may carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.cuts import Cut, source_cuts
from utils.files import write_text
from utils.time_formats import timecode, timecode_base

EDL_NAME = "segments"

_EVENTS_PER_LIST = 999
"""event numbers have three digits"""


def write_edl(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write person_NN/segments.edl, and segments_02.edl and so on where there are more than 999."""
    files = []
    for person in timeline.people:
        cuts = source_cuts(analysis, person)
        for number, first in enumerate(range(0, len(cuts), _EVENTS_PER_LIST), start=1):
            file = f"{person.name}/{EDL_NAME}{f'_{number:02d}' if number > 1 else ''}.edl"
            chosen = cuts[first : first + _EVENTS_PER_LIST]
            write_text(folder / file, "".join(edl_lines(analysis, person.name, chosen)))
            files.append(file)
    return tuple(files)


def edl_lines(analysis: FaceAnalysis, title: str, cuts: Sequence[Cut]) -> Iterator[str]:
    """The lines of one list."""
    base = timecode_base(analysis.video.frame_rate)
    channels = "B" if analysis.video.default_audio is not None else "V"
    yield f"TITLE: {_plain(title)}\n"
    yield "FCM: NON-DROP FRAME\n"
    record = 0
    for number, cut in enumerate(cuts, start=1):
        marks = [cut.start, cut.end, record, record + cut.end - cut.start]
        record = marks[-1]
        codes = " ".join(timecode(mark, base) for mark in marks)
        yield f"\n{number:03d}  AX       {channels:<5} C        {codes}\n"
        yield f"* FROM CLIP NAME: {_plain(analysis.video.path.name)}\n"
        yield f"* COMMENT: SHOT {cut.shot + 1}\n"


def _plain(text: str) -> str:
    """ASCII on one line, which is all that the format knows."""
    return " ".join(text.encode("ascii", "replace").decode("ascii").split())[:70]
