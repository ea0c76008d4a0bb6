"""From the analysis of a video to its timeline: who is shown, and in which segments.

tracklets -> groups    processors/people/tracklet_grouping.py: which tracklets show one person
groups -> segments     processors/people/segments.py: when a person is to be shown
people -> names        processors/people/person_linker.py: who they are
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings, IdentitySettings, SpeechSettings
from core.types import FaceAnalysis, Identity, Timeline, Tracklet
from processors.people.pair_evidence import ComparedTracklets
from processors.people.person_linker import NumberByAppearance, PersonLinker
from processors.people.segments import Presence, SegmentRules, person_segments, turn_segments
from processors.people.tracklet_evidence import STILL_LIFE_S, is_still
from processors.people.tracklet_grouping import group_tracklets
from processors.speech.person_turns import person_turns, speaking_mask

logger = logging.getLogger(__name__)


class IdTimelineGenerator:
    """Turns the analysis of a video into its timeline.

    Args:
        identity: who is who; these settings alone, and no clip settings, decide it.
        clip: shortest segment and longest absence within one.
        linker: names the people; by default they are numbered by first appearance.
        speech: whether people are shown only while they speak, which needs the signal of who speaks.
    """

    def __init__(
        self,
        identity: IdentitySettings,
        clip: ClipSettings,
        linker: PersonLinker | None = None,
        *,
        speech: SpeechSettings | None = None,
    ) -> None:
        self._identity = identity
        self._rules = SegmentRules.from_settings(identity, clip, speech)
        self._linker = linker or NumberByAppearance()

    def generate(self, analysis: FaceAnalysis) -> Timeline:
        """The timeline of `analysis`; equal analyses give equal timelines.

        Raises:
            ModelError: the analysis names an embedder without calibration.
        """
        return self.compare_and_generate(analysis)[0]

    def compare_and_generate(self, analysis: FaceAnalysis) -> tuple[Timeline, ComparedTracklets]:
        """The same, and the comparison of all tracklets with embeddings that it rests on.

        The comparison of 20 000 tracklets takes 0.8 GB, so let go of it soon.

        Raises:
            ModelError: as above.
        """
        tracklets = sorted(analysis.tracklets, key=lambda t: (t.start, t.id))
        starts_s, ends_s = analysis.starts_s, analysis.ends_s
        grouping = group_tracklets(tracklets, analysis, self._identity)
        people = []
        for label in np.unique(grouping.labels[grouping.labels >= 0]):
            own, provisional_id = [tracklets[k] for k in np.flatnonzero(grouping.labels == label)], str(label)
            still = _never_moves(own, analysis)
            presence = Presence(own, still, self._masks(analysis, own))
            segments = person_segments(provisional_id, presence, starts_s, ends_s, self._rules)
            if self._rules.only_speaking:
                segments = turn_segments(analysis, segments, self._rules)
            people.append(Identity(provisional_id, tuple(t.id for t in own), segments, still))
        unknown = tuple(tracklets[k].id for k in np.flatnonzero(grouping.labels < 0))
        statistics = {
            "tracklets": len(tracklets),
            **grouping.statistics,
            "people": len(people),
            "unknown_tracklets": len(unknown),
        }
        logger.debug("%d people in %d tracklets, %d unknown", len(people), len(tracklets), len(unknown))
        timeline = self._linker.link(Timeline(tuple(people), unknown, statistics), analysis)
        return timeline, grouping.compared

    def _masks(self, analysis: FaceAnalysis, own: Sequence[Tracklet]) -> dict[int, NDArray[np.bool_]] | None:
        """Which frames of a person's tracklets count; None: all."""
        if not self._rules.only_speaking:
            return None
        turns = person_turns(analysis, [tracklet.id for tracklet in own])
        return {tracklet.id: speaking_mask(analysis, tracklet, turns) for tracklet in own}


def _never_moves(tracklets: Sequence[Tracklet], analysis: FaceAnalysis) -> bool:
    """Whether a person is still: all tracklets that are long enough to tell are, and there is one.

    In a transition the whole image may move, so its frames do not count.
    """
    found = []
    for t in tracklets:
        first, end = np.searchsorted(t.frames, analysis.shots[t.shot].unmixed).tolist()
        frames = t.frames[first:end]
        life_s = analysis.seconds_at(int(frames[-1]) + 1) - analysis.seconds_at(int(frames[0])) if len(frames) else 0.0
        if life_s >= STILL_LIFE_S:
            found.append(is_still(t.boxes[first:end], t.landmarks[first:end], life_s))
    return bool(found) and all(found)
