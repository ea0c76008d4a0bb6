"""One step of following: propose where each face is in the next frame, and judge which proposals to believe.

Nothing here changes a track; the tracker commits what was accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.networks.model_spec import ScoreScale
from core.types import Detections, FloatArray
from processors.tracking.backward_tracking import MAX_GROWTH, SAME_FACE_OVERLAP
from processors.tracking.box_trackers import BoxFollower
from processors.tracking.frame_pace import FramePace
from processors.tracking.lazy_image import LazyImage
from processors.tracking.track import Track
from utils.images.box_geometry import iou_matrix

POSSIBLE_S, BLIND_S = 0.48, 0.12
"""seconds for which a face is followed that may be visible, and that is not visible at all; after that only a
detection brings it back"""

MAX_UNSURE_GROWTH = 1.2
"""largest ratio of a face's sizes from one step to the next if its score is not sure"""

CALM_SPEED = 0.05
"""a calm face moves less than this from one step to the next, in face sizes"""

MAX_CALM_DEVIATION = 0.15
"""how far a calm face may be from its expected place after a stride, in face sizes; boxes jitter by 0.03"""


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Where the follower puts N tracks in a frame. expected: (N, 4), where they were looked for."""

    tracks: Sequence[Track]
    expected: FloatArray
    found: Detections


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """(N,) bool each. seen: the box is still the same face. possible: it may be; includes the seen ones."""

    seen: NDArray[np.bool_]
    possible: NDArray[np.bool_]


def is_calm(track: Track, scale: ScoreScale, pace: FramePace) -> bool:
    """Whether the face may be left out of some frames: it hardly moves, or is given up until a detection."""
    if track.hidden > pace.frames(POSSIBLE_S):
        return True
    return track.hidden == 0 and track.scores[-1] >= scale.calm and track.speed < CALM_SPEED / pace.follow_stride


def propose(follower: BoxFollower, image: LazyImage, tracks: Sequence[Track], pace: FramePace) -> Proposal | None:
    """Run the follower on all tracks that are not given up; None if there are none, and then `image` is not converted.

    `Track.hidden` must already count up to this frame.
    """
    blind, possible = pace.frames(BLIND_S), pace.frames(POSSIBLE_S)
    followed = [
        t for t in tracks if t.hidden - pace.follow_stride * len(t.possible_rows) <= blind and t.hidden <= possible
    ]
    if not followed:
        return None
    expected = np.stack([t.expected(pace) for t in followed])
    rolls = np.array([t.roll for t in followed], np.float32)
    return Proposal(followed, expected, follower.follow(image(), [t.id for t in followed], expected, rolls))


def accept(proposal: Proposal, scale: ScoreScale) -> Verdict:
    """Which of the proposed boxes still show the face of their track."""
    found = proposal.found
    possible = (found.scores >= scale.possible) & _keeps_size(proposal, scale)
    for loser, winner in _collisions(proposal):
        if possible[loser] and possible[winner]:
            possible[loser] = False
    return Verdict(possible & (found.scores >= scale.seen), possible)


def stays_calm(proposal: Proposal, verdict: Verdict, scale: ScoreScale) -> bool:
    """Whether skipping the frames before was right: all faces are seen, sure, and about where they were expected."""
    found = proposal.found
    deviation = np.abs(found.boxes - proposal.expected).max(1) / np.array([t.size for t in proposal.tracks])
    return bool(verdict.seen.all() and found.scores.min() >= scale.calm and deviation.max() < MAX_CALM_DEVIATION)


def _keeps_size(proposal: Proposal, scale: ScoreScale) -> NDArray[np.bool_]:
    """(N,) whether the face's size is plausible; an unsure score has to be nearer to the old size."""
    old = np.array([t.size for t in proposal.tracks])
    boxes = proposal.found.boxes
    ratio = np.maximum((boxes[:, 2:] - boxes[:, :2]).mean(1), 1e-3) / np.maximum(old, 1e-3)
    allowed = np.where(proposal.found.scores >= scale.sure, MAX_GROWTH, MAX_UNSURE_GROWTH)
    return np.asarray((ratio < allowed) & (ratio > 1 / allowed))


def _collisions(proposal: Proposal) -> list[tuple[int, int]]:
    """Pairs of rows (loser, winner) that have run onto one face, which belongs to the track that expected it there.

    A track whose face was seen more recently wins over one whose face was hidden.
    """
    tracks, boxes = proposal.tracks, proposal.found.boxes
    if len(tracks) < 2:
        return []
    overlap = np.triu(iou_matrix(boxes, boxes), 1)
    colliding = np.argwhere(overlap > SAME_FACE_OVERLAP).tolist()
    faithful = np.diagonal(iou_matrix(proposal.expected, boxes)) if colliding else ()
    pairs = []
    for a, b in colliding:
        hidden = tracks[a].hidden, tracks[b].hidden
        a_loses = hidden[0] > hidden[1] or (hidden[0] == hidden[1] and faithful[a] < faithful[b])
        pairs.append((a, b) if a_loses else (b, a))
    return pairs
