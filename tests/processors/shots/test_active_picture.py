"""The part of the frame that each shot fills."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from core.types import ByteArray, PixelBox, Shot
from processors.shots.active_picture import ActivePictureFinder, active_picture, frame_active_picture, proven_lines
from processors.shots.bar_edges import BarEdges

WIDTH, HEIGHT, RATE = 640, 360, 25.0
BARS = (44, 44, 0, 0)
STRAIGHT = (1.0, 1.0, 1.0, 1.0)
SIZE = (WIDTH, HEIGHT)


def edges(*black: int, straight: tuple[float, ...] = STRAIGHT, known: tuple[int, ...] = (0, 0, 0, 0)) -> BarEdges:
    values: Any = black, straight, known
    return BarEdges(*values)


def landscape(seed: int = 0) -> ByteArray:
    coarse = np.random.default_rng(seed).integers(70, 220, (9, 16)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def with_bars(image: ByteArray, top: int, bottom: int, left: int, right: int) -> ByteArray:
    barred = np.full_like(image, 16)
    inner = slice(top, HEIGHT - bottom), slice(left, WIDTH - right)
    barred[inner] = image[inner]
    return barred


def night(seed: int = 0) -> ByteArray:
    """Lamps in the dark, the highest 90 px below the upper edge."""
    image = np.full((HEIGHT, WIDTH), 16, np.uint8)
    random = np.random.default_rng(seed)
    for x, y in zip(random.integers(60, 580, 7), random.integers(110, 250, 7), strict=True):
        cv2.circle(image, (int(x), int(y)), 18, 180, -1)
    return image


def frame(index: int, image: ByteArray, placed: PixelBox | None = None) -> Any:
    return SimpleNamespace(index=index, placed=placed, width=WIDTH, height=HEIGHT, planes=lambda: (image, image, image))


def pictures(images: list[ByteArray], *cuts: int, dissolves: tuple[int, ...] = ()) -> list[PixelBox | None]:
    """Active pictures of the shots of a video."""
    finder = ActivePictureFinder(WIDTH, HEIGHT, RATE)
    for index, image in enumerate(images):
        finder.update(frame(index, image), new_shot=index - 3 in cuts)
    bounds = [0, *sorted((*cuts, *dissolves)), len(images)]
    shots = [
        Shot(i, a, b, "start" if i == 0 else "dissolve" if a in dissolves else "cut")
        for i, (a, b) in enumerate(itertools.pairwise(bounds))
    ]
    found = finder.with_active_pictures(shots)
    assert [(s.index, s.start, s.end) for s in found] == [(s.index, s.start, s.end) for s in shots]
    return [shot.active for shot in found]


def test_a_video_without_bars_fills_its_frames() -> None:
    assert pictures([landscape(i) for i in range(50)], 25) == [None, None]


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ((44, 44, 0, 0), (0, 46, 640, 314)),
        ((0, 0, 119, 119), (120, 0, 520, 360)),
        ((30, 50, 61, 20), (62, 32, 618, 308)),
        ((0, 0, 0, 5), (0, 0, 634, 360)),
    ],
)
def test_the_picture_lies_within_the_bars_on_even_pixels(bars: tuple[int, ...], expected: PixelBox) -> None:
    top, bottom, left, right = bars
    images = [with_bars(landscape(i), top, bottom, left, right) for i in range(20)]
    assert pictures(images) == [expected]


def test_a_night_scene_has_no_bars() -> None:
    assert pictures([night(i // 10) for i in range(60)]) == [None]


def test_each_shot_has_its_own_bars() -> None:
    images = (
        [with_bars(landscape(1), *BARS)] * 20 + [landscape(2)] * 20 + [with_bars(landscape(3), 0, 0, 100, 100)] * 20
    )
    assert pictures(images, 20, 40) == [(0, 46, 640, 314), None, (102, 0, 538, 360)]


def test_what_is_seen_in_one_frame_of_a_shot_is_not_a_bar_in_the_others() -> None:
    images = [with_bars(landscape(i), *BARS) for i in range(60)]
    images[31:40] = [landscape(i) for i in range(9)]
    assert pictures(images) == [None]


def test_a_dark_shot_has_the_bars_that_another_shot_proves() -> None:
    dark = [with_bars(night(5), *BARS)] * 20
    assert pictures(dark) == [None]
    assert pictures([*dark, *[with_bars(landscape(1), *BARS)] * 20], 20) == [(0, 46, 640, 314)] * 2


def test_bars_of_another_shot_cut_nothing_off() -> None:
    thin = with_bars(landscape(1), 2, 0, 0, 0)
    assert pictures([landscape(2)] * 20 + [thin] * 20, 20) == [None, (0, 4, 640, 360)]


def test_a_blended_frame_at_a_cut_belongs_to_neither_shot() -> None:
    barred, full = with_bars(landscape(1), *BARS), landscape(2)
    blended = np.asarray(barred // 2 + full // 2, np.uint8)
    # Frames 0, 6, 12 ... are measured.
    assert pictures([full] * 24 + [blended] + [barred] * 24, 24) == [None, (0, 46, 640, 314)]


def test_the_frames_of_a_dissolve_belong_to_neither_shot() -> None:
    barred, full = with_bars(landscape(1), *BARS).astype(float), landscape(2).astype(float)
    shares = np.clip((np.arange(100) - 40) / 20, 0, 1)
    images = [np.asarray((1 - share) * full + share * barred, np.uint8) for share in shares]
    assert pictures(images, dissolves=(50,)) == [None, (0, 46, 640, 314)]


def test_a_short_shot_is_measured_once_its_cut_is_known() -> None:
    images = [landscape(1)] * 13 + [with_bars(landscape(2), *BARS)] * 5 + [landscape(3)] * 20
    assert pictures(images, 13, 18)[1] == (0, 46, 640, 314)


def test_bars_that_were_added_in_decoding_need_no_proof() -> None:
    finder = ActivePictureFinder(WIDTH, HEIGHT, RATE)
    for index in range(20):
        finder.update(frame(index, with_bars(night(), 0, 0, 218, 220), (218, 0, 420, 360)))
    (shot,) = finder.with_active_pictures([Shot(0, 0, 20, "start")])
    assert shot.active == (218, 0, 420, 360)


def test_two_equal_lines_vouch_for_each_other() -> None:
    some = (0.4, 0.4, 1.0, 1.0)
    assert proven_lines([edges(44, 45, 0, 0, straight=some)], SIZE).tolist() == [44, 45, 0, 0]
    assert proven_lines([edges(44, 60, 0, 0, straight=some)], SIZE).tolist() == [0, 0, 0, 0]


def test_a_caption_on_black_proves_nothing() -> None:
    assert proven_lines([edges(30, 300, 20, 200)], SIZE).tolist() == [0, 0, 0, 0]


def test_bars_that_leave_no_picture_are_none() -> None:
    small = (40, 30)
    assert active_picture([edges(13, 13, 0, 0)], small) is None
    assert active_picture([], SIZE, np.array([BARS])) is None


def test_the_last_odd_pixels_of_a_frame_without_bars_belong_to_the_picture() -> None:
    assert active_picture([edges(44, 0, 0, 0)], (641, 361)) == (0, 46, 641, 361)
    assert active_picture([edges(0, 44, 0, 0)], (641, 361)) == (0, 0, 641, 316)


def test_one_frame_tells_its_own_bars() -> None:
    assert frame_active_picture(frame(0, with_bars(landscape(), *BARS))) == (0, 46, 640, 314)
    assert frame_active_picture(frame(0, landscape())) is None
    assert frame_active_picture(frame(0, np.full((HEIGHT, WIDTH), 16, np.uint8))) is None


def test_seams_are_those_of_each_shot() -> None:
    split = landscape(1) // 2
    split[:, 200:] += 100
    finder = ActivePictureFinder(WIDTH, HEIGHT, RATE)
    for index in range(100):
        finder.update(frame(index, split if index < 50 else landscape(2)), new_shot=index == 53)
    first, second = finder.with_active_pictures([Shot(0, 0, 50, "start"), Shot(1, 50, 100, "cut")])
    ((start, stop),) = first.seams_x
    assert (start + stop) / 2 == pytest.approx(200, abs=3)
    assert (first.seams_y, second.seams_x, second.seams_y) == ((), (), ())
