"""Which tracks are faces."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.models.networks.model_spec import ScoreScale
from core.types import ByteArray, FloatArray
from processors.faces.face_sampler import FaceSample
from processors.faces.track_check import (
    MIN_DOUBTFUL_S,
    MIN_OPINION,
    MIN_QUICK_OPINION,
    MIN_SURE_OPINION,
    MIN_VISIBLE,
    SURE_CONFIRMATIONS,
    SURE_S,
    TrackCheck,
)
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

RATE = 20.0
MIN_FRAMES = 3
"""of a track at this rate"""
SCALE = ScoreScale(possible=0.1, seen=0.2, calm=0.3, sure=0.6, sure_track=0.5)
BEYOND_DOUBT, SURE, DOUBTFUL = 0.65, 0.55, 0.45
LONG = round(2 * MIN_DOUBTFUL_S * RATE)
"""frames of a track that is long enough to be asked about"""


class Verifier:
    """Has one opinion of all crops but the first."""

    def __init__(self, opinion: float = 1.0) -> None:
        self.opinion = opinion
        self.asked: list[int] = []
        self.seen: ByteArray | None = None

    def scores(self, crops: ByteArray) -> FloatArray:
        self.asked.append(len(crops))
        self.seen = crops
        return np.linspace(0, self.opinion, len(crops)).astype(np.float32)


def samples(count: int, levels: tuple[int, int] = (0, 200)) -> list[FaceSample]:
    """levels: of the halves of the verifier's crops."""
    chip, wide = np.zeros((8, 8, 3), np.uint8), np.full((200, 200, 3), levels[0], np.uint8)
    wide[:100] = levels[1]
    return [FaceSample(frame, 1 - 0.01 * frame, chip, wide, np.zeros(576, np.float32)) for frame in range(count)]


def track_of(length: int, *, score: float = SURE, confirmed: float = 1.0) -> Track:
    track = Track(7, full_searches=100, confirmations=round(100 * confirmed))
    for frame in range(length):
        box = np.array([10 + 2 * frame, 20, 30 + 2 * frame, 50], np.float32)
        track.append(frame, box, score, landmarks_in(box[None])[0])
    return track


class QuickVerifier:
    """Thinks that so many crops are faces, and nothing of the others."""

    def __init__(self, high: int, *, first_is_high: bool = True) -> None:
        self._high = range(high) if first_is_high else range(1, high + 1)
        self.asked: list[int] = []

    def scores(self, crops: ByteArray) -> FloatArray:
        self.asked.append(len(crops))
        return np.array([MIN_QUICK_OPINION + 0.01 if i in self._high else 0 for i in range(len(crops))], np.float32)


def is_face(track: Track, verifier: Verifier, count: int, quick: QuickVerifier | None = None) -> bool:
    detector = SimpleNamespace(score_scale=SCALE)
    models: Any = SimpleNamespace(verifier=verifier, quick_verifier=quick, detector=detector)
    return TrackCheck(models, RATE).is_face(track, samples(count))


