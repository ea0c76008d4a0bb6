"""Slots are acquired all at once, first come first served."""

from __future__ import annotations

import threading

import pytest

from processors.clips.encoder_slots import EncoderSlots, GroupSlots


def nothing() -> None:
    pass


class Request:
    """A request for slots on a thread of its own, which waits when the constructor returns."""

    def __init__(self, slots: EncoderSlots, count: int, got: list[str], name: str) -> None:
        self._slots, self._count = slots, count
        self._got, self._name = got, name
        self._checked = threading.Event()
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        assert self._checked.wait(10)

    def check(self) -> None:
        self._checked.set()

    def run(self) -> None:
        self._slots.acquire(self._count, self.check)
        self._got.append(self._name)

    def still_waits(self) -> bool:
        # A request that is granted checks once more at most.
        for _ in range(2):
            self._checked.clear()
            if not self._checked.wait(10):
                return False
        return True

    def join(self) -> None:
        self._thread.join(10)


class AbandonedRequest(Request):
    """Waits until `leave` is set."""

    def __init__(self, slots: EncoderSlots, count: int, got: list[str], name: str) -> None:
        self.leave = threading.Event()
        super().__init__(slots, count, got, name)

    def check(self) -> None:
        super().check()
        if self.leave.is_set():
            raise InterruptedError

    def run(self) -> None:
        with pytest.raises(InterruptedError):
            self._slots.acquire(self._count, self.check)
        self._got.append(self._name)


def test_a_request_for_many_is_not_overtaken():
    slots, got = EncoderSlots(3), list[str]()
    slots.acquire(1, nothing)
    many = Request(slots, 3, got, "many")
    one = Request(slots, 1, got, "one")
    assert got == []  # although a slot is free
    slots.release()
    many.join()
    assert got == ["many"]
    slots.release(3)
    one.join()
    assert got == ["many", "one"]


def test_a_request_for_more_than_there_are_gets_all_of_them():
    slots, got = EncoderSlots(2), list[str]()
    slots.acquire(1, nothing)
    many = Request(slots, 5, got, "many")
    assert got == []
    slots.release()
    many.join()
    one = Request(slots, 1, got, "one")
    slots.release(3)  # two of five are still held
    assert one.still_waits() and got == ["many"]
    slots.release()
    one.join()
    assert got == ["many", "one"]


def test_a_request_that_is_given_up_blocks_nobody():
    slots, got = EncoderSlots(2), list[str]()
    slots.acquire(1, nothing)
    first = AbandonedRequest(slots, 2, got, "left")
    second = Request(slots, 1, got, "second")
    assert got == []
    first.leave.set()
    first.join()
    second.join()
    assert sorted(got) == ["left", "second"]


def test_a_group_acquires_its_slots_together_and_releases_those_no_longer_needed():
    slots, got = EncoderSlots(3), list[str]()
    group = GroupSlots(3, 2, slots)  # three clips, of which two overlap
    group.acquire(nothing)
    other = Request(slots, 2, got, "other")
    group.acquire(nothing)
    group.release()  # the first clip has ended, the third one may be opened in its place
    group.acquire(nothing)
    assert got == []
    group.release()  # the last clip needs one slot only
    other.join()
    assert got == ["other"]
    group.release()
    slots.acquire(1, nothing)
