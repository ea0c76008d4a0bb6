"""Which clips of a video are made where; the camera and the encoder are scripted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.analysis_file import AnalysisRecord
from core.errors import InterruptedRunError
from core.settings_file import load_settings
from core.types import Identity, RenderResult, Segment, Timeline
from processors.clips.clip_names import clip_files
from processors.known_people.people_namer import VideoNames
from processors.people.doubt import VideoDoubts
from processors.results.run_plan import TimelineChoice
from processors.video import video_clips as module
from processors.video.video_clips import VideoClips
from processors.video.video_draft import SharedClips, VideoDraft
from tests.material.factories import face_analysis, tracklet
from tests.material.scripted_stages import CLIP, PathOf
from utils.console.stage_monitor import StageMonitor

ANALYSIS = face_analysis([tracklet(0, range(10))])
SEGMENTS = tuple(Segment("person_01", 0, start, end, (0,)) for start, end in ((0, 3), (3, 5), (5, 8), (8, 10)))
TIMELINE = Timeline((Identity("person_01", (0,), SEGMENTS),))
RECORD = AnalysisRecord("ab" * 32, ANALYSIS, {"device": "cpu"}, ("a substitute is used",))


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Segment], Path, Any]]:
    """The calls of the renderer: the segments of its paths, the folder, the names of the files."""
    calls: list[tuple[list[Segment], Path, Any]] = []

    class Planner:
        def __init__(self, settings: Any) -> None: ...

        def plan(self, segment: Segment, analysis: Any) -> PathOf:
            return PathOf(segment)

    class Renderer:
        def __init__(self, *_: Any, begun: Any = None) -> None: ...

        def render(
            self,
            analysis: Any,
            paths: list[PathOf],
            folder: Path,
            finished: Any,
            completed: Any = None,
            files: Any = None,
        ) -> RenderResult:
            calls.append(([path.segment for path in paths], folder, files))
            return RenderResult((CLIP,) if paths else (), "libx264")

    monkeypatch.setattr(module, "CropPlanner", Planner)
    monkeypatch.setattr(module, "ClipRenderer", Renderer)
    return calls


def clips_of(folder: Path, monitor: StageMonitor | None = None, **settings: Any) -> VideoClips:
    folder.mkdir(exist_ok=True)
    chosen = load_settings(None, settings)
    draft = VideoDraft(TIMELINE, TimelineChoice.NEW, VideoDoubts({}, {}))
    return VideoClips(RECORD, draft, VideoNames(), chosen, folder, monitor or StageMonitor())


def test_shares_are_parts_of_the_whole_with_its_names(rendered: list[Any], tmp_path: Path) -> None:
    clips = clips_of(tmp_path / "a")
    (tmp_path / "shared").mkdir()
    for number in range(3):
        clips.make_share(number, SharedClips(tmp_path / "shared", 3), None)
    clips.make(tmp_path / "a", None)
    (whole, folder, named), shares = rendered[-1], rendered[:-1]
    assert whole == list(SEGMENTS) and (folder, named) == (tmp_path / "a", None)
    assert [segment for segments, *_ in shares for segment in segments] == whole
    assert {folder for _, folder, _ in shares} == {tmp_path / "shared"}
    assert [file for *_, files in shares for file in files] == list(
        clip_files(whole, ANALYSIS, load_settings(None, {}).clip.template)
    )


def test_a_share_leaves_the_clips_of_others_alone_and_the_whole_removes_what_is_none(
    rendered: list[Any], tmp_path: Path
) -> None:
    clips = clips_of(tmp_path / "a")
    foreign = tmp_path / "shared" / "person_01" / "half.mp4"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"of another share")
    clips.make_share(0, SharedClips(tmp_path / "shared", 2), None)
    assert foreign.is_file()
    clips.make(tmp_path / "shared", None)
    assert not foreign.exists()


def test_what_is_reported_of_the_clips(rendered: list[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    results, _ = clips_of(tmp_path / "a", people={"only": "Bob"}).make(tmp_path / "a", None)
    said = "nobody in this video is Bob, so there are no clips"
    assert results.warnings == ("a substitute is used", said)
    assert results.models == {"device": "cpu", "encoder": "libx264"}
    assert f"a: {said}" in caplog.text
    assert rendered == [([], tmp_path / "a", None)]


def test_a_stop_ends_the_planning(rendered: list[Any], tmp_path: Path) -> None:
    monitor = StageMonitor()
    clips = clips_of(tmp_path / "a", monitor)
    assert [path.segment for path in clips.plan_crops(load_settings(None, {}).clip)] == list(SEGMENTS)
    monitor.stop.set()
    with pytest.raises(InterruptedRunError):
        clips.plan_crops(load_settings(None, {}).clip)
    assert rendered == []
