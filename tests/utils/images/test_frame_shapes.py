"""Shapes and sizes of frames as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from utils.images.frame_shapes import check_shape, check_sides, nearest_height, parse_aspect, parse_size, size_of_height


def test_shapes_are_ratios() -> None:
    assert parse_aspect("16:9") == Fraction(16, 9) and parse_aspect("2:2") == 1


@pytest.mark.parametrize("text", ["", "16", "16x9", "0:1", "1:0", "-1:1", "1:123456", "1.5:1", "\u0663:1 "])
def test_what_is_not_a_shape(text: str) -> None:
    with pytest.raises(ValueError, match="is not WIDTH:HEIGHT"):
        parse_aspect(text)


def test_sizes_are_parsed_and_made_even() -> None:
    assert parse_size("640x360") == (640, 360)
    assert [parse_size(text) for text in ("640", "640x", "640X360", "123456x1", "-1x1", "")] == [None] * 6
    assert size_of_height(720, Fraction(9, 16)) == (404, 720)


@pytest.mark.parametrize(
    ("height", "aspect", "expected"),
    [
        (1080, Fraction(1), 1080),
        (721, Fraction(16, 9), 720),
        (4320, Fraction(1), 2160),
        (2160, Fraction(4), 1024),
        (36, Fraction(1), 64),
        (144, Fraction(1, 4), 256),
        (100, Fraction(3, 7), 150),
    ],
)
def test_the_nearest_height_that_can_be_encoded(height: int, aspect: Fraction, expected: int) -> None:
    assert nearest_height(height, aspect) == expected
    check_sides(*size_of_height(expected, aspect))


@pytest.mark.parametrize("size", [(62, 64), (65, 64), (4098, 64), (64, 2162)])
def test_sides_that_cannot_be_encoded(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"each side must be an even number from 64 to 4096|at most 2160 px"):
        check_sides(*size)


def test_limits_of_the_shape() -> None:
    check_shape(1, 4)
    check_shape(4, 1)
    for shape in ((1, 5), (401, 100)):
        with pytest.raises(ValueError, match="narrower than 1:4 or wider than 4:1"):
            check_shape(*shape)
