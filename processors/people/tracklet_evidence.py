"""Evidence about which tracklets show one person: pure functions on the tracklets of one video.

Embeddings, continuation (one tracklet begins where another ended), being seen together (two faces in one frame are
two people) and stillness (a portrait never moves). `tracklet_grouping` weighs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, IntArray, Tracklet
from utils.images.box_geometry import are_two_faces, box_areas, clipped, iou_matrix, on_one_face, visible_shares

_TOP_SHARE = 0.25
"""share of the pairs of samples, most similar first, that counts: views that both tracklets have in common, not the
profile of one against the front of the other"""
_MIN_OVERLAP = 0.3
"""least IoU of the box where a face was expected and the box of one that appears, for a continuation"""
_MIN_VISIBLE = 0.25
"""least share of a box that lies in the frame for its face to be seen: a face larger than the frame still shows half of
itself, while a box that has run away from one may lie anywhere"""
_MIN_WEIGHT = 0.05
"""of a tracklet whose samples all have a quality of nearly 0"""
CONTINUATION_GAP_S = 1.0
"""longest absence, seconds, after which a tracklet may continue another; evidence, so no setting of clips changes it"""
_LOG_ODDS = 4.0
"""evidence of a perfect continuation (same place, next frame): more than a doubtful face, less than a clear one"""

STILL_LIFE_S = 3.0
"""shortest tracklet that can be judged, s: over 2 s one living face in twenty looks still, over 3 s one of 500"""
_STILL_SMOOTHING_S = 0.5
"""window of the moving mean, seconds: what moves faster is detector jitter, which portraits show, too"""
_STILL_TRAVEL = 0.02
"""how far the landmarks of a still face may travel or grow, face sizes (measured after smoothing: portraits at most
0.018; living faces over 3 s or more at least 0.030 in 95 of 100)"""
_STILL_SHAPE = 0.003
"""how much the landmarks of a still face may move relative to each other, face sizes (portraits: at most 0.0025)"""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Tracklet `later` begins where `earlier` was heading when it ended. Both are positions in the given list."""

    earlier: int
    later: int
    log_odds: float
    """evidence that both are one person, > 0"""


def seen_together(tracklets: Sequence[Tracklet], size: tuple[int, int]) -> IntArray:
    """(K, 2) int64, positions of two tracklets whose faces are seen in one frame, at different places.

    size: width and height of the frames, display px.

    Each pair once, the lower position first, in increasing order.

    Frames in which a face was hidden (score 0) do not count, because its box is interpolated and the face may be the
    one that another tracklet follows. Nor do frames in which what the frame shows of the boxes overlaps or one contains
    the other: both tracklets follow one face there. A moment apart is not enough, because then a tracker has slipped.
    """
    together: list[tuple[int, int]] = []
    frame = (0, 0, *size)
    shown = [clipped(t.boxes, frame) for t in tracklets]
    seen = [np.flatnonzero((t.scores > 0) & (visible_shares(t.boxes, frame) >= _MIN_VISIBLE)) for t in tracklets]
    order = sorted(range(len(tracklets)), key=lambda k: tracklets[k].start)
    live: list[int] = []
    for k in order:
        live = [m for m in live if tracklets[m].end > tracklets[k].start]
        for m in live:
            frames = tracklets[m].frames[seen[m]], tracklets[k].frames[seen[k]]
            _, a, b = np.intersect1d(*frames, assume_unique=True, return_indices=True)
            if are_two_faces(shown[m][seen[m][a]], shown[k][seen[k][b]]):
                together.append((min(m, k), max(m, k)))
        live.append(k)
    return np.array(sorted(together), np.int64).reshape(-1, 2)


