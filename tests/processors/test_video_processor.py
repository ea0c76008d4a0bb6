"""One video through all stages. The stages are scripted; the output folder is real."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest

from core.analysis_file import AnalysisRecord
from core.errors import (
    EncodeError,
    InterruptedRunError,
    ModelUnavailableError,
    OutputError,
    SettingsError,
    VideoProcessingError,
)
from core.models import embedder_choice
from core.settings_file import load_settings
from core.types import (
    AudioInfo,
    Clip,
    FaceAnalysis,
    Identity,
    RenderResult,
    Segment,
    Timeline,
)
from processors import face_analyzer, video_processor
from processors.known_people.people_namer import NamedBy, PeopleNamer, VideoNames
from processors.known_people.person_linker import Match
from processors.known_people.video_names import PersonName
from processors.people import doubt
from processors.people.pair_evidence import ComparedTracklets
from processors.results import analysis_key, output_folder, video_analysis, video_draft
from processors.results.manifest import Manifest, read_manifest
from processors.speech import speech_models, speech_pass
from processors.speech.speech_models import SpeechFiles
from processors.speech.speech_pass import SpeechColumns
from processors.video_processor import VideoProcessor
from tests.material.factories import face_analysis, tracklet, video_info
from utils.fingerprints import Fingerprint, fingerprint
from utils.pair_matrix import PairMatrix
from utils.stage_monitor import StageMonitor

INFO = video_info(duration_s=0.4, frame_count=10)
SEGMENT = Segment("person_01", 0, 0, 10, (0,))
ANALYSIS = face_analysis([tracklet(embeddings=[[1]], face_jpeg=b"face")], video=INFO)
TIMELINE = Timeline((Identity("person_01", (0,), (SEGMENT,)),))
RECORD = AnalysisRecord("ab" * 32, ANALYSIS, {"device": "cpu"}, ("a substitute is used",))
CLIP = Clip("person_01", "person_01/clip_001.mp4", 0, 0, 10, 0.0, 0.4, 10, 512, 512, False, 1.0)
MARK = Fingerprint(10, "aa")


class PathOf(NamedTuple):
    segment: Segment


class Models:
    warnings = ("a substitute is used",)

    def describe(self) -> dict[str, Any]:
        return {"device": "cpu"}


@pytest.fixture
def stages(monkeypatch):
    """Replaces the stages and collects their arguments by name."""
    given: dict[str, Any] = {"render": lambda folder: None, "mark": MARK}

    class Analyzer:
        def __init__(self, *arguments) -> None:
            given["analyzer"] = arguments

        def analyze(self, info):
            given["info"] = info
            return ANALYSIS

    class Generator:
        def __init__(self, *arguments, speech) -> None:
            given["generator"] = (*arguments, speech)

        def compare_and_generate(self, analysis):
            return TIMELINE, ComparedTracklets((0,), PairMatrix.of(np.ones((1, 1))))

    class Planner:
        def __init__(self, *arguments) -> None:
            given["planner"] = arguments

        def plan(self, segment, analysis):
            return PathOf(segment)

    class Renderer:
        def __init__(self, *arguments) -> None:
            given["renderer"] = arguments

        def render(self, analysis, paths, folder, finished, completed):
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
    monkeypatch.setattr(video_processor, "CropPlanner", Planner)
    monkeypatch.setattr(video_processor, "ClipRenderer", Renderer)
    return given


@pytest.fixture
def monitor() -> StageMonitor:
    return StageMonitor()


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make(tmp_path, monitor, cache):
    """Makes the processor of a run; `settings` by section."""

    def make(models=Models, info=INFO, **settings) -> VideoProcessor:
        settings.setdefault("run", {})["cache_dir"] = str(cache)
        chosen = load_settings(None, settings)
        return VideoProcessor(info, tmp_path / "a", MARK, chosen, monitor, models)

    return make


@pytest.fixture
def processor(make: Callable[[], VideoProcessor]) -> VideoProcessor:
    return make()


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


def test_an_extra_that_is_missing_is_made_without_making_the_clips_again(tmp_path, stages, make):
    first = make().finish(RECORD)
    stages.pop("paths")
    clip = tmp_path / "a" / CLIP.file
    before = clip.stat().st_ino
    with_mot = make(output={"export": ["mot"]}).finish(RECORD)
    assert "paths" not in stages and clip.stat().st_ino == before and clip.read_bytes() == b"clip"
    assert with_mot.extras == {"mot": ("mot.txt",)} and (tmp_path / "a/mot.txt").read_text().count("\n") == 10
    for key in ("clips", "people", "warnings", "models", "settings"):
        assert getattr(with_mot, key) == getattr(first, key)
    # Another extra keeps the first one.
    (tmp_path / "a/mot.txt").touch()
    made_s = (tmp_path / "a/mot.txt").stat().st_mtime_ns
    both = make(output={"export": ["vtt"]}).finish(RECORD)
    assert both.extras == {"mot": ("mot.txt",), "vtt": ("people.vtt",)}
    assert (tmp_path / "a/mot.txt").stat().st_mtime_ns == made_s
    assert {entry.file for entry in both.files} == {
        CLIP.file, "person_01/face.jpg", "tracks.csv", "timeline.json", "report.html", "mot.txt", "people.vtt",
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("change", ["overwrite", "render", "settings", "analysis", "clip"])
def test_clips_are_made_again_where_they_may_differ(tmp_path, stages, make, change):
    make(output={"export": ["mot"]}).finish(RECORD)
    stages.pop("paths")
    settings: dict[str, dict[str, Any]] = {"output": {"export": ["vtt"]}}
    record, options = RECORD, {}
    if change == "overwrite":
        settings["run"] = {"overwrite": True}
    elif change == "render":
        options["from_timeline"] = True
    elif change == "settings":
        settings["clip"] = {"size": 256}
    elif change == "analysis":
        record = dataclasses.replace(RECORD, key="cd" * 32)
    else:
        (tmp_path / "a" / CLIP.file).write_bytes(b"")
    done = make(**settings).finish(record, **options)
    assert "paths" in stages
    assert set(done.extras) == {"vtt"} and not (tmp_path / "a/mot.txt").exists()


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


def no_models() -> Models:
    raise AssertionError("the models were loaded")


def run(processor: VideoProcessor) -> Manifest:
    processor.prepare()
    return processor.finish(processor.analyse())


def test_a_second_run_needs_neither_models_nor_analysis_and_gives_the_same_bytes(tmp_path, stages, make):
    run(make())
    first = {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    shutil.rmtree(tmp_path / "a")
    stages.pop("info")
    again = make(no_models)
    again.prepare()
    assert again.analyse().cached
    run(again)
    assert "info" not in stages
    assert {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()} == first


@pytest.mark.parametrize(
    "section", [{"clip": {"size": 256}}, {"encode": {"quality": 30}}, {"identity": {"merge": 0.3}}]
)
def test_settings_after_the_analysis_use_the_stored_one(stages, make, section):
    run(make())
    stages.pop("info")
    run(make(no_models, **section))
    assert "info" not in stages


@pytest.mark.parametrize(
    "change", [{"analysis": {"min_face": 0.1}}, {"run": {"cache": False}}, {"analysis": {"embedder": "facenet"}}]
)
def test_settings_of_the_analysis_and_no_cache_make_a_new_one(stages, make, change):
    run(make())
    stages.pop("info")
    run(make(**change))
    assert stages.pop("info") is INFO
    if "run" in change:
        run(make(no_models))


def test_a_file_that_was_moved_is_the_same_video(stages, make):
    run(make())
    moved = dataclasses.replace(INFO, path=Path("elsewhere.mp4"))
    processor = make(no_models, info=moved)
    processor.prepare()
    assert processor.analyse().analysis.video.path == moved.path


def edit(folder: Path, old: str = '"name": "person_01"', new: str = '"name": "Anna"') -> str:
    text = (folder / "timeline.json").read_text()
    assert old in text
    (folder / "timeline.json").write_text(text.replace(old, new))
    return text.replace(old, new)


def test_an_edited_timeline_is_followed_now_and_later(tmp_path, stages, make):
    folder = tmp_path / "a"
    assert run(make()).timeline.edited is False
    edit(folder)
    manifest = run(make())
    assert [p.name for p in manifest.people] == ["Anna"]
    assert manifest.timeline.edited is True
    assert ",Anna," in (folder / "tracks.csv").read_text()
    # With other clip settings, people are still those of the edited timeline.
    manifest = run(make(clip={"size": 256}))
    assert [p.name for p in manifest.people] == ["Anna"]
    assert not (folder / "timeline.json.bak").exists()


def test_only_overwrite_begins_anew_and_keeps_what_was_edited(tmp_path, stages, make):
    folder = tmp_path / "a"
    run(make())
    edited = edit(folder)
    manifest = run(make(run={"overwrite": True}))
    assert [p.name for p in manifest.people] == ["person_01"]
    assert manifest.timeline.edited is False
    assert (folder / "timeline.json.bak").read_text() == edited


def test_an_edited_timeline_never_follows_another_analysis(tmp_path, stages, make):
    run(make())
    edited = edit(tmp_path / "a")
    stages.pop("info")
    with pytest.raises(VideoProcessingError, match="--overwrite"):
        run(make(no_models, analysis={"min_face": 0.1}))
    assert "info" not in stages
    assert (tmp_path / "a" / "timeline.json").read_text() == edited


def test_edited_people_outlive_a_new_version_of_the_program_as_long_as_their_analysis_is_kept(
    tmp_path, stages, make, monkeypatch, cache
):
    run(make())
    edit(tmp_path / "a")
    monkeypatch.setattr(analysis_key, "code_digest", lambda: "another version")
    assert [p.name for p in run(make(no_models)).people] == ["Anna"]
    shutil.rmtree(cache / "analyses")
    with pytest.raises(VideoProcessingError, match="--overwrite"):
        run(make(no_models, clip={"size": 256}))


def test_a_wrongly_edited_timeline_is_named_and_left(tmp_path, stages, make):
    run(make())
    edited = edit(tmp_path / "a", '"end_s": 0.4', '"end_s": "0.4"')
    with pytest.raises(SettingsError, match=re.escape("people[0].segments[0].end_s: Expected `float`")):
        run(make())
    assert (tmp_path / "a" / "timeline.json").read_text() == edited


def test_killed_while_results_are_exchanged_the_edited_timeline_is_still_followed(tmp_path, stages, make, monkeypatch):
    folder = tmp_path / "a"
    run(make())
    edit(folder)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output_folder, "remove_file", killed)
        with pytest.raises(KeyboardInterrupt):
            run(make())
    assert "replacing" in json.loads((folder / "manifest.json").read_text())
    manifest = run(make())
    assert [p.name for p in manifest.people] == ["Anna"]
    assert manifest.timeline.edited is True


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


@pytest.fixture
def talking(monkeypatch) -> list[Path]:
    """The passes that find out who speaks; the face speaks in the frames 3 to 8, of 10."""
    made = []

    def find(analysis: FaceAnalysis, *_: Any, **__: Any) -> SpeechColumns:
        made.append(analysis.video.path)
        values = np.where((np.arange(10) >= 3) & (np.arange(10) < 9), 2, -2).astype(np.float32)
        return SpeechColumns({0: values}, 0.24, 0.4)

    monkeypatch.setattr(speech_pass, "find_speech", find)
    monkeypatch.setattr(speech_models, "find_speech_files", lambda _: SpeechFiles(Path("v"), Path("m"), {}))
    monkeypatch.setattr(speech_models, "load_speech_models", lambda _: None)
    return made


HEARD = dataclasses.replace(INFO, audio=(AudioInfo(1, "aac", 48000, 2, 0.0),))


@pytest.fixture
def heard(monkeypatch, stages):
    """Stages whose analysis has audio, and how often it was made."""
    monkeypatch.setitem(globals(), "ANALYSIS", dataclasses.replace(ANALYSIS, video=HEARD))
    return stages


def test_who_speaks_is_in_every_file_that_tells_of_people(tmp_path, heard, make, talking):
    processor = make(info=HEARD, speech={"speech": "on"}, output={"export": ["speech"]})
    processor.prepare()
    manifest = processor.finish(processor.analyse())
    folder = tmp_path / "a"
    assert (folder / "speech.csv").read_text() == ("person,start_s,end_s,score\nperson_01,0.120000,0.360000,2.000\n")
    (person,) = json.loads((folder / "timeline.json").read_text())["people"]
    assert person["speaks"] == [[0.12, 0.36]]
    assert (manifest.people[0].turns, manifest.people[0].speaks_s) == (1, 0.24)
    assert manifest.models["speech"]["name"] == "movement"
    assert "speech.csv" in {entry.file for entry in manifest.files}
    assert "00:00:00.120 --> 00:00:00.360\n<v person_01>" in (folder / "speech.vtt").read_text()
    assert 'class="speaks"' in (folder / "report.html").read_text()


def test_an_export_of_speech_changes_no_other_file(tmp_path, heard, make, talking):
    files = {}
    for export in ((), ("speech",)):
        processor = make(info=HEARD, output={"export": export})
        processor.prepare()
        processor.finish(processor.analyse())
        names = ("timeline.json", "tracks.csv", "person_01/clip_001.mp4")
        files[export] = {name: (tmp_path / "a" / name).read_bytes() for name in names}
    assert files[()] == files["speech",] and talking == [HEARD.path]
    assert not (tmp_path / "a/speech.csv").exists() and (tmp_path / "a/speech.vtt").exists()


def test_asking_later_who_speaks_detects_nothing_again_and_gives_the_same_bytes(tmp_path, heard, make, talking):
    def run(**settings: Any) -> dict[str, bytes]:
        heard.pop("analyzer", None)
        processor = make(info=HEARD, **settings)
        processor.prepare()
        processor.finish(processor.analyse())
        return {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}

    visible = run()
    assert "analyzer" in heard and talking == []
    speaking = run(speech={"when": "speaking"})
    assert "analyzer" not in heard and heard["generator"][2].when == "speaking" and len(talking) == 1
    assert run() == visible and run(speech={"when": "speaking"}) == speaking
    assert "analyzer" not in heard and len(talking) == 1
    assert "speech.csv" in speaking and "speech.csv" not in visible


def test_missing_models_are_said_before_anything_is_analysed(monkeypatch, heard, make):
    def missing(_: Any) -> SpeechFiles:
        raise ModelUnavailableError("the package silero_vad is not installed")

    monkeypatch.setattr(speech_models, "find_speech_files", missing)
    with pytest.raises(ModelUnavailableError):
        make(info=HEARD, speech={"when": "speaking"}).prepare()
    assert "analyzer" not in heard


class Namer(PeopleNamer):
    """Gives the only person a name; notes what it is told."""

    def __init__(self, name: str) -> None:
        self.name_given = name
        self.told: list[tuple[str, str, bool]] = []
        self.clips: dict[str, int] = {}

    def take_up_photos(self) -> None:
        pass

    def name(self, fingerprint, record, timeline, folder, *, edited) -> VideoNames:
        self.told.append((timeline.people[0].name, folder, edited))
        folder_name = self.name_given or timeline.people[0].name
        found = PersonName(timeline.people[0].name, "P0007", self.name_given, folder_name, Match(7, 0.9, 0.8, "photo"))
        return VideoNames((found,), NamedBy("state", "photos"))

    def note_clips(self, fingerprint, clips) -> None:
        self.clips = dict(clips)


@pytest.fixture
def named(tmp_path, monitor, cache):
    """Makes the processor of a run in which the person is called `name`."""

    def make(name: str, **settings) -> tuple[VideoProcessor, Namer]:
        settings.setdefault("run", {})["cache_dir"] = str(cache)
        namer = Namer(name)
        chosen = load_settings(None, settings)
        models = cast(Any, Models)
        return VideoProcessor(INFO, tmp_path / "a", MARK, chosen, monitor, models, namer), namer

    return make


def test_names_are_in_the_manifest_and_in_the_paths(tmp_path, stages, named):
    processor, namer = named("")
    person = processor.finish(RECORD).people[0]
    assert (person.name, person.id, person.known_as, person.match.source) == ("person_01", "P0007", "", "photo")
    assert namer.told == [("person_01", "a", False)] and namer.clips == {"person_01": 1}


ANONYMOUS = {"clip": {"template": "clip_$CLIP_NUMBER"}}
"""names of clips that do not tell the person"""


def test_a_new_name_moves_clips_without_recipes_without_making_them_again(tmp_path, stages, named):
    named("", **ANONYMOUS)[0].finish(RECORD)
    before = (tmp_path / "a" / CLIP.file).stat().st_ino
    stages.pop("paths")
    manifest = named("Anna", **ANONYMOUS)[0].finish(RECORD)
    assert "paths" not in stages
    assert (tmp_path / "a/Anna/clip_001.mp4").stat().st_ino == before
    assert not (tmp_path / "a/person_01").exists()
    assert [(clip.person, clip.file) for clip in manifest.clips] == [("Anna", "Anna/clip_001.mp4")]
    timeline = json.loads((tmp_path / "a/timeline.json").read_text())
    assert timeline["people"][0]["name"] == "Anna"
    assert manifest.names.gallery == "state" and manifest.people[0].known_as == "Anna"
    assert not manifest.timeline.edited


def test_extras_are_made_again_under_new_names(tmp_path, stages, named):
    named("", **ANONYMOUS, output={"export": ["vtt"]})[0].finish(RECORD)
    stages.pop("paths")
    named("Anna", **ANONYMOUS, output={"export": ["vtt"]})[0].finish(RECORD)
    assert "paths" not in stages
    assert "Anna" in (tmp_path / "a/people.vtt").read_text()


def test_names_that_were_given_once_are_not_taken_for_edits(tmp_path, stages, named):
    named("Anna")[0].finish(RECORD)
    processor, namer = named("")
    processor.finish(RECORD, from_timeline=True)
    assert namer.told == [("person_01", "a", False)]


def test_only_one_person_gets_clips(tmp_path, stages, named):
    manifest = named("Anna", people={"only": "Zoe"})[0].finish(RECORD)
    assert stages["paths"] == []
    assert not any("visible long enough" in line for line in manifest.warnings)
    assert manifest.names.only == "Zoe" and any("nobody in this video is Zoe" in line for line in manifest.warnings)
    named("Anna", people={"only": "anna"})[0].finish(RECORD)
    assert [path.segment.person for path in stages["paths"]] == ["Anna"]


def test_people_who_are_shown_too_briefly_in_all_get_no_clips(stages, named):
    manifest = named("Anna", clip={"min_time": 0.5})[0].finish(RECORD)
    assert stages["paths"] == [] and [person.on_screen_s for person in manifest.people] == [0.4]
    named("Anna", clip={"min_time": 0.3})[0].finish(RECORD)
    assert [path.segment.person for path in stages["paths"]] == ["Anna"]


def test_a_render_from_the_cache_loads_nothing_that_looks_at_faces(project: Path) -> None:
    """Each of these takes 10 to 40 ms, before a first frame can be encoded."""
    unwanted = ("PIL", "core.model_manager", "processors.faces.face_sampler", "processors.speech.speech_pass")
    script = f"import sys, processors.video_processor; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
