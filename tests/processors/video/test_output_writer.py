"""Manifest, timeline and table of a small analysis with known values."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

from config import Settings, result_settings
from core.types import (
    AudioInfo,
    Clip,
    ColorInfo,
    FaceAnalysis,
    Identity,
    Segment,
    Timeline,
    Tracklet,
)
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.people.doubt import find_doubts
from processors.results.manifest import ManifestTimeline, read_manifest
from processors.results.manifest_people import ManifestDoubt
from processors.results.tracks_table import TRACKS_HEADER, track_lines
from processors.video.manifest_maker import make_manifest
from processors.video.output_writer import make_timeline_file, write_results
from processors.video.video_result import VideoResult
from tests.material import factories
from utils.fingerprints import Fingerprint

KEY = "ab" * 32
FIRST_PTS = 9_007_199_254_740_993  # not a float: seconds from zero would be off


def tracklet(number: int, start: int, end: int, *, shot: int = 0, quality: float = 0.5, jpeg: bytes = b"") -> Tracklet:
    return factories.tracklet(
        number, range(start, end), (10.126, -0.001, 30.0, 40.5), shot=shot, scores=0.98768, sharpness=123.456,
        embeddings=[[1]], sample_quality=quality, face_jpeg=jpeg,
    )  # fmt: skip


@pytest.fixture
def analysis() -> FaceAnalysis:
    """Ten frames at 25 Hz with a cut at frame 5; frame 3 lasts twice as long."""
    steps = np.array([0, 1, 2, 3, 5, 6, 7, 8, 9, 10])
    video = factories.video_info(
        "/secret/folder/b\nad.mp4", sample_aspect_ratio=Fraction(4, 3), duration_s=0.4, frame_count=10,
        color=ColorInfo("bt709"), audio=(AudioInfo(1, "aac", 48000, 2, 0.25, "eng", True),),
    )  # fmt: skip
    return factories.face_analysis(
        [
            tracklet(0, 2, 5, jpeg=b"blurred", quality=0.2),
            tracklet(1, 2, 5, jpeg=b"other"),
            tracklet(2, 5, 9, shot=1, jpeg=b"sharp", quality=0.9),
            tracklet(3, 9, 10, shot=1),
            tracklet(4, 0, 1),
        ],
        video=video,
        pts=FIRST_PTS + steps,
        cuts=[5],
        decode_failures=2,
        statistics={"looks": np.int64(3), "odd": float("nan")},
    )


@pytest.fixture
def timeline() -> Timeline:
    return Timeline(
        people=(
            Identity("person_01", (0, 2), (Segment("person_01", 0, 2, 5, (0,)), Segment("person_01", 1, 5, 9, (2,)))),
            Identity("person_02", (1,), (), still=True),
        ),
        unknown=(3,),
        statistics={"hits": 1},
    )


CLIP = Clip("person_01", "person_01/clip_001.mp4", 0, 2, 5, 0.08, 0.2, 4, 512, 512, True, 1.23456789)


def test_tracks_are_sorted_by_frame_then_person(analysis, timeline):
    rows = list(csv.DictReader(track_lines(analysis, timeline)))
    assert [(int(r["frame"]), r["person"], int(r["track"]), int(r["shot"])) for r in rows] == [
        (2, "person_01", 0, 0), (2, "person_02", 1, 0),
        (3, "person_01", 0, 0), (3, "person_02", 1, 0),
        (4, "person_01", 0, 0), (4, "person_02", 1, 0),
        (5, "person_01", 2, 1), (6, "person_01", 2, 1), (7, "person_01", 2, 1), (8, "person_01", 2, 1),
        (9, "unknown", 3, 1),
    ]  # fmt: skip


def test_tracks_have_fixed_decimals_and_no_negative_zero(analysis, timeline):
    lines = list(track_lines(analysis, timeline))
    assert lines[0] == TRACKS_HEADER == "frame,time_s,shot,person,track,x1,y1,x2,y2,score,sharpness"
    assert lines[1] == "2,0.080000,0,person_01,0,10.13,0.00,30.00,40.50,0.9877,123.46"


def test_names_with_commas_quotes_and_any_letters_stay_one_field(tmp_path, analysis):
    people = tuple(Identity(name, (t,), ()) for t, name in enumerate(("Strauß, Jr.", 'the "other" one')))
    write(tmp_path, analysis, Timeline(people), [])
    with (tmp_path / "tracks.csv").open(newline="", encoding="utf-8") as file:
        assert {row["person"] for row in csv.DictReader(file)} == {person.name for person in people}


def test_person_100_comes_after_person_99(analysis):
    people = tuple(Identity(f"person_{n:02d}", (t,), ()) for n, t in ((99, 0), (100, 1)))
    rows = list(csv.DictReader(track_lines(analysis, Timeline(people))))
    assert [r["person"] for r in rows[:2]] == ["person_99", "person_100"]


def test_nobody_gives_a_header_alone(analysis):
    assert list(track_lines(analysis, Timeline(()))) == [TRACKS_HEADER]


def test_the_timeline_in_seconds(analysis, timeline):
    value = json.loads(msgspec.json.encode(make_timeline_file(analysis, timeline, ["person_01"], KEY)))
    assert [p["name"] for p in value["people"]] == ["person_01", "person_02"]
    assert [p["face"] for p in value["people"]] == ["person_01/face.jpg", None]
    assert [p["still"] for p in value["people"]] == [False, True]
    assert value["people"][0]["segments"][0] == {"shot": 0, "start_s": 0.08, "end_s": 0.24, "tracklets": [0]}
    assert value["people"][0]["segments"][1]["end_s"] == 0.4
    assert value["unknown"] == [3]
    assert value["tracklets"][3] == {"id": 3, "shot": 1, "start_s": 0.4, "end_s": 0.44}
    assert value["analysis"] == KEY


def result(analysis, timeline, clips, **options):
    return VideoResult(
        analysis=analysis, analysis_key=KEY, timeline=timeline, clips=clips, fingerprint=Fingerprint(10, "aa"),
        settings=Settings(), **{"models": {}, **options},
    )  # fmt: skip


def manifest(analysis, timeline):
    found = result(analysis, timeline, [CLIP], models={"embedder": {"name": "dlib"}}, warnings=["odd"])
    return make_manifest(found, {CLIP.file: 7, "tracks.csv": 9}, ManifestTimeline(sha256="cc", edited=True))


def test_the_manifest_says_what_was_found(analysis, timeline):
    value = json.loads(msgspec.json.encode(manifest(analysis, timeline)))
    assert value["input"] == {"name": "b\\nad.mp4", "size_bytes": 10, "sha256": "aa"}
    assert (value["video"]["frames"], value["video"]["duration_s"]) == (10, 0.44)
    assert (value["video"]["frame_rate"], value["video"]["sample_aspect_ratio"]) == ("25", "4/3")
    assert value["settings"] == result_settings(Settings())
    assert (value["analysis"], value["timeline"]) == (KEY, {"sha256": "cc", "edited": True})
    # Frames 2, 3 (twice as long) and 4, then 5 to 8.
    assert [p["on_screen_s"] for p in value["people"]] == [0.32, 0.16]
    assert [p["clips"] for p in value["people"]] == [1, 0]
    assert value["clips"][0]["upscaled"] == 1.234568 and value["clips"][0]["bytes"] == 7
    assert value["files"] == [{"file": CLIP.file, "bytes": 7}, {"file": "tracks.csv", "bytes": 9}]
    assert (value["decode_failures"], value["warnings"], value["unknown"]) == (2, ["odd"], [3])
    assert value["statistics"] == {"analysis": {"looks": 3, "odd": None}, "identity": {"hits": 1}}


def test_the_manifest_knows_no_folders_of_this_machine(analysis, timeline):
    assert "secret" not in msgspec.json.encode(manifest(analysis, timeline)).decode()


def write(folder: Path, analysis, timeline, clips):
    for clip in clips:
        (folder / clip.file).parent.mkdir(parents=True)
        (folder / clip.file).write_bytes(b"video")
    found = result(analysis, timeline, clips, doubts=find_doubts(analysis, timeline))
    thumbnails = ClipThumbnails(folder, [one.person for one in clips])
    return write_results(folder, found, thumbnails, folder_name="video")


def test_everything_is_written_and_listed_and_the_same_every_time(tmp_path, analysis, timeline):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        returned = write(folder, analysis, timeline, [CLIP])
        assert returned == read_manifest(folder)
    files = {p.relative_to(folders[0]).as_posix(): p.read_bytes() for p in folders[0].rglob("*") if p.is_file()}
    expected = {"manifest.json", "timeline.json", "tracks.csv", "report.html", "person_01/face.jpg", CLIP.file}
    assert set(files) == expected
    assert files["person_01/face.jpg"] == b"sharp"
    assert files == {p.relative_to(folders[1]).as_posix(): p.read_bytes() for p in folders[1].rglob("*") if p.is_file()}
    listed = {entry.file: entry.bytes for entry in returned.files}
    assert listed == {name: len(data) for name, data in files.items() if name != "manifest.json"}
    digest = hashlib.sha256(files["timeline.json"]).hexdigest()
    assert returned.timeline == ManifestTimeline(sha256=digest)
    assert files["tracks.csv"].endswith(b"\n") and b"\r" not in files["tracks.csv"]


def test_a_clip_that_is_not_there_leaves_no_manifest(tmp_path, analysis, timeline):
    with pytest.raises(OSError):
        write_results(tmp_path, result(analysis, timeline, [CLIP]), ClipThumbnails(tmp_path, [CLIP.person]))
    assert not (tmp_path / "manifest.json").exists()


def test_no_frames_at_all(analysis):
    empty = dataclasses.replace(analysis, frame_pts=np.zeros(0, np.int64), shots=(), tracklets=())
    value = make_manifest(result(empty, Timeline(()), []), {}, ManifestTimeline())
    assert (value.video.frames, value.video.duration_s) == (0, 0.0)


def test_what_is_doubtful_is_in_the_manifest():
    like, unlike = np.eye(4)[:2]
    near = [0.99, np.sqrt(1 - 0.99**2), 0, 0]
    tracks = [
        factories.tracklet(0, range(10), embeddings=[like], sample_quality=0.5),
        factories.tracklet(1, range(20, 30), (200, 0, 240, 40), embeddings=[unlike], sample_quality=0.4),
        factories.tracklet(2, range(40, 48), (90, 10, 130, 51), shot=0, embeddings=[near], sample_quality=0.25,
                 scores=[1, 1, 0, 0, 0, 0, 1, 1]),
        factories.tracklet(3, range(60, 61)),
    ]  # fmt: skip
    analysis = factories.face_analysis(tracks, 100)
    timeline = Timeline((Identity("a", (0, 1), ()), Identity("b", (), ())), unknown=(2, 3))
    found = make_manifest(
        result(analysis, timeline, [], doubts=find_doubts(analysis, timeline)), {}, ManifestTimeline()
    )
    doubt = found.people[0].doubt
    assert (doubt.doubtful, doubt.similarity, doubt.part) == (True, 0.0, (1,))
    assert found.people[1].doubt == ManifestDoubt()
    first, second = found.unknown_tracklets
    assert (first.tracklet, first.start_s, first.end_s, first.seen_s, first.face_px) == (2, 1.6, 1.92, 0.16, 41.0)
    assert (first.quality, first.nearest) == (0.25, "a") and 0 < (first.nearest_similarity or 0) < 1
    assert (second.quality, second.nearest, second.nearest_similarity) == (None, "", None)
