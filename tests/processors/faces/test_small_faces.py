"""Faces that are smaller than those searched for, in scripted frames and in a film of a photograph."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from config import MIN_FACE_LIMIT, Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.models.networks.model_spec import score_scale_of
from core.types import ByteArray, Detections
from processors.face_analyzer import FaceAnalyzer
from processors.faces.faceless_reasons import SMALL_FACES_MIN_FACE, SMALL_FACES_PX
from processors.faces.small_faces import KEY_FRAMES, SmallFaceCheck
from processors.faces.track_check import MIN_OPINION
from tests.material.scripted_faces import detections
from tests.material.synthetic.portraits import COLLINS
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene

WIDTH_PX, HEIGHT_PX = 1280, 720


class Models:
    """Finds the face of each frame that has one, if it is searched for at its size; counts the searches.

    least_share: of the smallest size that is searched for, from which a face is found.
    """

    def __init__(self, opinion: float = 1.0, score: float = 0.99, least_share: float = 1.0) -> None:
        self.searches = 0
        self._score, self._least_share = score, least_share
        self.cascade = SimpleNamespace(detect=self._detect, score_scale=score_scale_of("onet"))
        self.verifier = SimpleNamespace(scores=lambda crops: np.full(len(crops), opinion, np.float32))

    def _detect(self, images: list[ByteArray], min_face_px: float) -> list[Detections]:
        self.searches += 1
        image = images[0]
        height = float(image[0, 0, 0]) * image.shape[0] / HEIGHT_PX
        if not height or height < self._least_share * min_face_px:
            return [detections([], self._score)]
        return [detections([np.array([50, 50, 50 + 0.8 * height, 50 + height], np.float32)], self._score)]


class Frame:
    """A stand-in for a video frame whose face is as many pixels high as its grey level."""

    width, height = WIDTH_PX, HEIGHT_PX

    def __init__(self, face_px: int) -> None:
        self._face_px = face_px

    def shrunk(self, width: int, height: int) -> ByteArray:
        return np.asarray(np.indices((height, width, 3)).sum(0) % 256, np.uint8)

    def rgb(self, width: int, height: int) -> ByteArray:
        return np.full((height, width, 3), self._face_px, np.uint8)


def findings(heights: list[int], models: Any = None, active_share: float = 1.0) -> dict[str, float]:
    frames: Any = [Frame(height) for height in heights]
    stand_in: Any = models or Models()
    check = SmallFaceCheck(stand_in, (WIDTH_PX, HEIGHT_PX), active_share)
    return check.findings(frames, wanted_min_face=0.05)


def test_faces_below_the_setting_are_told_with_one_that_finds_them() -> None:
    assert findings([0, 24, 26, 0]) == {SMALL_FACES_PX: 25, SMALL_FACES_MIN_FACE: 0.032}
    # Of a picture between black bars, the setting is a share of its own height.
    assert findings([24, 26, 24, 26], active_share=0.8) == {SMALL_FACES_PX: 25, SMALL_FACES_MIN_FACE: 0.041}


def test_no_setting_is_proposed_that_does_not_find_them() -> None:
    assert findings([15] * 4) == {SMALL_FACES_PX: 15, SMALL_FACES_MIN_FACE: MIN_FACE_LIMIT}
    assert findings([11] * 4) == {SMALL_FACES_PX: 11, SMALL_FACES_MIN_FACE: 0}
    assert findings([20] * 4, Models(least_share=1.5)) == {SMALL_FACES_PX: 20, SMALL_FACES_MIN_FACE: 0.02}


@pytest.mark.parametrize("heights", [[], [0] * 4, [25, 0, 0, 0], [40] * 4])
def test_one_frame_of_several_or_faces_that_are_large_enough_say_nothing(heights: list[int]) -> None:
    assert findings(heights) == {}


def test_the_only_frame_is_evidence() -> None:
    assert findings([25]) == {SMALL_FACES_PX: 25, SMALL_FACES_MIN_FACE: 0.032}


def test_detector_and_verifier_have_to_be_sure() -> None:
    assert findings([25] * 4, Models(opinion=MIN_OPINION - 0.01)) == {}
    assert findings([25] * 4, Models(score=score_scale_of("onet").sure_track - 0.01)) == {}


def test_the_search_ends_when_too_few_frames_are_left() -> None:
    models = Models()
    findings([0] * KEY_FRAMES, models)
    assert models.searches == KEY_FRAMES - 1


def test_a_video_whose_faces_are_too_small_says_so(
    tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    stays = Motion(keys=(Key(0, 0.5, 0.5, 0.1),))
    scene = Scene(length=5, actors=(Actor(COLLINS, stays),))
    render_video(tmp_path / "film.mp4", Film(scenes=(scene,), width=320, height=240))
    analysis = msgspec.structs.replace(model_settings.analysis, min_face=0.3)
    settings = msgspec.structs.replace(model_settings, analysis=analysis)
    found = FaceAnalyzer(settings, models).analyze(probe_video(tmp_path / "film.mp4"))
    assert found.tracklets == () and found.statistics[SMALL_FACES_PX] == pytest.approx(0.1 * 240, rel=0.15)
    assert found.statistics[SMALL_FACES_MIN_FACE] == pytest.approx(0.1, rel=0.2)
