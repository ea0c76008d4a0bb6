"""Finds people who are seen twice at once: beside a screen that shows them, in a mirror, or in a repeated panel.

Two faces in one frame are two people, unless they are as alike as two people never are and also move alike: at once or
up to a second apart, as they are or mirrored. Twins do not speak and turn their heads in step, and a portrait on a
wall does not move.

A video that is sure to show somebody twice does so again: a call with a large tile of whoever speaks beside small tiles
of all. There, faces as alike are one person also where too little motion is seen to tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.models.similarity import Similarity
from core.types import FaceAnalysis, FloatArray, IntArray, Tracklet
from processors.people.tracklet_evidence import duplicate_tracklets

MIN_SIMILARITY = 0.98
"""by the strict curve of single faces; its 0.5 is where few pairs of two people reach"""

MIN_AGREEMENT = 0.7
"""correlation of how two faces change"""

MIN_AGREEMENT_ELSEWHERE = 0.6
"""the same where the video is sure to show somebody twice at another moment. One pair of strangers in twenty reaches
0.6; copies whose faces move clearly have 0.63 or more"""

CLEAR_MOTION = 0.02
"""root mean square by which a shape of unit length changes, from which a copy's motion outweighs the noise of landmarks
of small, compressed faces (45 px high at crf 31)"""

MIN_COMMON_S = 2.0
"""shortest time for which two faces have to be compared, s"""

MAX_DELAY_S = 1.0
"""by how much a screen may be late, s"""

COVERED = 0.9
"""share of a tracklet's frames in which the other face has to be seen, too, for one clip to show all of it"""

MIN_CHANGE = 0.005
"""least root mean square by which a shape of unit length changes; of what moves less, rounding errors may agree (living
faces of the made and shared clips have 0.011 or more)"""

_SIMILAR_PAIRS = 0.25
"""share of the pairs of samples, most similar first, that counts: a view of one may be missing in the other"""

_SMOOTHED_FRAMES = 5
"""frames over which landmarks are averaged: of small faces they jitter"""

_MIRRORED = [1, 0, 2, 4, 3]
"""which landmark is where in a mirror"""


def second_tracklets(tracklets: Sequence[Tracklet], together: IntArray, analysis: FaceAnalysis) -> NDArray[np.bool_]:
    """(N,) bool: the tracklet is no evidence of a person, because another one shows the same person at the same time.

    Either both lie on one face, or somebody is seen twice. As for `repeated_tracklets`, and it raises the same.
    """
    size = (analysis.video.width, analysis.video.height)
    return duplicate_tracklets(tracklets, size) | (repeated_tracklets(tracklets, together, analysis) >= 0)


