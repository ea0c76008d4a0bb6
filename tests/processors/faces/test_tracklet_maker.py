"""What becomes of a track: nobody, or a tracklet in source pixels, cut where the shots end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.types import ByteArray, FloatArray, Shot, Tracklet
from processors.faces.face_sampler import FaceSample
from processors.faces.tracklet_maker import (
    FACE_OPINION,
    MIN_DOUBTFUL_S,
    MIN_FRAMES,
    SURE_HITS,
    SURE_SCORE,
    TrackletMaker,
    cut_at_shots,
    without_gaps,
)
from processors.tracking.row_buffer import Measurements
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

RATE = 20.0
SCALE = np.array([2.0, 3.0], np.float32)
SURE = min(SURE_SCORE + 0.05, 1.0)
DOUBTFUL = SURE_SCORE - 0.1
LONG = round(2 * MIN_DOUBTFUL_S * RATE)
"""frames of a track that is long enough to be asked about"""


class Models:
    """A recognition network that answers with the chip's first number, and a verifier with one opinion."""

    def __init__(self, opinion: float = 1.0) -> None:
        self.opinion = opinion
        self.asked: list[int] = []
        self.embedder = SimpleNamespace(side=8, embed=self._embed)
        self.verifier = SimpleNamespace(scores=self._scores)

    def _embed(self, chips: ByteArray) -> FloatArray:
        return np.stack([chips[:, 0, 0, 0], np.ones(len(chips))], 1).astype(np.float32)

    def _scores(self, crops: ByteArray) -> FloatArray:
        self.asked.append(len(crops))
        return np.linspace(0, self.opinion, len(crops)).astype(np.float32)


def make(
    track: Track, models: Models | None = None, samples: list[FaceSample] | None = None, **sharp: Any
) -> Tracklet | None:
    shared: Any = models or Models()
    chosen = samples_at(track.frames[0]) if samples is None else samples
    measured = Measurements()
    for frame, value in sharp.get("sharpness", {}).items():
        measured.note(frame, value)
    return TrackletMaker(shared, SCALE, RATE).make(track, measured, chosen, b"jpeg")


def samples_at(*frames: int) -> list[FaceSample]:
    chip, wide = np.zeros((8, 8, 3), np.uint8), np.zeros((200, 200, 3), np.uint8)
    return [FaceSample(f, 1 - 0.01 * i, np.full_like(chip, f), wide) for i, f in enumerate(frames)]


def track_over(frames: list[int], *, score: float = SURE, hits: float = 1.0, speed: float = 2.0) -> Track:
    track = Track(7, looks=100, hits=round(100 * hits))
    for frame in frames:
        box = np.array([10 + speed * frame, 20, 30 + speed * frame, 50], np.float32)
        track.append(frame, box, score, landmarks_in(box[None])[0])
    return track


def test_boxes_and_landmarks_are_in_source_pixels() -> None:
    tracklet = make(track_over(list(range(5, 15))))
    assert tracklet is not None and tracklet.id == 7
    assert tracklet.frames.tolist() == list(range(5, 15))
    assert tracklet.boxes[0] == pytest.approx([2 * 20, 3 * 20, 2 * 40, 3 * 50])
    assert tracklet.landmarks == pytest.approx(landmarks_in(tracklet.boxes), rel=1e-5)
    assert tracklet.scores == pytest.approx(np.full(10, SURE))
    assert tracklet.face_jpeg == b"jpeg"


def test_the_samples_keep_their_order_and_their_embeddings() -> None:
    tracklet = make(track_over(list(range(10))), samples=samples_at(6, 2, 9))
    assert tracklet is not None
    assert tracklet.sample_frames.tolist() == [6, 2, 9]
    assert tracklet.embeddings[:, 0].tolist() == [6, 2, 9]
    assert tracklet.sample_quality == pytest.approx([1, 0.99, 0.98])


def test_a_sure_track_needs_neither_samples_nor_a_second_opinion() -> None:
    models = Models()
    tracklet = make(track_over(list(range(10))), models, [])
    assert tracklet is not None and len(tracklet.embeddings) == 0 and tracklet.embedding is None
    assert models.asked == []


def test_flicker_is_nobody() -> None:
    assert make(track_over(list(range(MIN_FRAMES - 1)))) is None
    assert make(track_over(list(range(MIN_FRAMES)))) is not None


