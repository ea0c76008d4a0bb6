"""Which faces are sampled, and what becomes of the samples when the track ends."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from config import AnalysisSettings
from core.models.networks.model_spec import score_scale_of
from core.types import ByteArray, FloatArray
from processors.faces.face_sampler import FaceSampler
from processors.faces.pass_plan import PassPlan
from processors.faces.sampling_observer import SamplingObserver
from processors.faces.stretch_people import FIRST_SAMPLES
from processors.faces.track_stretches import SAMPLE_INTERVAL_S
from processors.faces.tracklet_maker import Findings
from processors.tracking.face_stream import FrameFaces, VisibleFace
from processors.tracking.track import Track
from tests.material import factories
from tests.material.scripted_faces import landmarks_in

BOX = np.array([40, 20, 80, 60], np.float32)
SCALE = np.array([2.0, 3.0], np.float32)
RATE = 25.0
"""of `factories.video_info`"""


class Embedder:
    """Knows a face by its colour."""

    name, side = "dlib", 8

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> Any:
        return np.array([[0.1, 0, -5], [0, 0.1, -5]])

    def embed(self, chips: ByteArray) -> FloatArray:
        colours = chips[:, 4, 4].astype(np.float32)
        return np.asarray(colours / np.maximum(np.linalg.norm(colours, axis=1, keepdims=True), 1e-9), np.float32)


class Offers(list[tuple[int, FloatArray]]):
    """The faces that samplers were offered: frame and box."""


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch) -> Offers:
    noted, offer = Offers(), FaceSampler.offer

    def noting(self: FaceSampler, frame: Any, box: FloatArray, *others: Any) -> None:
        noted.append((frame.index, box))
        offer(self, frame, box, *others)

    monkeypatch.setattr(FaceSampler, "offer", noting)
    return noted


@pytest.fixture
def observer() -> SamplingObserver:
    detector = SimpleNamespace(score_scale=score_scale_of("onet"))
    models: Any = SimpleNamespace(embedder=Embedder(), detector=detector, quick_verifier=None)
    return SamplingObserver(models, PassPlan.of(factories.video_info(), AnalysisSettings()), SCALE)


class Image:
    """Stands in for an `AnalysisImage`."""

    def __init__(self, pixels: ByteArray, gain: float) -> None:
        self._pixels, self.gain = pixels, gain
        self.height, self.width = pixels.shape[:2]
        self.thumbnail = cv2.resize(pixels, (128, 72))

    def __call__(self) -> ByteArray:
        return self._pixels


def picture(person: int) -> ByteArray:
    noise = np.random.RandomState(person).randint(30, 230, (12, 20), np.uint8)
    image = np.zeros((90, 160, 3), np.uint8)
    image[..., person] = cv2.resize(noise, (160, 90), interpolation=cv2.INTER_CUBIC)
    return image


def show(
    observer: SamplingObserver,
    index: int,
    *tracks: int,
    searched: bool = False,
    person: int = 0,
    gain: float = 1,
    earlier: Sequence[int] = (),
) -> None:
    """An image full of the person's pattern in the person's colour. earlier: people of the frames before."""
    image = picture(person)
    source = np.zeros((300, 400, 3), np.uint8)
    source[..., person] = 200
    frame: Any = SimpleNamespace(
        index=index,
        source=SimpleNamespace(
            index=index,
            width=400,
            height=300,
            placed=None,
            patch=lambda box: (source, 0, 0),
            planes=lambda: (np.full((300, 400), 120, np.uint8),),
        ),
        image=Image(image, gain),
        earlier=tuple(Image(picture(someone), 1).thumbnail for someone in earlier),
    )
    faces = tuple(VisibleFace(track, BOX, 0.99, landmarks_in(BOX[None])[0]) for track in tracks)
    observer.on_faces(frame, FrameFaces(index, faces, searched))


def track_over(number: int, frames: int, score: float = 0.99, stride: int = 1) -> Track:
    track = Track(number, full_searches=1, confirmations=1)
    for frame in range(0, frames, stride):
        track.append(frame, BOX, score, landmarks_in(BOX[None])[0])
    return track


def findings(observer: SamplingObserver, track: Track) -> Findings:
    found = observer.on_track_end(track)()
    assert found is not None
    return found


def test_a_new_face_is_sampled_twice_soon_others_when_the_frame_was_searched(
    observer: SamplingObserver, offers: Offers
) -> None:
    for index in range(20):
        show(observer, index, 0, *([1] if index > 4 else []), searched=index == 12)
    # At first, a third of a second later, and where the search has corrected a box: that of the newer face.
    assert [index for index, _ in offers] == [0, 5, 9, 12]


def test_a_face_that_changes_is_sampled_now_and_then(observer: SamplingObserver, offers: Offers) -> None:
    for index in range(30):
        show(observer, index, 0, person=index % 3)
    assert 3 <= len(offers) <= 30 / (SAMPLE_INTERVAL_S * RATE) + 3


def test_the_columns_fit_the_track(observer: SamplingObserver) -> None:
    for index in range(0, 400, 2):
        show(observer, index, 7, searched=True)
    found = findings(observer, track_over(7, 400)).columns
    assert found["sharpness"].shape == (400,) and (found["sharpness"] > 0).all()
    assert len(found["sample_frames"]) == FIRST_SAMPLES
    assert found["embeddings"].shape == (len(found["sample_frames"]), 3)
    assert (np.diff(found["sample_quality"]) <= 0).all(), "best first"


def test_a_track_through_two_people_is_divided_with_a_portrait_of_each(observer: SamplingObserver) -> None:
    for index in range(100):
        show(observer, index, 7, person=int(index >= 50))
    found = findings(observer, track_over(7, 100))
    assert list(found.divisions) == [50]
    assert [portrait.frame >= 50 for portrait in found.portraits] == [False, True]
    after = found.columns["sample_frames"] >= 50
    assert after.any() and not after.all()
    assert (found.columns["embeddings"][after].argmax(1) == 1).all()
    assert (found.columns["embeddings"][~after].argmax(1) == 0).all()
    assert list(found.switches) == [50]


def test_a_calm_face_that_is_replaced_is_divided_at_a_frame_that_was_not_looked_at(observer: SamplingObserver) -> None:
    for index in range(0, 100, 3):
        show(
            observer, index, 7, person=int(index >= 49), earlier=[int(frame >= 49) for frame in range(index - 3, index)]
        )
    found = findings(observer, track_over(7, 100, stride=3))
    assert list(found.divisions) == list(found.switches) == [49]


def test_a_dissolve_is_not_a_division_but_both_sides_have_a_portrait(observer: SamplingObserver) -> None:
    for index in range(100):
        show(observer, index, 7)
        if index == 60:
            observer.on_gradual_transition(50)
    found = findings(observer, track_over(7, 100))
    assert list(found.divisions) == []
    assert [portrait.frame >= 50 for portrait in found.portraits] == [False, True]


def test_samples_are_cut_out_in_source_pixels(observer: SamplingObserver, offers: Offers) -> None:
    show(observer, 0, 7)
    assert offers[0][1].tolist() == [80, 60, 160, 180]


def test_what_is_not_a_face_gives_no_columns_and_is_forgotten(observer: SamplingObserver) -> None:
    show(observer, 0, 7)
    assert observer.on_track_end(track_over(7, 2))() is None
    show(observer, 1, 7)
    assert findings(observer, track_over(7, 4)).columns["sample_frames"].tolist() == [1]


def test_a_track_that_was_never_shown_has_no_samples(observer: SamplingObserver) -> None:
    found = findings(observer, track_over(7, 4))
    assert found.columns["sharpness"].tolist() == [0] * 4 and found.columns["embeddings"].shape == (0, 3)
    assert list(found.portraits) == []