def repeated_tracklets(tracklets: Sequence[Tracklet], together: IntArray, analysis: FaceAnalysis) -> IntArray:
    """(N,) int64: position of the tracklet that shows the same person at the same time, usually larger; -1 without one.

    tracklets: N. together: (K, 2) int64, positions of those seen in one frame. analysis: of their video.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    repeats = np.full(len(tracklets), -1, np.int64)
    rate, alike = float(analysis.video.frame_rate), _alike_pairs(tracklets, together, analysis)
    agreements = [motion_agreement(tracklets[one], tracklets[other], rate) for one, other in alike]
    shows_copies = max(agreements, default=0.0) >= MIN_AGREEMENT
    for (one, other), agreement in zip(alike, agreements, strict=True):
        a, b = tracklets[one], tracklets[other]
        least = MIN_AGREEMENT_ELSEWHERE if shows_copies else MIN_AGREEMENT
        is_copy = agreement >= least or (shows_copies and not tells_motion(a, b, rate))
        if max(repeats[[one, other]]) >= 0 or not is_copy:
            continue
        larger, smaller = sorted((one, other), key=lambda k: (-_height(tracklets[k]), k))
        for kept, left in ((larger, smaller), (smaller, larger)):
            if np.isin(tracklets[left].frames, tracklets[kept].frames).mean() >= COVERED:
                repeats[left] = kept
                break
    return repeats


def motion_agreement(a: Tracklet, b: Tracklet, rate: float) -> float:
    """Correlation in [-1, 1] of how the shapes of two faces change, at the best delay, mirrored or not; 0.0 if too
    little is seen of both. rate: frames per second.

    Shapes are freed from place, size and roll, which a moving camera changes for all faces alike. Frames in which a
    face was hidden do not count: their landmarks are interpolated.
    """
    seen_a, seen_b = a.scores > 0, b.scores > 0
    least = MIN_COMMON_S * rate
    if min(seen_a.sum(), seen_b.sum()) < least:
        return 0.0
    first = face_shapes(a.landmarks[seen_a])
    best, delay = 0.0, round(MAX_DELAY_S * rate)
    frames_a, frames_b, seen = a.frames[seen_a], b.frames[seen_b], b.landmarks[seen_b]
    for landmarks in (seen, seen[:, _MIRRORED] * np.array([-1, 1], np.float32)):
        second = face_shapes(landmarks)
        for lag in range(-delay, delay + 1):
            _, mine, its = np.intersect1d(frames_a, frames_b + lag, assume_unique=True, return_indices=True)
            if len(mine) >= least:
                best = max(best, _correlation(first[mine], second[its]))
    return best


def tells_motion(a: Tracklet, b: Tracklet, rate: float) -> bool:
    """Whether two faces are seen together for long enough, and change enough, to tell a copy by how they move."""
    common = np.intersect1d(a.frames[a.scores > 0], b.frames[b.scores > 0], assume_unique=True)
    if len(common) < MIN_COMMON_S * rate:
        return False
    return min(_spread(face_shapes(t.landmarks[t.scores > 0])) for t in (a, b)) >= CLEAR_MOTION


def face_shapes(landmarks: FloatArray) -> NDArray[np.float64]:
    """(T, 10) float64: landmarks (T, 5, 2), averaged over a few frames, without place, size and roll (Procrustes)."""
    points = landmarks[..., 0] + 1j * landmarks[..., 1].astype(np.float64)
    points = points - points.mean(1, keepdims=True)
    points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    for _ in range(2):
        mean = points.mean(0)
        points = points * np.exp(-1j * np.angle(points @ mean.conj()))[:, None]
    window = np.ones(_SMOOTHED_FRAMES)
    count = np.convolve(np.ones(len(points)), window, "same")[: len(points)]
    columns = np.concatenate([points.real, points.imag], axis=1).T
    smooth = [np.convolve(column, window, "same")[: len(points)] / count for column in columns]
    return np.stack(smooth, axis=1)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """(T, 10) each; 0.0 where one of them hardly changes."""
    spread_a, spread_b = _spread(a), _spread(b)
    if min(spread_a, spread_b) < MIN_CHANGE:
        return 0.0
    return float(((a - a.mean(0)) * (b - b.mean(0))).sum(1).mean()) / (spread_a * spread_b)


def _spread(shapes: NDArray[np.float64]) -> float:
    """Root mean square by which shapes, (T, 10), depart from their mean."""
    return float(np.sqrt(((shapes - shapes.mean(0)) ** 2).sum(1).mean()))


def _alike_pairs(tracklets: Sequence[Tracklet], together: IntArray, analysis: FaceAnalysis) -> list[tuple[int, int]]:
    """Those of the pairs `together`, within one shot, that are as alike as two people never are."""
    similarity = Similarity.for_embedder(analysis.embedder)
    pairs = []
    for one, other in together.tolist():
        a, b = tracklets[one], tracklets[other]
        if a.shot != b.shot or not len(a.embeddings) or not len(b.embeddings):
            continue
        if similarity.from_cosine(_cosine(a, b)) >= MIN_SIMILARITY:
            pairs.append((one, other))
    return pairs


def _cosine(a: Tracklet, b: Tracklet) -> float:
    """Mean cosine of the most similar pairs of samples."""
    cosines = np.sort((a.embeddings @ b.embeddings.T).ravel())
    return float(cosines[-max(1, round(_SIMILAR_PAIRS * len(cosines))) :].mean())


def _height(tracklet: Tracklet) -> float:
    return float(np.median(tracklet.boxes[:, 3] - tracklet.boxes[:, 1]))
