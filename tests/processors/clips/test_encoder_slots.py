"""Slots are acquired all at once, first come first served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from processors.clips.encoder_slots import EncoderSlots, GroupSlots


def nothing() -> None:
    pass


def in_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.05)
    return thread


def acquiring(slots: EncoderSlots, count: int, got: list[str], name: str) -> Callable[[], None]:
    def acquire() -> None:
        slots.acquire(count, nothing)
        got.append(name)

    return acquire


def test_a_request_for_many_is_not_overtaken():
    slots, got = EncoderSlots(3), list[str]()
    slots.acquire(1, nothing)
    many = in_thread(acquiring(slots, 3, got, "many"))
    one = in_thread(acquiring(slots, 1, got, "one"))
    assert got == []  # although a slot is free
    slots.release()
    many.join(2)
    assert got == ["many"]
    slots.release(3)
    one.join(2)
    assert got == ["many", "one"]


def test_a_request_for_more_than_there_are_gets_all_of_them():
    slots, got = EncoderSlots(2), list[str]()
    slots.acquire(1, nothing)
    many = in_thread(acquiring(slots, 5, got, "many"))
    assert got == []
    slots.release()
    many.join(2)
    one = in_thread(acquiring(slots, 1, got, "one"))
    slots.release(3)  # two of five are still held
    time.sleep(0.05)
    assert got == ["many"]
    slots.release()
    one.join(2)
    assert got == ["many", "one"]


def test_a_request_that_is_given_up_blocks_nobody():
    slots, got, leave = EncoderSlots(2), list[str](), threading.Event()
    slots.acquire(1, nothing)

    def check() -> None:
        if leave.is_set():
            raise InterruptedError

    def ask() -> None:
        with pytest.raises(InterruptedError):
            slots.acquire(2, check)
        got.append("left")

    first = in_thread(ask)
    second = in_thread(acquiring(slots, 1, got, "second"))
    assert got == []
    leave.set()
    first.join(2)
    second.join(2)
    assert sorted(got) == ["left", "second"]


def test_a_group_acquires_its_slots_together_and_releases_those_it_needs_no_more():
    slots, got = EncoderSlots(3), list[str]()
    group = GroupSlots(3, 2, slots)  # three clips, of which two overlap
    group.acquire(nothing)
    other = in_thread(acquiring(slots, 2, got, "other"))
    group.acquire(nothing)
    group.release()  # the first clip has ended, the third one may be opened in its place
    group.acquire(nothing)
    assert got == []
    group.release()  # the last clip needs one slot only
    other.join(2)
    assert got == ["other"]
    group.release()
    slots.acquire(1, nothing)
