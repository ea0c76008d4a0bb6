"""Whose segments become clips: those of the people whom the user names, unless they are shown too briefly."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from config import Settings
from core.types import FaceAnalysis, Segment, Timeline
from processors.known_people.video_names import PersonName, chosen_folders
from utils.console.plurals import count_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClipChoice:
    """The segments that become clips. is_anybody_named: `--only` names somebody in the video, or is not given."""

    segments: tuple[Segment, ...]
    is_anybody_named: bool


def choose_clips(
    timeline: Timeline, analysis: FaceAnalysis, people: Sequence[PersonName], settings: Settings, label: str
) -> ClipChoice:
    """Choose by `people.only` and `clip.min_time`.

    people: in the order of `timeline`, or none. label: of the video, for the log.
    """
    named = chosen_folders(settings.people.only, timeline, people)
    shortest_s = settings.clip.min_time
    brief = {person.name for person in timeline.people if analysis.on_screen_s(person.tracklets) < shortest_s}
    if brief:
        who = count_of(len(brief), "person", "people")
        logger.info("%s: %s on screen for less than %g s, without clips", label, who, shortest_s)
    chosen = named - brief
    segments = tuple(segment for segment in timeline.segments if segment.person in chosen)
    return ClipChoice(segments, bool(named))
