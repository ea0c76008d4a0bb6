"""Videos whose image is not upright: their analysis, with the real networks, is that of the turned video."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import msgspec
import numpy as np
import pytest

from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.types import ByteArray, FaceAnalysis
from processors.face_analyzer import FaceAnalyzer
from processors.faces.faceless_reasons import TURNED
from processors.faces.pass_plan import PassPlan
from processors.video.video_request import VideoRequest
from processors.video_processor import VideoProcessor
from tests.material import factories
from tests.material.scoring import Score, read_tracks, score
from tests.material.small_videos import run_ffmpeg
from tests.material.synthetic.portraits import COLLINS
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene
from tests.material.synthetic.truth import film_truth
from utils.console.stage_monitor import StageMonitor
from utils.fingerprints import fingerprint

WALK = Motion(keys=(Key(0, 0.35, 0.45, 0.3), Key(29, 0.6, 0.5, 0.34)))
FILM = Film(scenes=(Scene(length=30, actors=(Actor(COLLINS, WALK),)),), width=480, height=270)
FILTERS = {90: "transpose=cclock", 180: "hflip,vflip", 270: "transpose=clock"}
"""ffmpeg's filters that make an image one that is upright once turned clockwise by so many degrees"""


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The film, and the film shown turned, by the degrees that make it upright."""
    folder = tmp_path_factory.mktemp("turned")
    paths = {degrees: folder / f"{degrees}.mp4" for degrees in (0, *FILTERS)}
    render_video(paths[0], FILM)
    for degrees, filters in FILTERS.items():
        run_ffmpeg("-i", str(paths[0]), "-vf", filters, "-qp", "10", str(paths[degrees]))
    return paths


def analyze(path: Path, settings: Settings, models: ModelManager, turn: int | str = "auto") -> FaceAnalysis:
    changed = msgspec.structs.replace(settings, analysis=msgspec.structs.replace(settings.analysis, turn=turn))
    return FaceAnalyzer(changed, models).analyze(probe_video(path))


def scored(analysis: FaceAnalysis, folder: Path) -> Score:
    film_truth(FILM).write_csv(folder / "truth.csv")
    found: dict[int, Any] = {}
    for tracklet in analysis.tracklets:
        for frame, box in zip(tracklet.frames.tolist(), tracklet.boxes, strict=True):
            found.setdefault(frame, []).append((str(tracklet.id), box.astype(float)))
    return score(read_tracks(folder / "truth.csv"), found)


def assert_upright(analysis: FaceAnalysis, models: ModelManager) -> None:
    """Eyes are above mouths, and the portraits are upright."""
    for tracklet in analysis.tracklets:
        heights = np.diff(tracklet.boxes[:, 1::2]).ravel()
        eyes, mouth = tracklet.landmarks[:, :2, 1].mean(1), tracklet.landmarks[:, 3:, 1].mean(1)
        assert (mouth - eyes > 0.2 * heights).all()
        assert shows_face(decoded(bytes(tracklet.face_jpeg)), models)


def decoded(jpeg: bytes) -> ByteArray:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def shows_face(image: ByteArray, models: ModelManager) -> bool:
    """Whether there is an upright face; one that is turned by 90 degrees has a score of at most 0.98."""
    return bool(models.cascade.detect([image], 0.2 * len(image))[0].scores.max(initial=0) > 0.99)


def test_where_faces_are_found_in_the_turned_image_only_it_is_analysed(
    turned: dict[int, Path], tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    analysis = analyze(turned[180], model_settings, models)
    video = analysis.video
    assert (video.turn, video.rotation, video.width, video.height) == (180, 180, 480, 270)
    assert analysis.statistics[TURNED] == 180
    assert len(analysis.tracklets) == 1
    reached = scored(analysis, tmp_path)
    assert min(reached.recall, reached.precision) >= 0.95
    assert_upright(analysis, models)


def test_clips_portrait_and_preview_are_upright_in_this_run_and_in_one_from_the_stored_analysis(
    turned: dict[int, Path], tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    run = msgspec.structs.replace(model_settings.run, cache_dir=str(tmp_path / "cache"))
    output = msgspec.structs.replace(model_settings.output, preview=True)
    settings = msgspec.structs.replace(model_settings, run=run, output=output)
    for name, get_models in (("first", lambda: models), ("second", no_models)):
        path, folder = turned[90], tmp_path / name
        request = VideoRequest(probe_video(path), folder, fingerprint(path), settings)
        processor = VideoProcessor(request, StageMonitor(), get_models)
        processor.prepare()
        manifest = processor.finish(processor.analyse())
        assert (manifest.video.turn, manifest.video.width, manifest.video.height) == (90, 480, 270)
        assert [warning for warning in manifest.warnings if "turned by 90 degrees" in warning]
        (clip,) = manifest.clips
        assert shows_face(first_frame(folder / clip.file), models)
        assert shows_face(decoded((folder / clip.person / "face.jpg").read_bytes()), models)
        assert first_frame(folder / "preview.mp4").shape[:2] == (270, 480)


def first_frame(path: Path) -> ByteArray:
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)


def no_models() -> ModelManager:
    raise AssertionError("the models were loaded")


def test_a_turn_that_is_given_is_followed(
    turned: dict[int, Path], tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    analysis = analyze(turned[270], model_settings, models, turn=270)
    assert (analysis.video.turn, analysis.video.height) == (270, 270)
    assert scored(analysis, tmp_path).recall >= 0.95
    assert TURNED not in analysis.statistics


@pytest.mark.parametrize(("shown", "given"), [(180, 0), (0, 180)])
def test_a_turn_that_is_forbidden_is_proposed(
    turned: dict[int, Path], shown: int, given: int, model_settings: Settings, models: ModelManager
) -> None:
    analysis = analyze(turned[shown], model_settings, models, turn=given)
    assert (analysis.video.turn, analysis.statistics[TURNED]) == (given, shown)


@pytest.mark.parametrize(
    ("as_it_is", "when_turned", "is_turned"),
    [((), (), False), ((), (0.8,), True), ((0.8,), (0.8,), False), ((0.8,), (0.7, 0.9), True), ((0.8,), (), False)],
)
def test_a_turn_that_shows_nobody_more_surely_is_neither_kept_nor_proposed(
    turned: dict[int, Path],
    model_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    as_it_is: tuple[float, ...],
    when_turned: tuple[float, ...],
    is_turned: bool,
) -> None:
    """Tracklets are given by their scores."""

    def scripted(self: FaceAnalyzer, plan: PassPlan, nvdec: None) -> FaceAnalysis:
        info = plan.info
        scores = when_turned if info.turn else as_it_is
        tracklets = [factories.tracklet(0, range(20), scores=score) for score in scores]
        found = factories.face_analysis(tracklets, 20, video=info)
        return dataclasses.replace(found, statistics={"look_outs": 3} if info.turn else {TURNED: 180})

    monkeypatch.setattr(FaceAnalyzer, "analyze_pass", scripted)
    monkeypatch.setattr("processors.face_analyzer.small_faces", lambda *_: {})
    no_models: Any = SimpleNamespace(device="cpu")
    analysis = analyze(turned[0], model_settings, no_models)
    assert len(analysis.tracklets) == len(when_turned if is_turned else as_it_is)
    expected = (180, {"look_outs": 3, TURNED: 180}) if is_turned else (0, {})
    assert (analysis.video.turn, analysis.statistics) == expected


@pytest.mark.clips
def test_two_people_who_are_shown_upside_down_are_found(
    shared: Path, model_settings: Settings, models: ModelManager
) -> None:
    analysis = analyze(shared / "cases" / "faces" / "rot180.mp4", model_settings, models)
    assert (len(analysis.tracklets), analysis.video.turn) == (2, 180)
    assert_upright(analysis, models)