@pytest.mark.parametrize(
    "doubt", [{"score": DOUBTFUL}, {"hits": SURE_HITS - 0.1}, {"score": DOUBTFUL, "hits": 0.0}], ids=str
)
def test_a_doubtful_track_is_what_the_second_opinion_says(doubt: dict[str, float]) -> None:
    track = track_over(list(range(LONG)), **doubt)
    samples = samples_at(1, 2, 3, 4, 5, 6)
    face, hand = Models(FACE_OPINION + 0.1), Models(FACE_OPINION - 0.1)
    assert make(track, face, samples) is not None
    assert make(track, hand, samples) is None
    assert len(face.asked) == len(hand.asked) == 1 and face.asked[0] <= len(samples)


def test_a_doubtful_track_that_is_short_is_nobody() -> None:
    models = Models()
    short = list(range(round(MIN_DOUBTFUL_S * RATE) - 1))
    assert make(track_over(short, score=DOUBTFUL), models, samples_at(0, 1, 2)) is None
    assert make(track_over(short), models, samples_at(0, 1, 2)) is not None
    assert models.asked == []


def test_a_doubtful_track_without_a_picture_is_nobody() -> None:
    models = Models()
    assert make(track_over(list(range(LONG)), score=DOUBTFUL), models, []) is None
    assert models.asked == []


def test_a_hidden_face_keeps_its_place_with_score_0() -> None:
    track = track_over([0, 1, 2, 6, 7])
    tracklet = make(track)
    assert tracklet is not None
    assert tracklet.frames.tolist() == list(range(8))
    assert np.flatnonzero(tracklet.scores == 0).tolist() == [3, 4, 5]
    assert tracklet.boxes[:, 0] == pytest.approx(2 * (10 + 2 * np.arange(8)))


def test_rows_between_are_linear() -> None:
    rows = without_gaps(np.array([3, 5, 9]), np.array([[0, 1], [2, 1], [10, 5]], np.float32))
    assert rows.tolist() == [[0, 1], [1, 1], [2, 1], [4, 2], [6, 3], [8, 4], [10, 5]]


def test_rows_without_a_measurement_take_the_nearest_sharpness() -> None:
    tracklet = make(track_over(list(range(10))), sharpness={4: 40.0, 5: 50.0, 8: 80.0})
    assert tracklet is not None
    assert tracklet.sharpness.tolist() == [40, 40, 40, 40, 40, 50, 50, 80, 80, 80]


def test_without_any_measurement_sharpness_is_0() -> None:
    tracklet = make(track_over(list(range(4))))
    assert tracklet is not None and tracklet.sharpness.tolist() == [0] * 4


def shots(*ends: int) -> list[Shot]:
    return [Shot(i, start, end, "cut") for i, (start, end) in enumerate(zip((0, *ends), ends, strict=False))]


def whole(frames: int = 30) -> Tracklet:
    tracklet = make(track_over(list(range(frames))), samples=samples_at(25, 3, 12, 1))
    assert tracklet is not None
    return tracklet


def test_a_tracklet_within_a_shot_stays_whole() -> None:
    (piece,) = cut_at_shots(whole(), shots(40, 80))
    assert piece.shot == 0 and len(piece.frames) == 30
    assert piece.sample_frames.tolist() == [25, 3, 12, 1]


def test_every_shot_gets_its_rows_and_its_samples() -> None:
    tracklet = whole()
    pieces = cut_at_shots(tracklet, shots(10, 20, 40))
    assert [(p.shot, p.start, p.end) for p in pieces] == [(0, 0, 10), (1, 10, 20), (2, 20, 30)]
    assert [p.sample_frames.tolist() for p in pieces] == [[3, 1], [12], [25]]
    assert [p.embeddings[:, 0].tolist() for p in pieces] == [[3, 1], [12], [25]]
    assert np.array_equal(np.concatenate([p.boxes for p in pieces]), tracklet.boxes)


def test_a_piece_that_is_too_short_is_dropped() -> None:
    pieces = cut_at_shots(whole(), shots(30 - MIN_FRAMES + 1, 60))
    assert [p.shot for p in pieces] == [0]


def test_a_piece_begins_and_ends_with_a_face_that_is_seen() -> None:
    hidden_over_the_cut = make(track_over([*range(12), *range(20, 30)]))
    assert hidden_over_the_cut is not None
    pieces = cut_at_shots(hidden_over_the_cut, shots(15, 40))
    assert [(p.start, p.end) for p in pieces] == [(0, 12), (20, 30)]
