"""The wording about doubtful people, in the terminal and in the report."""

from __future__ import annotations

from msgspec.structs import replace

from processors.people.doubt import NearestPerson
from processors.results.manifest import Manifest
from processors.results.manifest_people import ManifestDoubt
from processors.results.timeline_file import TimelineFile


def doubt_text(doubt: ManifestDoubt) -> str:
    """One line about a person, "" if nothing is doubtful.

    For example "doubtful: similarity of tracklets 3,5 to the others only 0.55; perhaps the same as Anna (0.31)".
    """
    parts = []
    if doubt.doubtful and doubt.similarity is not None:
        part = f"{'tracklet' if len(doubt.part) == 1 else 'tracklets'} {','.join(map(str, doubt.part))}"
        parts.append(f"doubtful: similarity of {part} to the others only {doubt.similarity:.2f}")
    nearest = NearestPerson(doubt.nearest, doubt.nearest_similarity or 0.0)
    if nearest.may_be_same:
        parts.append(f"perhaps the same as {nearest.name} ({nearest.similarity:.2f})")
    elif doubt.doubtful and nearest.name:
        parts.append(f"most similar: {nearest.name} ({nearest.similarity:.2f})")
    return "; ".join(parts)


def current_doubts(timeline: TimelineFile, manifest: Manifest) -> dict[str, ManifestDoubt]:
    """The doubts about people whose tracklets are still those of the manifest, by their present names.

    Renamed people appear under their new names; people who were changed or dropped are left out as `nearest`, too.
    """
    names = {frozenset(person.tracklets): person.name for person in timeline.people}
    now = {person.name: names.get(frozenset(person.tracklets), "") for person in manifest.people}
    found = {}
    for person in manifest.people:
        doubt = person.doubt
        if doubt.nearest and not now.get(doubt.nearest):
            doubt = replace(doubt, nearest="", nearest_similarity=None)
        elif doubt.nearest:
            doubt = replace(doubt, nearest=now[doubt.nearest])
        if now[person.name] and doubt_text(doubt):
            found[now[person.name]] = doubt
    return found
