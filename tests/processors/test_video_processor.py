"""One video's way through the stages, which are scripted here; what is real is the folder that comes out."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core.model_manager
from config import Settings
from core.errors import EncodeError, InterruptedRunError, ModelError, ModelUnavailableError, ToolMissingError
from core.types import Clip, ColorInfo, FaceAnalysis, Identity, Segment, Shot, Timeline, Tracklet, VideoInfo
from processors import video_processor
from processors.clip_renderer import RenderResult
from processors.video_processor import VideoProcessor, load_models, result_warnings
from utils.fingerprints import Fingerprint
from utils.progress import StageMonitor

INFO = VideoInfo(
    Path("a.mp4"), "mov", 0, "h264", "yuv420p", 64, 48, 64, 48, 0, Fraction(1), Fraction(1, 25), Fraction(25), 0,
    0.4, 10, False, ColorInfo(), (), 10,
)  # fmt: skip
SEGMENT = Segment("person_01", 0, 0, 10, (0,))
ANALYSIS = FaceAnalysis(
    video=INFO,
    frame_pts=np.arange(10),
    shots=(Shot(0, 0, 10, "start"),),
    tracklets=(
        Tracklet(
            id=0, shot=0, frames=np.arange(10), boxes=np.ones((10, 4), np.float32),
            scores=np.ones(10, np.float32), landmarks=np.zeros((10, 5, 2), np.float32),
            sharpness=np.ones(10, np.float32), sample_frames=np.array([0]),
            sample_quality=np.ones(1, np.float32), embeddings=np.ones((1, 1), np.float32), face_jpeg=b"face",
        ),
    ),
    embedder="dlib",
    decode_failures=0,
)  # fmt: skip
TIMELINE = Timeline((Identity("person_01", (0,), (SEGMENT,)),))
CLIP = Clip("person_01", "person_01/clip_001.mp4", 0, 0, 10, 0.0, 0.4, 10, 512, 512, False, 1.0)


class Models:
    warnings = ("a substitute is used",)

    def describe(self) -> dict[str, Any]:
        return {"device": "cpu"}


@pytest.fixture
def stages(monkeypatch):
    """Replaces the stages; what they were given is collected under their name."""
    given: dict[str, Any] = {"render": lambda folder: None}

    class Analyzer:
        def __init__(self, *arguments) -> None:
            given["analyzer"] = arguments

        def analyze(self, info):
            given["info"] = info
            return ANALYSIS

    class Generator:
        def __init__(self, *arguments) -> None:
            given["generator"] = arguments

        def generate(self, analysis):
            return TIMELINE

    class Planner:
        def __init__(self, *arguments) -> None:
            given["planner"] = arguments

        def plan(self, segment, analysis):
            return ("path of", segment)

    class Renderer:
        def __init__(self, *arguments) -> None:
            given["renderer"] = arguments

        def render(self, analysis, paths, folder):
            given["paths"] = list(paths)
            (folder / "person_01").mkdir()
            (folder / CLIP.file).write_bytes(b"clip")
            given["render"](folder)
            return RenderResult((CLIP,), 0, 0, "libx264")

    monkeypatch.setattr(video_processor, "FaceAnalyzer", Analyzer)
    monkeypatch.setattr(video_processor, "IdTimelineGenerator", Generator)
    monkeypatch.setattr(video_processor, "CropPlanner", Planner)
    monkeypatch.setattr(video_processor, "ClipRenderer", Renderer)
    return given


@pytest.fixture
def monitor() -> StageMonitor:
    return StageMonitor()


@pytest.fixture
def processor(tmp_path, monitor) -> VideoProcessor:
    return VideoProcessor(INFO, tmp_path / "a", Fingerprint(10, "aa"), Settings(), monitor, Models())


def test_from_analysis_to_folder(tmp_path, stages, monitor, processor):
    settings = Settings()
    analysis = processor.analyse()
    assert stages["info"] is INFO
    assert stages["analyzer"][0] == settings and stages["analyzer"][2] is monitor
    manifest = processor.finish(analysis)
    assert stages["generator"] == (settings.identity, settings.clip)
    assert stages["planner"] == (settings.clip,)
    assert stages["renderer"] == (settings, monitor)
    assert stages["paths"] == [("path of", SEGMENT)]
    assert manifest == json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["models"] == {"device": "cpu", "encoder": "libx264"}
    assert manifest["warnings"] == ["a substitute is used"]
    assert manifest["input"]["sha256"] == "aa"
    assert (tmp_path / "a" / "person_01" / "face.jpg").read_bytes() == b"face"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_failure_leaves_nothing(tmp_path, stages, processor):
    def fail(folder: Path) -> None:
        raise EncodeError("it broke")

    stages["render"] = fail
    with pytest.raises(EncodeError):
        processor.finish(ANALYSIS)
    assert list(tmp_path.iterdir()) == []


def test_stopped_while_rendering_leaves_nothing(tmp_path, stages, monitor, processor):
    stages["render"] = lambda folder: monitor.stop.set()
    with pytest.raises(InterruptedRunError):
        processor.finish(ANALYSIS)
    assert list(tmp_path.iterdir()) == []


def test_stopped_before_planning_plans_nothing(stages, monitor, processor):
    monitor.stop.set()
    with pytest.raises(InterruptedRunError):
        processor.finish(ANALYSIS)
    assert "paths" not in stages


def test_warnings_say_what_is_wrong_and_nothing_else():
    fine = RenderResult((CLIP,), 0, 0, "libx264")
    assert result_warnings(ANALYSIS, TIMELINE, fine, max_upscale=3) == []
    damaged = dataclasses.replace(ANALYSIS, decode_failures=3)
    (warning,) = result_warnings(damaged, TIMELINE, fine, max_upscale=3)
    assert warning == "damaged pieces of the video that were passed over: 3"
    (warning,) = result_warnings(ANALYSIS, TIMELINE, RenderResult((CLIP,), 2, 0, "libx264"), max_upscale=3)
    assert "pictures" in warning and warning.endswith(": 2")
    (warning,) = result_warnings(ANALYSIS, TIMELINE, RenderResult((CLIP,), 0, 4, "libx264"), max_upscale=3)
    assert "sound" in warning and warning.endswith(": 4")
    blurred = dataclasses.replace(fine, clips=(dataclasses.replace(CLIP, upscaled=4.5),))
    (warning,) = result_warnings(ANALYSIS, TIMELINE, blurred, max_upscale=3)
    assert warning.endswith("so small: 1, up to 4.5 times")
    (warning,) = result_warnings(ANALYSIS, Timeline(TIMELINE.people, (7,)), fine, max_upscale=3)
    assert "tracks" in warning and warning.endswith(": 1")
    assert result_warnings(ANALYSIS, Timeline(()), RenderResult((), 0, 0, "libx264"), max_upscale=3) == [
        "no faces were found"
    ]
    assert result_warnings(ANALYSIS, TIMELINE, RenderResult((), 0, 0, "libx264"), max_upscale=3) == [
        "nobody is in the picture long enough for a clip"
    ]


@pytest.mark.parametrize(
    ("error", "kind", "expected"),
    [
        (ImportError("No module named 'dlib'"), ModelError, "a package is missing or broken: No module named 'dlib'"),
        (RuntimeError("operator torchvision::nms does not exist"), ModelError, "must be of matching releases"),
        (OSError("libfoo.so: cannot open"), ModelError, "libfoo.so"),
        (ModelUnavailableError("no weights", hint="--embedder dlib"), ModelUnavailableError, "no weights"),
    ],
)
def test_models_that_cannot_be_loaded_are_a_model_error(monkeypatch, error, kind, expected):
    def broken(settings):
        raise error

    monkeypatch.setattr(video_processor, "choose_encoder", lambda *_: "libx264")
    monkeypatch.setattr(core.model_manager.ModelManager, "instance", broken)
    with pytest.raises(kind, match=expected):
        load_models(Settings())


def test_a_missing_encoder_is_known_before_models_are_loaded(monkeypatch):
    def missing(*_) -> str:
        raise ToolMissingError("no ffmpeg")

    def never(settings):
        raise AssertionError("models were loaded")

    monkeypatch.setattr(video_processor, "choose_encoder", missing)
    monkeypatch.setattr(core.model_manager.ModelManager, "instance", never)
    with pytest.raises(ToolMissingError):
        load_models(Settings())
