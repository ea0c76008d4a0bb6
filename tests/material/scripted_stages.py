"""One video whose stages are scripted; what they would be given can be looked at. Its output folder is real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from core.analysis_file import AnalysisRecord
from core.models.networks import embedder_choice
from core.settings_file import load_settings
from core.types import Clip, Identity, RenderResult, Segment, Timeline, VideoInfo
from processors import face_analyzer
from processors.people.pair_evidence import ComparedTracklets
from processors.results.manifest import Manifest
from processors.video import video_analysis, video_clips, video_draft
from processors.video.video_request import VideoRequest
from processors.video_processor import VideoProcessor
from tests.material.factories import face_analysis, tracklet, video_info
from utils.console.stage_monitor import StageMonitor
from utils.fingerprints import Fingerprint
from utils.numbers.pair_matrix import PairMatrix

INFO = video_info(duration_s=0.4, frame_count=10)
SEGMENT = Segment("person_01", 0, 0, 10, (0,))
ANALYSIS = face_analysis([tracklet(embeddings=[[1]], face_jpeg=b"face")], video=INFO)
TIMELINE = Timeline((Identity("person_01", (0,), (SEGMENT,)),))
RECORD = AnalysisRecord("ab" * 32, ANALYSIS, {"device": "cpu"}, ("a substitute is used",))
CLIP = Clip("person_01", "person_01/clip_001.mp4", 0, 0, 10, 0.0, 0.4, 10, 512, 512, False, 1.0)
MARK = Fingerprint(10, "aa")


class PathOf(NamedTuple):
    """The crop path of a segment, without rows."""

    segment: Segment


class Models:
    """Stands for the loaded networks."""

    warnings = ("a substitute is used",)

    def describe(self) -> dict[str, Any]:
        return {"device": "cpu"}


def no_models() -> Models:
    raise AssertionError("the models were loaded")


def pretend_stages(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """For a fixture: replaces the stages and collects their arguments by name."""
    given: dict[str, Any] = {"render": lambda folder: None, "mark": MARK, "analysis": ANALYSIS}

    class Analyzer:
        def __init__(self, *arguments: Any) -> None:
            given["analyzer"] = arguments

        def analyze(self, info: Any) -> Any:
            given["info"] = info
            return given["analysis"]

    class Generator:
        def __init__(self, *arguments: Any, speech: Any) -> None:
            given["generator"] = (*arguments, speech)

        def compare_and_generate(self, analysis: Any) -> tuple[Timeline, ComparedTracklets]:
            return TIMELINE, ComparedTracklets((0,), PairMatrix.of(np.ones((1, 1))))

    class Planner:
        def __init__(self, *arguments: Any) -> None:
            given["planner"] = arguments

        def plan(self, segment: Segment, analysis: Any) -> PathOf:
            return PathOf(segment)

    class Renderer:
        def __init__(self, *arguments: Any, begun: Any) -> None:
            given["renderer"] = arguments

        def render(self, analysis: Any, paths: Any, folder: Path, finished: Any, completed: Any) -> RenderResult:
            given["paths"] = list(paths)
            given["finished"] = finished
            given["before"] = sorted(p.name for p in folder.rglob("*.mp4"))
            (folder / "person_01").mkdir(exist_ok=True)
            (folder / CLIP.file).write_bytes(b"clip")
            given["render"](folder)
            return RenderResult((CLIP,), "libx264")

    # The analysis is dlib's, which a run looks for only where SFace is not installed.
    monkeypatch.setattr(embedder_choice, "is_installed", lambda entry: False)
    monkeypatch.setattr(video_analysis, "fingerprint", lambda _: given["mark"])
    monkeypatch.setattr(face_analyzer, "FaceAnalyzer", Analyzer)
    monkeypatch.setattr(video_draft, "IdTimelineGenerator", Generator)
    monkeypatch.setattr(video_clips, "CropPlanner", Planner)
    monkeypatch.setattr(video_clips, "ClipRenderer", Renderer)
    return given


def pretend_monitor() -> StageMonitor:
    """For a fixture: a monitor that hears nothing."""
    return StageMonitor()


def pretend_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For a fixture: an empty cache folder."""
    return tmp_path_factory.mktemp("cache")


def pretend_make(tmp_path: Path, monitor: StageMonitor, cache: Path) -> Callable[..., VideoProcessor]:
    """For a fixture: makes the processor of a run; `settings` by section."""

    def make(models: Any = Models, info: VideoInfo = INFO, **settings: dict[str, Any]) -> VideoProcessor:
        settings.setdefault("run", {})["cache_dir"] = str(cache)
        chosen = load_settings(None, settings)
        return VideoProcessor(VideoRequest(info, tmp_path / "a", MARK, chosen), monitor, models)

    return make


def run(processor: VideoProcessor) -> Manifest:
    """The three steps of a video."""
    processor.prepare()
    return processor.finish(processor.analyse())
