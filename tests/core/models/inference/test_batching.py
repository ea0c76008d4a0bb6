"""Batches: of a fixed size, smaller once memory has run out."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from core.errors import GPUMemoryError
from core.models.inference.batch_sizes import BATCH_SIZES, padded_size
from core.models.inference.batching import Batched
from core.types import FloatArray


def some_images(count: int) -> FloatArray:
    return np.random.RandomState(count).randint(0, 256, (count, 2, 2, 3)).astype(np.float32)


class Memory:
    """A net with room for `room` images at a time; notes the batches it was given."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.batches: list[int] = []

    def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
        self.batches.append(len(images))
        if len(images) > self.room:
            raise GPUMemoryError("full")
        return images.sum((1, 2, 3))[:, None], images[:, 0, 0]


def assert_equal(found: tuple[FloatArray, ...], many: FloatArray) -> None:
    whole = Memory(10**6)(many)
    assert len(found) == len(whole) == 2
    assert all(np.array_equal(a, b) for a, b in zip(found, whole, strict=True))


@pytest.mark.parametrize("size", [1, 3, 10, 64])
def test_batches_give_what_one_call_gives(size: int) -> None:
    net = Memory(10**6)
    assert_equal(Batched(net, size)(some_images(10)), some_images(10))
    assert max(net.batches) <= size and sum(net.batches) == 10


@pytest.mark.parametrize(("count", "batches"), [(16, [16]), (17, [9, 8]), (33, [11, 11, 11]), (0, [0])])
def test_no_image_is_left_over_for_a_batch_of_its_own(count: int, batches: list[int]) -> None:
    net = Memory(10**6)
    Batched(net, 16)(some_images(count))
    assert net.batches == batches


@pytest.mark.parametrize("room", [1, 2, 3, 7])
def test_short_memory_halves_the_batch_and_changes_nothing(room: int) -> None:
    net = Memory(room)
    assert_equal(Batched(net, 8)(some_images(13)), some_images(13))
    assert sum(n for n in net.batches if n <= room) == 13


def test_memory_that_runs_out_half_way_loses_no_image() -> None:
    class Shrinking(Memory):
        def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
            self.room = 8 if len(self.batches) < 2 else 2
            return super().__call__(images)

    assert_equal(Batched(Shrinking(8), 8)(some_images(30)), some_images(30))


def test_the_smaller_size_is_kept_for_later_calls_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    net = Memory(3)
    batched = Batched(net, 16, name="rnet")
    batched(some_images(16))
    net.batches.clear()
    assert_equal(batched(some_images(16)), some_images(16))
    assert batched.size == 2 and net.batches == [2] * 8
    net.room = 1
    batched(some_images(4))
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1 and "rnet" in warnings[0] and "memory is low" in warnings[0]


def test_a_small_batch_that_fails_says_nothing_about_larger_sizes_than_itself() -> None:
    net = Memory(2)
    batched = Batched(net, 1024)
    batched(some_images(5))
    assert net.batches[0] == 5 and net.batches.count(5) == 1
    assert batched.size == 2


def test_not_even_one_image_fits() -> None:
    net = Memory(0)
    with pytest.raises(GPUMemoryError):
        Batched(net, 4)(some_images(4))
    assert net.batches == [4, 2, 1]


def test_the_failed_call_is_forgotten_before_the_next_try() -> None:
    """Its traceback holds the tensors that filled the memory."""

    class Large:
        alive = 0

        def __init__(self) -> None:
            Large.alive += 1

        def __del__(self) -> None:
            Large.alive -= 1

    def net(images: FloatArray) -> tuple[FloatArray, ...]:
        assert Large.alive == 0
        held = Large()
        if len(images) > 1:
            raise GPUMemoryError(f"full of {held}")
        return (images,)

    Batched(net, 8)(some_images(8))


def with_white(images: FloatArray, count: int) -> FloatArray:
    return np.concatenate([images, np.full((count - len(images), *images.shape[1:]), 255, np.float32)])


def test_the_sizes_of_batches_are_few_and_waste_less_than_half() -> None:
    sizes = {padded_size(count) for count in range(1, 4097)}
    assert sizes == set(BATCH_SIZES) and len(sizes) < 30
    assert all(count <= padded_size(count) < 1.5 * count for count in range(1, 4097))
    assert padded_size(5000) == 5000


@pytest.mark.parametrize("size", [1, 5, 64])
def test_batches_that_are_filled_up_give_what_they_give_alone(size: int) -> None:
    net = Memory(10**6)
    for count in range(1, 40):
        assert_equal(Batched(net, size, fill=with_white)(some_images(count)), some_images(count))
    assert set(net.batches) <= {*BATCH_SIZES, size} and max(net.batches) <= size


def test_a_batch_is_not_filled_up_beyond_what_fits() -> None:
    net = Memory(room=5)
    batched = Batched(net, 16, fill=with_white)
    for count in (11, 5, 4, 3):
        assert_equal(batched(some_images(count)), some_images(count))
    assert batched.size == 5
    assert [n for n in net.batches if n > 5] == [12]
