"""One image carried away over the next: a person who is seen in both is one, and the clips end there."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.embedder_spec import link_curves_of
from core.types import Shot, Tracklet
from processors.faces.hand_over import cut_tracks, hand_overs
from processors.faces.tracklet_maker import MeasuredTrack, TrackCutting
from processors.shots.motion_burst import Burst
from processors.tracking.frame_pace import FramePace
from tests.material.scripted_faces import landmarks_in

RATE = 25.0
EMBEDDER = "sface"
CUTTING = TrackCutting(FramePace(RATE), 5, EMBEDDER)
SHOTS = (Shot(0, 0, 200, "start"),)
LEFT, RIGHT = (50, 50, 100, 120), (400, 60, 460, 140)
ANNA, BERT = 0, 1
"""directions of embeddings, at right angles"""


def track(
    first: int, end: int, place: tuple[int, int, int, int], person: int, divisions: tuple[int, ...] = ()
) -> MeasuredTrack:
    """divisions: the other person begins with each of them."""
    frames = np.arange(first, end)
    samples = np.arange(first, end, 5)
    people = (person + np.searchsorted(divisions, samples, side="right")) % 2
    boxes = np.tile(np.array(place, np.float32), (len(frames), 1))
    ones = np.ones(len(frames), np.float32)
    quality = np.ones(len(samples), np.float32)
    whole = Tracklet(
        0, 0, frames, boxes, ones, landmarks_in(boxes), ones, samples, quality, np.eye(2, dtype=np.float32)[people]
    )
    return MeasuredTrack(whole, divisions)


def spans(tracklets: list[Tracklet]) -> list[tuple[int, int, int]]:
    return sorted((t.shot, t.start, t.end) for t in tracklets)


def test_a_person_seen_in_both_images_of_a_transition_is_seen_once_and_a_shot_begins_there() -> None:
    found, shots = cut_tracks([track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA)], SHOTS, CUTTING, may_add=True)
    assert spans(found) == [(0, 0, 100), (1, 100, 200)]
    assert [(s.index, s.start, s.end, s.transition) for s in shots] == [(0, 0, 100, "start"), (1, 100, 200, "wipe")]


def test_two_people_who_come_and_go_stay_as_they_were() -> None:
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, BERT)]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True)
    assert spans(found) == [(0, 0, 105), (0, 95, 200)]
    assert shots == SHOTS


def test_where_somebody_stays_in_place_no_shot_begins() -> None:
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA), track(0, 200, (200, 300, 240, 350), BERT)]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True)
    assert spans(found) == [(0, 0, 100), (0, 0, 200), (0, 100, 200)]
    assert shots == SHOTS


def test_the_frames_in_which_the_image_moves_are_mixed_ones() -> None:
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA)]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True, bursts=[Burst(90, 112, 1.0)])
    assert spans(found) == [(0, 0, 100), (1, 100, 200)], "the tracks keep them"
    assert [s.unmixed for s in shots] == [(0, 90), (112, 200)]
    assert [t.sample_frames.max() for t in found] == [85, 195] and found[1].sample_frames.min() >= 112
    without_burst = cut_tracks(tracks, SHOTS, CUTTING, may_add=True)[1]
    assert [s.unmixed for s in without_burst] == [(0, 95), (105, 200)]


def test_somebody_who_stays_in_an_inset_of_an_image_that_moves_keeps_nobody_from_changing() -> None:
    inset = track(0, 200, (200, 300, 240, 350), BERT)
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA), inset]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True, bursts=[Burst(90, 112, 0.9)])
    assert [s.start for s in shots] == [0, 100]
    assert spans(found) == [(0, 0, 100), (0, 0, 100), (1, 100, 200), (1, 100, 200)]


def test_a_panel_that_moves_beside_somebody_begins_no_shot() -> None:
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA), track(0, 200, (200, 300, 240, 350), BERT)]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True, bursts=[Burst(90, 112, 0.5)])
    assert shots == SHOTS and spans(found) == [(0, 0, 100), (0, 0, 200), (0, 100, 200)]


def test_given_cuts_are_kept() -> None:
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA)]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=False)
    assert spans(found) == [(0, 0, 100), (0, 100, 200)]
    assert shots == SHOTS


def test_a_boundary_that_is_known_is_not_doubled() -> None:
    known = (Shot(0, 0, 98, "start"), Shot(1, 98, 200, "wipe"))
    tracks = [track(0, 105, LEFT, ANNA), track(95, 200, RIGHT, ANNA)]
    found, shots = cut_tracks(tracks, known, CUTTING, may_add=True)
    assert shots == known
    assert spans(found) == [(0, 0, 98), (1, 98, 200)]


def test_two_people_are_carried_away_by_one_transition() -> None:
    tracks = [
        track(0, 104, LEFT, ANNA),
        track(0, 106, RIGHT, BERT),
        track(94, 200, (200, 60, 250, 120), ANNA),
        track(96, 200, (600, 60, 650, 120), BERT),
    ]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True)
    assert len(shots) == 2
    assert spans(found) == [(0, 0, 100)] * 2 + [(1, 100, 200)] * 2
    assert [s.unmixed for s in shots] == [(0, 94), (106, 200)]


def test_a_track_that_goes_over_to_somebody_else_is_judged_by_its_parts() -> None:
    tracks = [track(0, 200, LEFT, ANNA, divisions=(105,)), track(95, 200, RIGHT, ANNA)]
    found, shots = cut_tracks(tracks, SHOTS, CUTTING, may_add=True)
    assert [s.start for s in shots] == [0, 100]
    assert spans(found) == [(0, 0, 100), (1, 100, 200), (1, 105, 200)]


@pytest.mark.parametrize(
    ("end", "place", "why"),
    [(150, RIGHT, "seen twice for two seconds"), (105, (55, 52, 105, 122), "both on one face")],
)
def test_what_is_no_transition(end: int, place: tuple[int, int, int, int], why: str) -> None:
    both = [track(0, end, LEFT, ANNA).whole, track(95, 200, place, ANNA).whole]
    assert hand_overs(both, [], link_curves_of(EMBEDDER).same_kind, RATE) == [], why
