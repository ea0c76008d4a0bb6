"""OTIO and EDL, read back by the packages that editing programs' tools use."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from urllib.parse import unquote, urljoin

import numpy as np
import pytest

from core.types import Identity, Segment, SourceTimecode, Timeline
from processors.extras.exporters.cuts import source_cuts, source_length
from processors.extras.exporters.edl import edl_lines, write_edl
from tests.material.export_material import NTSC, example_analysis, export, needs_otio

HOUR = SourceTimecode(107892, 30, drop_frame=True)
"""01:00:00;00 at 29.97"""


def read_otio(path: Path):
    otio = importlib.import_module("opentimelineio")
    return otio.adapters.read_from_file(str(path))


@needs_otio
@pytest.mark.parametrize("timecode", [None, HOUR])
def test_otio_places_everybody_where_they_are_in_the_source(tmp_path, timeline, timecode):
    export("otio", tmp_path, example_analysis(timecode=timecode), timeline)
    read = read_otio(tmp_path / "timeline.otio")
    first = 0 if timecode is None else HOUR.start
    assert [track.name for track in read.tracks] == ["source", "person_01", "Zoë <b>"]
    placed = {
        track.name: [
            (track.range_of_child(clip).start_time.to_frames(), clip.source_range.start_time.to_frames() - first,
             clip.source_range.duration.to_frames())
            for clip in track.find_clips()
        ]
        for track in read.tracks
    }  # fmt: skip
    # The position in the timeline is the position in the source.
    assert placed == {"source": [(0, 0, 90)], "person_01": [(0, 0, 40), (50, 50, 40)], "Zoë <b>": [(10, 10, 30)]}
    assert read.global_start_time.to_frames() == first
    for clip in read.find_clips():
        media = clip.media_reference.available_range
        assert (media.start_time.to_frames(), media.duration.to_frames()) == (first, 90)
        assert clip.source_range.start_time.rate == pytest.approx(30000 / 1001)
    assert [m.marked_range.start_time.to_frames() for m in read.tracks.markers] == [0, 40]


@needs_otio
def test_otio_marks_each_person_on_the_source(tmp_path, timeline):
    export("otio", tmp_path, example_analysis(timecode=HOUR), timeline)
    read = read_otio(tmp_path / "timeline.otio")
    markers = [
        (m.name, m.marked_range.start_time.to_frames() - HOUR.start, m.marked_range.duration.to_frames(), m.color)
        for m in read.tracks[0][0].markers
    ]
    assert markers == [("person_01", 0, 40, "RED"), ("person_01", 50, 40, "RED"), ("Zoë <b>", 10, 30, "GREEN")]
    code = read.tracks[0][0].markers[1].marked_range.start_time.to_timecode(float(NTSC), True)
    assert code == "01:00:01;20"


@needs_otio
def test_otio_leads_from_its_folder_to_the_video(tmp_path, timeline):
    analysis = example_analysis(tmp_path / "in put")
    analysis.video.path.parent.mkdir()
    analysis.video.path.touch()
    export("otio", tmp_path / "out" / "a", analysis, timeline)
    file = tmp_path / "out" / "a" / "timeline.otio"
    (url,) = {clip.media_reference.target_url for clip in read_otio(file).find_clips()}
    assert url == "../../in%20put/a%20%3Cb%3E%20%26%20c.mp4"
    assert Path(unquote(urljoin(file.as_uri(), url).removeprefix("file://"))).samefile(analysis.video.path)


@pytest.mark.parametrize(
    ("timecode", "mode", "first"), [(None, "NON-DROP", "00:00:00:00"), (HOUR, "DROP", "01:00:00;00")]
)
def test_edl_is_read_by_the_cmx_adapter(tmp_path, timeline, timecode, mode, first):
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter")
    files = export("edl", tmp_path, example_analysis(timecode=timecode), timeline)
    assert files == ("person_01/segments.edl", "Zoë <b>/segments.edl")
    assert f"FCM: {mode} FRAME" in (tmp_path / files[0]).read_text().splitlines()[1]
    rate = 30 if timecode is None else float(NTSC)
    read = otio.adapters.read_from_file(str(tmp_path / files[0]), adapter_name="cmx_3600", rate=rate)
    (video,) = [track for track in read.tracks if track.kind == "Video"]
    clips = video.find_clips()
    start = 0 if timecode is None else HOUR.start
    assert clips[0].source_range.start_time.to_timecode(rate, timecode is not None) == first
    assert [(c.source_range.start_time.to_frames() - start, c.source_range.duration.to_frames()) for c in clips] == [
        (0, 40), (50, 40),
    ]  # fmt: skip
    assert [video.range_of_child(c).start_time.to_frames() for c in clips] == [0, 40]
    if timecode is None:  # the adapter takes no semicolons in locators
        assert [[(m.name, m.color) for m in c.markers] for c in clips] == [[("person_01", "RED")]] * 2


def test_edl_text_is_ascii_and_names_its_timecode(analysis, timeline):
    text = "".join(edl_lines(analysis, "Zoë\nFCM: DROP FRAME", source_cuts(analysis, timeline.people[1])))
    lines = text.splitlines()
    assert lines[:2] == ["TITLE: Zo? FCM: DROP FRAME", "FCM: NON-DROP FRAME"]
    assert lines[3] == "001  AX       B     C        00:00:00:10 00:00:01:10 00:00:00:00 00:00:01:00"
    assert lines[6] == "* LOC: 00:00:00:00 RED     Zo? FCM: DROP FRAME"
    assert text.isascii()


def test_drop_frame_edl_of_a_part_counts_from_the_first_frame_of_the_video(timeline):
    analysis = dataclasses.replace(example_analysis(timecode=HOUR), origin_pts=5005 - 1800 * 1001)
    lines = "".join(edl_lines(analysis, "a", source_cuts(analysis, timeline.people[1]))).splitlines()
    assert lines[3] == "001  AX       B     C        01:01:00;12 01:01:01;12 00:00:00;00 00:00:01;00"
    assert lines[6] == "* LOC: 00:00:00;00 RED     a"


def test_the_length_of_a_source_of_which_only_a_part_was_analysed_is_that_of_its_header(analysis):
    assert source_length(analysis) == 90
    later = example_analysis(duration_s=60.0)
    assert source_length(dataclasses.replace(later, origin_pts=5005)) == round(60 * NTSC)
    assert source_length(dataclasses.replace(later, origin_pts=5005 - 9000 * 1001)) == 9090


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
