"""What the report says about doubtful people and unknown tracklets, and the commands that settle it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from processors.pages.doubt_text import doubt_text
from processors.people.doubt import MAYBE_SAME
from processors.people.numbered_names import name_order, next_numbered_name
from processors.results.manifest import Manifest
from processors.results.manifest_people import ManifestPerson, ManifestUnknown
from utils.console.program_command import program_command

MAX_UNKNOWN_SHOWN = 60
"""unknown tracklets on the page, the longest ones; a crowd has hundreds"""


def person_doubt(person: ManifestPerson, folder: str, people: Sequence[ManifestPerson] = ()) -> dict[str, Any]:
    """`text` about a person, "" if nothing is doubtful, and the `commands` that settle it.

    folder: name of the video's output folder; `report.js` adds the folder around it when the page is opened.
    people: all of the video. Two of one id are one person, as `link` or another video says, but have two folders.
    """
    doubt, texts, commands = person.doubt, [], []
    one = [other for other in people if other.id and other.id == person.id]
    if len(one) > 1:
        first, *others = sorted(one, key=lambda other: name_order(other.name, other.on_screen_s))
        texts.append(f"the same person as {', '.join(other.name for other in one if other.name != person.name)}")
        commands.append(program_command("merge", folder, first.name, *(other.name for other in others)))
        if doubt.nearest in (other.name for other in one):
            doubt = replace(doubt, nearest="", nearest_similarity=None)
    if doubt.doubtful and doubt.part:
        commands.append(program_command("split", folder, person.name, "--tracklets", ",".join(map(str, doubt.part))))
    if doubt.nearest and (doubt.nearest_similarity or 0.0) >= MAYBE_SAME:
        commands.append(program_command("merge", folder, person.name, doubt.nearest))
    text = "; ".join(filter(None, [*texts, doubt_text(replace(doubt, nearest=_isolated(doubt.nearest)))]))
    return {"text": text, "is_doubtful": doubt.doubtful, "commands": commands}


def _isolated(name: str) -> str:
    """`name` so that what follows is not drawn on its other side where it is written from right to left."""
    # FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: https://www.unicode.org/reports/tr9/
    is_turned = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"\u2068{name}\u2069" if is_turned else name


def unknown_tracklets(manifest: Manifest, faces: Mapping[int, bytes], folder: str) -> list[dict[str, Any]]:
    """The unknown tracklets that are shown, in time order, each with the command that assigns it.

    faces: a JPEG by tracklet. folder: name of the video's output folder.
    """
    unknown = [tracklet for tracklet in manifest.unknown_tracklets if tracklet.repeats is UNSET]
    longest = sorted(unknown, key=lambda t: (-t.seen_s, t.tracklet))[:MAX_UNKNOWN_SHOWN]
    return _entries(longest, manifest, faces, folder)


def repeated_tracklets(manifest: Manifest, faces: Mapping[int, bytes], folder: str) -> list[dict[str, Any]]:
    """Like `unknown_tracklets` all that show somebody a second time; the command makes a new person of one."""
    repeated = [tracklet for tracklet in manifest.unknown_tracklets if tracklet.repeats is not UNSET]
    return _entries(repeated, manifest, faces, folder)


def _entries(
    tracklets: Sequence[ManifestUnknown], manifest: Manifest, faces: Mapping[int, bytes], folder: str
) -> list[dict[str, Any]]:
    new_name = next_numbered_name(person.name for person in manifest.people)
    return [
        {
            **asdict(tracklet),
            "jpeg": faces.get(tracklet.tracklet, b""),
            "command": _assign(tracklet, folder, new_name),
        }
        for tracklet in sorted(tracklets, key=lambda t: (t.start_s, t.tracklet))
    ]


def _assign(tracklet: ManifestUnknown, folder: str, new_name: str) -> str:
    who = tracklet.nearest if tracklet.repeats is UNSET else ""
    return program_command("assign", folder, who or new_name, "--tracklets", str(tracklet.tracklet))
