"""The colours of clothes: known colours give known coefficients, and what is not in the frame is not described."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import ByteArray, FloatArray
from processors.faces.clothes import CLOTHES_SIZE, clothes_colours

BOX = np.array([140, 40, 180, 90], np.float32)
RED, NAVY, BEIGE = (160, 40, 45), (30, 40, 90), (200, 180, 150)


def dressed(colour: tuple[int, int, int], *, above: int = 100, light: float = 1.0) -> ByteArray:
    """A grey room in which everything below row `above` has one colour."""
    image = np.full((240, 320, 3), 120, np.float64)
    image[above:] = colour
    return np.asarray(np.clip(image * light, 0, 255), np.uint8)


def colours(image: ByteArray, box: FloatArray = BOX) -> ByteArray:
    found = clothes_colours(image, box)
    assert found is not None
    return found


def likeness(a: ByteArray, b: ByteArray) -> float:
    return float(a.astype(np.float64) @ b.astype(np.float64)) / 255**2


def test_a_description_is_the_root_of_a_distribution() -> None:
    found = colours(dressed(RED))
    assert found.shape == (CLOTHES_SIZE,) and found.dtype == np.uint8
    assert likeness(found, found) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("other", "expected"), [(NAVY, 0.0), (BEIGE, 0.0)])
def test_other_clothes_have_nothing_in_common(other: tuple[int, int, int], expected: float) -> None:
    assert likeness(colours(dressed(RED)), colours(dressed(other))) == pytest.approx(expected, abs=0.05)


def test_half_of_the_region_in_common_is_half_the_likeness() -> None:
    half_way = round(40 + (1.45 + 3.2) / 2 * 50)
    mixed = dressed(RED)
    mixed[half_way:] = NAVY
    assert likeness(colours(dressed(RED)), colours(mixed)) == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_a_little_less_light_changes_little() -> None:
    assert likeness(colours(dressed(BEIGE)), colours(dressed(BEIGE, light=0.93))) > 0.8


def test_the_size_of_the_face_does_not_matter() -> None:
    large = np.array([100, 20, 180, 100], np.float32)
    assert likeness(colours(dressed(RED, above=0)), colours(dressed(RED, above=0), large)) > 0.99


def test_only_what_lies_in_the_frame_counts() -> None:
    cut_off = BOX + np.array([0, 100, 0, 100], np.float32)  # the region begins at 212 of 240 rows
    assert likeness(colours(dressed(RED)), colours(dressed(RED), cut_off)) > 0.99


@pytest.mark.parametrize("shift", [(0, 130, 0, 130), (400, 0, 400, 0), (-400, 0, -400, 0)])
def test_clothes_outside_the_frame_are_not_described(shift: tuple[int, ...]) -> None:
    assert clothes_colours(dressed(RED), BOX + np.array(shift, np.float32)) is None
