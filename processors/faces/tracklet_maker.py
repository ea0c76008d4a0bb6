"""Makes tracklets from a finished track: a row for every frame, in source pixels; each of one shot and one person."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import GRADUAL, FloatArray, IntArray, PixelBox, Shot, Tracklet
from processors.faces.face_sampler import MAX_STRETCH_S, least_worth
from processors.shots.shot_boundary import Span
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import Track
from utils.processes.spill_file import Spillable
from utils.processes.stage_times import timed

MIN_TRACK_S = 0.12
"""shorter tracks are flicker"""

LOOKS = 8
"""most looks around a face that a tracklet keeps, spread over its time"""

CHANGE_MARGINS_S = {"dissolve": 0.5, "wipe": 0.75}
"""a change of face nearer than this to the middle of a gradual transition is explained by it, seconds"""

DISSOLVE_MARGINS_S = {"dissolve": 0.25, "wipe": 0.25}
"""the same where the image around the face was seen to dissolve, so that the middle is known. Tiles that dissolve one
after the other may look like a wipe of the whole frame, the middle of which is that of none of them"""

LEFTOVER_S = 0.85
"""a face that fades out, or in, in a gradual transition is seen for up to half of the longest one beyond its middle,
seconds"""

_FIELDS = frozenset(f.name for f in dataclasses.fields(Tracklet))


@dataclass(frozen=True, slots=True, eq=False)
class KeptPortrait:
    """A `Portrait` that waits, as a file, until it is known which tracklet it belongs to: when the video has ended."""

    frame: int
    merit: float
    jpeg: Spillable


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What an observer has measured on one track.

    columns: a name that `Tracklet` has as a field fills that field. Every other name is a signal: (T,) float32, a
    value for each of `tracklet_frames(track)`, stored under its name.
    divisions: frames with which the track goes over to another person.
    portraits: some of the most presentable faces, from all parts of the track.
    dissolves: those of the divisions that are the middle of a dissolve around the face. switches: those at which the
    face changed at once, in continuous view.
    """

    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    divisions: Sequence[int] = ()
    portraits: Sequence[KeptPortrait] = ()
    dissolves: Sequence[int] = ()
    switches: Sequence[int] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredTrack:
    """A track as a tracklet, before it is cut: it may run across gradual transitions and from one person to another.

    whole: with the samples of all its parts, and no portrait. divisions, portraits, dissolves, switches: see
    `Findings`.
    """

    whole: Tracklet
    divisions: Sequence[int] = ()
    portraits: Sequence[KeptPortrait] = ()
    dissolves: Sequence[int] = ()
    switches: Sequence[int] = ()


@timed("embed")
def measured_track(track: Track, scale: FloatArray, findings: Sequence[Findings], pace: FramePace) -> MeasuredTrack:
    """A row for every frame of the track; `cut_track` sets its shot.

    scale: (2,) source pixels per analysis pixel, x and y. findings: of all observers.

    Raises:
        ValueError: a column does not fit the track.
    """
    seen = np.array(track.frames)
    places = np.concatenate([track.boxes.stacked(), track.landmarks.stacked().reshape(-1, 10)], 1)
    places = interpolated(seen, places) * np.tile(scale, 7)
    columns = {name: values for one in findings for name, values in one.columns.items()}
    fields: dict[str, Any] = {name: values for name, values in columns.items() if name in _FIELDS}
    whole = Tracklet(
        id=track.id,
        shot=0,
        frames=tracklet_frames(track),
        boxes=places[:, :4].astype(np.float32),
        scores=_scores(seen, np.array(track.scores, np.float32), pace.calm_stride),
        landmarks=places[:, 4:].reshape(-1, 5, 2).astype(np.float32),
        signals={name: values for name, values in columns.items() if name not in _FIELDS},
        **fields,
    )
    divisions = sorted({frame for one in findings for frame in one.divisions})
    dissolves = sorted({frame for one in findings for frame in one.dissolves})
    switches = sorted({frame for one in findings for frame in one.switches})
    portraits = [portrait for one in findings for portrait in one.portraits]
    return MeasuredTrack(whole, divisions, portraits, dissolves, switches)


