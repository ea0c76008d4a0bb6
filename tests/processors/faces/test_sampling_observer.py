"""Which faces are sampled, and what becomes of the samples when the track ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from config import AnalysisSettings
from core.models.model_spec import score_scale_of
from core.types import ByteArray, FloatArray
from processors.faces import sampling_observer
from processors.faces.face_sampler import FaceSample
from processors.faces.sampling_observer import SamplingObserver
from processors.tracking.face_stream import FrameFaces, VisibleFace
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

BOX = np.array([40, 20, 80, 60], np.float32)
SCALE = np.array([2.0, 3.0], np.float32)


def embed(chips: ByteArray) -> FloatArray:
    return np.stack([chips[:, 0, 0, 0], np.ones(len(chips))], 1).astype(np.float32)


class Sampler:
    """Keeps every face that it is offered; chips are the numbers of their frames."""

    def __init__(self, *_: Any) -> None:
        self.samples: list[FaceSample] = []
        self.boxes: list[FloatArray] = []
        made.append(self)

    def offer(self, frame: Any, box: FloatArray, *_: Any) -> None:
        chip = np.full((8, 8, 3), frame.index, np.uint8)
        self.samples.insert(0, FaceSample(frame.index, 0.5, chip, chip))
        self.boxes.append(box)

    def finish(self) -> tuple[list[FaceSample], bytes]:
        return self.samples, b"jpeg"


made: list[Sampler] = []


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch) -> SamplingObserver:
    made.clear()
    monkeypatch.setattr(sampling_observer, "FaceSampler", Sampler)
    monkeypatch.setattr(sampling_observer, "sharpness", lambda image, landmarks: float(image[0, 0, 0]))
    detector = SimpleNamespace(score_scale=score_scale_of("onet"))
    models: Any = SimpleNamespace(embedder=SimpleNamespace(side=8, embed=embed), detector=detector)
    return SamplingObserver(models, AnalysisSettings(), SCALE, 25.0)


def show(observer: SamplingObserver, index: int, *tracks: int, searched: bool = False) -> None:
    """The image of frame n is grey of level 10 n."""
    image = np.full((90, 160, 3), 10 * index, np.uint8)
    frame: Any = SimpleNamespace(index=index, source=SimpleNamespace(index=index), image=lambda: image)
    faces = tuple(VisibleFace(track, BOX, 0.99, landmarks_in(BOX[None])[0]) for track in tracks)
    observer.on_faces(frame, FrameFaces(index, faces, searched))


def track_over(number: int, frames: int, score: float = 0.99) -> Track:
    track = Track(number, full_searches=1, confirmations=1)
    for frame in range(frames):
        track.append(frame, BOX, score, landmarks_in(BOX[None])[0])
    return track


def test_a_new_face_is_sampled_at_once_others_when_the_frame_was_searched(observer: SamplingObserver) -> None:
    show(observer, 0, 0)
    show(observer, 1, 0)
    show(observer, 2, 0, 1)
    show(observer, 3, 0, 1)
    show(observer, 4, 0, 1, searched=True)
    first, second = (observer.on_track_end(track_over(number, 5)) for number in (0, 1))
    assert first is not None and first["sample_frames"].tolist() == [4, 2, 0]
    assert second is not None and second["sample_frames"].tolist() == [4, 2]


def test_the_columns_fit_the_track(observer: SamplingObserver) -> None:
    for index in (0, 2, 4):
        show(observer, index, 7)
    columns = observer.on_track_end(track_over(7, 6))
    assert columns is not None
    assert columns["sharpness"].tolist() == [0, 0, 20, 20, 40, 40]
    assert columns["embeddings"].tolist() == [[0, 1]] and columns["sample_quality"].tolist() == [0.5]
    assert columns["face_jpeg"].tobytes() == b"jpeg"


def test_samples_are_cut_out_in_source_pixels(observer: SamplingObserver) -> None:
    show(observer, 0, 7)
    assert made[0].boxes[0].tolist() == [80, 60, 160, 180]


def test_what_is_no_face_gives_no_columns_and_is_forgotten(observer: SamplingObserver) -> None:
    show(observer, 0, 7)
    assert observer.on_track_end(track_over(7, 2)) is None
    show(observer, 1, 7)
    assert len(made) == 2, "a new sampler: the old one is gone"


def test_a_track_that_was_never_shown_has_no_samples(observer: SamplingObserver) -> None:
    columns = observer.on_track_end(track_over(7, 4))
    assert columns is not None
    assert columns["sharpness"].tolist() == [0] * 4 and columns["embeddings"].shape == (0, 2)
