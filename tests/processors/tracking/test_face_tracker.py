"""Tracks of scripted faces: where they begin, what ends them, whom they belong to, when the detector is asked."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from config import AnalysisSettings
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.backward_tracking import SAME_FACE_OVERLAP
from processors.tracking.box_trackers import CascadeFollower
from processors.tracking.face_tracker import WEAKER, FrameAction
from processors.tracking.frame_pace import FramePace
from processors.tracking.second_opinion import Confirmation
from processors.tracking.track import MAX_STEP, Track
from processors.tracking.tracker_monitor import INTERVALS_S
from tests.material.scripted_faces import (
    NOTHING,
    PACE,
    RATE,
    SIDE_PX,
    Face,
    Film,
    ScriptedDetector,
    during,
    moving,
    outside,
    spans,
    still,
)
from utils.images.box_geometry import iou_matrix

PHASES = range(0, 13, 2)
"""where an event may lie between two looks for newcomers"""

LONGEST = PACE.frames(INTERVALS_S[0][1])
ALWAYS = 10**6


def assert_follows(track: Track, face: Face) -> None:
    """Every row is where the face is, in a frame that shows it."""
    assert all(face.visible(frame) for frame in track.frames)
    assert all(b > a for a, b in itertools.pairwise(track.frames))
    truth = np.stack([face.box(frame) for frame in track.frames])
    assert np.allclose(track.boxes.stacked(), truth, atol=0.5)
    assert len(track.frames) == len(track.boxes) == len(track.scores) == len(track.landmarks)


def assert_no_face_twice(tracks: list[Track]) -> None:
    """No two tracks hold the same face in the same frame."""
    for a, b in itertools.combinations(tracks, 2):
        for frame in set(a.frames) & set(b.frames):
            boxes = a.boxes[a.frames.index(frame)][None], b.boxes[b.frames.index(frame)][None]
            assert iou_matrix(*boxes)[0, 0] <= SAME_FACE_OVERLAP, f"tracks {a.id} and {b.id}, frame {frame}"


def stretches(tracks: list[Track]) -> list[list[tuple[int, int]]]:
    return [spans(t.frames) for t in tracks]


def seen(face: Face, end: int) -> list[tuple[int, int]]:
    return spans([f for f in range(end) if face.visible(f)])


@pytest.mark.parametrize("speed", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("flickers", [0, ALWAYS])
def test_a_face_is_one_track_from_the_first_to_the_last_frame(speed: float, flickers: int) -> None:
    face = Face(moving(50, 60, speed))
    tracks = Film(face, flickers=flickers).play(62)
    assert stretches(tracks) == [[(0, 62)]]
    assert_follows(tracks[0], face)


def test_a_face_that_starts_to_move_is_followed_all_along() -> None:
    """It was calm, and frames were skipped, until the frame at which it bolts."""
    for start in range(20, 26):
        face = Face(lambda frame, start=start: (60 + 8.0 * max(frame - start, 0), 60))  # type: ignore[misc]
        tracks = Film(face).play(56)
        assert stretches(tracks) == [[(0, 56)]]
        assert_follows(tracks[0], face)


def test_two_faces_stay_apart_when_they_pass_each_other() -> None:
    right, left = Face(moving(50, 60, 2)), Face(moving(250, 105, -2))
    tracks = Film(right, left).play(100)
    assert stretches(tracks) == [[(0, 100)]] * 2
    for track in tracks:
        assert_follows(track, right if track.boxes[0][0] < 100 else left)


@pytest.mark.parametrize("speed", [0.0, 2.0])
@pytest.mark.parametrize("phase", PHASES)
def test_a_newcomer_is_followed_backwards_to_its_first_frame(phase: int, speed: float) -> None:
    first = 30 + phase
    known, newcomer = Face(still(50, 50)), Face(moving(200, 60, speed), during(first, 10**6))
    tracks = Film(known, newcomer).play(75)
    assert stretches(tracks) == [[(0, 75)], [(first, 75)]]
    assert_follows(tracks[1], newcomer)


def test_a_face_that_detection_overlooks_at_first_is_followed_backwards_too() -> None:
    face = Face(moving(40, 60, 3), during(10, 10**6), found=during(25, 10**6))
    tracks = Film(face).play(60)
    assert stretches(tracks) == [[(10, 60)]]
    assert_follows(tracks[0], face)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("phase", PHASES)
def test_a_newcomer_of_the_last_frames_is_found_when_the_shot_ends(phase: int, length: int) -> None:
    end = 40 + phase
    tracks = Film(Face(still(60, 60), during(end - length, 10**6))).play(end)
    assert stretches(tracks) == [[(end - length, end)]]


def test_a_newcomer_is_followed_back_however_seldom_the_look_out() -> None:
    face = Face(still(60, 60), during(3, 10**6))
    tracks = Film(face, settings=AnalysisSettings(search_interval=2.0)).play(70)
    assert stretches(tracks) == [[(3, 70)]]


@pytest.mark.parametrize("speed", [0.0, 1.0])
def test_no_track_crosses_a_cut(speed: float) -> None:
    tracks = Film(Face(moving(50, 60, speed))).play(60, cuts=[20, 41])
    assert stretches(tracks) == [[(0, 20)], [(20, 41)], [(41, 60)]]
    assert len({t.id for t in tracks}) == 3


def test_a_newcomer_is_not_followed_backwards_over_a_cut() -> None:
    # The same place holds a face before the cut as well, and following alone would see no difference.
    face = Face(moving(60, 60, 1), found=during(34, 10**6))
    assert stretches(Film(face, flickers=ALWAYS).play(60, cuts=[30])) == [[(30, 60)]]


def test_a_hidden_face_does_not_come_back_after_a_cut() -> None:
    tracks = Film(Face(still(60, 60), outside(18, 24))).play(40, cuts=[20])
    assert stretches(tracks) == [[(0, 18)], [(24, 40)]]


def test_a_shot_begins_with_a_search_everywhere() -> None:
    film = Film(Face(still(60, 60)))
    film.play(40, cuts=[13, 14, 30])
    assert {0, 13, 14, 30} <= {frame for frame, everywhere in film.detector.searches if everywhere}


def test_ending_a_shot_without_frames_does_nothing() -> None:
    film = Film(Face(still(60, 60)))
    film.end_shot()
    film.end_shot()
    assert film.tracks == [] and film.detector.searches == []


@pytest.mark.parametrize("flickers", [0, ALWAYS])
@pytest.mark.parametrize("hidden", [1, 3, 4, 8, 12])
def test_a_short_occlusion_does_not_end_a_track(hidden: int, flickers: int) -> None:
    for phase in PHASES:
        face = Face(still(60, 60), outside(20 + phase, 20 + phase + hidden))
        tracks = Film(face, settings=AnalysisSettings(max_occlusion=0.8), flickers=flickers).play(90)
        assert stretches(tracks) == [seen(face, 90)], f"hidden from {20 + phase}"
        assert_follows(tracks[0], face)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [4, 6])
def test_a_face_is_found_again_where_it_was_at_the_last_look(hidden: int) -> None:
    """Hidden between two searches and back in its place: then both searches see the same image."""
    for last_change in range(84, 110):
        face = Face(still(60, 60), outside(last_change + 1, last_change + 1 + hidden))
        tracks = Film(face, flickers=last_change).play(170)
        assert stretches(tracks) == [seen(face, 170)], f"all else is still from {last_change} on"


def test_an_occlusion_as_long_as_allowed_does_not_end_a_track() -> None:
    for phase in PHASES:
        face = Face(still(60, 60), outside(20 + phase, 40 + phase))
        tracks = Film(face, settings=AnalysisSettings(max_occlusion=20 / RATE), flickers=ALWAYS).play(90)
        assert stretches(tracks) == [seen(face, 90)], f"hidden from {20 + phase}"


@pytest.mark.parametrize("phase", PHASES)
def test_a_longer_occlusion_ends_a_track_at_its_last_good_frame(phase: int) -> None:
    hidden, back = 20 + phase, 60 + phase
    film = Film(Face(still(60, 60), outside(hidden, back)), settings=AnalysisSettings(max_occlusion=0.8))
    assert stretches(film.play(100)) == [[(0, hidden)], [(back, 100)]]


@pytest.mark.parametrize("speed", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("last", range(30, 36))
def test_a_face_that_leaves_ends_at_its_last_frame(last: int, speed: float) -> None:
    tracks = Film(Face(moving(50, 60, speed), during(0, last + 1))).play(100)
    assert stretches(tracks) == [[(0, last + 1)]]


def test_somebody_else_far_away_does_not_continue_a_hidden_track() -> None:
    tracks = Film(Face(still(60, 60), during(0, 20)), Face(still(300, 60), during(24, 60))).play(60)
    assert stretches(tracks) == [[(0, 20)], [(24, 60)]]


def test_a_track_ended_by_a_long_absence_is_handed_out_while_the_video_continues() -> None:
    film = Film(Face(still(60, 60), during(0, 10)), settings=AnalysisSettings(max_occlusion=0.4))
    for frame in range(40):
        film.show(frame)
    assert stretches(film.tracks) == [[(0, 10)]]
    assert film.tracker.visible == []


@pytest.mark.parametrize("speed", [1, 2, 4])
def test_a_face_that_vanishes_behind_another_does_not_take_its_place(speed: int) -> None:
    """The one who walks is gone as soon as the two overlap by half; both tracks then reach for the one left."""
    front = Face(still(200, 60))
    gone_at = next(f for f in range(200) if abs(60 + speed * f - 200) < SIDE_PX * 0.3)
    walker = Face(moving(60, 60, speed), during(0, gone_at))
    tracks = Film(front, walker).play(gone_at + 40)
    assert_no_face_twice(tracks)
    by_length = sorted(tracks, key=lambda t: t.frames[-1], reverse=True)
    assert stretches(by_length) == [[(0, gone_at + 40)], [(0, gone_at)]]
    assert_follows(by_length[0], front)
    assert_follows(by_length[1], walker)


def test_a_second_detection_on_a_known_face_is_not_a_newcomer() -> None:
    twin = Face(still(206, 66), during(7, 10**6))
    assert len(Film(Face(still(200, 60)), twin, flickers=ALWAYS).play(100)) == 1


class LosingFollower(CascadeFollower):
    """Loses every face in some frames, though it is plainly there."""

    lost: frozenset[int] = frozenset()

    def __init__(self, detector: Any) -> None:
        super().__init__(detector)
        self._number_of = detector.number_of

    def follow(self, image: ByteArray, tracks: Any, boxes: FloatArray, rolls: FloatArray) -> Detections:
        found = super().follow(image, tracks, boxes, rolls)
        if self._number_of(image) not in self.lost:
            return found
        return Detections(found.boxes, np.full_like(found.scores, NOTHING), found.landmarks)


def losing(*frames: int) -> type[LosingFollower]:
    return type("Losing", (LosingFollower,), {"lost": frozenset(frames)})


@pytest.mark.parametrize(
    ("max_occlusion", "lost"),
    [
        (0.0, range(33, 36)),
        (0.1, range(31, 37)),
        (1.0, range(31, 37)),
    ],
)
def test_a_face_lost_by_mistake_is_not_reported_twice(max_occlusion: float, lost: range) -> None:
    face = Face(moving(50, 60, 1))
    settings = AnalysisSettings(max_occlusion=max_occlusion)
    tracks = Film(face, settings=settings, follower=losing(*lost), flickers=ALWAYS).play(80)
    assert_no_face_twice(tracks)
    covered = {frame for t in tracks for start, end in spans(t.frames) for frame in range(start, end)}
    assert set(range(80)) - set(lost) <= covered


def test_newcomers_are_looked_for_at_the_rate_of_the_setting() -> None:
    film = Film(Face(still(60, 60)), settings=AnalysisSettings(search_interval=0.24), flickers=ALWAYS)
    film.play(70)
    gaps = np.diff([frame for frame, _ in film.detector.searches])
    assert gaps[:-1].tolist() == [6] * (len(gaps) - 1)


def test_where_nothing_changes_nobody_is_looked_for() -> None:
    film = Film(Face(still(60, 60)))
    film.play(LONGEST)
    assert film.detector.searches == [(0, True)]


@pytest.mark.parametrize("flickers", [0, ALWAYS])
def test_a_tracker_that_never_fails_asks_for_a_full_detection_at_the_longest_interval(flickers: int) -> None:
    film = Film(Face(still(60, 60)), flickers=flickers)
    film.play(200)
    assert [frame for frame, everywhere in film.detector.searches if everywhere] == list(range(0, 200, LONGEST))


def test_a_tracker_that_often_fails_asks_more_often() -> None:
    film = Film(Face(still(60, 60)), follower=losing(*range(1, 200, 2)), flickers=ALWAYS)
    film.play(200)
    full = [frame for frame, everywhere in film.detector.searches if everywhere]
    assert np.diff(full).max() <= PACE.frames(INTERVALS_S[1][1])


def test_the_look_out_knows_where_faces_are() -> None:
    face = Face(moving(60, 60, 2))
    film = Film(face, flickers=ALWAYS)
    film.play(60)
    between = [frame for frame, everywhere in film.detector.searches if not everywhere]
    assert len(between) == len(film.detector.explained) > 2
    for frame, known in zip(between, film.detector.explained, strict=True):
        assert np.allclose(known, face.box(frame)[None], atol=0.5)


def test_update_says_what_was_done_with_each_frame() -> None:
    calm, busy = Film(Face(still(60, 60)), flickers=ALWAYS), Film(Face(moving(60, 60, 4)), flickers=ALWAYS)
    for film in (calm, busy):
        for frame in range(60):
            film.show(frame)
        searched = [frame for frame, action in enumerate(film.actions) if action is FrameAction.SEARCHED]
        assert searched == [frame for frame, _ in film.detector.searches]
    assert FrameAction.SKIPPED in calm.actions
    assert FrameAction.SKIPPED not in busy.actions[5:]


def test_only_a_follower_without_memory_may_skip_frames() -> None:
    class Remembering(CascadeFollower):
        stateless = False

    film = Film(Face(still(60, 60)), follower=Remembering)
    (track,) = film.play(40)
    assert FrameAction.SKIPPED not in film.actions
    assert track.frames.tolist() == list(range(40))


def test_statistics_count_what_was_done() -> None:
    film = Film(Face(still(60, 60), during(0, 30)), flickers=ALWAYS)
    film.play(60)
    counted = film.tracker.statistics
    searches = [everywhere for _, everywhere in film.detector.searches]
    assert counted["full_detections"] == sum(searches)
    assert counted["look_outs"] == len(searches) - sum(searches) > 0
    assert counted["faces_lost"] == 1
    assert 9 <= counted["faces_followed"] <= 29


def test_a_full_detection_confirms_what_it_finds_again() -> None:
    confirmed = Film(Face(still(60, 60))).play(200)[0]
    doubted = Film(Face(still(60, 60), found=during(0, 5))).play(200)[0]
    assert confirmed.full_searches == confirmed.confirmations >= 3
    assert doubted.full_searches == confirmed.full_searches and doubted.confirmations == 1


class Doubtful(ScriptedDetector):
    """Detects faces with this score."""

    def __init__(self, face: Face, score: float) -> None:
        super().__init__(face)
        self._score = score

    def detect(self, *args: object, **kwargs: object) -> list[Detections]:
        found = super().detect(*args, **kwargs)  # type: ignore[arg-type]
        return [Detections(f.boxes, np.full_like(f.scores, self._score), f.landmarks) for f in found]


def doubtful_film(score: float, face_score: float, confirm: Confirmation | None = None) -> list[Track]:
    face = Face(moving(60, 60, 1))
    settings = AnalysisSettings(face_score=face_score)
    return Film(face, settings=settings, detector=Doubtful(face, score), flickers=40, confirm=confirm).play(40)


def test_a_weak_detection_starts_no_track() -> None:
    assert len(doubtful_film(0.8, face_score=0.7)) == 1
    assert len(doubtful_film(0.8, face_score=0.9)) == 0


def test_a_weak_detection_that_is_confirmed_starts_a_track() -> None:
    asked: list[FloatArray] = []

    def confirm(image: ByteArray, box: FloatArray, landmarks: FloatArray) -> bool:
        asked.append(box)
        return len(asked) == 2

    (track,) = doubtful_film(0.8, face_score=0.9, confirm=confirm)
    assert len(asked) == 2 and asked[0] == pytest.approx(Face(moving(60, 60, 1)).box(0))
    assert track.frames[0] == 0, "it is followed back to its first frame"


def test_surer_and_far_weaker_detections_are_not_asked_about() -> None:
    def confirm(image: ByteArray, box: FloatArray, landmarks: FloatArray) -> bool:
        raise AssertionError("asked without need")

    assert len(doubtful_film(0.95, face_score=0.9, confirm=confirm)) == 1
    assert len(doubtful_film(0.89 - WEAKER, face_score=0.9, confirm=confirm)) == 0


def test_the_same_video_gives_the_same_tracks() -> None:
    faces = [
        Face(moving(50, 60, 3), outside(20, 26)),
        Face(moving(250, 70, -2), during(8, 70)),
        Face(still(150, 200), outside(30, 90)),
    ]
    first, second = (Film(*faces, follower=losing(11, 12, 47)).play(100, cuts=[60]) for _ in range(2))
    assert len(first) > 3
    assert [(t.id, t.frames, t.scores) for t in first] == [(t.id, t.frames, t.scores) for t in second]
    assert all(np.array_equal(a.boxes.stacked(), b.boxes.stacked()) for a, b in zip(first, second, strict=True))


def test_a_track_expects_its_face_where_its_velocity_leads() -> None:
    track, fast = Track(0), Track(1)
    landmarks = np.zeros((5, 2), np.float32)
    for frame in range(40):
        for moving_track, step in ((track, 2), (fast, 500)):
            box = np.array([step * frame, 0, step * frame + 40, 40], np.float32)
            moving_track.append(frame, box, 1.0, landmarks)
    track.hidden = fast.hidden = 1
    assert track.expected(PACE) == pytest.approx([80, 0, 120, 40], abs=0.1)
    assert fast.expected(PACE)[0] == pytest.approx(500 * 39 + MAX_STEP * 40), "no further than following can reach"


def test_a_face_in_doubt_counts_once_it_is_seen_again() -> None:
    landmarks = np.zeros((5, 2), np.float32)
    box = np.array([0, 0, 40, 40], np.float32)
    seen_again, never_again = Track(0), Track(1)
    for track in (seen_again, never_again):
        track.append(0, box, 1.0, landmarks)
        track.append_possible(1, box + 1, 0.2, landmarks)
    seen_again.append(2, box + 2, 1.0, landmarks)
    assert seen_again.frames.tolist() == [0, 1, 2] and seen_again.scores.tolist() == pytest.approx([1.0, 0.2, 1.0])
    assert never_again.frames.tolist() == [0]


FAST = FramePace(50.0)


def looked_at(film: Film) -> list[int]:
    return [frame for frame, action in enumerate(film.actions) if action is not FrameAction.SKIPPED]


@pytest.mark.parametrize("speed", [0.0, 3.0])
def test_twice_the_frames_cost_no_more_looks_a_second(speed: float) -> None:
    usual, fast = Film(Face(moving(50, 60, speed))), Film(Face(moving(50, 60, speed / 2)), pace=FAST)
    usual.play(75)
    (track,) = fast.play(150)
    assert len(looked_at(fast)) <= len(looked_at(usual)) + 3
    assert len(fast.detector.searches) <= len(usual.detector.searches) + 1
    assert spans(track.frames, FAST) == [(0, 150)]
    assert_follows(track, Face(moving(50, 60, speed / 2)))


@pytest.mark.parametrize("speed", [0.0, 1.5])
@pytest.mark.parametrize("first", [60, 61, 67, 74])
def test_with_twice_the_frames_a_newcomer_still_has_its_very_first_one(first: int, speed: float) -> None:
    known, newcomer = Face(still(50, 50)), Face(moving(150, 60, speed), during(first, 10**6))
    tracks = Film(known, newcomer, pace=FAST).play(150)
    assert [spans(track.frames, FAST) for track in tracks] == [[(0, 150)], [(first, 150)]]
    assert_follows(tracks[1], newcomer)


def test_with_twice_the_frames_a_face_that_was_hidden_for_a_moment_stays_one_track() -> None:
    face = Face(moving(50, 60, 1.0), outside(60, 80))
    (track,) = Film(face, pace=FAST).play(150)
    (before, lost), (found, end) = spans(track.frames, FAST)
    assert (before, end) == (0, 150) and lost in (59, 60) and found in (80, 81)


def test_with_twice_the_frames_a_calm_face_that_bolts_is_followed() -> None:
    for start in range(50, 57):
        face = Face(lambda frame, start=start: (60 + 5.0 * max(frame - start, 0), 60))  # type: ignore[misc]
        tracks = Film(face, pace=FAST).play(100)
        assert [spans(track.frames, FAST) for track in tracks] == [[(0, 100)]]
        assert_follows(tracks[0], face)


def test_where_frames_come_slowly_a_calm_face_is_looked_at_in_each() -> None:
    """A variable rate: a second of 50 frames, then 10 frames, 0.12 s each."""
    film = Film(Face(still(60, 60)), pace=FAST)
    for frame in range(60):
        film.show(frame, tick=frame if frame < 50 else 50 + 6 * (frame - 50))
    looks = looked_at(film)
    assert sum(frame < 50 for frame in looks) <= 11
    assert [frame for frame in looks if frame >= 51] == list(range(51, 60))