def least_frames(pace: FramePace) -> int:
    """The number of frames from its first to its last that a track has at least."""
    return pace.frames(MIN_TRACK_S)


def tracklet_frames(track: Track) -> IntArray:
    """(T,) the frames of the tracklet that `track` becomes: all from its first to its last."""
    return np.arange(track.frames[0], track.frames[-1] + 1)


@dataclass(frozen=True, slots=True)
class TrackCutting:
    """How tracks are cut into tracklets.

    pace: of the video. capacity: most samples of a tracklet. embedder: name of the one that made the embeddings.
    """

    pace: FramePace
    capacity: int
    embedder: str

    def cut(self, track: MeasuredTrack, shots: Sequence[Shot]) -> list[Tracklet]:
        """The parts of a track that lie in one shot and show one person each."""
        return cut_track(track, shots, self.pace, self.capacity)


def cut_track(track: MeasuredTrack, shots: Sequence[Shot], pace: FramePace, capacity: int) -> list[Tracklet]:
    """The parts of a track that lie in one shot and show one person each, with their own samples and portraits.

    The tracker knows neither gradual transitions nor people, which are known only afterwards. capacity: most samples of
    a part.
    """
    whole = track.whole
    pieces = []
    for shot in shots:
        inner = _divisions_within(shot, track, shots, pace.rate)
        for start, end in zip([shot.start, *inner], [*inner, shot.end], strict=True):
            seen = np.flatnonzero((whole.frames >= start) & (whole.frames < end) & (whole.scores > 0))
            if len(seen) == 0 or seen[-1] - seen[0] + 1 < least_frames(pace):
                continue
            if shot.active is not None and lies_outside(whole.boxes[seen], shot.active):
                continue
            first_clear, end_clear = _clear_frames(shot, pace)
            clear = max(start, first_clear), min(end, end_clear)
            if not _is_seen_in(clear, whole.frames[seen], least_frames(pace)):
                continue
            chosen = _best_samples(whole, (start, end), clear, capacity, pace)
            looks = _looks(whole, (start, end), clear)
            piece = whole.part(slice(seen[0], seen[-1] + 1), chosen, looks)
            portrait = _best_portrait(track.portraits, (start, end), clear)
            is_replacement = start in inner and start in track.switches
            pieces.append(
                dataclasses.replace(piece, shot=shot.index, face_jpeg=portrait, is_replacement=is_replacement)
            )
    return _without_leftovers(pieces, shots, pace.rate)


def _clear_frames(shot: Shot, pace: FramePace) -> Span:
    """The frames of a shot that represent it: those outside of its transitions, or all if they are hardly any."""
    first, end = shot.unmixed
    return (first, end) if end - first >= least_frames(pace) else (shot.start, shot.end)


def _is_seen_in(span: Span, frames: IntArray, least: int) -> bool:
    """Whether a face, seen in `frames`, is in as many of a span as a tracklet has at least."""
    inside = frames[(frames >= span[0]) & (frames < span[1])]
    return len(inside) > 0 and int(inside[-1] - inside[0]) + 1 >= least


def _without_leftovers(pieces: list[Tracklet], shots: Sequence[Shot], rate: float) -> list[Tracklet]:
    """The parts of a track without a last one in which its face only fades out, and a first one in which it fades in.

    Such a part lies in the other shot, is nobody who could be recognised, and too short for a clip.
    """
    if len(pieces) > 1 and _is_leftover(pieces[-1], pieces[-2], shots, rate):
        pieces = pieces[:-1]
    if len(pieces) > 1 and _is_leftover(pieces[0], pieces[1], shots, rate):
        pieces = pieces[1:]
    return pieces


