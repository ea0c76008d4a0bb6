"""Tracks of scripted faces: where they begin, what ends them, whom they belong to, when the detector is asked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from config import AnalysisSettings
from core.types import ByteArray, Detections, FloatArray
from processors.box_followers import CascadeFollower
from processors.face_tracker import SAME_FACE_OVERLAP
from processors.track import MAX_STEP, Track
from processors.tracker_monitor import INTERVALS
from tests.processors.scripted_faces import (
    NOTHING,
    RATE,
    SIDE_PX,
    Face,
    Film,
    ScriptedDetector,
    during,
    moving,
    number_of,
    numbered_picture,
    outside,
    still,
)
from utils.geometry import iou_matrix

PHASES = range(5)
"""where an event lies between two looks for newcomers"""


def assert_follows(track: Track, face: Face) -> None:
    truth = np.stack([face.box(frame) for frame in track.frames])
    assert np.allclose(np.stack(track.boxes), truth, atol=0.5)
    assert len(track.frames) == len(track.boxes) == len(track.scores) == len(track.landmarks)


def assert_no_face_twice(tracks: list[Track]) -> None:
    """No two tracks hold the same face in the same frame."""
    for a, b in itertools.combinations(tracks, 2):
        for frame in set(a.frames) & set(b.frames):
            boxes = a.boxes[a.frames.index(frame)], b.boxes[b.frames.index(frame)]
            assert iou_matrix(boxes[0][None], boxes[1][None])[0, 0] <= SAME_FACE_OVERLAP, (
                f"tracks {a.id} and {b.id}, frame {frame}"
            )


def test_a_moving_face_is_one_track_with_a_row_for_every_frame() -> None:
    face = Face(moving(50, 60, 3))
    (track,) = Film(face).play(60)
    assert track.frames == list(range(60))
    assert_follows(track, face)


def test_two_faces_stay_apart_when_they_pass_each_other() -> None:
    right, left = Face(moving(50, 60, 2)), Face(moving(250, 105, -2))
    tracks = Film(right, left).play(100)
    assert len(tracks) == 2
    for track in tracks:
        face = right if track.boxes[0][0] < 100 else left
        assert track.frames == list(range(100))
        assert_follows(track, face)


@pytest.mark.parametrize("phase", PHASES)
def test_a_newcomer_is_followed_backwards_to_its_first_frame(phase: int) -> None:
    first = 30 + phase
    known, newcomer = Face(still(50, 50)), Face(moving(200, 60, 2), during(first, 10**6))
    tracks = Film(known, newcomer).play(60)
    assert [t.frames for t in tracks] == [list(range(60)), list(range(first, 60))]
    assert_follows(tracks[1], newcomer)


def test_a_face_that_detection_overlooks_at_first_is_followed_backwards_too() -> None:
    face = Face(moving(40, 60, 3), during(10, 10**6), found=during(25, 10**6))
    (track,) = Film(face).play(50)
    assert track.frames == list(range(10, 50))
    assert_follows(track, face)


def test_a_newcomer_of_the_last_frames_is_found_when_the_shot_ends() -> None:
    film = Film(Face(still(60, 60), during(47, 10**6)))
    shot_ends_between_two_looks = 49
    (track,) = film.play(shot_ends_between_two_looks)
    assert track.frames == [47, 48]


@pytest.mark.xfail(reason="one second of pictures is kept, the look-out may come every two")
def test_a_newcomer_is_followed_back_however_seldom_the_look_out() -> None:
    face = Face(still(60, 60), during(3, 10**6))
    (track,) = Film(face, settings=AnalysisSettings(look_out=2.0)).play(70)
    assert track.frames[0] == 3


def test_no_track_crosses_a_cut() -> None:
    film = Film(Face(moving(50, 60, 1)))
    tracks = film.play(60, cuts=[20, 41])
    assert [t.frames for t in tracks] == [list(range(20)), list(range(20, 41)), list(range(41, 60))]
    assert len({t.id for t in tracks}) == 3


def test_a_newcomer_is_not_followed_backwards_over_a_cut() -> None:
    # The same place holds a face before the cut as well, and following alone would see no difference.
    face = Face(still(60, 60), found=during(34, 10**6))
    (track,) = Film(face).play(60, cuts=[30])
    assert track.frames == list(range(30, 60))


def test_a_hidden_face_does_not_come_back_after_a_cut() -> None:
    tracks = Film(Face(still(60, 60), outside(18, 24))).play(40, cuts=[20])
    assert [t.frames for t in tracks] == [list(range(18)), list(range(24, 40))]


def test_a_shot_begins_with_a_search_everywhere() -> None:
    film = Film(Face(still(60, 60)))
    film.play(40, cuts=[13, 14, 30])
    assert {0, 13, 14, 30} <= {frame for frame, everywhere in film.detector.searches if everywhere}


def test_ending_a_shot_without_pictures_does_nothing() -> None:
    film = Film(Face(still(60, 60)))
    film.tracker.end_shot()
    film.tracker.end_shot()
    assert film.tracks == []


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("hidden", [1, 5, 12])
def test_a_short_occlusion_does_not_end_a_track(hidden: int, phase: int) -> None:
    face = Face(still(60, 60), outside(20 + phase, 20 + phase + hidden))
    (track,) = Film(face, settings=AnalysisSettings(max_occlusion=0.8)).play(80)
    assert track.frames == [f for f in range(80) if face.visible(f)]
    assert_follows(track, face)


@pytest.mark.xfail(reason="a face visible again waits for the next look-out, and its track is dropped before that")
def test_an_occlusion_as_long_as_allowed_does_not_end_a_track() -> None:
    for phase in PHASES:
        face = Face(still(60, 60), outside(20 + phase, 40 + phase))
        tracks = Film(face, settings=AnalysisSettings(max_occlusion=20 / RATE)).play(80)
        assert [t.frames for t in tracks] == [[f for f in range(80) if face.visible(f)]]


@pytest.mark.parametrize("phase", PHASES)
def test_a_longer_occlusion_ends_a_track_at_its_last_good_frame(phase: int) -> None:
    film = Film(Face(still(60, 60), outside(20 + phase, 50 + phase)), settings=AnalysisSettings(max_occlusion=0.8))
    tracks = film.play(80)
    assert [t.frames for t in tracks] == [list(range(20 + phase)), list(range(50 + phase, 80))]


def test_a_face_that_leaves_ends_at_its_last_frame() -> None:
    tracks = Film(Face(moving(50, 60, 4), during(0, 33))).play(100)
    assert [t.frames for t in tracks] == [list(range(33))]


def test_somebody_else_far_away_does_not_continue_a_hidden_track() -> None:
    tracks = Film(Face(still(60, 60), during(0, 20)), Face(still(300, 60), during(24, 60))).play(60)
    assert [t.frames for t in tracks] == [list(range(20)), list(range(24, 60))]


def test_a_track_ended_by_a_long_absence_is_handed_out_while_the_film_goes_on() -> None:
    film = Film(Face(still(60, 60), during(0, 10)), settings=AnalysisSettings(max_occlusion=0.4))
    for frame in range(40):
        film.tracker.update(frame, numbered_picture(frame))
    assert [t.frames for t in film.tracks] == [list(range(10))]
    assert film.tracker.visible == []


@pytest.mark.parametrize("speed", [2, 4])
def test_a_face_that_vanishes_behind_another_does_not_take_its_place(speed: int) -> None:
    """The one who walks is gone as soon as the two overlap by half; both tracks then reach for the one left."""
    front = Face(still(200, 60))
    gone_at = next(f for f in range(200) if abs(60 + speed * f - 200) < SIDE_PX * 0.3)
    walker = Face(moving(60, 60, speed), during(0, gone_at))
    tracks = Film(front, walker).play(gone_at + 40)
    assert_no_face_twice(tracks)
    by_length = sorted(tracks, key=lambda t: -len(t.frames))
    assert [t.frames for t in by_length] == [list(range(gone_at + 40)), list(range(gone_at))]
    assert_follows(by_length[0], front)
    assert_follows(by_length[1], walker)


def test_a_second_detection_on_a_known_face_is_no_newcomer() -> None:
    twin = Face(lambda frame: (206.0, 66.0))
    tracks = Film(Face(still(200, 60)), Face(twin.path, found=during(7, 10**6), visible=during(7, 10**6))).play(60)
    assert len(tracks) == 1


class LosingFollower(CascadeFollower):
    """Loses every face in some frames, though it is plainly there."""

    lost: frozenset[int] = frozenset()

    def follow(self, picture: ByteArray, tracks: object, boxes: FloatArray) -> Detections:
        found = super().follow(picture, tracks, boxes)  # type: ignore[arg-type]
        if number_of(picture) not in self.lost:
            return found
        return Detections(found.boxes, np.full_like(found.scores, NOTHING), found.landmarks)


def losing(*frames: int) -> type[LosingFollower]:
    return type("Losing", (LosingFollower,), {"lost": frozenset(frames)})


NEVER_TWICE = "following backwards does not see the rows of tracks that have ended already"


@pytest.mark.parametrize(
    ("max_occlusion", "lost"),
    [
        pytest.param(0.0, (33,), marks=pytest.mark.xfail(reason=NEVER_TWICE)),
        pytest.param(0.1, (31, 32, 33), marks=pytest.mark.xfail(reason=NEVER_TWICE)),
        (1.0, (31, 32, 33)),
    ],
)
def test_a_face_lost_by_mistake_is_not_reported_twice(max_occlusion: float, lost: tuple[int, ...]) -> None:
    face = Face(moving(50, 60, 1))
    film = Film(face, settings=AnalysisSettings(max_occlusion=max_occlusion), follower=losing(*lost))
    tracks = film.play(60)
    assert_no_face_twice(tracks)
    assert set(range(60)) - set(lost) <= {frame for t in tracks for frame in t.frames}


def test_newcomers_are_looked_for_at_the_rate_of_the_setting() -> None:
    film = Film(Face(still(60, 60)), settings=AnalysisSettings(look_out=0.24))
    film.play(70)
    gaps = np.diff([frame for frame, _ in film.detector.searches])
    assert film.look_out == 6
    assert gaps[:-1].tolist() == [6] * (len(gaps) - 1)


def test_a_tracker_that_never_fails_asks_for_a_full_detection_at_the_longest_interval() -> None:
    film = Film(Face(still(60, 60)))
    film.play(200)
    full = [frame for frame, everywhere in film.detector.searches if everywhere]
    assert full == list(range(0, 200, INTERVALS[0][1]))


def test_a_tracker_that_often_fails_asks_more_often() -> None:
    film = Film(Face(still(60, 60)), follower=losing(*range(1, 200, 2)))
    film.play(200)
    full = [frame for frame, everywhere in film.detector.searches if everywhere]
    assert max(np.diff(full)) <= INTERVALS[1][1]
    assert len(full) >= 200 / INTERVALS[1][1]


def test_the_look_out_is_told_where_faces_are_known() -> None:
    face = Face(moving(60, 60, 2))
    film = Film(face)
    film.play(40)
    between = [frame for frame, everywhere in film.detector.searches if not everywhere]
    assert len(between) == len(film.detector.explained) > 3
    for frame, known in zip(between, film.detector.explained, strict=True):
        assert np.allclose(known, face.box(frame)[None], atol=0.5)


def test_update_says_when_the_detector_looked() -> None:
    film = Film(Face(still(60, 60)))
    film.play(61)  # the last picture is looked at, so that the end of the shot adds no search
    assert film.looked == [frame for frame, _ in film.detector.searches]


def test_statistics_count_what_was_done() -> None:
    film = Film(Face(still(60, 60), during(0, 30)))
    film.play(60)
    counted = film.tracker.statistics
    searches = [everywhere for _, everywhere in film.detector.searches]
    assert counted["full_detections"] == sum(searches)
    assert counted["look_outs"] == len(searches) - sum(searches)
    assert counted["faces_followed"] == 29
    assert counted["faces_lost"] == 1


def test_a_full_detection_confirms_what_it_finds_again() -> None:
    confirmed = Film(Face(still(60, 60))).play(200)[0]
    doubted = Film(Face(still(60, 60), found=during(0, 5))).play(200)[0]
    assert confirmed.looks == confirmed.hits >= 3
    assert doubted.looks == confirmed.looks and doubted.hits == 1


def test_a_weak_detection_starts_no_track() -> None:
    class Doubtful(ScriptedDetector):
        def detect(self, *args: object, **kwargs: object) -> list[Detections]:
            found = super().detect(*args, **kwargs)  # type: ignore[arg-type]
            return [Detections(f.boxes, np.full_like(f.scores, 0.8), f.landmarks) for f in found]

    tracks = {}
    for least in (0.7, 0.9):
        face = Face(still(60, 60))
        film = Film(face, settings=AnalysisSettings(face_score=least), detector=Doubtful(face))
        tracks[least] = len(film.play(20))
    assert tracks == {0.7: 1, 0.9: 0}


def test_the_same_film_gives_the_same_tracks() -> None:
    faces = [
        Face(moving(50, 60, 3), outside(20, 26)),
        Face(moving(250, 70, -2), during(8, 70)),
        Face(still(150, 200), outside(30, 90)),
    ]
    first, second = (Film(*faces, follower=losing(11, 12, 47)).play(100, cuts=[60]) for _ in range(2))
    assert len(first) > 3
    assert [(t.id, t.frames, t.scores) for t in first] == [(t.id, t.frames, t.scores) for t in second]
    assert all(np.array_equal(np.stack(a.boxes), np.stack(b.boxes)) for a, b in zip(first, second, strict=True))


def test_a_track_expects_its_face_where_its_velocity_leads() -> None:
    track, fast = Track(0), Track(1)
    landmarks = np.zeros((5, 2), np.float32)
    for frame in range(40):
        for moving_track, step in ((track, 2), (fast, 500)):
            box = np.array([step * frame, 0, step * frame + 40, 40], np.float32)
            moving_track.append(frame, box, 1.0, landmarks)
    track.hidden = fast.hidden = 1
    assert track.expected() == pytest.approx([80, 0, 120, 40], abs=0.1)
    assert fast.expected()[0] == pytest.approx(500 * 39 + MAX_STEP * 40), "no further than following can reach"


def test_a_face_in_doubt_counts_once_it_is_seen_again() -> None:
    landmarks = np.zeros((5, 2), np.float32)
    box = np.array([0, 0, 40, 40], np.float32)
    seen_again, never_again = Track(0), Track(1)
    for track in (seen_again, never_again):
        track.append(0, box, 1.0, landmarks)
        track.doubt(1, box + 1, 0.2, landmarks)
    seen_again.append(2, box + 2, 1.0, landmarks)
    assert seen_again.frames == [0, 1, 2] and seen_again.scores == pytest.approx([1.0, 0.2, 1.0])
    assert never_again.frames == [0]