def tilted(track: Track, degrees: float) -> Track:
    """The track with the landmarks of every face turned clockwise."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for row, points in enumerate(track.landmarks.stacked()):
        track.landmarks[row] = ((points - points.mean(0)) @ turn + points.mean(0)).astype(np.float32)
    return track


def test_of_tilted_faces_even_a_sure_track_needs_a_second_opinion() -> None:
    length = round(2 * SURE_S * RATE)
    assert is_face(tilted(track_of(length, score=BEYOND_DOUBT), 15), Verifier(0), 6)
    for opinion in (MIN_OPINION - 0.05, MIN_OPINION + 0.05):
        track = tilted(track_of(length, score=BEYOND_DOUBT), 40)
        assert is_face(track, Verifier(opinion), 6) == (opinion > MIN_OPINION)


def test_a_sure_track_needs_neither_samples_nor_a_second_opinion() -> None:
    verifier = Verifier()
    assert is_face(track_of(10), verifier, 0)
    assert verifier.asked == []


def test_a_short_track_needs_a_score_beyond_doubt_or_an_opinion_that_is_not_nothing() -> None:
    short, necklace, half_hidden = round(0.5 * RATE), Verifier(0.0), Verifier(MIN_SURE_OPINION + 0.05)
    assert is_face(track_of(round(SURE_S * RATE), score=SURE), necklace, 3)
    assert is_face(track_of(short, score=BEYOND_DOUBT), necklace, 3)
    assert necklace.asked == []
    assert not is_face(track_of(short, score=SURE), necklace, 3)
    assert is_face(track_of(short, score=SURE), half_hidden, 3)


def test_a_sure_track_that_neither_verifier_knows_is_no_face() -> None:
    """In a frozen image every full detection finds the same hand again."""
    length = round(2 * SURE_S * RATE)
    unknown, known = QuickVerifier(2, first_is_high=False), QuickVerifier(4, first_is_high=False)
    assert not is_face(track_of(length, score=BEYOND_DOUBT), Verifier(0.0), 6, unknown)
    assert is_face(track_of(length, score=BEYOND_DOUBT), Verifier(2 * MIN_SURE_OPINION), 6, unknown)
    slow = Verifier(0.0)
    assert is_face(track_of(length, score=BEYOND_DOUBT), slow, 6, known)
    assert slow.asked == []
    at_once = QuickVerifier(1)
    assert is_face(track_of(length, score=BEYOND_DOUBT), slow, 6, at_once)
    assert at_once.asked == [1], "the best sample is enough"
    assert is_face(track_of(length, score=BEYOND_DOUBT), Verifier(0.0), 1, unknown), "a single sample says too little"


def test_of_faces_that_the_frame_cuts_off_the_verifiers_know_too_little_to_speak_against_a_sure_track() -> None:
    track, unknown = track_of(round(2 * SURE_S * RATE), score=BEYOND_DOUBT), QuickVerifier(2, first_is_high=False)
    halves = [dataclasses.replace(sample, visible=MIN_VISIBLE - 0.1) for sample in samples(6)]
    models: Any = SimpleNamespace(
        detector=SimpleNamespace(score_scale=SCALE), verifier=Verifier(0.0), quick_verifier=unknown
    )
    check = TrackCheck(models, RATE)
    assert check.is_face(track, halves)
    assert not check.is_face(track, samples(6)), "whole ones"


def test_flicker_is_not_a_face() -> None:
    assert not is_face(track_of(MIN_FRAMES - 1), Verifier(), 1)
    assert is_face(track_of(MIN_FRAMES, score=BEYOND_DOUBT), Verifier(), 1)


@pytest.mark.parametrize(
    "doubt",
    [{"score": DOUBTFUL}, {"confirmed": SURE_CONFIRMATIONS - 0.1}, {"score": DOUBTFUL, "confirmed": 0.0}],
    ids=str,
)
def test_a_doubtful_track_is_what_the_second_opinion_says(doubt: dict[str, float]) -> None:
    track = track_of(LONG, **doubt)
    face, hand = Verifier(MIN_OPINION + 0.1), Verifier(MIN_OPINION - 0.1)
    assert is_face(track, face, 6)
    assert not is_face(track, hand, 6)
    assert len(face.asked) == len(hand.asked) == 1 and face.asked[0] <= 6


def test_a_doubtful_track_that_is_short_is_not_a_face() -> None:
    verifier = Verifier()
    short = round(MIN_DOUBTFUL_S * RATE) - 1
    assert not is_face(track_of(short, score=DOUBTFUL), verifier, 3)
    assert is_face(track_of(short, score=BEYOND_DOUBT), verifier, 3)
    assert verifier.asked == []


def test_a_doubtful_track_without_a_sample_is_not_a_face() -> None:
    verifier = Verifier()
    assert not is_face(track_of(LONG, score=DOUBTFUL), verifier, 0)
    assert verifier.asked == []


def test_if_most_quick_opinions_are_high_the_other_verifier_is_not_asked() -> None:
    track, verifier = track_of(LONG, score=DOUBTFUL), Verifier(0.0)
    assert is_face(track, verifier, 6, QuickVerifier(4)) and is_face(track, verifier, 2, QuickVerifier(2))
    assert verifier.asked == []


def test_few_high_quick_opinions_may_be_of_a_hand() -> None:
    track = track_of(LONG, score=DOUBTFUL)
    assert not is_face(track, Verifier(MIN_OPINION - 0.1), 6, QuickVerifier(2))
    assert is_face(track, Verifier(MIN_OPINION + 0.1), 6, QuickVerifier(2))
    assert not is_face(track, Verifier(0.0), 1, QuickVerifier(1))


def test_a_quick_opinion_makes_no_face_of_flicker() -> None:
    assert not is_face(track_of(round(MIN_DOUBTFUL_S * RATE) - 1, score=DOUBTFUL), Verifier(0.0), 6, QuickVerifier(6))


@pytest.mark.parametrize(
    ("levels", "shown"), [((0, 200), (0, 200)), ((4, 30), (0, 255)), ((180, 240), (0, 255))], ids=["", "dark", "pale"]
)
def test_the_verifier_sees_dark_and_pale_faces_with_all_tones(levels: tuple[int, int], shown: tuple[int, int]) -> None:
    """As the detector did, which found them only so."""
    verifier = Verifier()
    models: Any = SimpleNamespace(verifier=verifier, quick_verifier=None, detector=SimpleNamespace(score_scale=SCALE))
    assert TrackCheck(models, RATE).is_face(track_of(LONG, confirmed=0.0), samples(2, levels))
    assert verifier.seen is not None
    assert (verifier.seen.min(), verifier.seen.max()) == shown
