"""Sizes as shown, and where an image lies in another one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.media.frame_shape import FramePlacement, placed_inside, sane_aspect, shown_size


def test_an_absurd_aspect_counts_as_none() -> None:
    assert sane_aspect(None, Fraction(0), Fraction(16, 11)) == Fraction(16, 11)
    assert sane_aspect(Fraction(5), Fraction(1, 5)) == 1


def test_pixels_become_square_before_the_turn() -> None:
    assert shown_size(720, 576, Fraction(16, 11), 0) == (1047, 576)
    assert shown_size(720, 576, Fraction(8, 9), 90) == (648, 720)


@pytest.mark.parametrize(
    ("size", "place"),
    [
        ((640, 360), None),
        ((1280, 720), None),
        ((240, 134), None),  # WebRTC rounds sides
        ((360, 640), FramePlacement(202, 360, 218, 0)),
        ((640, 480), FramePlacement(480, 360, 80, 0)),
        ((1000, 100), FramePlacement(640, 64, 0, 148)),
        ((16, 16384), FramePlacement(2, 360, 318, 0)),
    ],
)
def test_a_frame_of_another_shape_lies_in_the_middle(size: tuple[int, int], place: FramePlacement | None) -> None:
    assert placed_inside(size, (640, 360)) == place
