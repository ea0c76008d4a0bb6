"""The latest frames, bounded in number and in bytes."""

from __future__ import annotations

import numpy as np

from core.types import ByteArray
from processors.tracking.frame_history import FrameHistory

FRAME_BYTES = 100


class Image:
    """A `LazyImage` that keeps `FRAME_BYTES` until somebody looks."""

    width = height = 1
    luma: ByteArray = np.zeros((1, 1), np.uint8)

    def __init__(self) -> None:
        self.waiting_bytes = FRAME_BYTES
        self.looks = 0

    def __call__(self) -> ByteArray:
        self.waiting_bytes = 0
        self.looks += 1
        return np.zeros((1, 1, 3), np.uint8)


def kept(images: list[Image], most: int, max_waiting_bytes: int) -> FrameHistory:
    history = FrameHistory(most, max_waiting_bytes)
    for frame, image in enumerate(images):
        history.append(frame, image)
    return history


def test_the_oldest_are_converted_where_all_that_wait_are_too_large() -> None:
    images = [Image() for _ in range(6)]
    history = kept(images, 10, 4 * FRAME_BYTES)
    assert [image.looks for image in images] == [1, 1, 0, 0, 0, 0]
    assert [frame for frame, _ in history] == list(range(6)), "they are still there"


def test_nothing_is_converted_up_to_the_limit() -> None:
    images = [Image() for _ in range(4)]
    kept(images, 10, 4 * FRAME_BYTES)
    assert sum(image.looks for image in images) == 0


def test_a_few_large_ones_count_for_what_they_are() -> None:
    images = [Image() for _ in range(4)]
    images[1].waiting_bytes = 3 * FRAME_BYTES
    kept(images, 10, 4 * FRAME_BYTES)
    assert [image.looks for image in images] == [1, 1, 0, 0]


def test_those_that_are_converted_already_do_not_count() -> None:
    images = [Image() for _ in range(6)]
    for image in images[1::2]:
        image()
    kept(images, 10, 3 * FRAME_BYTES)
    assert [image.looks for image in images] == [0, 1, 0, 1, 0, 1]


def test_frames_that_are_no_longer_kept_do_not_count() -> None:
    images = [Image() for _ in range(9)]
    history = kept(images, 3, 3 * FRAME_BYTES)
    assert [frame for frame, _ in reversed(history)] == [8, 7, 6] and history.oldest == 6
    assert sum(image.looks for image in images) == 0


def test_the_latest_can_be_taken_out_and_all_forgotten() -> None:
    images = [Image() for _ in range(3)]
    history = kept(images, 5, 1000)
    assert history.pop() == (2, images[2])
    history.clear()
    assert len(history) == 0 and history.oldest == 0
