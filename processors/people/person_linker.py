"""Names for the people of a timeline: the step between grouping tracklets and planning clips.

Grouping tells people apart but does not know who they are. A linker gives each an id, a display name and a folder.
The one here numbers them; one that knows faces from photos or other videos fits the same protocol.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from core.types import FaceAnalysis, Identity, Timeline
from processors.people.numbered_names import numbered_name


class PersonLinker(Protocol):
    """Decides who the people of one video are."""

    def link(self, timeline: Timeline, analysis: FaceAnalysis) -> Timeline:
        """`timeline` with the same people, tracklets and segments, and final ids, names, folders and order.

        timeline: people in any order, with provisional ids that are unique in it. Ids, names and folders of the
        result must be unique as well.
        analysis: the timeline's, with the embeddings of all tracklets.
        """


class NumberByAppearance:
    """Numbers people in the order in which they first appear: person_01, person_02, ..."""

    def link(self, timeline: Timeline, analysis: FaceAnalysis) -> Timeline:
        first_frames = {tracklet.id: (tracklet.start, tracklet.id) for tracklet in analysis.tracklets}
        in_order = sorted(timeline.people, key=lambda person: min(first_frames[i] for i in person.tracklets))
        people = (identified(person, numbered_name(number)) for number, person in enumerate(in_order, 1))
        return replace(timeline, people=tuple(people))


def identified(person: Identity, person_id: str, name: str = "", folder: str = "") -> Identity:
    """`person` with another id, name (default: the id) and folder (default: the name), in its segments as well."""
    name = name or person_id
    segments = tuple(replace(segment, person=name) for segment in person.segments)
    return replace(person, id=person_id, name=name, folder=folder or name, segments=segments)
