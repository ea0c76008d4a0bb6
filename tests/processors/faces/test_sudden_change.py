"""When the appearance of a face changes at once, and in which frame."""

from __future__ import annotations

import numpy as np
import pytest

from processors.faces.sudden_change import (
    AFTER,
    ISOLATION,
    MIN_CHANGE,
    MIN_CHANGE_IN_PLACE,
    SuddenChanges,
    frame_of_change,
)


def sudden(likenesses: list[float]) -> tuple[list[int], list[int]]:
    """Looks with which something sudden begins, and those that disprove it; look 0 has none before it."""
    changes = SuddenChanges()
    found, disproved = [], []
    for look, likeness in enumerate(likenesses, 1):
        if changes.is_disproved(likeness):
            disproved.append(look)
        if changes.note(likeness):
            found.append(look)
    return found, disproved


def test_a_change_that_stands_out_is_sudden_however_alike_the_faces_are() -> None:
    assert sudden([0.9, 0.88, 0.91, 0.75, 0.9, 0.9, 0.9]) == ([4], [])


@pytest.mark.parametrize(
    "likenesses",
    [
        [0.98, 0.98, 0.98, 1 - MIN_CHANGE + 0.01, 0.98],  # small
        [0.7, 0.72, 0.69, 0.64, 0.7],  # a face that moves, or noise
        [0.2, 0.3],  # nothing is known yet
    ],
)
def test_other_changes_are_not(likenesses: list[float]) -> None:
    assert sudden(likenesses) == ([], [])


def test_a_flash_comes_back() -> None:
    assert sudden([0.95, 0.95, 0.4, 0.45, 0.95, 0.95]) == ([3], [4])
    assert sudden([0.95, 0.95, 0.4, *[0.95] * (AFTER - 1), 0.45]) == ([3], [3 + AFTER])


def test_what_comes_later_proves_nothing() -> None:
    found, disproved = sudden([0.95, 0.95, 0.4, *[0.95] * (AFTER + 1), 0.45])
    assert found[0] == 3 and disproved == []


@pytest.mark.parametrize(("in_place", "expected"), [(0.5, True), (1 - MIN_CHANGE_IN_PLACE + 0.01, False)])
def test_landmarks_that_jump_on_an_image_that_does_not_are_no_change(in_place: float, expected: bool) -> None:
    changes = SuddenChanges()
    for likeness in (0.95, 0.95):
        changes.note(likeness)
    assert changes.note(0.4, lambda: in_place) is expected


def test_the_image_in_place_is_asked_for_only_where_the_look_has_changed() -> None:
    changes = SuddenChanges()
    for likeness in (0.95, 0.95, 0.9):
        changes.note(likeness, lambda: pytest.fail("asked"))


def test_what_was_seen_before_an_absence_does_not_count() -> None:
    changes = SuddenChanges()
    for likeness in (0.95, 0.95, 0.95):
        changes.note(likeness)
    changes.restart()
    assert not changes.note(0.1)


def test_the_ratio_to_the_changes_before_decides() -> None:
    for ratio, expected in ((ISOLATION * 1.05, [3]), (ISOLATION * 0.95, [])):
        assert sudden([0.8, 0.8, 1 - 0.2 * ratio])[0] == expected


def test_the_frame_of_a_change_is_that_of_the_face_and_not_of_the_image() -> None:
    images = [np.full((72, 128, 3), 90, np.uint8) for _ in range(4)]
    for image in images[2:]:
        image[30:50, 40:60] = 140
    images[1][:20] = 255  # somewhere else, and more
    assert frame_of_change(images, np.array([40 / 128, 30 / 72, 60 / 128, 50 / 72], np.float32)) == 2


def test_a_tiny_face_at_the_edge_has_a_few_pixels() -> None:
    images = [np.full((72, 128, 3), value, np.uint8) for value in (90, 140, 141)]
    assert frame_of_change(images, np.array([1.0, 1.0, 1.01, 1.01], np.float32)) == 1