def _is_leftover(piece: Tracklet, beside: Tracklet, shots: Sequence[Shot], rate: float) -> bool:
    """Whether a part of a track goes on from the longer one `beside` it for no longer than a gradual transition."""
    boundary = shots[max(piece.shot, beside.shot)]
    if abs(piece.shot - beside.shot) != 1 or boundary.transition not in GRADUAL:
        return False
    reach = max(piece.end - boundary.start, boundary.start - piece.start)
    return reach <= LEFTOVER_S * rate and len(piece.frames) < len(beside.frames)


def lies_outside(boxes: FloatArray, picture: PixelBox) -> bool:
    """Whether a face is mostly seen outside the active picture: it is one in the blurred copy around it.

    boxes: (T, 4), T > 0. The middles of the boxes count.
    """
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    is_inside = (middles >= picture[:2]).all(1) & (middles <= picture[2:]).all(1)
    return float(is_inside.mean()) < 0.5


def _divisions_within(shot: Shot, track: MeasuredTrack, shots: Sequence[Shot], rate: float) -> list[int]:
    """The frames of a shot with which another person begins, without those that its transitions explain."""
    found = []
    for frame in track.divisions:
        margins = DISSOLVE_MARGINS_S if frame in track.dissolves else CHANGE_MARGINS_S
        first, end = _without_transitions(shot, shots, margins, rate)
        if max(first, shot.start + 1) <= frame < end:
            found.append(frame)
    return found


def _without_transitions(
    shot: Shot, shots: Sequence[Shot], margins_s: Mapping[str, float], rate: float
) -> tuple[float, float]:
    """The part [first, end) of a shot that keeps away from the middles of its gradual transitions, frames."""
    following = shots[shot.index + 1].transition if shot.index + 1 < len(shots) else "cut"
    return shot.start + margins_s.get(shot.transition, 0.0) * rate, shot.end - margins_s.get(following, 0.0) * rate


def _best_samples(whole: Tracklet, part: Span, clear: Span, capacity: int, pace: FramePace) -> list[int]:
    """Positions of the samples that represent a part: from its clear frames if there are any, best first."""
    frames = whole.sample_frames
    for first, end in (clear, part):
        chosen = np.flatnonzero((frames >= first) & (frames < end))
        if len(chosen):
            break
    by_time = sorted(chosen.tolist(), key=lambda k: frames[k])
    while len(by_time) > capacity:
        quality = [whole.sample_quality[k] for k in by_time]
        del by_time[least_worth([int(frames[k]) for k in by_time], quality, pace.frames(MAX_STRETCH_S))]
    return sorted(by_time, key=lambda k: (-whole.sample_quality[k], frames[k]))


def _looks(whole: Tracklet, part: Span, clear: Span) -> IntArray:
    """Positions of the looks that a part keeps: from its clear frames if there are any."""
    frames = whole.look_frames
    for first, end in (clear, part):
        chosen = np.flatnonzero((frames >= first) & (frames < end))
        if len(chosen):
            break
    return chosen[np.unique(np.linspace(0, len(chosen) - 1, LOOKS).round().astype(np.int64))] if len(chosen) else chosen


def _best_portrait(portraits: Sequence[KeptPortrait], part: Span, clear: Span) -> Spillable:
    """The most presentable face of a part, as JPEG; b"" if there is none."""
    for first, end in (clear, part):
        inside = [portrait for portrait in portraits if first <= portrait.frame < end]
        if inside:
            return max(inside, key=lambda p: (p.merit, -p.frame)).jpeg
    return b""


def interpolated(frames: IntArray, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rows for every frame from the first to the last, linear in between. rows: (T, K) at frames (T,)."""
    every = np.arange(frames[0], frames[-1] + 1)
    return np.stack([np.interp(every, frames, column) for column in rows.T], 1)


def _scores(frames: IntArray, scores: FloatArray, stride: int) -> FloatArray:
    """A score for every frame: linear over frames that were skipped, 0 where the face was hidden for longer.

    stride: most frames from one look to the next.
    """
    every = interpolated(frames, scores[:, None])[:, 0].astype(np.float32)
    for row in np.flatnonzero(np.diff(frames) > stride):
        every[frames[row] - frames[0] + 1 : frames[row + 1] - frames[0]] = 0
    return every
