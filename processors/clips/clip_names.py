"""File names of clips: a template with its fields filled in, safe as a file name, unique in its folder."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence

from config import EXTRA_FILES
from core.types import FaceAnalysis, Segment
from utils.files import safe_name
from utils.timebase import format_timestamp

REEL_FILE = EXTRA_FILES["reel"].removeprefix("PERSON/")
"""the only video in a person's folder that is not a clip; see `processors.extras.reel_maker`"""

_LIMIT_BYTES = 120
_SUFFIX = ".mp4"


def clip_files(segments: Sequence[Segment], analysis: FaceAnalysis, template: str) -> tuple[str, ...]:
    """Names of the clips relative to the video's folder: "person_01/clip_001_00-00-03.200.mp4".

    template: with the fields of `config.TEMPLATE_FIELDS`. Clips are numbered per person in time order; times count
    from the video's first frame. Characters that a file name must not contain become "_", so no template leads out of
    the person's folder. Names that differ only in case get a number, and so does the name of the person's reel.
    """
    names = [""] * len(segments)
    numbers: dict[str, int] = {}
    taken = {_key(segment.person, REEL_FILE.removesuffix(_SUFFIX)) for segment in segments}
    for i in sorted(range(len(segments)), key=lambda i: (segments[i].start, segments[i].end, i)):
        person = segments[i].person
        number = numbers[person] = numbers.get(person, 0) + 1
        filled = string.Template(template).substitute(_fields(segments[i], analysis, number))
        names[i] = f"{person}/{_unused(person, filled, taken)}{_SUFFIX}"
    return tuple(names)


def _fields(segment: Segment, analysis: FaceAnalysis, number: int) -> dict[str, str]:
    return {
        "VIDEO_NAME": analysis.video.path.stem,
        "PERSON": segment.person,
        "CLIP_NUMBER": f"{number:03d}",
        "SHOT_NUMBER": f"{segment.shot + 1:03d}",
        "START_TIME": format_timestamp(round(analysis.seconds_at(segment.start), 6)),
        "END_TIME": format_timestamp(round(float(analysis.ends_s[segment.end - 1]), 6)),
        "START_FRAME": str(segment.start),
        "END_FRAME": str(segment.end),
        "START_PTS": str(analysis.frame_pts[segment.start]),
        "END_PTS": str(analysis.end_pts(segment.end)),
    }


def _unused(folder: str, wanted: str, taken: set[str]) -> str:
    """A safe name that no other clip in `folder` has; it is added to `taken`."""
    name = safe_name(wanted, limit_bytes=_LIMIT_BYTES)
    copies = 1
    while (key := _key(folder, name)) in taken:
        copies += 1
        suffix = f"_{copies}"
        name = safe_name(wanted, limit_bytes=_LIMIT_BYTES - len(suffix)) + suffix
    taken.add(key)
    return name


def _key(folder: str, name: str) -> str:
    """Equal for names that some file systems do not distinguish."""
    return unicodedata.normalize("NFC", f"{folder}/{name}").casefold()
