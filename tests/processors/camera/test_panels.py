"""The panel of a split screen that a face is in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Shot
from processors.camera.panels import panel_around

PICTURE = (0, 0, 1280, 720)
HALVES = Shot(0, 0, 50, "start", seams_x=((636, 645),))


def face(x: float, y: float = 300.0, size: float = 160.0, rows: int = 50) -> NDArray[np.float64]:
    """(rows, 4) boxes around a centre that does not move."""
    return np.tile([x - 0.4 * size, y - 0.5 * size, x + 0.4 * size, y + 0.5 * size], (rows, 1))


def test_each_face_has_its_own_half() -> None:
    assert panel_around(face(300), [face(900)], HALVES, PICTURE) == (0, 0, 636, 720)
    assert panel_around(face(900), [face(300)], HALVES, PICTURE) == (646, 0, 1280, 720)


def test_without_seams_all_of_the_picture_counts() -> None:
    shot = Shot(0, 0, 50, "start")
    assert panel_around(face(300), [face(900)], shot, (0, 90, 1280, 630)) == (0, 90, 1280, 630)


def test_a_line_with_faces_on_one_side_only_is_not_a_seam() -> None:
    assert panel_around(face(300), [], HALVES, PICTURE) == PICTURE
    assert panel_around(face(300), [face(450)], HALVES, PICTURE) == PICTURE
    assert panel_around(face(300), [face(900, rows=10)], HALVES, PICTURE) == PICTURE


def test_a_line_that_a_face_crosses_is_not_a_seam() -> None:
    walker = np.concatenate([face(x, rows=1) for x in np.linspace(300, 1000, 50)])
    assert panel_around(face(300), [face(900), walker], HALVES, PICTURE) == PICTURE
    assert panel_around(walker, [face(900)], HALVES, PICTURE) == PICTURE


def test_a_box_may_reach_over_the_seam_a_little() -> None:
    near = face(636 - 0.4 * 160 + 10)
    assert panel_around(near, [face(900)], HALVES, PICTURE) == (0, 0, 636, 720)


def test_four_panels() -> None:
    shot = Shot(0, 0, 50, "start", seams_x=((636, 645),), seams_y=((357, 363),))
    faces = {(x, y): face(x, y) for x in (300, 900) for y in (180, 540)}
    found = {
        place: panel_around(own, [other for key, other in faces.items() if key != place], shot, PICTURE)
        for place, own in faces.items()
    }
    assert found == {
        (300, 180): (0, 0, 636, 356),
        (300, 540): (0, 364, 636, 720),
        (900, 180): (646, 0, 1280, 356),
        (900, 540): (646, 364, 1280, 720),
    }


@pytest.mark.parametrize("size", [160.0, 300.0, 360.0])
def test_a_panel_in_which_nobody_can_be_framed_is_none(size: float) -> None:
    shot = Shot(0, 0, 50, "start", seams_x=((500, 506), (800, 806)))
    found = panel_around(face(650, size=size), [face(200), face(1100)], shot, PICTURE)
    assert found == ((506, 0, 800, 720) if size < 360.0 else PICTURE)


def test_what_is_outside_the_picture_does_not_make_a_face_too_large_for_its_panel() -> None:
    shot = Shot(0, 0, 50, "start", seams_y=((357, 363),))
    low = face(600, 620, size=420)
    assert panel_around(low, [face(600, 180)], shot, PICTURE) == (0, 364, 1280, 720)


def test_a_face_that_its_panel_cuts_off_hides_no_seam_from_the_others() -> None:
    shot = Shot(0, 0, 50, "start", seams_y=((357, 363),))
    cut_off = face(900, 400, rows=10)
    assert panel_around(face(300, 180), [face(300, 540), cut_off], shot, PICTURE) == (0, 0, 1280, 356)
    assert panel_around(face(300, 180), [face(300, 540), *[cut_off] * 2], shot, PICTURE) == PICTURE
