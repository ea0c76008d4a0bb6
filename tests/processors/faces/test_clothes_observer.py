"""When clothes are looked at, and how many looks are kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.models.model_spec import score_scale_of
from processors.faces.clothes import CLOTHES_SIZE
from processors.faces.clothes_observer import MAX_LOOKS, ClothesObserver
from processors.tracking.face_stream import FrameFaces, VisibleFace
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

BOX = np.array([60, 20, 90, 50], np.float32)


@pytest.fixture
def observer() -> ClothesObserver:
    return ClothesObserver(score_scale_of("onet"), 24.0)


def show(observer: ClothesObserver, frame: int, *tracks: int, score: float = 0.99, box: Any = BOX) -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    faces = tuple(VisibleFace(track, np.float32(box), score, landmarks_in(BOX[None])[0]) for track in tracks)
    seen: Any = SimpleNamespace(index=frame, image=lambda: image)
    observer.on_faces(seen, FrameFaces(frame, faces, searched=False))


def looks(observer: ClothesObserver, track: int) -> list[int]:
    columns = observer.on_track_end(Track(track))
    assert columns is not None
    assert columns["clothes"].shape == (len(columns["clothes_frames"]), CLOTHES_SIZE)
    return columns["clothes_frames"].tolist()


def test_each_person_is_looked_at_four_times_a_second(observer: ClothesObserver) -> None:
    for frame in range(25):
        show(observer, frame, 1, *([2] if frame >= 10 else []))
    assert looks(observer, 1) == [0, 6, 12, 18, 24]
    assert looks(observer, 2) == [10, 16, 22]


def test_a_face_that_is_not_seen_wears_nothing_known(observer: ClothesObserver) -> None:
    show(observer, 0, 1, score=0.3)
    show(observer, 1, 1, box=BOX + 90)  # the frame ends above the shoulders
    assert looks(observer, 1) == []
    assert looks(observer, 7) == []


def test_of_a_long_track_a_few_looks_that_span_it_are_kept(observer: ClothesObserver) -> None:
    for frame in range(0, 24 * 600, 6):
        show(observer, frame, 1)
    frames = looks(observer, 1)
    assert len(frames) == MAX_LOOKS
    assert frames[0] == 0 and frames[-1] == 24 * 600 - 6
    assert np.diff(frames).max() < 24 * 600 / 5
