"""Rooms are given to whoever asked first, all at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from processors.clips.encoder_slots import EncoderRooms


def nothing() -> None:
    pass


def in_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.05)
    return thread


def taking(rooms: EncoderRooms, count: int, got: list[str], name: str) -> Callable[[], None]:
    def take() -> None:
        rooms.take(count, 0.01, nothing)
        got.append(name)

    return take


def test_one_who_needs_many_is_not_passed_over():
    rooms, got = EncoderRooms(3), list[str]()
    rooms.take(1, 0.01, nothing)
    many = in_thread(taking(rooms, 3, got, "many"))
    one = in_thread(taking(rooms, 1, got, "one"))
    assert got == []  # although there is room for one
    rooms.give()
    many.join(2)
    assert got == ["many"]
    rooms.give(3)
    one.join(2)
    assert got == ["many", "one"]


def test_one_who_needs_more_than_there_are_is_alone():
    rooms, got = EncoderRooms(2), list[str]()
    rooms.take(1, 0.01, nothing)
    many = in_thread(taking(rooms, 5, got, "many"))
    assert got == []
    rooms.give()
    many.join(2)
    one = in_thread(taking(rooms, 1, got, "one"))
    rooms.give(3)  # two of five are still held
    time.sleep(0.05)
    assert got == ["many"]
    rooms.give()
    one.join(2)
    assert got == ["many", "one"]


def test_one_who_leaves_stands_in_nobodys_way():
    rooms, got, leave = EncoderRooms(2), list[str](), threading.Event()
    rooms.take(1, 0.01, nothing)

    def check() -> None:
        if leave.is_set():
            raise InterruptedError

    def ask() -> None:
        with pytest.raises(InterruptedError):
            rooms.take(2, 0.01, check)
        got.append("left")

    first = in_thread(ask)
    second = in_thread(taking(rooms, 1, got, "second"))
    assert got == []
    leave.set()
    first.join(2)
    second.join(2)
    assert sorted(got) == ["left", "second"]
