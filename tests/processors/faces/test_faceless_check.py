"""Why nobody was found: turned, overexposed and dark images of scripted faces, and real ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.models.networks.model_spec import score_scale_of
from core.types import ByteArray, Detections, FaceAnalysis, FloatArray
from processors.face_analyzer import FaceAnalyzer
from processors.faces.faceless_check import (
    DARK_LEVEL,
    MAX_IMAGES,
    WHITE_SHARE,
    FacelessCheck,
    brightened,
    certainty,
    is_dark,
    is_overexposed,
)
from processors.faces.faceless_reasons import DARK, OVEREXPOSED, TURNED
from processors.faces.track_check import MIN_OPINION
from processors.tracking.detection_schedule import SMALL_FACE_FACTOR
from tests.material.factories import tracklet
from tests.material.scripted_faces import detections

HEIGHT_PX, WIDTH_PX = 90, 160
BOX = np.array([10, 10, 40, 40], np.float32)


class Models:
    """Sees a face in whatever picture has a red corner at its upper left, the less green the surer.

    Notes how often it was asked. score: of a corner without green.
    """

    def __init__(self, opinion: float = 1.0, score: float = 0.99) -> None:
        self.searches = 0
        self.smallest_faces: list[float] = []
        self._score = score
        self.cascade = SimpleNamespace(detect=self._detect, score_scale=score_scale_of("onet"))
        self.verifier = SimpleNamespace(scores=lambda crops: np.full(len(crops), opinion, np.float32))

    def _detect(self, images: list[ByteArray], min_face_px: float) -> list[Detections]:
        self.searches += 1
        self.smallest_faces.append(min_face_px)
        red, green, _ = images[0][:4, :4].reshape(-1, 3).mean(0)
        boxes: list[FloatArray] = [BOX] if red > green + 40 else []
        return [detections(boxes, self._score - 0.0005 * float(green))]


def picture(turned: int = 0, level: int = 100, mark: int = 90) -> ByteArray:
    """A plain picture that is upright once turned clockwise by `turned` degrees. mark: how red its corner is."""
    upright_shape = (HEIGHT_PX, WIDTH_PX, 3) if turned % 180 == 0 else (WIDTH_PX, HEIGHT_PX, 3)
    image = np.full(upright_shape, level, np.uint8)
    image[:20, :20, 0] = min(level + mark, 255)
    image[:20, :20, 1:] = max(level - mark, 0)
    return np.ascontiguousarray(np.rot90(image, turned // 90))


def marked(marks: dict[int, int]) -> ByteArray:
    """A square picture with several marks: how red each is, by the degrees that bring it to the upper left."""
    image = np.full((HEIGHT_PX, HEIGHT_PX, 3), 100, np.uint8)
    for degrees, mark in marks.items():
        corner = np.rot90(image, (360 - degrees) // 90)[:20, :20]
        corner[..., 0] = 100 + mark
        corner[..., 1:] = 100 - mark
    return image


def findings(images: list[ByteArray], models: Any = None, turn: int = 0, *, has_tracklets: bool = False) -> Any:
    stand_in: Any = models or Models()
    check = FacelessCheck(stand_in, 10, turn)
    for image in images:
        check.offer(image)
    return check.findings(has_tracklets=has_tracklets)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_picture_is_told_with_the_turn_that_makes_it_upright(degrees: int) -> None:
    assert findings([picture(degrees)] * 3) == {TURNED: degrees}


@pytest.mark.parametrize("best", [90, 180, 270])
def test_of_several_turns_the_one_that_shows_faces_most_surely_is_told(best: int) -> None:
    """Faces that lie are seen as well."""
    pale = dict.fromkeys({90, 180, 270} - {best}, 50)
    assert findings([marked({**pale, best: 90})] * 2) == {TURNED: best}


def test_the_smallest_face_is_the_same_share_of_a_turned_picture() -> None:
    models = Models()
    findings([np.full((HEIGHT_PX, WIDTH_PX, 3), 100, np.uint8)], models)
    asked = SMALL_FACE_FACTOR * 10
    assert models.smallest_faces == pytest.approx([asked, asked * WIDTH_PX / HEIGHT_PX, asked * WIDTH_PX / HEIGHT_PX])


def test_the_turn_counts_from_how_players_show_the_video() -> None:
    assert findings([picture(180)] * 2, turn=90) == {TURNED: 270}
    assert findings([picture(90)] * 2, turn=270) == {TURNED: 0}


def test_where_there_are_doubtful_tracklets_a_turn_has_to_show_more_than_the_picture_as_it_is() -> None:
    assert findings([marked({0: 50, 90: 90})] * 2, has_tracklets=True) == {TURNED: 90}
    assert findings([marked({0: 90, 90: 50})] * 2, has_tracklets=True) == {}
    assert findings([picture(level=4, mark=3)] * 2, has_tracklets=True) == {}


def test_certainty_is_that_of_the_best_face_that_lasts() -> None:
    brief, doubtful = tracklet(0, range(12), scores=1.0), tracklet(1, range(13), scores=[0.2] * 6 + [0.9] * 7)
    assert certainty([], 25) == certainty([brief], 25) == 0
    assert certainty([brief, doubtful, tracklet(2, range(25), scores=0.5)], 25) == pytest.approx(0.9)


def test_faces_that_lie_say_nothing_of_how_the_picture_should_be_shown() -> None:
    upright = tracklet(0, range(25), scores=0.99)
    cos, sin = np.cos(np.radians(75)), np.sin(np.radians(75))
    middle = upright.landmarks.mean(1, keepdims=True)
    turned = (upright.landmarks - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    lying = dataclasses.replace(upright, landmarks=turned.astype(np.float32))
    assert certainty([upright], 25) == pytest.approx(0.99)
    assert certainty([lying], 25) == 0


def test_one_image_of_several_is_no_evidence_but_the_only_one_is() -> None:
    plain = np.full((HEIGHT_PX, WIDTH_PX, 3), 100, np.uint8)
    assert findings([picture(180), plain, plain]) == {}
    assert findings([picture(180), plain, picture(180)]) == {TURNED: 180}
    assert findings([picture(180)]) == {TURNED: 180}
    assert findings([]) == {}


def test_detector_and_verifier_have_to_be_sure() -> None:
    assert findings([picture(180)] * 2, Models(opinion=MIN_OPINION - 0.01)) == {}
    assert findings([picture(180)] * 2, Models(score=score_scale_of("onet").sure_track - 0.01)) == {}
    assert findings([picture(180)] * 2, Models(opinion=MIN_OPINION)) == {TURNED: 180}


def test_a_dark_picture_is_told_if_making_it_brighter_shows_a_face() -> None:
    assert findings([picture(level=4, mark=3)] * 2) == {DARK: 1}
    assert findings([picture(level=DARK_LEVEL, mark=3)] * 2) == {}


def test_only_images_that_are_white_or_dark_are_searched_in_other_tones() -> None:
    usual, white = Models(), Models()
    plain = np.full((HEIGHT_PX, WIDTH_PX, 3), 100, np.uint8)
    findings([plain] * 2, usual)
    findings([np.full_like(plain, 255)] * 2, white)
    assert (usual.searches, white.searches) == (2 * 3, 2 * 4)


def test_over_exposure_is_a_share_of_white() -> None:
    image = np.full((100, 100, 3), 120, np.uint8)
    image[: round(100 * WHITE_SHARE)] = 255
    assert is_overexposed(image) and not is_dark(image)
    image[round(100 * WHITE_SHARE) - 1] = 120
    assert not is_overexposed(image)


def test_brightening_raises_the_contrast_of_what_can_hardly_be_seen() -> None:
    dim = np.repeat((np.indices((80, 80))[1] % 10)[..., None], 3, 2).astype(np.uint8)
    assert brightened(dim).min() == 0 and brightened(dim).max() == 255


@pytest.mark.parametrize("count", [1, 4, 5, 23, 400])
def test_few_images_are_kept_and_they_are_spread(count: int) -> None:
    check = FacelessCheck(Models(), 10)  # type: ignore[arg-type]
    for number in range(count):
        check.offer(np.full((2, 2, 3), number % 256, np.uint8))
    assert min(count, MAX_IMAGES // 2 + 1) <= len(check.images) <= MAX_IMAGES
    kept = [int(image[0, 0, 0]) for image in check.images]
    if count <= 256:
        gaps = np.diff(kept)
        assert kept[0] == 0 and len(set(gaps.tolist())) <= 1
        assert not len(gaps) or count - 1 - kept[-1] < gaps[0]


@pytest.fixture(scope="module")
def analyzer(model_settings: Settings, models: ModelManager) -> FaceAnalyzer:
    return FaceAnalyzer(model_settings, models)


def hints(analysis: FaceAnalysis) -> dict[str, float]:
    return {key: value for key, value in analysis.statistics.items() if key in (TURNED, OVEREXPOSED, DARK)}


@pytest.mark.clips
@pytest.mark.parametrize(
    ("name", "people", "expected"),
    [("exp_over.mp4", 2, {OVEREXPOSED: 1}), ("decord_pancake.mkv", 0, {})],
)
def test_real_videos_whose_faces_are_hardly_seen_are_explained(
    shared: Path, analyzer: FaceAnalyzer, name: str, people: int, expected: dict[str, int]
) -> None:
    """Nobody can be told from the blurred face of `decord_pancake.mkv`: no correction of the picture brings it out."""
    analysis = analyzer.analyze(probe_video(shared / "cases" / "faces" / name))
    assert (len(analysis.tracklets), hints(analysis)) == (people, expected)


@pytest.mark.clips
def test_a_video_in_which_there_is_nobody_gets_no_hint(clips: Path, analyzer: FaceAnalyzer) -> None:
    assert hints(analyzer.analyze(probe_video(clips / "intel_car.mp4"))) == {}
