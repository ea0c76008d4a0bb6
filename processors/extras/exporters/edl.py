"""CMX 3600 edit decision lists: the segments of one person, one after the other.

Timecode is non-drop: it counts frames, so every timecode identifies one frame. At 29.97 frames per second it runs
0.1 % slower than real time. It starts at 00:00:00:00 with the video's first frame, whatever timecode track the file
may have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from config import EXTRA_FILES
from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.cuts import Cut, source_cuts
from utils.files import write_text
from utils.time_formats import timecode, timecode_base

_STEM, _SUFFIX = PurePosixPath(EXTRA_FILES["edl"]).stem, PurePosixPath(EXTRA_FILES["edl"]).suffix

_EVENTS_PER_LIST = 999
"""event numbers have three digits"""


def write_edl(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write PERSON/segments.edl, and segments_02.edl and so on if a person has more than 999 segments."""
    files = []
    for person in timeline.people:
        cuts = source_cuts(analysis, person)
        for number, first in enumerate(range(0, len(cuts), _EVENTS_PER_LIST), start=1):
            file = f"{person.name}/{_STEM}{f'_{number:02d}' if number > 1 else ''}{_SUFFIX}"
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
    """`text` as a single line of ASCII, which is all that the format allows."""
    return " ".join(text.encode("ascii", "replace").decode("ascii").split())[:70]
