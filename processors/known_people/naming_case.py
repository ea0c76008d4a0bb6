"""Everything that is needed to name the people of one video, as a plain value, so that another process can do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.types import FaceAnalysis, Timeline
from processors.known_people.gallery_types import EmbedderKey, PersonOfVideo, VideoKey
from processors.known_people.video_cast import people_of_video
from utils.fingerprints import Fingerprint

if TYPE_CHECKING:
    from core.analysis_file import AnalysisRecord


@dataclass(frozen=True, slots=True, eq=False)
class NamingCase:
    """The people of one video, before they have names.

    embedder: the network that saw their faces; None if it is not known, and nobody can be named. people: in the order
    of the timeline. together: pairs of their labels that are seen in one frame. is_edited: somebody edited the
    timeline. divided: the tracklet that each piece of a divided one was part of.
    """

    video: VideoKey
    embedder: EmbedderKey | None
    people: tuple[PersonOfVideo, ...]
    together: frozenset[tuple[str, str]]
    is_edited: bool
    divided: Mapping[int, int]


def naming_case(
    fingerprint: Fingerprint, record: AnalysisRecord, timeline: Timeline, folder: str, *, edited: bool
) -> NamingCase:
    """The case of the video whose people `timeline` tells. folder: of its results."""
    analysis = record.analysis
    video = VideoKey(fingerprint, record.key, analysis.video.path.name, folder)
    return case_of(video, embedder_key(record.models), analysis, timeline, edited=edited)


def case_of(
    video: VideoKey, embedder: EmbedderKey | None, analysis: FaceAnalysis, timeline: Timeline, *, edited: bool = False
) -> NamingCase:
    """The case of `video`, whose faces were seen by `embedder`."""
    people, together = people_of_video(analysis, timeline, {})
    divided = {division.piece: division.tracklet for division in timeline.divisions}
    return NamingCase(video, embedder, tuple(people), together, edited, divided)


def embedder_key(models: Mapping[str, object]) -> EmbedderKey | None:
    """The embedder of `models`, as an analysis or `ModelManager.describe` tells them; None if there is none."""
    entry = models.get("embedder")
    if not isinstance(entry, Mapping):
        return None
    return EmbedderKey(str(entry.get("name", "")), str(entry.get("sha256", "")))
