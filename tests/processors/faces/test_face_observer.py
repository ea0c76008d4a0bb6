"""Observers run on a thread of their own, in the order of the calls; ended tracks are measured on another one."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from processors.faces.face_observer import MAX_ENDED, MAX_PENDING, Measurement, ObserverThread
from processors.faces.tracklet_maker import Findings, tracklet_frames
from processors.tracking.face_stream import FrameFaces, VisibleFace
from processors.tracking.track import Track
from tests.material.scripted_faces import PACE, landmarks_in

SCALE = np.ones(2, np.float32)


def track_at(number: int, frames: int) -> Track:
    track = Track(number)
    for frame in range(frames):
        box = np.array([40, 20, 80, 60], np.float32) + frame
        track.append(frame, box, 0.99, landmarks_in(box[None])[0])
    return track


def frame_at(index: int) -> Any:
    return SimpleNamespace(index=index, image=lambda: np.zeros((90, 160, 3), np.uint8))


def faces_of(frame: int, *tracks: Track) -> FrameFaces:
    faces = tuple(VisibleFace(t.id, t.box, t.scores[-1], t.landmarks[-1]) for t in tracks)
    return FrameFaces(frame, faces, searched=True)


def required_columns(track: Track) -> Findings:
    columns: dict[str, np.ndarray[Any, Any]] = {
        "sharpness": np.ones(len(tracklet_frames(track)), np.float32),
        "sample_frames": np.zeros(0, np.int64),
        "sample_quality": np.zeros(0, np.float32),
        "embeddings": np.zeros((0, 2), np.float32),
    }
    return Findings(columns)


class Recording:
    """Notes its calls and their threads; gives what an analysis needs."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: set[str] = set()

    def on_faces(self, frame: Any, faces: FrameFaces) -> None:
        self._note("faces", frame.index, *(face.track for face in faces.faces))

    def on_track_end(self, track: Track) -> Measurement:
        self._note("end", track.id)
        return lambda: required_columns(track)

    def on_gradual_transition(self, middle: int) -> None:
        self._note("dissolve", middle)

    def finish(self) -> None:
        self._note("finish")

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        self.threads.add(threading.current_thread().name.partition("_")[0])


def nothing() -> None:
    """Nobody asks the run to stop."""


def test_tracklets_come_in_the_order_in_which_tracks_end() -> None:
    recording = Recording()
    with ObserverThread([recording], SCALE, PACE, nothing) as observers:
        for number in range(40):
            observers.on_track_end(track_at(number, 3))
        assert [track.whole.id for track in observers.finish()] == list(range(40))
    assert recording.threads == {"observe"}


def test_every_observer_gets_every_call_in_order() -> None:
    first, second = Recording(), Recording()
    track = track_at(7, 3)
    with ObserverThread([first, second], SCALE, PACE, nothing) as observers:
        observers.on_faces(frame_at(2), faces_of(2, track))
        observers.on_faces(frame_at(3), faces_of(3))  # nobody is there
        observers.on_gradual_transition(1)
        observers.on_track_end(track)
        observers.finish()
    assert first.calls == second.calls == [("faces", 2, 7), ("dissolve", 1), ("end", 7), ("finish",)]


def test_other_columns_become_signals_of_the_tracklet() -> None:
    class Speaking(Recording):
        def on_track_end(self, track: Track) -> Measurement:
            return lambda: Findings({"speech": np.arange(3, dtype=np.float32)}, divisions=(2,))

    with ObserverThread([Recording(), Speaking()], SCALE, PACE, nothing) as observers:
        observers.on_track_end(track_at(0, 3))
        (track,) = observers.finish()
    assert track.whole.signals["speech"].tolist() == [0, 1, 2] and set(track.whole.signals) == {"speech"}
    assert list(track.divisions) == [2]


def test_an_observer_may_say_that_a_track_is_not_a_face() -> None:
    class Doubting(Recording):
        def on_track_end(self, track: Track) -> Measurement:
            self._note("end", track.id)
            return lambda: None

    later = Recording()
    with ObserverThread([Doubting(), later], SCALE, PACE, nothing) as observers:
        observers.on_track_end(track_at(0, 3))
        assert observers.finish() == []
    assert ("end", 0) in later.calls, "it has to let go of what it keeps for the track"


def no_network() -> Findings:
    raise ModelError("no network")


@pytest.mark.parametrize("end", [lambda _, track: no_network(), lambda _, track: no_network])
def test_an_error_of_either_thread_reaches_the_caller(end: Any) -> None:
    class Failing(Recording):
        on_track_end = end

    with ObserverThread([Failing()], SCALE, PACE, nothing) as observers, pytest.raises(ModelError, match="no network"):
        observers.on_track_end(track_at(0, 3))
        observers.finish()


@pytest.mark.parametrize("pending", [MAX_PENDING, 3])
def test_no_more_than_so_many_frames_wait(pending: int) -> None:
    go, handed_over = threading.Event(), 0
    when_full: list[int] = []

    class Slow(Recording):
        def on_faces(self, frame: Any, faces: FrameFaces) -> None:
            go.wait(5)

    def check() -> None:
        when_full.append(handed_over)
        go.set()

    with ObserverThread([Slow(), Slow()], SCALE, PACE, check, pending) as observers:
        for index in range(3 * pending):
            observers.on_faces(frame_at(index), faces_of(index, track_at(0, index + 1)))
            handed_over += 1
        observers.finish()
    assert when_full[0] == pending, "the next call waits as long as the observers are busy with the first frame"


def test_frames_do_not_wait_for_tracks_that_are_measured() -> None:
    go = threading.Event()

    class Slow(Recording):
        def on_faces(self, frame: Any, faces: FrameFaces) -> None:
            super().on_faces(frame, faces)
            go.set()

        def on_track_end(self, track: Track) -> Measurement:
            self._note("end", track.id)
            return self.measured

        def measured(self) -> Findings | None:
            assert go.wait(5), "the frame after it is not observed"
            return None

    slow = Slow()
    with ObserverThread([slow], SCALE, PACE, nothing) as observers:
        observers.on_track_end(track_at(0, 3))
        observers.on_faces(frame_at(3), faces_of(3, track_at(1, 4)))
        observers.finish()
    assert slow.calls == [("end", 0), ("faces", 3, 1), ("finish",)]


def test_no_more_than_so_many_tracks_wait() -> None:
    go, handed_over = threading.Event(), 0
    when_full: list[int] = []

    class Slow(Recording):
        def on_track_end(self, track: Track) -> Measurement:
            return self.measured

        def measured(self) -> None:
            go.wait(5)

    def check() -> None:
        when_full.append(handed_over)
        go.set()

    with ObserverThread([Slow()], SCALE, PACE, check) as observers:
        for number in range(3 * MAX_ENDED):
            observers.on_track_end(track_at(number, 3))
            observers.on_faces(frame_at(number), faces_of(number, track_at(number, 3)))
            handed_over += 1
        observers.finish()
    assert when_full[0] <= MAX_ENDED + MAX_PENDING + 1


def test_waiting_ends_when_the_run_is_stopped() -> None:
    release = threading.Event()
    outcomes = list[bool]()

    class Stuck(Recording):
        def on_track_end(self, track: Track) -> Measurement:
            outcomes.append(release.wait(10))
            return lambda: None

    def stop() -> None:
        release.set()
        raise KeyboardInterrupt

    with ObserverThread([Stuck()], SCALE, PACE, stop) as observers, pytest.raises(KeyboardInterrupt):
        observers.on_track_end(track_at(0, 3))
        observers.finish()
    assert outcomes == [True]
