"""When a person speaks: the turns of all tracklets of a person, and which frames lie in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import FaceAnalysis, Timeline, Tracklet
from processors.speech.turns import Turn, joined, turns

SPEECH_SIGNAL = "speech"
"""name of the signal in `Tracklet.signals`: log-odds that the face is speaking"""


PeopleTurns = Mapping[str, Sequence[Turn]]
"""the turns of each person by name"""


def is_speech_known(analysis: FaceAnalysis) -> bool:
    """Whether speech was analysed in this video."""
    return bool(analysis.tracklets) and all(SPEECH_SIGNAL in tracklet.signals for tracklet in analysis.tracklets)


def person_turns(analysis: FaceAnalysis, tracklets: Iterable[int]) -> list[Turn]:
    """The turns of a person with the tracklets of these ids, in order; none if the signal was not measured."""
    own = set(tracklets)
    found: list[Turn] = []
    for tracklet in analysis.tracklets:
        if tracklet.id in own and SPEECH_SIGNAL in tracklet.signals:
            starts_s, ends_s = analysis.starts_s[tracklet.frames], analysis.ends_s[tracklet.frames]
            found += turns(starts_s, ends_s, tracklet.signals[SPEECH_SIGNAL])
    return joined(found)


def known_turns(analysis: FaceAnalysis, timeline: Timeline) -> PeopleTurns | None:
    """When each person in `timeline` speaks; None if speech was not analysed."""
    if not is_speech_known(analysis):
        return None
    return {person.name: person_turns(analysis, person.tracklets) for person in timeline.people}


def speaking_mask(analysis: FaceAnalysis, tracklet: Tracklet, pieces: Sequence[Turn]) -> NDArray[np.bool_]:
    """(T,): which frames of `tracklet` have their middle in one of `pieces`, which are in order."""
    if not pieces:
        return np.zeros(len(tracklet.frames), np.bool_)
    middles_s = (analysis.starts_s[tracklet.frames] + analysis.ends_s[tracklet.frames]) / 2
    before = np.searchsorted([turn.start_s for turn in pieces], middles_s, side="right") - 1
    ends_s = np.array([turn.end_s for turn in pieces])
    return np.asarray((before >= 0) & (middles_s < ends_s[np.maximum(before, 0)]))
