"""The whole analysis on people who follow each other in one place: each tracklet is one person, with their own face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from config import AnalysisSettings, Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.models.similarity import Similarity
from core.types import FaceAnalysis, Tracklet
from processors.face_analyzer import FaceAnalyzer
from processors.tracking.frame_pace import FramePace
from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene

LEAVES, COMES = 50, 60
THERE, BESIDE = Motion(keys=(Key(0, 0.45, 0.45, 0.3),), sway=0.02), Motion(keys=(Key(0, 0.52, 0.45, 0.34),), sway=0.02)


def analysed(path: Path, settings: Settings, models: ModelManager) -> FaceAnalysis:
    return FaceAnalyzer(settings, models).analyze(probe_video(path))


def rendered(folder: Path, *scenes: Scene) -> Path:
    path = folder / "film.mp4"
    render_video(path, Film(scenes=scenes))
    return path


def likeness(one: Tracklet, other: Tracklet, analysis: FaceAnalysis) -> float:
    assert one.embedding is not None and other.embedding is not None
    return float(Similarity.for_embedder(analysis.embedder).from_cosine(float(one.embedding @ other.embedding)))


def difference(one: Tracklet, other: Tracklet) -> float:
    """Of the portraits, grey levels."""
    small = [
        cv2.resize(decoded, (64, 64)).astype(float)
        for t in (one, other)
        if (decoded := cv2.imdecode(np.frombuffer(bytes(t.face_jpeg), np.uint8), cv2.IMREAD_GRAYSCALE)) is not None
    ]
    assert len(small) == 2
    return float(np.abs(small[0] - small[1]).mean())


@pytest.fixture(scope="module")
def without_cuts(model_settings: Settings) -> Settings:
    """A face that comes or goes at once would be a cut."""
    return Settings(analysis=AnalysisSettings(cuts="frames 0"), run=model_settings.run)


def test_somebody_who_comes_where_another_has_gone(
    tmp_path: Path, without_cuts: Settings, models: ModelManager
) -> None:
    first, second = Actor(COLLINS, THERE, end=LEAVES), Actor(HOPPER, BESIDE, start=COMES)
    path = rendered(tmp_path, Scene(length=120, seed=3, actors=(first, second)))
    analysis = analysed(path, without_cuts, models)
    assert [(t.start, t.end) for t in analysis.tracklets] == [(0, LEAVES), (COMES, 120)]
    before, after = analysis.tracklets
    assert len(before.sample_frames) and len(after.sample_frames)
    assert likeness(before, after, analysis) < 0.2 and difference(before, after) > 20


def test_somebody_who_comes_back_is_one_tracklet(tmp_path: Path, without_cuts: Settings, models: ModelManager) -> None:
    actors = Actor(COLLINS, THERE, end=LEAVES), Actor(COLLINS, BESIDE, start=COMES)
    analysis = analysed(rendered(tmp_path, Scene(length=120, seed=3, actors=actors)), without_cuts, models)
    assert [(t.start, t.end) for t in analysis.tracklets] == [(0, 120)]


def test_a_cut_that_nobody_has_seen(tmp_path: Path, without_cuts: Settings, models: ModelManager) -> None:
    """Two people in one place, from one frame to the next."""
    scenes = [Scene(length=60, seed=3, actors=(Actor(person, THERE),)) for person in (COLLINS, HOPPER)]
    analysis = analysed(rendered(tmp_path, *scenes), without_cuts, models)
    assert len(analysis.shots) == 1
    before, after = analysis.tracklets
    assert (before.start, after.end) == (0, 120) and before.end == after.start
    assert abs(after.start - 60) < FramePace(25.0).calm_stride, "of frames that nobody looked at nobody knows"
    assert difference(before, after) > 20


def test_people_on_both_sides_of_a_dissolve(tmp_path: Path, model_settings: Settings, models: ModelManager) -> None:
    scenes = [
        Scene(length=50, seed=3, actors=(Actor(COLLINS, THERE),)),
        Scene(
            length=50,
            seed=9,
            background="night",
            actors=(Actor(HOPPER, THERE),),
            transition="dissolve",
            transition_frames=12,
        ),
    ]
    analysis = analysed(rendered(tmp_path, *scenes), model_settings, models)
    assert [shot.transition for shot in analysis.shots] == ["start", "dissolve"]
    assert [t.shot for t in analysis.tracklets] == [0, 1]
    before, after = analysis.tracklets
    assert likeness(before, after, analysis) < 0.2 and difference(before, after) > 20


def test_given_cuts_are_used_instead_of_those_that_are_there(
    tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    scenes = [Scene(length=30, seed=seed, actors=(Actor(COLLINS, THERE),)) for seed in (3, 9)]
    settings = Settings(analysis=AnalysisSettings(cuts="frames 0 12 45 60 90"), run=model_settings.run)
    analysis = analysed(rendered(tmp_path, *scenes), settings, models)
    assert [(shot.start, shot.end) for shot in analysis.shots] == [(0, 12), (12, 45), (45, 60)]
    assert analysis.statistics["cuts_beyond_end"] == 2
