"""From boundaries to shots, and the frames of each that lie in a transition."""

from __future__ import annotations

from dataclasses import replace

from core.types import Shot
from processors.shots.motion_burst import Burst
from processors.shots.shot_boundary import ShotBoundary, shots_between, with_boundaries, with_bursts


def test_shots_know_which_of_their_frames_lie_in_a_transition() -> None:
    fade_out, wipe = ShotBoundary(40, "dissolve", (30, 40)), ShotBoundary(70, "wipe", (60, 90))
    shots = shots_between([wipe, fade_out, ShotBoundary(100, "cut")], 120)
    assert [(s.start, s.end, s.unmixed) for s in shots] == [
        (0, 40, (0, 30)), (40, 70, (40, 60)), (70, 100, (90, 100)), (100, 120, (100, 120)),
    ]  # fmt: skip


def test_a_shot_that_is_never_seen_alone_keeps_its_frames() -> None:
    shots = shots_between([ShotBoundary(40, "wipe", (30, 55)), ShotBoundary(60, "wipe", (50, 70))], 90)
    assert [s.unmixed for s in shots] == [(0, 30), (40, 60), (70, 90)]
    meeting = shots_between([ShotBoundary(40, "wipe", (30, 50)), ShotBoundary(60, "wipe", (50, 70))], 90)
    assert meeting[1].unmixed == (40, 60)


def test_shots_are_numbered_again_and_cover_the_video() -> None:
    known = (Shot(0, 0, 50, "start"), Shot(1, 50, 90, "cut", active=(0, 2, 4, 6)))
    shots = with_boundaries(known, [ShotBoundary(70, "wipe", (65, 76)), ShotBoundary(20, "wipe", (18, 22))])
    assert [(s.index, s.start, s.end, s.transition) for s in shots] == [
        (0, 0, 20, "start"), (1, 20, 50, "wipe"), (2, 50, 70, "cut"), (3, 70, 90, "wipe"),
    ]  # fmt: skip
    assert [s.active for s in shots] == [None, None, (0, 2, 4, 6), (0, 2, 4, 6)]
    assert [s.unmixed for s in shots] == [(0, 18), (22, 50), (50, 65), (76, 90)]


def test_the_transition_of_a_boundary_that_is_known_gets_longer() -> None:
    known = shots_between([ShotBoundary(40, "dissolve", (34, 46)), ShotBoundary(80, "cut")], 120)
    assert with_boundaries(known, []) == known
    shots = with_boundaries(known, [ShotBoundary(40, "wipe", (30, 44)), ShotBoundary(80, "wipe", (78, 85))])
    assert [(s.transition, s.unmixed) for s in shots] == [
        ("start", (0, 30)),
        ("dissolve", (46, 78)),
        ("cut", (85, 120)),
    ]
    assert replace(known[1], mixed_last=2) == shots[1]


def test_a_wipe_lasts_as_long_as_the_whole_image_moves() -> None:
    bursts = [Burst(10, 20, 1.0), Burst(92, 110, 0.9), Burst(85, 115, 0.5)]
    assert with_bursts(ShotBoundary(100, "wipe", (95, 105)), bursts).mixed == (92, 110)
    assert with_bursts(ShotBoundary(112, "wipe"), bursts).mixed == (92, 110)
    for other in (
        ShotBoundary(100, "cut"),
        ShotBoundary(100, "dissolve", (95, 105)),
        ShotBoundary(60, "wipe", (55, 65)),
    ):
        assert with_bursts(other, bursts) == other
