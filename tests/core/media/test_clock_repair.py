from fractions import Fraction

import pytest

from core.media.clock_repair import ClockRepair, TimeFault, clock_limits, repaired

RESET, HOLE, INTERVAL = 1000, 3_600_000, 40
VIDEO = ClockRepair(RESET, HOLE, INTERVAL, start=7)


def test_limits_are_a_second_and_an_hour() -> None:
    assert clock_limits(Fraction(1, 1000)) == (RESET, HOLE)


@pytest.mark.parametrize(
    ("stored", "following", "pts", "shift", "fault"),
    [
        pytest.param(5040, None, 5040, 0, None, id="in order"),
        pytest.param(9000, 9040, 9000, 0, None, id="a pause"),
        pytest.param(None, None, 5040, 0, TimeFault.MISSING, id="no time"),
        pytest.param(5000, None, 5001, 0, TimeFault.DISORDER, id="the same time again"),
        pytest.param(4000, None, 5001, 0, TimeFault.DISORDER, id="a second back"),
        pytest.param(3999, 4039, 5040, 1041, TimeFault.NEW_CLOCK, id="more than a second back for good"),
        pytest.param(3999, None, 5040, 1041, TimeFault.NEW_CLOCK, id="back at the end"),
        pytest.param(3999, 5080, 5040, 0, TimeFault.STRAY, id="one time back"),
        pytest.param(99_000, 5080, 5040, 0, TimeFault.STRAY, id="one time ahead"),
        pytest.param(5001 + HOLE, 5080 + HOLE, 5040, 39 - HOLE, TimeFault.NEW_CLOCK, id="hours ahead for good"),
    ],
)
def test_one_step_of_a_video(
    stored: int | None, following: int | None, pts: int, shift: int, fault: TimeFault | None
) -> None:
    before = VIDEO.step(5000).clock
    step = before.step(stored, following)
    assert (step.pts, step.shift, step.fault) == (pts, shift, fault)
    assert (step.clock.last, step.clock.shift) == (pts, shift)
    assert before.last == 5000


def test_a_first_frame_without_a_time_starts_where_the_header_says() -> None:
    step = VIDEO.step(None)
    assert (step.pts, step.fault) == (7, TimeFault.MISSING)


def test_audio_is_moved_but_its_times_are_not_made_up() -> None:
    clock = ClockRepair(RESET, HOLE, None, known_shifts=(6000,)).step(5000).clock
    assert clock.step(None).pts is None
    assert clock.step(3000, 5040).pts is None
    assert clock.step(4990).pts == 4990
    moved = clock.step(0, 20)
    assert (moved.pts, moved.shift) == (6000, 6000)
    # The audio restarts once more, the video does not.
    assert moved.clock.step(-5000, -4980).pts == 1000


def test_only_leaps_need_the_frame_after() -> None:
    clock = VIDEO.step(5000).clock
    assert [clock.is_leap(stored) for stored in (None, 4000, 5000, 6000, 3999, 6001)] == [False] * 4 + [True] * 2
    assert not VIDEO.is_leap(10**9)


def test_frames_after_a_restart_keep_the_shift() -> None:
    stored = iter([(0,), (40,), (2000,), (120,), (5000,), (5040,), (0,), (40,), (None,)])
    steps = [step for _, step in repaired(stored, lambda frame: frame[0], VIDEO)]
    # 2000 is a stray value and 5000 comes after a pause; the restart continues 40 after 5040.
    assert [step.pts for step in steps] == [0, 40, 80, 120, 5000, 5040, 5080, 5120, 5160]
