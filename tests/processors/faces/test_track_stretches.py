"""The faces of a track, collected in stretches: where they are kept apart, and what they hold."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from core.media.video_frame import VideoFrame
from core.types import ByteArray, FloatArray
from processors.faces.appearance import Appearance
from processors.faces.stretch import Stretch
from processors.faces.stretch_people import FIRST_SAMPLES, MAX_STRETCHES, MIN_SURE_QUALITY
from processors.faces.track_division import Transition
from processors.faces.track_stretches import STRETCH_S, TrackStretches
from tests.material.made_up_looks import made_up_look
from tests.material.scripted_faces import landmarks_in
from utils.images.face_alignment import FACE_TEMPLATE, similarity_transform

RATE = 25.0
SIDE = 24
BOX = np.array([20, 20, 60, 60], np.float32)
CAPACITY = 4


class Embedder:
    """Knows a face by its colour: red, green or blue, each as unlike the others as can be."""

    name, side = "dlib", SIDE

    def __init__(self) -> None:
        self.asked = 0

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * SIDE)

    def embed(self, chips: ByteArray) -> FloatArray:
        self.asked += len(chips)
        colours = chips[:, SIDE // 2, SIDE // 2].astype(np.float32)
        return np.asarray(colours / np.linalg.norm(colours, axis=1, keepdims=True), np.float32)


class Frame:
    """An image of one colour."""

    placed = None
    width = height = 80

    def __init__(self, index: int, colour: int) -> None:
        self.index = index
        self.image = np.zeros((80, 80, 3), np.uint8)
        self.image[..., colour] = 200

    def planes(self) -> tuple[ByteArray]:
        return (np.full((80, 80), 120, np.uint8),)

    def patch(self, box: FloatArray) -> tuple[ByteArray, int, int]:
        return self.image, 0, 0


class Film:
    """Shows a track one face after the other; a face looks like itself only."""

    def __init__(self) -> None:
        self.embedder = Embedder()
        self.stretches = TrackStretches(self.embedder, CAPACITY, RATE)

    def show(
        self,
        start: int,
        end: int,
        person: int,
        *,
        look: int | FloatArray | None = None,
        shift: float = 0.0,
        score: float = 0.99,
    ) -> None:
        """Frames [start, end). look: what the face looks like; the person by default. shift: of the box, px."""
        box = BOX + np.float32(shift)
        seen = Appearance(
            100.0, look if isinstance(look, np.ndarray) else made_up_look(person if look is None else look)
        )
        for index in range(start, end):
            self.stretches.look(index, box, seen)
            if self.stretches.wants_sample(index):
                frame = cast(VideoFrame, Frame(index, person))
                self.stretches.offer(frame, box, score, landmarks_in(box[None])[0], seen)

    def finish(self) -> list[Stretch]:
        return self.stretches.finish()


def spans(stretches: list[Stretch]) -> list[tuple[int, int]]:
    return [(stretch.first, stretch.last) for stretch in stretches]


def colours(stretch: Stretch) -> set[int]:
    found: set[int] = {
        int(sample.embedding.argmax()) for sample in stretch.sampler.samples if sample.embedding is not None
    }
    return found


def test_a_calm_face_is_one_stretch_and_costs_no_more_than_its_samples() -> None:
    film = Film()
    film.show(0, 500, 0)
    (stretch,) = film.finish()
    assert (stretch.first, stretch.last) == (0, 499)
    assert len(stretch.sampler.samples) == FIRST_SAMPLES < CAPACITY
    assert film.embedder.asked == FIRST_SAMPLES, "the ends of a single stretch have nothing to be compared with"


def test_a_poor_face_gets_all_its_samples_embedded_however_alike_they_are() -> None:
    film = Film()
    film.show(0, 500, 0, score=0.6)
    (stretch,) = film.finish()
    assert max(sample.quality for sample in stretch.sampler.samples) < MIN_SURE_QUALITY
    assert len(stretch.sampler.samples) == film.embedder.asked == CAPACITY


def test_a_face_that_does_not_resemble_itself_gets_all_its_samples_embedded() -> None:
    film = Film()
    for k in range(10):
        film.show(50 * k, 50 * k + 50, k % 2, look=0)
    (stretch,) = film.finish()
    assert len(stretch.sampler.samples) == film.embedder.asked == CAPACITY
    assert all(sample.embedding is not None for sample in stretch.sampler.samples)


def test_another_face_in_the_same_place_begins_another_stretch_with_samples_of_its_own() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 130, 1)
    first, second = film.finish()
    assert spans([first, second]) == [(0, 59), (60, 129)]
    assert second.starts_person and not first.starts_person
    assert colours(first) == {0} and colours(second) == {1}
    assert first.sampler.portrait is not None and first.sampler.portrait.pixels[..., 0].mean() > 150
    assert second.sampler.portrait is not None and second.sampler.portrait.pixels[..., 1].mean() > 150


def test_one_person_who_looks_different_is_not_divided() -> None:
    """Turned away, hidden for a second, found elsewhere: the embedder knows the face."""
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 120, 0, look=5)
    film.show(150, 200, 0, look=6, shift=15)
    assert spans(film.finish()) == [(0, 199)]


def turning_film(views: int, rounds: int) -> Film:
    """One person who turns: each view for 1.6 s, all of them again and again. Turning takes three looks."""
    film = Film()
    for k in range(views * rounds):
        film.show(40 * k, 40 * k + 1, 0, look=views)
        film.show(40 * k + 1, 40 * k + 2, 0, look=views + 1)
        film.show(40 * k + 2, 40 * (k + 1), 0, look=k % views)
    return film


def test_somebody_who_keeps_moving_costs_a_face_a_view_and_not_a_moment() -> None:
    views = 5
    film = turning_film(views, rounds=1)
    assert spans(film.finish()) == [(0, 40 * views - 1)]
    assert film.embedder.asked <= views
    again = turning_film(views, rounds=3)
    assert spans(again.finish()) == [(0, 120 * views - 1)]
    assert again.embedder.asked <= views + FIRST_SAMPLES


def test_faces_that_were_compared_are_those_that_are_kept() -> None:
    film = turning_film(4, rounds=1)
    (stretch,) = film.finish()
    assert len(stretch.sampler.samples) == film.embedder.asked


def test_another_person_with_many_views_is_still_found() -> None:
    film = Film()
    for k in range(8):
        film.show(40 * k, 40 * (k + 1), k // 4, look=k)
    assert spans(film.finish()) == [(0, 159), (160, 319)]


def test_somebody_who_appears_where_another_was_lost() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(80, 140, 1, shift=15)
    assert spans(film.finish()) == [(0, 59), (80, 139)]


@pytest.mark.parametrize(("absent", "expected"), [(10, Transition.FOUND_AGAIN), (15, Transition.FOUND_ELSEWHERE)])
def test_the_same_place_says_little_after_half_a_second(absent: int, expected: Transition) -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60 + absent, 140, 1)
    assert [stretch.transition for stretch in film.finish()] == [Transition.CONTINUED, expected]


def alike_look(kind: int, other: int, correlation: float) -> FloatArray:
    """A look whose correlation with that of `kind` is about `correlation`; otherwise it is like that of `other`."""
    one, two = made_up_look(kind), made_up_look(other)
    rest = two - (two @ one) * one
    rest /= np.linalg.norm(rest)
    return np.asarray(correlation * one + np.sqrt(1 - correlation**2) * rest, np.float32)


def test_somebody_whose_face_looks_alike_at_a_glance_follows_in_the_same_place() -> None:
    """A jump cut between two people in one pose: the small images say that nothing has changed."""
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 130, 1, look=alike_look(0, 1, 0.78))
    first, second = film.finish()
    assert spans([first, second]) == [(0, 59), (60, 129)] and second.starts_person
    assert second.transition is Transition.SWITCHED
    assert colours(first) == {0} and colours(second) == {1}


def test_somebody_who_is_seen_for_a_second_between_two_appearances_of_another() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 85, 1)
    film.show(85, 150, 0)
    assert spans(film.finish()) == [(0, 59), (60, 84), (85, 149)]


def test_a_jump_cut_of_one_person_divides_nothing() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 130, 0, look=5)
    film.show(130, 160, 0)
    assert spans(film.finish()) == [(0, 159)]


def test_a_sudden_change_that_is_one_of_several_is_no_switch() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 62, 0, look=5)
    film.show(62, 130, 1)
    assert Transition.SWITCHED not in {stretch.transition for stretch in film.finish()}


def test_a_switch_knows_how_many_frames_were_not_looked_at() -> None:
    stretches = Film().stretches
    for frame in (0, 3, 6, 9):
        stretches.look(frame, BOX, Appearance(100.0, made_up_look(0)))
        assert stretches.switched_within == 0
    stretches.look(12, BOX, Appearance(100.0, made_up_look(1)))
    assert stretches.switched_within == 3
    stretches.look(15, BOX, Appearance(100.0, made_up_look(1)))
    assert stretches.switched_within == 0


def test_a_glimpse_of_another_face_divides_nothing() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 64, 1)
    film.show(64, 130, 0)
    assert spans(film.finish()) == [(0, 129)]


def test_both_sides_of_a_dissolve_stay_apart_even_if_they_show_one_person() -> None:
    film = Film()
    film.show(0, 100, 0)
    film.stretches.note_gradual_transition(60)  # known late
    film.show(100, 200, 0)
    film.stretches.note_gradual_transition(210)  # not come to yet
    film.show(200, 300, 0)
    stretches = film.finish()
    assert [stretch.starts_person for stretch in stretches] == [False] * len(stretches)
    assert [stretch.starts_part for stretch in stretches] == [False, True, True]
    assert all(stretch.sampler.portrait is not None for stretch in stretches)
    assert 60 <= stretches[1].first <= 60 + STRETCH_S * RATE


def test_memory_is_bounded_however_often_the_face_changes() -> None:
    film = Film()
    for shot in range(3 * MAX_STRETCHES):
        film.show(60 * shot, 60 * shot + 60, shot % 3)
    kept = [s for s in film.stretches.samples() if s.chip.size]
    assert len(kept) <= (MAX_STRETCHES + 4) * CAPACITY
    stretches = film.finish()
    assert [stretch.first for stretch in stretches] == [60 * shot for shot in range(3 * MAX_STRETCHES)]
    assert [colours(stretch) for stretch in stretches] == [{shot % 3} for shot in range(3 * MAX_STRETCHES)]


def test_a_track_that_was_never_shown() -> None:
    assert Film().finish() == []


def test_the_same_faces_give_the_same_result() -> None:
    def run() -> list[Any]:
        film = Film()
        film.show(0, 60, 0)
        film.show(60, 130, 1)
        return [(s.first, s.last, [x.frame for x in s.sampler.samples]) for s in film.finish()]

    assert run() == run()


def test_a_dissolve_ends_a_stretch_at_its_middle_and_leaves_its_faces_out() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 66, 2, look=0)  # mixtures, which resemble those before
    film.show(66, 75, 1, look=0)
    film.stretches.note_dissolve(59, 63, 66)
    film.show(75, 140, 1)
    first, second = film.finish()
    assert spans([first, second]) == [(0, 62), (63, 139)] and second.starts_person
    assert second.transition is Transition.DISSOLVED
    assert colours(first) == {0} and colours(second) == {1}
    for stretch in (first, second):
        assert stretch.sampler.portrait is not None and not 59 < stretch.sampler.portrait.frame < 66


def test_a_dissolve_to_the_same_person_divides_nothing() -> None:
    film = Film()
    film.show(0, 75, 0)
    film.stretches.note_dissolve(59, 63, 66)
    film.show(75, 140, 0)
    assert spans(film.finish()) == [(0, 139)]


def test_a_dissolve_of_which_only_mixtures_are_known_yet_belongs_to_the_faces_that_follow() -> None:
    film = Film()
    film.show(0, 60, 0)
    film.show(60, 66, 2)
    film.stretches.note_dissolve(59, 60, 66)
    film.show(90, 200, 1)
    first, second = film.finish()
    assert spans([first, second]) == [(0, 59), (60, 199)] and second.starts_person
    assert colours(first) == {0} and colours(second) == {1}
