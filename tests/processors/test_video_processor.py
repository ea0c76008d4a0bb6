"""One video through all stages, which are scripted; what a failure or a stop leaves behind."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import EncodeError, InterruptedRunError, OutputError, VideoProcessingError
from core.settings_file import load_settings
from processors.people import doubt
from processors.results.manifest import read_manifest
from processors.video import video_analysis
from processors.video_processor import VideoProcessor
from processors.workers.video_work import AnalysedVideo, finish_video
from tests.material.factories import face_analysis, tracklet
from tests.material.scripted_stages import (
    CLIP,
    INFO,
    RECORD,
    SEGMENT,
    PathOf,
    pretend_cache,
    pretend_make,
    pretend_monitor,
    pretend_stages,
)
from tests.processors.workers.job_material import video_job
from utils.fingerprints import Fingerprint, fingerprint

stages = pytest.fixture(pretend_stages)
monitor = pytest.fixture(pretend_monitor)
cache = pytest.fixture(pretend_cache)
make = pytest.fixture(pretend_make)


@pytest.fixture
def processor(make: Callable[[], VideoProcessor]) -> VideoProcessor:
    return make()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="callers keep what they have handed over until the call ends")
@pytest.mark.parametrize("is_stored", [False, True])
def test_what_only_identification_needs_is_let_go_before_clips_are_made(tmp_path, stages, processor, is_stored):
    views = np.zeros((1, 6), np.uint8)
    gone = weakref.ref(views)
    seen = dataclasses.replace(
        tracklet(embeddings=[[1]]), look_frames=np.array([3]), clothes=np.zeros((1, 8), np.uint8), views=views
    )
    stages["analysis"] = face_analysis([seen], video=INFO)
    del seen, views
    processor.prepare()
    if is_stored:
        processor._analysis.stored = dataclasses.replace(RECORD, analysis=stages["analysis"])
    video = AnalysedVideo(video_job(tmp_path, "a"), processor, processor.analyse(), 0.0)
    del stages["analysis"]
    is_there = [gone() is not None]
    stages["render"] = lambda folder: is_there.append(gone() is not None)
    assert finish_video(video).status == "done"
    assert is_there == [True, False]


def test_from_analysis_to_folder(tmp_path, stages, monitor, processor, cache):
    settings = load_settings(None, {"run": {"cache_dir": str(cache)}})
    processor.prepare()
    analysis = processor.analyse()
    assert stages["info"] is INFO
    assert stages["analyzer"][0] == settings and stages["analyzer"][2] is monitor
    manifest = processor.finish(analysis)
    assert stages["generator"] == (settings.identity, settings.clip, settings.speech)
    assert stages["planner"] == (settings.clip,)
    assert stages["renderer"] == (settings, monitor)
    assert stages["paths"] == [PathOf(SEGMENT)]
    assert manifest == read_manifest(tmp_path / "a")
    assert manifest.models == {"device": "cpu", "encoder": "libx264"}
    assert manifest.warnings == ("a substitute is used",)
    assert manifest.input.sha256 == "aa"
    assert (tmp_path / "a" / "person_01" / "face.jpg").read_bytes() == b"face"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_tracklets_are_compared_once(stages, processor, monkeypatch):
    """Who is who and who is doubtful rest on one comparison; of an hour it takes minutes."""

    def again(*arguments):
        raise AssertionError("compared again")

    monkeypatch.setattr(doubt, "compare", again)
    assert processor.finish(RECORD).people[0].doubt.similarity is None


@pytest.mark.parametrize("overwrite", [False, True])
def test_results_of_another_video_are_refused_before_any_work(tmp_path, stages, make, overwrite):
    make().finish(RECORD)
    stages.pop("paths")
    manifest = json.loads((tmp_path / "a/manifest.json").read_text())
    manifest["input"]["sha256"] = "bb"
    (tmp_path / "a/manifest.json").write_text(json.dumps(manifest))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(OutputError, match="results of another video"):
        make(run={"overwrite": overwrite}).finish(RECORD)
    assert "paths" not in stages
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_failure_leaves_nothing(tmp_path, stages, processor):
    def fail(folder: Path) -> None:
        raise EncodeError("it broke")

    stages["render"] = fail
    with pytest.raises(EncodeError):
        processor.finish(RECORD)
    assert list(tmp_path.iterdir()) == []


def test_stopped_while_rendering_leaves_nothing(tmp_path, stages, monitor, processor):
    stages["render"] = lambda folder: monitor.stop.set()
    with pytest.raises(InterruptedRunError):
        processor.finish(RECORD)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_clips_of_a_stopped_run_are_taken_up_again_unless_all_is_to_be_overwritten(stages, monitor, make, overwrite):
    def stop(folder: Path) -> None:
        stages["finished"].add(CLIP)
        monitor.stop.set()

    stages["render"] = stop
    with pytest.raises(InterruptedRunError):
        make().finish(RECORD)
    monitor.stop.clear()
    stages["render"] = lambda folder: None
    make(run={"overwrite": overwrite}).finish(RECORD)
    assert stages["before"] == ([] if overwrite else [Path(CLIP.file).name])


def test_stopped_before_planning_plans_nothing(stages, monitor, processor):
    monitor.stop.set()
    with pytest.raises(InterruptedRunError):
        processor.finish(RECORD)
    assert "paths" not in stages


@pytest.mark.parametrize("mark", [Fingerprint(11, "aa"), Fingerprint(10, "bb"), None])
def test_a_video_that_changes_while_it_is_read(processor, stages, tmp_path, cache, monkeypatch, mark):
    if mark is None:  # deleted
        monkeypatch.setattr(video_analysis, "fingerprint", fingerprint)
    stages["mark"] = mark
    processor.prepare()
    expected = "no longer be read: No such file" if mark is None else "changed during the run"
    with pytest.raises(VideoProcessingError, match=expected):
        processor.analyse()
    assert not list(cache.rglob("*.npz"))
    with pytest.raises(VideoProcessingError, match=expected):
        processor.finish(RECORD)
    assert not (tmp_path / "a").exists()


def test_a_render_from_the_cache_loads_nothing_that_looks_at_faces(project: Path) -> None:
    """Each of these takes 10 to 40 ms, before a first frame can be encoded."""
    unwanted = ("PIL", "core.model_manager", "processors.faces.face_sampler", "processors.speech.speech_pass")
    script = f"import sys, processors.video_processor; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
