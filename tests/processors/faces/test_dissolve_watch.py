"""When the surroundings of a tracked face are examined, and what becomes known."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import ByteArray
from processors.faces.dissolve_watch import DissolveWatch
from processors.shots.local_dissolve import LocalDissolve
from tests.processors.shots.test_local_dissolve import NEW, OLD, OTHER

BOX = np.array([0.3, 0.35, 0.5, 0.65], np.float32)


def frame(index: int, first: int, last: int) -> ByteArray:
    """The tile dissolves from frame `first` on and is the new one with `last`."""
    share = min(max((index - first) / (last - first), 0.0), 1.0)
    image: ByteArray = OTHER.copy()
    mixed = ((1 - share) * OLD.astype(np.float32) + share * NEW).astype(np.uint8)
    image[10:60, 20:80] = mixed[10:60, 20:80]
    return image


def seen(rate: float, stride: int = 1, start: int = 0) -> list[LocalDissolve]:
    """What a watch finds of a dissolve from 1.6 to 2 s; the face is looked at from `start` on."""
    watch, found = DissolveWatch(rate), []
    for index in range(start, round(4 * rate), stride):
        earlier = range(max(index - stride + 1, 0), index + 1)
        watch.note_frames(index, [frame(k, round(1.6 * rate), round(2 * rate)) for k in earlier])
        if (one := watch.find(7, index, BOX)) is not None:
            found.append(one)
    return found


@pytest.mark.parametrize(("rate", "stride"), [(25.0, 1), (25.0, 3), (50.0, 6)])
def test_a_dissolve_is_found_once_however_often_the_face_is_looked_at(rate: float, stride: int) -> None:
    (found,) = seen(rate, stride)
    assert found.before / rate == pytest.approx(1.6, abs=0.05)
    assert found.middle / rate == pytest.approx(1.8, abs=0.05)
    assert found.after / rate == pytest.approx(2.0, abs=0.05)


def test_nothing_is_said_of_the_time_before_a_track() -> None:
    assert seen(25.0, start=44) == []


def test_a_face_too_small_to_tell_is_left_alone() -> None:
    watch = DissolveWatch(25.0)
    for index in range(60):
        watch.note_frames(index, [frame(index, 20, 30)])
        assert watch.find(7, index, np.array([0.4, 0.5, 0.41, 0.52], np.float32)) is None
