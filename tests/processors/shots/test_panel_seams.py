"""Lines at which the panels of a split screen meet."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import ByteArray, PixelBox
from processors.shots.panel_seams import SeamCandidates, fixed_seams, line_shares, seam_candidates

SIZE = WIDTH, HEIGHT = 640, 360


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> ByteArray:
    """(height, width): soft blobs."""
    coarse = np.random.default_rng(seed).integers(20, 236, (3, 5)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def candidates(image: ByteArray, picture: PixelBox) -> SeamCandidates:
    return seam_candidates(line_shares(image, picture), picture)


def seams(images: list[ByteArray]) -> tuple[list[float], list[float]]:
    """Middles of the seams that a shot of these images has."""
    height, width = images[0].shape
    (found,) = fixed_seams([[candidates(image, (0, 0, width, height)) for image in images]], (width, height))
    for start, stop in (*found[0], *found[1]):
        assert 0 < stop - start <= 16 * min(width, height) / 360
    columns, rows = ([(start + stop) / 2 for start, stop in spans] for spans in found)
    return columns, rows


def side_by_side(seed: int, x: int, factor: int = 1) -> ByteArray:
    """A darker and a brighter picture."""
    left, right = (scene(number, WIDTH * factor, HEIGHT * factor) // 2 for number in (seed, seed + 100))
    return np.hstack([left[:, :x], right[:, x:] + 118])


@pytest.mark.parametrize("x", [150, 320, 423])
def test_two_pictures_side_by_side_meet_at_a_seam(x: int) -> None:
    columns, rows = seams([side_by_side(seed, x) for seed in range(3)])
    assert columns == [pytest.approx(x, abs=3)] and rows == []


def test_one_above_the_other_too() -> None:
    columns, rows = seams([np.ascontiguousarray(cv2.resize(side_by_side(s, 320).T, SIZE)) for s in range(3)])
    assert columns == [] and rows == [pytest.approx(180, abs=3)]


def test_a_large_frame_has_the_same_seam() -> None:
    columns, _ = seams([side_by_side(seed, 960, 3) for seed in range(3)])
    assert columns == [pytest.approx(960, abs=9)]


def test_a_line_between_the_pictures_belongs_to_none_of_them() -> None:
    images = [side_by_side(seed, 320) for seed in range(3)]
    for image in images:
        image[:, 318:322] = 0
    size = (WIDTH, HEIGHT)
    ((columns, _),) = fixed_seams([[candidates(image, (0, 0, *size)) for image in images]], size)
    assert columns[0][0] <= 318 and columns[-1][1] >= 322


def test_one_picture_has_no_seam() -> None:
    assert seams([scene(seed) for seed in range(3)]) == ([], [])


def test_an_edge_that_ends_is_not_a_seam() -> None:
    images = [scene(seed) // 2 for seed in range(3)]
    for image in images:
        image[:250, 300:] += 100
    assert seams(images) == ([], [])


def test_an_edge_that_moves_or_is_not_always_there_is_not_a_seam() -> None:
    assert seams([side_by_side(seed, 300 + 20 * seed) for seed in range(3)]) == ([], [])
    assert seams([side_by_side(1, 320), scene(2), side_by_side(3, 320)]) == ([], [])


def test_one_frame_proves_nothing() -> None:
    assert seams([side_by_side(1, 320)]) == ([], [])
    assert fixed_seams([[]], SIZE) == [((), ())]


def test_one_frame_shows_the_seams_of_another_shot_again() -> None:
    both, again, other = (
        [candidates(image, (0, 0, *SIZE)) for image in shot]
        for shot in ([side_by_side(1, 300), side_by_side(2, 300)], [side_by_side(3, 300)], [side_by_side(4, 423)])
    )
    seen = [[(start + stop) / 2 for start, stop in columns] for columns, _ in fixed_seams([both, again, other], SIZE)]
    assert seen == [[pytest.approx(300, abs=3)], [pytest.approx(300, abs=3)], []]


def on_one_wall(x: int, seam: int = 320, hidden: int = 0) -> ByteArray:
    """A panel whose lower 40 % are darker up to the seam, before one wall. hidden: rows that something covers."""
    image = np.full((HEIGHT, WIDTH), 128, np.uint8)
    image[216:, :seam] = scene(x, seam, 144) // 3
    image[HEIGHT - hidden :, seam - 60 : seam + 60] = cv2.GaussianBlur(scene(x + 50, 120, HEIGHT), (0, 0), 9)[:hidden]
    return image


def test_panels_of_one_size_on_one_wall_meet_where_all_that_ends_ends_there() -> None:
    columns, rows = seams([on_one_wall(1), on_one_wall(2, hidden=60), on_one_wall(3)])
    assert columns == [pytest.approx(320, abs=3)] and rows == []


def test_elsewhere_such_a_line_is_an_edge_of_something() -> None:
    assert seams([on_one_wall(seed, seam=280) for seed in range(1, 4)]) == ([], [])


def test_a_line_at_a_third_needs_the_one_at_two_thirds() -> None:
    """The bar of a window may lie at a third of the height of a room."""
    bars = [on_one_wall(seed, seam=213) for seed in range(1, 4)]
    assert seams(bars) == ([], [])
    panels = [image.copy() for image in bars]
    for image in panels:
        image[216:, 427:] = image[216:, 212::-1]
    columns, rows = seams(panels)
    assert columns == [pytest.approx(213, abs=3), pytest.approx(427, abs=3)] and rows == []


def test_an_edge_in_the_middle_beside_which_much_else_changes_is_not_a_seam() -> None:
    images = [on_one_wall(seed) for seed in range(1, 4)]
    for image in images:
        image[:200, 290:350] = 128 + 60 * np.sin(np.arange(60) / 1.5)
    assert seams(images) == ([], [])


def test_lines_are_counted_from_the_corner_of_the_frame() -> None:
    image = np.full((HEIGHT, WIDTH), 16, np.uint8)
    image[60:300, 100:540] = np.hstack([scene(1, 220, 240) // 2, scene(2, 220, 240) // 2 + 118])
    found = candidates(image, (100, 60, 540, 300))
    assert np.mean([line.place for line in found.columns]) == pytest.approx(320, abs=2) and found.rows == ()


def test_a_picture_that_is_very_small_has_no_candidates() -> None:
    assert candidates(scene(1), (0, 0, 20, 20)) == SeamCandidates()
