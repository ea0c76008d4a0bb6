"""Dissolves of a part of the image, and what is none."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from core.types import ByteArray
from processors.shots.local_dissolve import MAX_IMAGES, LocalDissolve, LocalImages, find_local_dissolve

REGION = (30, 20, 70, 50)
RISE = [0.0, 0.0, 0.0, 0.1, 0.3, 0.45, 0.6, 0.8, 0.97, 1.0, 1.0, 1.0]
FOUND = LocalDissolve(2, 6, 8)


def picture(seed: int) -> ByteArray:
    """(72, 128, 3): shapes of some pixels, as people and furniture have."""
    coarse = np.random.RandomState(seed).uniform(30, 225, (12, 20, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (128, 72), interpolation=cv2.INTER_CUBIC).clip(0, 255), np.uint8)


OLD, NEW, OTHER = picture(1), picture(2), picture(3)


def find(frames: Sequence[ByteArray], region: tuple[int, int, int, int] = REGION) -> LocalDissolve | None:
    return find_local_dissolve(LocalImages(frames, region))


def differ(frames: Sequence[ByteArray], region: tuple[int, int, int, int] = REGION) -> bool:
    return LocalImages(frames, region).differ(0)


def mixtures(shares: Sequence[float], old: ByteArray = OLD, new: ByteArray = NEW) -> list[ByteArray]:
    """Frames of which only the part around `REGION` changes."""
    frames = []
    for share in shares:
        frame = OTHER.copy()
        mixed = ((1 - share) * old.astype(np.float32) + share * new).astype(np.uint8)
        frame[10:60, 20:80] = mixed[10:60, 20:80]
        frames.append(frame)
    return frames


def test_a_tile_that_dissolves_is_found_by_its_middle_and_its_ends() -> None:
    assert find(mixtures(RISE)) == FOUND


def test_of_a_long_run_some_images_are_left_out_and_the_positions_stay() -> None:
    shares = [0.0] * 20 + [share / 20 for share in range(1, 20)] + [1.0] * 15
    images = LocalImages(mixtures(shares), REGION).since(4)
    assert len(images) <= MAX_IMAGES and images.positions[-1] == len(shares) - 1
    found = find_local_dissolve(images)
    assert found is not None
    assert [abs(a - b) < 5 for a, b in zip(found, (20, 29, 38), strict=True)] == [True] * 3


def test_the_rest_of_the_image_stays() -> None:
    assert find(mixtures(RISE), (85, 20, 125, 50)) is None
    assert not differ(mixtures([0, 1]), (85, 20, 125, 50)) and differ(mixtures([0, 1]))


def test_neither_a_cut_nor_a_flash_is_one() -> None:
    assert find(mixtures([0.0] * 6 + [1.0] * 6)) is None
    assert find(mixtures([*RISE, *RISE[::-1]])) is None


def test_a_run_that_begins_in_the_middle_of_it_is_none() -> None:
    assert find(mixtures(RISE[4:])) is None


def test_light_that_changes_is_none() -> None:
    for new in (OLD // 2, OLD // 2 + 100):
        assert find(mixtures(RISE, new=np.asarray(new, np.uint8))) is None


def test_an_object_that_comes_to_rest_is_none() -> None:
    frames = mixtures([0.0] * 12)
    for k, frame in enumerate(frames):
        x = 20 + round(20 * min(max(k - 2, 0) / 6, 1))
        frame[20:50, x : x + 20] = NEW[20:50, 50:70]
    assert differ(frames) and find(frames) is None


def test_a_caption_over_a_part_of_it_is_none() -> None:
    frames = mixtures(RISE)
    for frame in frames:
        frame[10:42] = OTHER[10:42]
    assert find(frames) is None
