"""CMX 3600 edit decision lists: the segments of one person, one after the other.

Source timecode is that of the file, drop-frame included. A file without timecode counts from 00:00:00:00 in non-drop
timecode, which at 29.97 frames per second runs 0.1 % slower than real time. The record side counts from zero in the
same way. A locator (`* LOC:`, as Avid writes them, in record time) at the beginning of each event names the person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from config import EXTRA_FILES
from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.cuts import MARKER_COLORS, Cut, counted_timecode, source_cuts
from utils.files import write_text
from utils.time_formats import timecode

_STEM, _SUFFIX = PurePosixPath(EXTRA_FILES["edl"]).stem, PurePosixPath(EXTRA_FILES["edl"]).suffix

_EVENTS_PER_LIST = 999
"""event numbers have three digits"""


def write_edl(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write PERSON/segments.edl, and segments_02.edl and so on if a person has more than 999 segments."""
    files = []
    for index, person in enumerate(timeline.people):
        color = MARKER_COLORS[index % len(MARKER_COLORS)]
        cuts = source_cuts(analysis, person)
        for number, first in enumerate(range(0, len(cuts), _EVENTS_PER_LIST), start=1):
            file = f"{person.name}/{_STEM}{f'_{number:02d}' if number > 1 else ''}{_SUFFIX}"
            chosen = cuts[first : first + _EVENTS_PER_LIST]
            write_text(folder / file, "".join(edl_lines(analysis, person.name, chosen, color)))
            files.append(file)
    return tuple(files)


def edl_lines(analysis: FaceAnalysis, title: str, cuts: Sequence[Cut], color: str = MARKER_COLORS[0]) -> Iterator[str]:
    """The lines of one list. title: the person's name. color: of the locators."""
    source = counted_timecode(analysis.video)
    channels = "B" if analysis.video.default_audio is not None else "V"
    yield f"TITLE: {_plain(title)}\n"
    yield f"FCM: {'' if source.drop_frame else 'NON-'}DROP FRAME\n"
    record = 0
    for number, cut in enumerate(cuts, start=1):
        marks = record, record + cut.end - cut.start
        codes = [timecode(mark, source.base, drop_frame=source.drop_frame) for mark in marks]
        record = marks[-1]
        times = " ".join([source.label(cut.start), source.label(cut.end), *codes])
        yield f"\n{number:03d}  AX       {channels:<5} C        {times}\n"
        yield f"* FROM CLIP NAME: {_plain(analysis.video.path.name)}\n"
        yield f"* COMMENT: SHOT {cut.shot + 1}\n"
        yield f"* LOC: {codes[0]} {color:<7} {_plain(title)}\n"


def _plain(text: str) -> str:
    """`text` as a single line of ASCII; the format allows nothing else."""
    return " ".join(text.encode("ascii", "replace").decode("ascii").split())[:70]
