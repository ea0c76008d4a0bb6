"""When it is looked around a face, what is noted, and how many looks are kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.models.networks.model_spec import score_scale_of
from core.types import VIEW_HEIGHT, VIEW_WIDTH, ByteArray
from processors.faces.clothes import CLOTHES_SIZE
from processors.faces.look_observer import MAX_LOOKS, LookObserver, frame_view
from processors.faces.tracklet_maker import LOOKS
from processors.tracking.face_stream import FrameFaces, VisibleFace
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

BOX = np.array([60, 20, 90, 50], np.float32)
LOW = BOX + np.float32(90)
"""the frame ends above the shoulders"""


@pytest.fixture
def observer() -> LookObserver:
    return LookObserver(score_scale_of("onet"), 24.0)


def show(observer: LookObserver, frame: int, *tracks: int, score: float = 0.99, box: Any = BOX) -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    faces = tuple(VisibleFace(track, np.float32(box), score, landmarks_in(BOX[None])[0]) for track in tracks)
    seen: Any = SimpleNamespace(index=frame, image=lambda: image)
    observer.on_faces(seen, FrameFaces(frame, faces, searched=False))


def looks(observer: LookObserver, track: int) -> dict[str, NDArray[Any]]:
    found = observer.on_track_end(Track(track))()
    assert found is not None
    columns = found.columns
    count = len(columns["look_frames"])
    assert columns["clothes"].shape == (count, CLOTHES_SIZE)
    assert columns["views"].shape == (count, VIEW_WIDTH * VIEW_HEIGHT)
    return dict(columns)


def test_there_are_four_looks_a_second_around_each_face(observer: LookObserver) -> None:
    for frame in range(25):
        show(observer, frame, 1, *([2] if frame >= 10 else []))
    assert looks(observer, 1)["look_frames"].tolist() == [0, 6, 12, 18, 24]
    assert looks(observer, 2)["look_frames"].tolist() == [10, 16, 22]


def test_after_as_many_looks_as_a_tracklet_keeps_there_are_two_a_second(observer: LookObserver) -> None:
    for frame in range(100):
        show(observer, frame, 1)
    assert np.diff(looks(observer, 1)["look_frames"]).tolist() == [6] * (LOOKS - 1) + [12] * 4


def test_nobody_looks_around_a_face_that_is_not_seen(observer: LookObserver) -> None:
    show(observer, 0, 1, score=0.3)
    assert len(looks(observer, 1)["look_frames"]) == 0
    assert len(looks(observer, 7)["look_frames"]) == 0


def test_clothes_that_are_not_in_the_frame_are_unknown(observer: LookObserver) -> None:
    show(observer, 1, 1, box=LOW)
    show(observer, 7, 1)
    assert looks(observer, 1)["clothes"].any(axis=1).tolist() == [False, True]


@pytest.mark.slow
def test_of_a_long_track_a_few_looks_that_span_it_are_kept(observer: LookObserver) -> None:
    for frame in range(0, 24 * 600, 6):
        show(observer, frame, 1)
    frames = looks(observer, 1)["look_frames"]
    assert len(frames) == MAX_LOOKS
    assert frames[0] == 0 and frames[-1] == 24 * 600 - 6
    assert np.diff(frames).max() < 24 * 600 / 20


def test_a_view_is_the_frame_made_small() -> None:
    image: ByteArray = np.zeros((180, 320, 3), np.uint8)
    image[:, 160:] = 200
    view = frame_view(image).reshape(VIEW_HEIGHT, VIEW_WIDTH)
    assert not view[:, : VIEW_WIDTH // 2].any() and (view[:, VIEW_WIDTH // 2 :] == 200).all()


def test_a_view_of_a_large_frame_is_that_of_a_small_one() -> None:
    # Of a large frame only some pixels are read; noise averages out all the same.
    room = np.random.default_rng(5).integers(0, 255, (VIEW_HEIGHT, VIEW_WIDTH, 3), np.uint8)
    large: ByteArray = np.repeat(np.repeat(room, 60, 0), 60, 1)
    large = np.clip(large + np.random.default_rng(6).normal(0, 20, large.shape), 0, 255).astype(np.uint8)
    difference = frame_view(large).astype(int) - frame_view(room)
    assert np.abs(difference).mean() < 5 and np.abs(difference).max() < 30
