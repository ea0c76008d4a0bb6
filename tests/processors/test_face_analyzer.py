"""The whole decode pass with the real networks, on generated films whose faces and cuts are known."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from config import AnalysisSettings, Settings
from core.errors import DecodeError, GPUMemoryError, InterruptedRunError, ModelError
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.models.face_detector import Candidates, FaceDetector
from core.models.inference.nets import OpenVINONet
from core.models.mtcnn import MtcnnDetector
from core.types import ByteArray, FaceAnalysis, FloatArray, VideoInfo
from processors import face_analyzer
from processors.face_analyzer import FaceAnalyzer
from processors.faces.analysis_pass import AnalysisPass, numbered
from processors.faces.analysis_size import SMALLEST_FACE_PX, analysis_size, for_active_picture
from processors.faces.pass_plan import PassPlan
from processors.faces.sampling_observer import SamplingObserver
from processors.shots.shot_boundary import ShotBoundary
from processors.shots.shot_detector import MAX_CUT_DELAY
from processors.tracking.face_stream import MIN_SEARCHED_PX
from processors.tracking.proposal_prefetch import ProposalPrefetcher
from tests.material import factories
from tests.material.gpu_stand_ins import MakeNvdec
from tests.material.scoring import Score, read_tracks, score
from tests.material.small_videos import gray_ramp, make_video
from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Occluder, Scene
from tests.material.synthetic.truth import Truth, film_truth
from tests.utils.processes.test_helper_threads import Lines
from utils.console.json_log import log_context
from utils.console.stage_monitor import StageMonitor
from utils.images.box_geometry import iou_matrix

CUT = 40
JOINS = CUT + 12
"""frame at which the second person enters, between two looks for newcomers"""

FILM = Film(
    width=640,
    height=360,
    scenes=(
        Scene(
            length=CUT,
            seed=3,
            actors=(Actor(COLLINS, Motion(keys=(Key(0, 0.35, 0.45, 0.22), Key(39, 0.55, 0.42, 0.3)), sway=0.05)),),
        ),
        Scene(
            length=35,
            background="night",
            seed=11,
            actors=(
                Actor(COLLINS, Motion(keys=(Key(0, 0.28, 0.45, 0.25), Key(34, 0.32, 0.45, 0.28)))),
                Actor(HOPPER, Motion(keys=(Key(0, 0.72, 0.5, 0.3), Key(34, 0.66, 0.5, 0.34))), start=JOINS - CUT),
            ),
        ),
    ),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    render_video(path, FILM)
    return path


@pytest.fixture(scope="module")
def truth() -> Truth:
    return film_truth(FILM)


class Watching(StageMonitor):
    """Notes the progress; asks to stop after frame `last`."""

    def __init__(self, last: int | None = None) -> None:
        super().__init__()
        self.calls: list[tuple[str, float, float]] = []
        self.last = last

    def update(self, stage: str, done: float, total: float) -> None:
        self.calls.append((stage, done, total))
        if done == self.last:
            self.stop.set()


def analyze(path: Path, settings: Settings, models: ModelManager, monitor: StageMonitor | None = None) -> FaceAnalysis:
    return FaceAnalyzer(settings, models, monitor).analyze(probe_video(path))


@pytest.fixture(scope="module")
def analysis(film: Path, model_settings: Settings, models: ModelManager) -> FaceAnalysis:
    return analyze(film, model_settings, models)


def scored(analysis: FaceAnalysis, truth: Truth, folder: Path) -> Score:
    """Every tracklet counted as a person of its own."""
    truth.write_csv(folder / "truth.csv")
    found: dict[int, Any] = {}
    for tracklet in analysis.tracklets:
        for frame, box in zip(tracklet.frames.tolist(), tracklet.boxes, strict=True):
            found.setdefault(frame, []).append((str(tracklet.id), box.astype(float)))
    return score(read_tracks(folder / "truth.csv"), found)


def test_every_face_is_found_and_nothing_else(analysis: FaceAnalysis, truth: Truth, tmp_path: Path) -> None:
    reached = scored(analysis, truth, tmp_path)
    assert reached.recall >= 0.95
    assert reached.precision >= 0.95
    assert len(analysis.tracklets) == 3


def test_the_cut_is_on_its_exact_frame(analysis: FaceAnalysis, truth: Truth) -> None:
    assert truth.cuts == (CUT,)
    assert [(s.start, s.end, s.transition) for s in analysis.shots] == [
        (0, CUT, "start"),
        (CUT, FILM.frame_count, "cut"),
    ]


def test_no_tracklet_crosses_the_cut(analysis: FaceAnalysis) -> None:
    for tracklet in analysis.tracklets:
        shot = analysis.shots[tracklet.shot]
        assert shot.start <= tracklet.start and tracklet.end <= shot.end


def test_tracklets_reach_from_the_true_first_to_the_true_last_frame(analysis: FaceAnalysis) -> None:
    spans = [(t.start, t.end) for t in analysis.tracklets]
    assert spans == [(0, CUT), (CUT, FILM.frame_count), (JOINS, FILM.frame_count)]


def test_every_frame_has_its_time_and_none_failed(analysis: FaceAnalysis) -> None:
    assert analysis.frame_count == FILM.frame_count
    assert analysis.decode_failures == 0
    seconds = analysis.frame_pts * float(analysis.video.time_base)
    assert np.diff(seconds) == pytest.approx(np.full(FILM.frame_count - 1, 1 / 25), abs=1e-4)


def test_repaired_times_are_noted_because_no_reader_may_seek_then(
    analysis: FaceAnalysis, tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    assert not analysis.video.has_repaired_times
    coded = ("-c:v", "libx264", "-bf", "3", "-x264opts", "b-adapt=0", "-use_editlist", "0")
    path = make_video(tmp_path / "a.mp4", gray_ramp(20, 160, 96), *coded)
    path.write_bytes(path.read_bytes().replace(b"ctts", b"free"))
    assert analyze(path, model_settings, models).video.has_repaired_times


def test_each_tracklet_is_embedded_from_a_few_of_its_faces(
    analysis: FaceAnalysis, model_settings: Settings, models: ModelManager
) -> None:
    assert analysis.embedder == models.embedder.name
    for tracklet in analysis.tracklets:
        assert 1 <= len(tracklet.sample_frames) <= model_settings.analysis.faces_per_track
        assert set(tracklet.sample_frames.tolist()) <= set(tracklet.frames.tolist())
        assert np.linalg.norm(tracklet.embeddings, axis=1) == pytest.approx(np.ones(len(tracklet.embeddings)), abs=1e-4)
        assert bytes(tracklet.face_jpeg).startswith(b"\xff\xd8")
        assert tracklet.sharpness.min() > 0


def test_embeddings_join_the_person_over_the_cut(analysis: FaceAnalysis) -> None:
    before, same_after, other = (t.embedding for t in analysis.tracklets)
    assert before is not None and same_after is not None and other is not None
    assert float(before @ same_after) > float(before @ other) + 0.02


def test_the_same_film_gives_the_same_analysis(
    analysis: FaceAnalysis, film: Path, model_settings: Settings, models: ModelManager
) -> None:
    again = analyze(film, model_settings, models)
    assert again.shots == analysis.shots and again.statistics == analysis.statistics
    for a, b in zip(analysis.tracklets, again.tracklets, strict=True):
        for column in ("frames", "boxes", "scores", "landmarks", "sharpness", "sample_frames", "embeddings"):
            assert np.array_equal(getattr(a, column), getattr(b, column)), column
        assert (a.id, a.shot, bytes(a.face_jpeg)) == (b.id, b.shot, bytes(b.face_jpeg))


def test_the_candidates_of_each_first_frame_are_begun_before_its_turn(
    film: Path, model_settings: Settings, models: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = {}
    take = ProposalPrefetcher.take

    def noting(self: ProposalPrefetcher, tick: int, smallest: float, detector: FaceDetector) -> Candidates | None:
        begun[tick] = take(self, tick, smallest, detector)
        return begun[tick]

    monkeypatch.setattr(ProposalPrefetcher, "take", noting)
    analyze(film, model_settings, models)
    assert begun[0] is not None and begun[CUT] is not None


def test_only_the_part_that_is_asked_for_is_decoded_and_times_stay_those_of_the_video(
    film: Path, analysis: FaceAnalysis, model_settings: Settings, models: ModelManager
) -> None:
    first, end = CUT - 10, CUT + 10
    start_s, end_s = analysis.seconds_at(first), analysis.seconds_at(end)
    part = msgspec.structs.replace(model_settings.analysis, start=start_s, end=end_s)
    monitor = Watching()
    found = analyze(film, msgspec.structs.replace(model_settings, analysis=part), models, monitor)
    assert found.frame_pts.tolist() == analysis.frame_pts[first:end].tolist()
    assert found.bounds_s == pytest.approx(analysis.bounds_s[first : end + 1])
    assert [(shot.start, shot.end) for shot in found.shots] == [(0, 10), (10, 20)]
    assert {t.shot for t in found.tracklets} == {0, 1}


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_given_cuts_are_those_of_the_whole_video_whatever_part_is_analysed(
    film: Path, model_settings: Settings, models: ModelManager, end: float
) -> None:
    cuts = f"frames 0 4 {CUT} 1000"
    part = msgspec.structs.replace(model_settings.analysis, cuts=cuts, start=0.4, end=end and CUT / 25 + 0.4)
    found = analyze(film, msgspec.structs.replace(model_settings, analysis=part), models)
    assert [(shot.start, shot.end) for shot in found.shots] == [(0, CUT - 10), (CUT - 10, found.frame_count)]
    assert found.seconds_at(found.shots[1].start) == pytest.approx(CUT / 25)
    # A cut after the end of the video is a sign of another video, one after the end of the part is not.
    assert found.statistics.get("cuts_beyond_end", 0) == (0 if end else 1)


def test_a_part_without_frames_is_an_error(film: Path, model_settings: Settings, models: ModelManager) -> None:
    info = dataclasses.replace(probe_video(film), duration_s=0.0)
    part = msgspec.structs.replace(model_settings.analysis, start=60.0)
    analyzer = FaceAnalyzer(msgspec.structs.replace(model_settings, analysis=part), models)
    with pytest.raises(DecodeError, match="no frame lies in the part"):
        analyzer.analyze(info)


@pytest.mark.parametrize(("late", "fails"), [(MAX_CUT_DELAY, False), (MAX_CUT_DELAY + 1, True)])
def test_a_cut_that_comes_too_late_is_an_error(
    film: Path, model_settings: Settings, models: ModelManager, late: int, fails: bool
) -> None:
    """The tracker must not have seen the first frame of a shot before it is known to be one."""
    plan = PassPlan.of(probe_video(film), model_settings.analysis)
    with VideoReader(plan.info) as reader, AnalysisPass(plan, models, StageMonitor()) as analysis:
        frames = [frame for frame, _ in itertools.islice(analysis.decoded_frames(reader), 10)]
        for frame in frames[:-1]:
            analysis.take(frame, [])
        with pytest.raises(AssertionError, match="already tracked") if fails else contextlib.nullcontext():
            analysis.take(frames[-1], [ShotBoundary(frames[-1].index - late, "cut")])


def test_progress_reaches_its_end(film: Path, model_settings: Settings, models: ModelManager) -> None:
    monitor = Watching()
    analyze(film, model_settings, models, monitor)
    assert {stage for stage, _, _ in monitor.calls} == {"analyse"}
    assert [done for _, done, _ in monitor.calls] == list(range(1, FILM.frame_count + 1))
    assert all(total >= done for _, done, total in monitor.calls) and monitor.calls[-1][2] == FILM.frame_count


@pytest.mark.parametrize("last", [1, 20, FILM.frame_count])
def test_asked_to_stop_it_stops(film: Path, model_settings: Settings, models: ModelManager, last: int) -> None:
    monitor = Watching(last)
    threads = set(threading.enumerate())
    with pytest.raises(InterruptedRunError):
        analyze(film, model_settings, models, monitor)
    assert len(monitor.calls) == last
    # Networks are compiled for all videos, not for this one.
    assert {thread.name for thread in set(threading.enumerate()) - threads} <= {"networks"}


class Instead:
    """The real models but for the recognition network."""

    def __init__(self, models: ModelManager, embed: Any) -> None:
        self._models = models
        self.embedder = SimpleNamespace(
            name=models.embedder.name, side=models.embedder.side, alignment=models.embedder.alignment, embed=embed
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)


def test_asked_to_stop_during_the_last_embeddings_it_stops(
    film: Path, model_settings: Settings, models: ModelManager
) -> None:
    monitor = Watching()

    def embed(chips: ByteArray) -> FloatArray:
        if len(monitor.calls) == FILM.frame_count:
            monitor.stop.set()
        return models.embedder.embed(chips)

    instead: Any = Instead(models, embed)
    with pytest.raises(InterruptedRunError):
        analyze(film, model_settings, instead, monitor)


def test_a_fault_of_a_model_ends_the_analysis(film: Path, model_settings: Settings, models: ModelManager) -> None:
    def embed(chips: ByteArray) -> FloatArray:
        raise ModelError("the network is broken", stage="embed")

    instead: Any = Instead(models, embed)
    with pytest.raises(ModelError, match="broken"):
        analyze(film, model_settings, instead)


def test_a_film_without_faces_gives_none(tmp_path: Path, model_settings: Settings, models: ModelManager) -> None:
    board = Occluder(Motion(keys=(Key(0, 0.1, 0.5, 0.6), Key(19, 0.9, 0.5, 0.6))))
    empty = Film(scenes=(Scene(length=20, background="library", occluders=(board,)),), width=320, height=180)
    render_video(tmp_path / "empty.mp4", empty)
    analysis = analyze(tmp_path / "empty.mp4", model_settings, models)
    assert analysis.tracklets == () and len(analysis.shots) == 1 and analysis.frame_count == 20


def test_a_film_of_one_frame_is_analysed(tmp_path: Path, model_settings: Settings, models: ModelManager) -> None:
    still = Motion(keys=(Key(0, 0.5, 0.5, 0.5),))
    render_video(tmp_path / "one.mp4", Film(scenes=(Scene(length=1, actors=(Actor(HOPPER, still),)),)))
    analysis = analyze(tmp_path / "one.mp4", model_settings, models)
    assert analysis.frame_count == 1 and len(analysis.shots) == 1
    assert all(len(t.frames) == 1 for t in analysis.tracklets)


def test_a_small_face_in_a_large_frame_is_found_in_source_pixels(
    tmp_path: Path, model_settings: Settings, models: ModelManager
) -> None:
    walk = Motion(keys=(Key(0, 0.3, 0.4, 0.06), Key(11, 0.34, 0.4, 0.06)), ease=False)
    large = Film(scenes=(Scene(length=12, actors=(Actor(HOPPER, walk),)),), width=1920, height=1080)
    truth = render_video(tmp_path / "large.mp4", large)
    analysis = analyze(tmp_path / "large.mp4", model_settings, models)
    assert scored(analysis, truth, tmp_path).recall >= 0.95


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (640, 360), (4096, 2160), (321, 241)])
@pytest.mark.parametrize("min_face", [0.02, 0.05, 0.2])
def test_the_analysis_size_leaves_the_smallest_face_enough_pixels(width: int, height: int, min_face: float) -> None:
    small_width, small_height = analysis_size(width, height, min_face)
    assert small_width / width == pytest.approx(small_height / height, abs=0.02)
    assert small_height <= height and small_width <= width + 1
    assert small_height * min_face >= min(SMALLEST_FACE_PX, height * min_face) * 0.98
    assert small_height == height or small_height * min_face <= SMALLEST_FACE_PX * 1.02


def key_framed(path: Path, images: list[ByteArray]) -> VideoInfo:
    """A video in which every tenth frame is a key frame."""
    return probe_video(make_video(path, images, "-g", "10", "-sc_threshold", "0"))


def test_the_smallest_face_is_a_share_of_the_active_picture(tmp_path: Path) -> None:
    settings = AnalysisSettings(min_face=0.1)
    image = np.random.default_rng(1).integers(60, 250, (144, 320, 3), np.uint8)
    letterboxed, black = np.pad(image, ((48, 48), (0, 0), (0, 0))), np.zeros((240, 320, 3), np.uint8)
    full = np.pad(image, ((48, 48), (0, 0), (0, 0)), mode="wrap")
    info = key_framed(tmp_path / "letterbox.mp4", [black] * 10 + [letterboxed] * 30)
    assert for_active_picture(settings, info).min_face == pytest.approx(0.1 * 140 / 240)
    # Where one part has no bars, they are not those of the video.
    info = key_framed(tmp_path / "mixed.mp4", [black] * 10 + [letterboxed] * 10 + [full] * 10)
    assert for_active_picture(settings, info) == settings
    # Only the part that is analysed counts.
    part = msgspec.structs.replace(settings, start=0.4, end=0.8)
    assert for_active_picture(part, info).min_face == pytest.approx(0.1 * 140 / 240)
    # A blurred copy counts like bars, and a single key frame suffices.
    coarse = cv2.resize(image[::12, ::12], (320, 144)) // 2 + image // 4
    copy = cv2.GaussianBlur(cv2.resize(coarse, (534, 240))[:, 107:427], (0, 0), 6)
    copy[48:192] = coarse
    info = key_framed(tmp_path / "copy.mp4", [copy] * 2)
    assert for_active_picture(settings, info).min_face == pytest.approx(0.1 * 144 / 240, rel=0.03)


def test_tracklets_are_numbered_by_appearance_from_left_to_right() -> None:
    places = [(4, 9, 0), (9, 0, 70), (2, 0, 20)]
    mixed = [factories.tracklet(number, range(start, start + 4), (x, 0, x + 9, 9)) for number, start, x in places]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        named = numbered([mixed[i] for i in order])
        assert [(t.id, t.start, t.boxes[0, 0]) for t in named] == [(0, 0, 20), (1, 0, 70), (2, 9, 0)]


def test_an_image_that_is_very_low_is_not_enlarged_to_be_searched(
    tmp_path: Path, model_settings: Settings, models: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "low.mkv", [np.zeros((16, 512, 3), np.uint8)] * 2, "-c:v", "ffv1")
    asked = []
    detect = MtcnnDetector.detect

    def spy(self: MtcnnDetector, images: Any, min_face_px: float, **options: Any) -> Any:
        asked.append(min_face_px)
        return detect(self, images, min_face_px, **options)

    monkeypatch.setattr(MtcnnDetector, "detect", spy)
    analyze(path, model_settings, models)
    assert asked
    assert min(asked) >= MIN_SEARCHED_PX


def test_what_the_helpers_log_is_about_the_video(
    film: Path, models: ModelManager, model_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, lines = logging.getLogger("some.helper"), Lines()
    log.setLevel(logging.WARNING)  # runs of the program in other tests change what is passed on
    log.propagate = False
    log.addHandler(lines)
    frames, on_track_end = VideoReader.frames, SamplingObserver.on_track_end

    def logging_frames(self: Any, *arguments: Any) -> Any:
        log.warning("a line")
        return frames(self, *arguments)

    def logging_end(self: Any, *arguments: Any) -> Any:
        log.warning("a line")
        return on_track_end(self, *arguments)

    monkeypatch.setattr(VideoReader, "frames", logging_frames)
    monkeypatch.setattr(SamplingObserver, "on_track_end", logging_end)
    with log_context("film", "analyse"):
        FaceAnalyzer(model_settings, models).analyze(probe_video(film))
    log.removeHandler(lines)
    assert {thread.partition("_")[0] for thread, _ in lines.lines} == {"prefetch", "observe"}
    assert all('"video": "film", "stage": "analyse"' in line for _, line in lines.lines)


def test_short_memory_changes_no_result(
    film: Path, analysis: FaceAnalysis, model_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU does when it is full, on the way that the CPU's networks take."""
    call, refused = OpenVINONet.__call__, []

    def full(self: OpenVINONet, images: Any) -> Any:
        if len(images) > 2:
            refused.append(len(images))
            raise GPUMemoryError("full", stage="detect")
        return call(self, images)

    monkeypatch.setattr(OpenVINONet, "__call__", full)
    # Models of its own: they stay with the smaller batches.
    found = analyze(film, model_settings, ModelManager(model_settings))
    assert refused
    assert found.shots == analysis.shots
    assert np.array_equal(found.frame_pts, analysis.frame_pts)
    assert len(found.tracklets) == len(analysis.tracklets)
    for got, wanted in zip(found.tracklets, analysis.tracklets, strict=True):
        assert np.array_equal(got.frames, wanted.frames)
        assert np.array_equal(got.sample_frames, wanted.sample_frames)
        assert np.allclose(got.boxes, wanted.boxes, atol=0.01)
        assert np.allclose(got.scores, wanted.scores, atol=1e-4)
        # Other batches round differently; 1.0 is the same face.
        assert (np.sum(got.embeddings * wanted.embeddings, axis=1) > 0.99999).all()


