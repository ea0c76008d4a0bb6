"""Jumps after repeated frames: the same scene a while later, and a cut out of a freeze frame."""

from __future__ import annotations

import pytest

from processors.shots.block_matching import REACH
from processors.shots.freeze import FAR_REACH, is_catching_up

MOVING, SLOW, STILL, JUMP = 4.0, 0.2, 0.02, 20.0
FREEZE = [*[MOVING] * 20, *[STILL] * 9]


def catches_up(changes: list[float], found: float, per_frame: float = 0.025, spans: list[int] | None = None) -> bool:
    """In a scene whose mismatch grows by `per_frame` with each frame between."""

    def mismatch(one: int, other: int, reach: tuple[int, int]) -> float:
        assert reach in (REACH, FAR_REACH)
        if other == len(changes):
            return found
        if spans is not None:
            spans.append(other - one)
        return per_frame * (other - one)

    return is_catching_up([*changes, JUMP], 0.3, mismatch, REACH)


def test_a_jump_like_the_motion_before_in_as_much_time_is_no_cut() -> None:
    spans: list[int] = []
    assert catches_up(FREEZE, 0.31, spans=spans)
    assert set(spans) == {10}
    assert not catches_up(FREEZE, 0.32)


def test_a_scene_that_hardly_moved_does_not_explain_a_jump() -> None:
    assert not catches_up(FREEZE, 0.31, per_frame=0.01)


def test_a_foreign_image_is_a_cut_however_fast_the_scene_moved() -> None:
    assert not catches_up(FREEZE, 0.43, per_frame=0.1)


@pytest.mark.parametrize(
    "changes",
    [[MOVING] * 20, [*[MOVING] * 20, STILL], [*[MOVING] * 20, *[SLOW] * 9], [STILL] * 20, [MOVING, *[STILL] * 9], []],
    ids=["moving", "one repeat", "somebody who keeps still", "never moving", "nothing before", "nothing at all"],
)
def test_without_a_freeze_or_without_anything_before_it_nothing_is_explained(changes: list[float]) -> None:
    assert not catches_up(changes, 0.01, per_frame=1.0)