def replaced(tracklets: Sequence[Tracklet]) -> IntArray:
    """(K, 2) int64, positions of a tracklet and of the one that replaces it in continuous view: two people.

    Their faces were compared where their track was divided; clothes and place are what a jump cut leaves alike.
    """
    ends: dict[tuple[int, int], list[int]] = {}
    for k, t in enumerate(tracklets):
        ends.setdefault((t.shot, t.end), []).append(k)
    pairs = [
        (k, m)
        for m, t in enumerate(tracklets)
        if t.is_replacement
        for k in ends.get((t.shot, t.start), [])
        if float(iou_matrix(tracklets[k].boxes[-1:], t.boxes[:1])[0, 0]) >= _MIN_OVERLAP
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def duplicate_tracklets(tracklets: Sequence[Tracklet], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) bool: the tracklet lies on the face of a longer one in at least half of its frames.

    size: width and height of the frames, display px; beyond them the boxes of a large face are guesses.

    A tracker that slipped onto a face which is tracked already is no evidence of a second person.
    """
    twice = np.zeros(len(tracklets), bool)
    shown = [clipped(t.boxes, (0, 0, *size)) for t in tracklets]
    starts, ends = np.array([(t.start, t.end) for t in tracklets]).reshape(-1, 2).T
    for k, t in enumerate(tracklets):
        covered = np.zeros(len(t.frames), bool)
        for m in np.flatnonzero((starts < t.end) & (ends > t.start)).tolist():
            other = tracklets[m]
            if m == k or (len(other.frames), -m) < (len(t.frames), -k):
                continue
            _, mine, its = np.intersect1d(t.frames, other.frames, assume_unique=True, return_indices=True)
            covered[mine] |= on_one_face(shown[k][mine], shown[m][its])
        twice[k] = covered.mean() >= 0.5
    return twice


def mean_embedding(tracklet: Tracklet) -> FloatArray:
    """Mean of the tracklet's samples weighted by quality, (D,) float32 of unit length.

    Raises:
        ValueError: the tracklet has no samples.
    """
    mean = tracklet.embedding
    if mean is None:
        raise ValueError(f"tracklet {tracklet.id} has no samples")
    return mean


def tracklet_weights(tracklets: Sequence[Tracklet]) -> NDArray[np.float64]:
    """(N,) float64 > 0: what each tracklet counts in a mean, the sum of its samples' qualities."""
    return np.array([max(float(t.sample_quality.sum()), _MIN_WEIGHT) for t in tracklets], np.float64)


def sample_sharpness(tracklets: Sequence[Tracklet]) -> FloatArray:
    """(N,) float32: mean sharpness of each tracklet's samples, weighted as in its mean embedding; 0 without samples."""
    values = np.zeros(len(tracklets), np.float32)
    for row, t in enumerate(tracklets):
        if len(t.sample_frames):
            rows = np.clip(np.searchsorted(t.frames, t.sample_frames), 0, len(t.frames) - 1)
            values[row] = np.average(t.sharpness[rows], weights=np.maximum(t.sample_quality, 1e-3))
    return values


class SampleCosines:
    """How alike the faces of every two of N tracklets are, as a cosine.

    The mean of two cosines: that of their mean embeddings, in which noise averages out, and the mean over the most
    similar quarter of all pairs of samples, which are views that both have in common. Every tracklet needs a sample.
    """

    def __init__(self, tracklets: Sequence[Tracklet]) -> None:
        self._tracklets = tracklets
        self._means = [mean_embedding(t) for t in tracklets]

    def block(self, rows: slice, columns: slice) -> FloatArray:
        """(R, C) float32, the tracklets of two slices with each other."""
        ours, theirs = self._tracklets[rows], self._tracklets[columns]
        if not ours or not theirs:
            return np.zeros((len(ours), len(theirs)), np.float32)
        (a, a_counts), (b, b_counts) = _padded_samples(ours), _padded_samples(theirs)
        shape = (len(ours), a.shape[1], len(theirs), b.shape[1])
        pairs = (a.reshape(-1, a.shape[2]) @ b.reshape(-1, b.shape[2]).T).reshape(shape)
        pairs[np.arange(shape[1]) >= a_counts[:, None]] = -2
        pairs[:, :, np.arange(shape[3]) >= b_counts[:, None]] = -2
        flat = pairs.transpose(0, 2, 1, 3).reshape(shape[0], shape[2], -1)
        chosen = np.maximum(np.rint(_TOP_SHARE * a_counts[:, None] * b_counts).astype(np.int64), 1)
        most = int(chosen.max())
        ranked = np.partition(flat, -most, axis=2)[..., -most:]
        ranked = np.cumsum(np.sort(ranked, axis=2)[..., ::-1], axis=2)
        top = np.take_along_axis(ranked, chosen[..., None] - 1, axis=2)[..., 0] / chosen
        means = np.stack(self._means[rows]) @ np.stack(self._means[columns]).T
        return np.asarray((means + top) / 2, np.float32)


def _padded_samples(tracklets: Sequence[Tracklet]) -> tuple[FloatArray, IntArray]:
    """(N, K, D) float32 samples, the rest of each tracklet's rows 0, and (N,) int64, how many each has."""
    counts = np.array([len(t.embeddings) for t in tracklets])
    samples = np.zeros((len(tracklets), int(counts.max()), tracklets[0].embeddings.shape[1]), np.float32)
    for k, t in enumerate(tracklets):
        samples[k, : counts[k]] = t.embeddings
    return samples, counts


def continuations(tracklets: Sequence[Tracklet], seconds: NDArray[np.float64]) -> list[Continuation]:
    """Which tracklets continue which, strongest first; each has at most one successor and one predecessor.

    A continuation lies in the same shot, begins within `CONTINUATION_GAP_S` after the end of the earlier tracklet and
    overlaps its last box, or that box extrapolated at its last speed. A face that replaces another one in continuous
    view continues nobody's.

    Args:
        tracklets: in any order.
        seconds: (F + 1,) float64, when each frame begins to be shown, and when the last one ends.
    """
    candidates = []
    by_start = sorted(range(len(tracklets)), key=lambda k: (tracklets[k].start, k))
    starts = np.array([tracklets[k].start for k in by_start])
    for a, first in enumerate(tracklets):
        last_frame = np.searchsorted(seconds, seconds[first.end] + CONTINUATION_GAP_S + 1e-9, side="right")
        for position in range(*np.searchsorted(starts, [first.end, last_frame])):
            b = by_start[position]
            second = tracklets[b]
            # Where its track was divided, the place is all that both faces have in common by definition.
            if second.shot != first.shot or (second.is_replacement and second.start == first.end):
                continue
            gap_s = float(seconds[second.start] - seconds[first.end])
            places = np.stack([first.boxes[-1], _predicted(first, second.start)])
            overlap = float(iou_matrix(places, second.boxes[:1]).max())
            if overlap >= _MIN_OVERLAP:
                candidates.append(Continuation(a, b, _LOG_ODDS * overlap * (1 - 0.5 * gap_s / CONTINUATION_GAP_S)))
    taken_earlier: set[int] = set()
    taken_later: set[int] = set()
    chosen = []
    for c in sorted(candidates, key=lambda c: (-c.log_odds, c.earlier, c.later)):
        if c.earlier not in taken_earlier and c.later not in taken_later:
            taken_earlier.add(c.earlier)
            taken_later.add(c.later)
            chosen.append(c)
    return chosen


def is_still(boxes: FloatArray, landmarks: FloatArray, life_s: float) -> bool:
    """Whether neither the place nor the features of a face move during at least `STILL_LIFE_S`.

    A portrait under a moving camera travels in the frame, so it is not recognised as still.

    Args:
        boxes: (T, 4) float32, xyxy px, of one tracklet.
        landmarks: (T, 5, 2) float32, px.
        life_s: seconds from the first to the last of them.
    """
    window = max(round(_STILL_SMOOTHING_S * len(boxes) / max(life_s, 1e-9)), 1)
    if life_s < STILL_LIFE_S or len(boxes) < 2 * window:
        return False
    size = float(np.median(np.sqrt(np.maximum(box_areas(boxes), 1e-6))))
    points = _moving_mean(landmarks / size, window)
    centre = points.mean(1, keepdims=True)
    shape = points - centre
    extent = np.sqrt((shape**2).sum(2).mean(1))
    change = float(np.sqrt(np.median(((shape - np.median(shape, axis=0)) ** 2).sum(2).mean(1))))
    growth = _spread(extent[:, None]) / max(float(np.median(extent)), 1e-9)
    return max(_spread(centre[:, 0]), growth) <= _STILL_TRAVEL and change <= _STILL_SHAPE


def _moving_mean(values: NDArray[np.floating], window: int) -> NDArray[np.float64]:
    total = np.cumsum(np.concatenate([np.zeros_like(values[:1]), values]), axis=0, dtype=np.float64)
    return np.asarray((total[window:] - total[:-window]) / window, np.float64)


def _spread(values: NDArray[np.floating]) -> float:
    # Percentiles, so that one bad detection does not make a portrait look alive.
    return float(np.linalg.norm(np.percentile(values, 95, axis=0) - np.percentile(values, 5, axis=0)))


def _predicted(tracklet: Tracklet, frame: int) -> FloatArray:
    """(4,) the last box extrapolated to `frame` at the speed of its last 8 rows, by at most its own size."""
    recent = tracklet.boxes[-8:]
    frames: IntArray = tracklet.frames[-8:]
    last: FloatArray = recent[-1]
    if len(recent) < 3:
        return last
    speed = (recent[-1] - recent[0]) / float(frames[-1] - frames[0])
    centre_speed = (speed[:2] + speed[2:]) / 2
    limit = last[2:] - last[:2]
    shift = np.clip(centre_speed * (frame - int(frames[-1])), -limit, limit)
    return np.asarray(last + np.tile(shift, 2), np.float32)
