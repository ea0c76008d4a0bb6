"""The one place that turns the presence of a person into segments, and segments into the ranges that clips show.

A person is present in rows: the frames of their tracklets (`person_segments`), or whole tracklets where only their
times are known (`segment_rows`, for timeline.json). Absences of up to `merge_gap` are bridged, shots are not, and
what is shorter than `min_clip` is dropped. `pad_and_split` leaves out the frames of transitions, adds `padding` and
applies `max_clip` when clips are planned, so that timeline.json keeps what was found. Pure functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings, IdentitySettings, SpeechSettings
from core.types import FaceAnalysis, IntArray, Segment, Shot, Tracklet
from processors.people.insets import staying
from processors.people.segment_splits import least_motion_splits

Seconds = NDArray[np.float64]
PresenceMasks = Mapping[int, NDArray[np.bool_]]
"""by tracklet id: (T,) bool, which frames of the tracklet count as presence; tracklets without a mask count in full"""

_ROUNDING_S = 1e-6
"""timeline.json has microseconds; lengths and gaps that are equal to a limit pass"""


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """The settings that decide which segments a person has.

    min_clip_s: shortest segment, seconds. merge_gap_s: longest absence within one segment, seconds.
    skip_still: people whose face never moves (portraits, posters) get no segments.
    only_speaking: a segment is a turn; merge_gap_s is then the longest pause within one.
    lead_s, tail_s: by how much a segment begins before the presence that it shows, and ends after it.
    """

    min_clip_s: float
    merge_gap_s: float
    skip_still: bool = False
    only_speaking: bool = False
    lead_s: float = 0.0
    tail_s: float = 0.0

    @classmethod
    def from_settings(
        cls, identity: IdentitySettings, clip: ClipSettings, speech: SpeechSettings | None = None
    ) -> SegmentRules:
        """The rules that the settings stand for. speech: None, or `when` is "visible": segments of presence."""
        if speech is None or speech.when == "visible":
            return cls(clip.min_clip, clip.merge_gap, identity.skip_still)
        return cls(clip.min_clip, speech.speech_gap, identity.skip_still, True, speech.speech_lead, speech.speech_tail)


@dataclass(frozen=True, slots=True)
class Presence:
    """Where one person is seen.

    tracklets: the person's, in time order. still: their face never moves by itself. masks: which frames count ("only
    while speaking"); None: all.
    """

    tracklets: Sequence[Tracklet]
    still: bool = False
    masks: PresenceMasks | None = None

    def rows(self) -> tuple[IntArray, IntArray]:
        """(N,) int64 each: the frames that count, each once and in order, and their shots."""
        masks = self.masks or {}
        counted = [t.frames[masks[t.id]] if t.id in masks else t.frames for t in self.tracklets]
        frames, first = np.unique(np.concatenate([np.zeros(0, np.int64), *counted]), return_index=True)
        return frames, np.repeat([t.shot for t in self.tracklets], [len(f) for f in counted])[first]


def segment_rows(
    shots: IntArray, starts_s: Seconds, ends_s: Seconds, rules: SegmentRules, *, still: bool = False
) -> list[tuple[int, int]]:
    """Half-open ranges of rows, each of which makes one segment of a person.

    Args:
        shots: (N,) int64, shot of each row.
        starts_s: (N,) float64, when each row of presence begins, seconds; rows are sorted by shot, then by start.
        ends_s: (N,) float64, when it ends. Rows may overlap.
        rules: what makes a segment.
        still: the person's face never moves by itself.
    """
    if not len(shots) or (still and rules.skip_still):
        return []
    ranges = []
    for first, last in _runs(np.diff(shots) != 0, 0, len(shots)):
        reached_s = np.maximum.accumulate(ends_s[first:last])
        absences_s = starts_s[first + 1 : last] - reached_s[:-1]
        for begin, end in _runs(absences_s > rules.merge_gap_s + _ROUNDING_S, first, last):
            # Lead and tail count towards the length of a clip; `turn_segments` drops what a cut makes too short.
            length_s = reached_s[end - 1 - first] - starts_s[begin] + rules.lead_s + rules.tail_s
            if length_s >= rules.min_clip_s - _ROUNDING_S:
                ranges.append((begin, end))
    return ranges


def _runs(breaks: NDArray[np.bool_], first: int, last: int) -> list[tuple[int, int]]:
    """[first, last) cut where `breaks` (last - first - 1,) is True between two rows."""
    cuts = (first + 1 + np.flatnonzero(breaks)).tolist()
    return list(itertools.pairwise([first, *cuts, last]))


def person_segments(
    person: str, presence: Presence, starts_s: Seconds, ends_s: Seconds, rules: SegmentRules
) -> tuple[Segment, ...]:
    """The segments of one person in time order.

    Args:
        person: name for the segments.
        presence: where the person is seen. A segment refers to all tracklets that overlap it, since the camera follows
            the face in frames that do not count, too.
        starts_s: (F,) float64, when each frame of the video begins to be shown, seconds.
        ends_s: (F,) float64, when it stops being shown; earlier than the next start where the recording pauses.
        rules: what makes a segment.
    """
    frames, shots = presence.rows()
    segments = []
    for begin, end in segment_rows(shots, starts_s[frames], ends_s[frames], rules, still=presence.still):
        start, stop, shot = int(frames[begin]), int(frames[end - 1]) + 1, int(shots[begin])
        ids = tuple(t.id for t in presence.tracklets if t.shot == shot and t.start < stop and t.end > start)
        segments.append(Segment(person, shot, start, stop, ids))
    return tuple(segments)


def pad_and_split(analysis: FaceAnalysis, segments: Sequence[Segment], settings: ClipSettings) -> list[Segment]:
    """`segments` without transitions, with `settings.padding`, split where they are longer than `settings.max_clip`.

    Frames of transitions are left out, but for those that a clip of `settings.min_clip` needs, and wipes beside which a
    person stays in place. Padding ends there, and halfway to the next segment of the same person. Splits are made where
    faces move least. The order is that of `segments`; the parts of one are in time order.
    """
    padding_s = settings.padding
    stays = staying(analysis, segments)
    unmixed = [_unmixed(analysis, segment, stays, settings.min_clip) for segment in segments]
    padded = widened_segments(analysis, unmixed, padding_s, padding_s) if padding_s else unmixed
    if not settings.max_clip:
        return padded
    parts = []
    for segment in padded:
        bounds = [segment.start, *least_motion_splits(analysis, segment, settings.max_clip), segment.end]
        parts += [replace(segment, start=a, end=b) for a, b in itertools.pairwise(bounds)]
    return parts


def _unmixed(
    analysis: FaceAnalysis, segment: Segment, stays: Collection[tuple[str, int]], min_clip_s: float
) -> Segment:
    """The part of a segment that lies in no transition, with as many frames around it as `min_clip_s` seconds need.

    stays: people, and shots at whose beginning they stay in place.
    """
    first, end = _shot_of(analysis, segment).unmixed
    first = segment.start if (segment.person, segment.shot) in stays else max(first, segment.start)
    end = segment.end if (segment.person, segment.shot + 1) in stays else min(end, segment.end)
    if end <= first:
        return segment
    while (first, end) != (segment.start, segment.end):
        if analysis.seconds_at(end) - analysis.seconds_at(first) >= min_clip_s - _ROUNDING_S:
            break
        first, end = max(first - 1, segment.start), min(end + 1, segment.end)
    return replace(segment, start=first, end=end)


def turn_segments(analysis: FaceAnalysis, segments: Sequence[Segment], rules: SegmentRules) -> tuple[Segment, ...]:
    """`segments` of one person, found with `rules.only_speaking`, with their lead and tail."""
    widened = widened_segments(analysis, segments, rules.lead_s, rules.tail_s)
    return tuple(
        s
        for s in widened
        if analysis.seconds_at(s.end) - analysis.seconds_at(s.start) >= rules.min_clip_s - _ROUNDING_S
    )


def widened_segments(
    analysis: FaceAnalysis, segments: Sequence[Segment], before_s: float, after_s: float
) -> list[Segment]:
    """`segments` begun `before_s` earlier and ended `after_s` later.

    Neither shot boundaries nor transitions are crossed, and two segments of one person meet in the middle between them.
    """
    pts = analysis.frame_pts
    before_pts, after_pts = (round(seconds / analysis.video.time_base) for seconds in (before_s, after_s))
    result = []
    for segment in segments:
        first, last = _shot_of(analysis, segment).unmixed
        neighbours = [s for s in segments if (s.person, s.shot) == (segment.person, segment.shot)]
        before = max((s.end for s in neighbours if s.end <= segment.start), default=None)
        after = min((s.start for s in neighbours if s.start >= segment.end), default=None)
        earliest = min(first, segment.start) if before is None else (before + segment.start + 1) // 2
        latest = max(last, segment.end) if after is None else (segment.end + after + 1) // 2
        start = int(np.searchsorted(pts, pts[segment.start] - before_pts))
        end = int(np.searchsorted(pts, analysis.end_pts(segment.end) + after_pts))
        result.append(replace(segment, start=max(start, earliest), end=max(min(end, latest), segment.end)))
    return result


def _shot_of(analysis: FaceAnalysis, segment: Segment) -> Shot:
    return analysis.shots[segment.shot]