def test_frames_in_the_memory_of_a_gpu_give_the_same_faces(
    film: Path,
    analysis: FaceAnalysis,
    model_settings: Settings,
    models: ModelManager,
    monkeypatch: pytest.MonkeyPatch,
    fake_nvdec: MakeNvdec,
) -> None:
    """Software decodes, but everything after it is NVDEC's way, with torch on the CPU."""
    nvdec = fake_nvdec()
    monkeypatch.setattr(face_analyzer, "choose_nvdec", lambda info, device: nvdec)
    found = analyze(film, model_settings, models)
    assert found.statistics["device_frames"] == len(analysis.frame_pts)
    assert "device_frames" not in analysis.statistics
    assert np.array_equal(found.frame_pts, analysis.frame_pts) and found.shots == analysis.shots
    assert len(found.tracklets) == len(analysis.tracklets) == 3
    for mine, wanted in zip(found.tracklets, analysis.tracklets, strict=True):
        assert (mine.start, mine.end) == (wanted.start, wanted.end)
        # The images that are searched differ by 1 to 3 levels and up to half a pixel.
        overlaps = iou_matrix(mine.boxes, wanted.boxes).diagonal()
        assert overlaps.min() > 0.85 and overlaps.mean() > 0.95


@pytest.mark.parametrize("fault", ["the device fails", "a packet is lost", "nothing is decoded"])
def test_what_nvdec_cannot_finish_is_decoded_in_software(
    fault: str,
    film: Path,
    analysis: FaceAnalysis,
    model_settings: Settings,
    models: ModelManager,
    monkeypatch: pytest.MonkeyPatch,
    fake_nvdec: MakeNvdec,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nvdec = fake_nvdec()
    frame, opened = nvdec.frame, nvdec.open

    def failing(*given: Any, index: int, **facts: Any) -> Any:
        if index == 30:
            raise RuntimeError("CUDA error: out of memory\nCompile with ...")
        return frame(*given, index=index, **facts)

    def damaged(path: Path, container_format: str) -> Any:
        if fault == "nothing is decoded":
            raise ValueError("no decoder")
        monkeypatch.setattr(VideoReader, "decode_failures", property(lambda reader: int(reader.device_frames > 0)))
        return opened(path, container_format)

    if fault == "the device fails":
        monkeypatch.setattr(nvdec, "frame", failing)
    else:
        monkeypatch.setattr(nvdec, "open", damaged)
    monkeypatch.setattr(face_analyzer, "choose_nvdec", lambda info, device: nvdec)
    found = analyze(film, model_settings, models)
    assert found.statistics == analysis.statistics and found.shots == analysis.shots
    for mine, wanted in zip(found.tracklets, analysis.tracklets, strict=True):
        assert np.array_equal(mine.boxes, wanted.boxes) and np.array_equal(mine.scores, wanted.scores)
    (line,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert "again with software decoding" in line and "\n" not in line


def test_software_decoding_can_be_asked_for(
    film: Path, model_settings: Settings, models: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def choose(info: VideoInfo, device: str) -> None:
        asked.append(device)

    monkeypatch.setattr(face_analyzer, "choose_nvdec", choose)
    monkeypatch.setattr(FaceAnalyzer, "analyze_pass", lambda *_: factories.face_analysis([]))
    for decoder in ("software", "auto"):
        run = msgspec.structs.replace(model_settings.run, decoder=decoder)
        analyze(film, msgspec.structs.replace(model_settings, run=run), models)
    assert asked == ["cpu"]
