"""Jumps that a missing frame of a moving scene explains, and jumps that it does not."""

from __future__ import annotations

import pytest

from processors.shots.block_matching import REACH
from processors.shots.freeze import FAR_REACH
from processors.shots.missing_frame import is_missing_frame

JUMP, BEFORE, AFTER = (9, 10), (7, 9), (10, 12)


@pytest.mark.parametrize(
    ("found", "beside", "changed", "explained"),
    [
        ({REACH: 0.37, FAR_REACH: 0.24}, 0.3, 25.0, True),
        ({REACH: 0.38, FAR_REACH: 0.24}, 0.3, 25.0, False),
        ({REACH: 0.37, FAR_REACH: 0.26}, 0.3, 25.0, False),
        # Another image may be found by its blocks, but not by its light.
        ({REACH: 0.37, FAR_REACH: 0.24}, 0.3, 26.0, False),
        # A foreign image is a cut, however fast the scene moves.
        ({REACH: 0.5, FAR_REACH: 0.43}, 0.9, 25.0, False),
    ],
)
def test_a_jump_is_no_cut_if_the_motion_beside_it_takes_as_much_one_frame_more(
    found: dict[tuple[int, int], float], beside: float, changed: float, explained: bool
) -> None:
    """With the usual search, and with a wide one, which finds more of what has moved."""

    def change(one: int, other: int) -> float:
        return {JUMP: changed, BEFORE: 20.0, AFTER: 5.0}[one, other]

    def mismatch(one: int, other: int, reach: tuple[int, int]) -> float:
        if (one, other) == JUMP:
            return found[reach]
        largest = {BEFORE: beside, AFTER: 0.1}[one, other]
        return largest if reach == REACH else largest * 2 / 3

    assert is_missing_frame(JUMP, [BEFORE, AFTER], change, mismatch, REACH) is explained


def test_without_anything_beside_it_a_jump_is_not_explained() -> None:
    assert not is_missing_frame(JUMP, [], lambda *_: 0.0, lambda *_: 0.0, REACH)
