"""Each format is read back by an independent reader."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from fractions import Fraction
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from config import ExportFormat, Settings
from core.types import (
    AudioInfo,
    FaceAnalysis,
    Identity,
    Segment,
    Timeline,
    Tracklet,
)
from processors.extras.exporters.cuts import source_cuts
from processors.extras.exporters.edl import edl_lines, write_edl
from processors.extras.exporters.vtt import escaped, visible_people
from processors.extras.registry import EXTRAS, ExtrasContext
from tests.material.factories import face_analysis, tracklet, video_info
from utils.stage_monitor import StageMonitor
from utils.time_formats import vtt_time

NTSC = Fraction(30000, 1001)
NAME = "a <b> & c.mp4"
FORMATS = sorted(get_args(ExportFormat))


def moving(number: int, shot: int, start: int, end: int) -> Tracklet:
    n = end - start
    left = 10.0 + 100 * number + np.arange(n)
    boxes = np.column_stack([left, np.full(n, 20.25), left + 40, np.full(n, 80.5)]).astype(np.float32)
    scores = np.full(n, 0.9, np.float32)
    scores[n // 2] = 0  # hidden there
    landmarks = np.tile(boxes[:, None, :2], (1, 5, 1))
    return tracklet(number, range(start, end), boxes, shot=shot, scores=scores, landmarks=landmarks)


@pytest.fixture
def analysis() -> FaceAnalysis:
    info = video_info(
        Path("/secret") / NAME, width=640, height=360, time_base=Fraction(1, 30000), frame_rate=NTSC, duration_s=3.0,
        frame_count=90, audio=(AudioInfo(1, "aac", 48000, 2, 0.0),),
    )  # fmt: skip
    tracks = (moving(0, 0, 0, 40), moving(1, 0, 10, 40), moving(2, 1, 50, 90), moving(3, 1, 60, 70))
    return face_analysis(tracks, video=info, pts=5005 + np.arange(90) * 1001, cuts=[40])


@pytest.fixture
def timeline() -> Timeline:
    first = (Segment("person_01", 0, 0, 40, (0,)), Segment("person_01", 1, 50, 90, (2,)))
    second = (Segment("Zoë <b>", 0, 10, 40, (1,)),)
    return Timeline((Identity("person_01", (0, 2), first), Identity("Zoë <b>", (1,), second)), unknown=(3,))


def export(name: str, folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    return EXTRAS[name].write(ExtrasContext(folder, analysis, timeline, (), Settings(), StageMonitor()))


@pytest.mark.parametrize("name", FORMATS)
def test_exports_are_reproducible_hold_no_local_paths_and_return_their_files(tmp_path, analysis, timeline, name):
    found = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        files = export(name, folder, analysis, timeline)
        assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == set(files)
        people = [person.name for person in timeline.people]
        assert set(files) <= {EXTRAS[name].files.replace("PERSON", person) for person in people}
        found.append([(folder / file).read_bytes() for file in files])
    assert found[0] == found[1]
    assert all(b"secret" not in data for data in found[0])


@pytest.mark.parametrize("name", FORMATS)
def test_exports_without_people(tmp_path, analysis, name):
    for file in export(name, tmp_path, analysis, Timeline(())):
        assert (tmp_path / file).exists()


def test_mot_is_read_by_numpy(tmp_path, analysis, timeline):
    export("mot", tmp_path, analysis, timeline)
    rows = np.loadtxt(tmp_path / "mot.txt", delimiter=",")
    assert rows.shape == (40 + 30 + 40, 10)
    assert rows[0].tolist() == [1, 1, 11, 21.25, 40, 60.25, 0.9, -1, -1, -1]
    assert set(rows[:, 1]) == {1, 2}
    assert np.all(np.diff(rows[:, 0]) >= 0) and rows[-1, 0] == 90
    # Frame and identity say which face it is, as the challenge demands.
    assert len({(row[0], row[1]) for row in rows}) == len(rows)


def test_coco_is_read_by_pycocotools(tmp_path, analysis, timeline):
    pycocotools = pytest.importorskip("pycocotools.coco")
    export("coco", tmp_path, analysis, timeline)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = pycocotools.COCO(str(tmp_path / "coco.json"))
    assert len(coco.getImgIds()) == 90
    assert coco.loadImgs(11)[0]["file_name"] == "frame_000010.png"
    assert coco.loadImgs(11)[0]["time_s"] == pytest.approx(10 * 1001 / 30000, abs=1e-6)
    found = coco.loadAnns(coco.getAnnIds(imgIds=[11], catIds=coco.getCatIds(["face"])))
    assert [(a["person"], a["track_id"]) for a in found] == [("person_01", 0), ("Zoë <b>", 1)]
    assert found[1]["bbox"] == [110, 20.25, 40, 60.25] and found[1]["area"] == 2410
    assert len(found[0]["keypoints"]) == 15
    (hidden,) = [a for a in coco.loadAnns(coco.getAnnIds()) if a["score"] == 0 and a["track_id"] == 0]
    assert set(hidden["keypoints"][2::3]) == {1}


def test_webvtt_is_read_by_webvtt(tmp_path, analysis, timeline):
    webvtt = pytest.importorskip("webvtt")
    export("vtt", tmp_path, analysis, timeline)
    cues = [(c.start, c.end, c.text) for c in webvtt.read(str(tmp_path / "people.vtt"))]
    at = [vtt_time(frame * 1001 / 30000) for frame in (0, 10, 40, 50, 90)]
    assert cues == [
        (at[0], at[1], "person_01"),
        (at[1], at[2], "person_01, Zoë &lt;b&gt;"),
        (at[3], at[4], "person_01"),
    ]


def test_cue_text_has_no_markup_and_no_line_break():
    assert escaped("a\nb --> <c>&amp;") == "a b --&gt; &lt;c&gt;&amp;amp;"


def test_a_person_with_two_overlapping_tracks_is_visible_until_the_last_one_ends(analysis):
    both = dataclasses.replace(analysis, tracklets=(moving(0, 0, 0, 20), moving(1, 0, 10, 30)))
    people = Timeline((Identity("p", (0, 1), ()),))
    assert list(visible_people(both, people)) == [(0, 30, ("p",))]


def test_otio_is_read_by_opentimelineio(tmp_path, analysis, timeline):
    otio = pytest.importorskip("opentimelineio")
    export("otio", tmp_path, analysis, timeline)
    read = otio.adapters.read_from_file(str(tmp_path / "timeline.otio"))
    assert [track.name for track in read.tracks] == ["person_01", "Zoë <b>"]
    placed = {
        track.name: [
            (track.range_of_child(clip).start_time.to_frames(), clip.source_range.start_time.to_frames(),
             clip.source_range.duration.to_frames())
            for clip in track.find_clips()
        ]
        for track in read.tracks
    }  # fmt: skip
    # The position in the timeline is the position in the source.
    assert placed == {"person_01": [(0, 0, 40), (50, 50, 40)], "Zoë <b>": [(10, 10, 30)]}
    clip = read.tracks[1].find_clips()[0]
    assert clip.media_reference.target_url == "a%20%3Cb%3E%20%26%20c.mp4"
    assert clip.media_reference.available_range.duration.to_frames() == 90
    assert clip.source_range.start_time.rate == pytest.approx(30000 / 1001)
    assert [m.marked_range.start_time.to_frames() for m in read.tracks.markers] == [0, 40]


def test_edl_is_read_by_the_cmx_adapter(tmp_path, analysis, timeline):
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter")
    files = export("edl", tmp_path, analysis, timeline)
    assert files == ("person_01/segments.edl", "Zoë <b>/segments.edl")
    read = otio.adapters.read_from_file(str(tmp_path / files[0]), adapter_name="cmx_3600", rate=30)
    (video,) = [track for track in read.tracks if track.kind == "Video"]
    clips = video.find_clips()
    assert [(c.source_range.start_time.to_frames(), c.source_range.duration.to_frames()) for c in clips] == [
        (0, 40), (50, 40),
    ]  # fmt: skip
    assert [video.range_of_child(c).start_time.to_frames() for c in clips] == [0, 40]


def test_edl_text_is_ascii_and_names_its_timecode(analysis, timeline):
    text = "".join(edl_lines(analysis, "Zoë\nFCM: DROP FRAME", source_cuts(analysis, timeline.people[1])))
    lines = text.splitlines()
    assert lines[:2] == ["TITLE: Zo? FCM: DROP FRAME", "FCM: NON-DROP FRAME"]
    assert lines[3] == "001  AX       B     C        00:00:00:10 00:00:01:10 00:00:00:00 00:00:01:00"
    assert text.isascii()


def test_more_events_than_three_digits_can_number_become_several_lists(tmp_path, analysis):
    long = dataclasses.replace(analysis, frame_pts=np.arange(5000) * 1001)
    segments = tuple(Segment("p", 0, i, i + 1, (0,)) for i in range(0, 4000, 2))
    files = write_edl(tmp_path, long, Timeline((Identity("p", (0,), segments),)))
    assert files == ("p/segments.edl", "p/segments_02.edl", "p/segments_03.edl")
    assert (tmp_path / files[2]).read_text().count("FROM CLIP NAME") == 2


def test_cuts_are_whole_frames_of_a_constant_rate_and_do_not_overlap(analysis):
    # Every frame is shown twice as long from frame 50 on.
    pts = np.concatenate([np.arange(50), 50 + 2 * np.arange(40)]) * 1001
    varying = dataclasses.replace(analysis, frame_pts=pts)
    segments = (Segment("p", 0, 0, 50, (0,)), Segment("p", 0, 40, 60, (0,)), Segment("p", 0, 45, 50, (0,)))
    cuts = source_cuts(varying, Identity("p", (0,), segments))
    assert [(c.start, c.end) for c in cuts] == [(0, 50), (50, 70)]
