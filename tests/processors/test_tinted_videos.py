"""Videos in which one primary colour is nearly missing: faces are found in them as in others."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from processors.face_analyzer import FaceAnalyzer
from tests.material.small_videos import run_ffmpeg
from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene

LEFT, RIGHT = (Motion(keys=(Key(0, x, 0.5, 0.35), Key(24, x + 0.04, 0.5, 0.35))) for x in (0.25, 0.7))
FILM = Film(scenes=(Scene(length=25, actors=(Actor(COLLINS, LEFT), Actor(HOPPER, RIGHT))),), width=480, height=270)


@pytest.mark.parametrize("light", [(0.2, 1.0, 0.25), (0.15, 1.0, 1.0)])
def test_faces_in_coloured_light_are_found(
    light: tuple[float, float, float], tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    render_video(tmp_path / "film.mp4", FILM)
    red, green, blue = (f"val*{share}" for share in light)
    filters = f"format=gbrp,lutrgb=r='{red}':g='{green}':b='{blue}'"
    run_ffmpeg("-i", str(tmp_path / "film.mp4"), "-vf", filters, "-qp", "10", str(tmp_path / "tinted.mp4"))
    found = FaceAnalyzer(model_settings, models).analyze(probe_video(tmp_path / "tinted.mp4")).tracklets
    assert [(len(t.frames), len(t.embeddings) > 0) for t in found] == [(FILM.scenes[0].length, True)] * 2
