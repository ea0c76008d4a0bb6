"""Faces measured beside the following."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from config import AnalysisSettings
from core.errors import ModelError
from processors.faces import face_observer
from processors.faces.face_observer import MAX_PENDING, FaceObserver
from processors.faces.tracklet_maker import TrackletMaker
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

PICTURE = np.full((90, 160, 3), 90, np.uint8)


def track_at(number: int, frames: int) -> Track:
    track = Track(number)
    for frame in range(frames):
        box = np.array([40, 20, 80, 60], np.float32) + frame
        track.append(frame, box, 0.99, landmarks_in(box[None])[0])
    return track


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, str]]:
    """(track, samples offered, thread) of every tracklet made; samplers count only."""
    rows: list[tuple[int, int, str]] = []

    class Sampler:
        def __init__(self, *_: Any) -> None:
            self.offers: list[int] = []

        def offer(self, frame: Any, *_: Any) -> None:
            self.offers.append(frame.index)

        def finish(self) -> Any:
            return self.offers, b""

    def make(self: Any, track: Track, sharpness: Any, samples: Any, portrait: bytes) -> Any:
        rows.append((track.id, len(samples), threading.current_thread().name.partition("_")[0]))
        return SimpleNamespace(id=track.id)

    monkeypatch.setattr(face_observer, "FaceSampler", Sampler)
    monkeypatch.setattr(TrackletMaker, "make", make)
    return rows


def observer(check: Any = lambda: None) -> FaceObserver:
    models: Any = SimpleNamespace(embedder=None)
    return FaceObserver(models, AnalysisSettings(), np.ones(2, np.float32), 25.0, check)


def frame(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_tracklets_come_in_the_order_in_which_tracks_end(made: Any) -> None:
    tracks = [track_at(number, 3) for number in range(40)]
    with observer() as watching:
        watching.look(frame(2), PICTURE, tracks, sample=True)
        for track in tracks:
            watching.end(track)
        watching.finish()
        assert [tracklet.id for tracklet in watching.tracklets] == list(range(40))
    assert {thread for _, _, thread in made} == {"observe"}


def test_a_new_face_is_sampled_at_once_others_when_asked(made: Any) -> None:
    first, second = track_at(0, 3), track_at(1, 3)
    with observer() as watching:
        watching.look(frame(0), PICTURE, [first], sample=False)
        watching.look(frame(1), PICTURE, [first], sample=False)
        watching.look(frame(2), PICTURE, [first, second], sample=False)
        watching.look(frame(3), PICTURE, [first, second], sample=False)
        watching.look(frame(4), PICTURE, [first, second], sample=True)
        watching.end(first)
        watching.end(second)
        watching.finish()
    assert [(number, samples) for number, samples, _ in made] == [(0, 3), (1, 2)]


def test_an_error_of_the_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ModelError("no network")

    monkeypatch.setattr(TrackletMaker, "make", fail)
    with observer() as watching, pytest.raises(ModelError, match="no network"):
        watching.end(track_at(0, 3))
        watching.finish()


def test_no_more_than_so_many_pictures_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    go, waits = threading.Event(), []

    def check() -> None:
        waits.append(len(watching._pending))
        go.set()

    monkeypatch.setattr(face_observer, "sharpness", lambda *_: float(go.wait(5)))
    monkeypatch.setattr(face_observer, "FaceSampler", lambda *_: SimpleNamespace(offer=lambda *_: None))
    with observer(check) as watching:
        for index in range(3 * MAX_PENDING):
            watching.look(frame(index), PICTURE, [track_at(0, index + 1)], sample=False)
        watching.finish()
    assert waits and max(waits) == MAX_PENDING + 1


def test_waiting_ends_when_the_run_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(TrackletMaker, "make", lambda *_: release.wait(10))

    def stop() -> None:
        release.set()
        raise KeyboardInterrupt

    with observer(stop) as watching, pytest.raises(KeyboardInterrupt):
        watching.end(track_at(0, 3))
        watching.finish()
