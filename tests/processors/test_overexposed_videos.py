"""Videos in which white has swallowed the faces: analysed again with darkened images, if those show somebody."""

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
from core.types import FaceAnalysis
from processors.face_analyzer import FaceAnalyzer
from processors.faces.faceless_reasons import OVEREXPOSED
from processors.faces.pass_plan import PassPlan
from tests.material import factories
from tests.material.small_videos import run_ffmpeg
from tests.material.synthetic.portraits import COLLINS
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene

STANDS = Motion(keys=(Key(0, 0.4, 0.5, 0.6), Key(24, 0.5, 0.5, 0.6)))
FILM = Film(scenes=(Scene(length=25, actors=(Actor(COLLINS, STANDS),)),), width=480, height=270)


@pytest.fixture(scope="module")
def overexposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film with nearly all levels near white, and a bright window beside the face."""
    folder = tmp_path_factory.mktemp("overexposed")
    render_video(folder / "film.mp4", FILM)
    level = "min(255*pow(val/255,1/5)*1.1,255)"
    window = "drawbox=x=iw*0.85:w=iw*0.15:h=ih:color=white:t=fill"
    filters = f"format=gbrp,lutrgb=r='{level}':g='{level}':b='{level}',{window}"
    run_ffmpeg("-i", str(folder / "film.mp4"), "-vf", filters, "-qp", "10", str(folder / "white.mp4"))
    return folder / "white.mp4"


def test_who_is_seen_in_darkened_images_only_is_found(
    overexposed: Path, model_settings: Settings, models: ModelManager
) -> None:
    analyzer = FaceAnalyzer(model_settings, models)
    info = probe_video(overexposed)
    assert analyzer.analyze_pass(PassPlan.of(info, model_settings.analysis), None).tracklets == ()
    first, second = analyzer.analyze(info), analyzer.analyze(info)
    assert [(len(t.frames), len(t.embeddings) > 0) for t in first.tracklets] == [(FILM.scenes[0].length, True)]
    assert first.statistics[OVEREXPOSED] == 1
    assert np.array_equal(first.tracklets[0].boxes, second.tracklets[0].boxes)


@pytest.mark.parametrize(
    ("as_it_is", "darkened", "looks", "expected"),
    [
        ({}, 1, [False], (0, {})),
        ({OVEREXPOSED: 1}, 1, [False, True], (1, {"look_outs": 3, OVEREXPOSED: 1})),
        ({OVEREXPOSED: 1}, 0, [False, True], (0, {OVEREXPOSED: 1})),
    ],
)
def test_images_are_darkened_only_if_they_show_somebody_and_kept_only_if_somebody_is_followed(
    model_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    as_it_is: dict[str, float | int],
    darkened: int,
    looks: list[bool],
    expected: tuple[int, dict[str, int]],
) -> None:
    asked = []

    def scripted(self: FaceAnalyzer, plan: PassPlan, nvdec: None) -> FaceAnalysis:
        is_overexposed = plan.is_overexposed
        asked.append(is_overexposed)
        tracklets = [factories.tracklet(0, range(20))] * (darkened if is_overexposed else 0)
        found = factories.face_analysis(tracklets, 20, video=plan.info)
        statistics: dict[str, float | int] = {"look_outs": 3} if is_overexposed else as_it_is
        return dataclasses.replace(found, statistics=statistics)

    monkeypatch.setattr(FaceAnalyzer, "analyze_pass", scripted)
    no_models: Any = SimpleNamespace(device="cpu")
    analysis = FaceAnalyzer(model_settings, no_models).analyze(factories.face_analysis([]).video)
    assert asked == looks
    assert (len(analysis.tracklets), analysis.statistics) == expected
