"""Segments and turns of a person whose tracklets have changed, from the times in timeline.json."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from processors.people.segments import SegmentRules, segment_rows
from processors.results.timeline_file import PersonEntry, SegmentEntry, TrackletEntry

_ROUNDING_S = 1e-6

Speaks = tuple[tuple[float, float], ...] | UnsetType
_Span = tuple[TrackletEntry, float, float]
"""part of a tracklet: [start_s, end_s)"""


def derived_segments(
    tracklets: Iterable[TrackletEntry], rules: SegmentRules, *, still: bool = False, speaks: Speaks = UNSET
) -> tuple[SegmentEntry, ...]:
    """The segments of a person with these tracklets, by the rules that a run follows.

    Only the beginning and end of each tracklet are known here, so pauses of the recording within one are ignored. With
    `rules.only_speaking`, `speaks` are the person's turns. A lead or tail then ends with the tracklets, because the end
    of the shot is not known.
    """
    rows = sorted(tracklets, key=lambda t: (t.shot, t.start_s, t.id))
    spans = [(t, t.start_s, t.end_s) for t in rows]
    if rules.only_speaking:
        spans = _spoken(rows, () if speaks is UNSET else speaks)
    starts_s, ends_s = np.array([start for _, start, _ in spans]), np.array([end for _, _, end in spans])
    shots = np.array([t.shot for t, _, _ in spans], np.int64)
    found: list[SegmentEntry] = []
    for first, last in segment_rows(shots, starts_s, ends_s, rules, still=still):
        shot, start_s, end_s = int(shots[first]), float(starts_s[first]), float(ends_s[first:last].max())
        if rules.only_speaking:
            here = [t for t in rows if t.shot == shot]
            start_s = max(start_s - rules.lead_s, min(t.start_s for t in here))
            end_s = min(end_s + rules.tail_s, max(t.end_s for t in here))
            if found and found[-1].shot == shot and found[-1].end_s > start_s:
                start_s = round((found[-1].end_s + start_s) / 2, 6)
                found[-1] = replace(found[-1], end_s=start_s)
        own = dict.fromkeys(t.id for t, _, _ in spans[first:last])
        found.append(SegmentEntry(shot=shot, start_s=start_s, end_s=end_s, tracklets=tuple(own)))
    # The lead or tail of some segments may have been cut off.
    return tuple(s for s in found if s.end_s - s.start_s >= rules.min_clip_s - _ROUNDING_S)


def turns_within(tracklets: Sequence[TrackletEntry], speaks: Speaks) -> Speaks:
    """The parts of turns that lie in the tracklets, in their order."""
    return UNSET if speaks is UNSET else tuple((start, end) for _, start, end in _spoken(tracklets, speaks))


def _spoken(tracklets: Sequence[TrackletEntry], speaks: Sequence[tuple[float, float]]) -> list[_Span]:
    """The parts of turns that lie in the tracklets, sorted like the tracklets; a part shared by two is in both."""
    parts = [(t, max(start, t.start_s), min(end, t.end_s)) for t in tracklets for start, end in speaks]
    return sorted((part for part in parts if part[1] < part[2]), key=lambda part: (part[0].shot, part[1], part[0].id))


def united_turns(people: Sequence[PersonEntry]) -> Speaks:
    """The turns of several people combined as those of one person, in order."""
    known = [person.speaks for person in people if person.speaks is not UNSET]
    if not known:
        return UNSET
    found: list[tuple[float, float]] = []
    for start, end in sorted(turn for turns in known for turn in turns):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
