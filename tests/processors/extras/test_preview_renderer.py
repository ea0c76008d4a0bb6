"""The annotated preview: its timing, its audio, and what is drawn."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from config import EncodeSettings
from core.errors import DecodeError, InterruptedRunError
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import FaceAnalysis, Identity, Segment, Timeline, Tracklet
from processors.extras.preview_artist import PERSON_COLORS, PreviewArtist
from processors.extras.preview_renderer import preview_size, write_preview
from processors.pages.html_page import PALETTE, TEMPLATES
from processors.speech.turns import Turn
from tests.material.factories import face_analysis, tracklet
from tests.material.flash_beep import frame_times, onsets, read_clip, write_video
from utils.console.stage_monitor import StageMonitor

FAST = EncodeSettings(preset="ultrafast", codec="x264")


def hidden_at_last(number: int, start: int, end: int, left: float) -> Tracklet:
    scores = [0.9] * (end - start - 1) + [0]
    return tracklet(number, range(start, end), (left, 30, left + 30, 70), scores=scores)


def analysis_of(path: Path) -> FaceAnalysis:
    info = probe_video(path)
    with VideoReader(info) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
    tracks = (hidden_at_last(0, 0, 20, 20), hidden_at_last(1, 10, 20, 100))
    return face_analysis(tracks, video=info, pts=pts, cuts=[len(pts) // 2])


TIMELINE = Timeline((Identity("person_01", (0,), (Segment("person_01", 0, 0, 15, (0,)),)),), unknown=(1,))


@pytest.mark.parametrize("timing", [{}, {"rate": Fraction(30000, 1001)}, {"variable": True}], ids=str)
def test_the_preview_is_as_long_as_the_video_and_in_sync(tmp_path, timing):
    times = frame_times(**timing)
    write_video(tmp_path / "a.mp4", times)
    analysis = analysis_of(tmp_path / "a.mp4")
    assert write_preview(tmp_path, analysis, TIMELINE, FAST, StageMonitor()) == ("preview.mp4",)
    with av.open(str(tmp_path / "preview.mp4")) as container:
        video = container.streams.video[0]
        assert video.average_rate == analysis.video.frame_rate
        assert (video.width, video.height) == (160, 120)
    shown, light, heard, loudness = read_clip(tmp_path / "preview.mp4")
    assert len(shown) / float(analysis.video.frame_rate) == pytest.approx(times[-1], abs=0.1)
    flashes, beeps = onsets(shown, light, 120), onsets(heard, loudness, 0.1)
    assert len(flashes) == len(beeps) >= 6
    # A flash may be seen half a frame early or late.
    assert np.abs(flashes - beeps).max() <= 0.02
    assert not list(tmp_path.glob(".partial*"))


def test_a_video_without_audio(tmp_path):
    write_video(tmp_path / "a.mp4", frame_times()[:20], audio=None)
    write_preview(tmp_path, analysis_of(tmp_path / "a.mp4"), TIMELINE, FAST, StageMonitor())
    assert len(read_clip(tmp_path / "preview.mp4")[2]) == 0


def test_a_stopped_preview_leaves_nothing(tmp_path):
    write_video(tmp_path / "a.mp4", frame_times())

    class Impatient(StageMonitor):
        def update(self, stage: str, done: float, total: float) -> None:
            assert stage == "preview" and total == 100
            if done == 20:
                self.stop.set()

    with pytest.raises(InterruptedRunError):
        write_preview(tmp_path, analysis_of(tmp_path / "a.mp4"), TIMELINE, FAST, Impatient())
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_a_video_that_is_gone_is_a_decode_error(tmp_path):
    write_video(tmp_path / "a.mp4", frame_times()[:20])
    analysis = analysis_of(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").write_bytes(b"gone")
    with pytest.raises(DecodeError):
        write_preview(tmp_path, analysis, TIMELINE, FAST, StageMonitor())
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_frames_that_are_missing_this_time_are_repeated(tmp_path):
    write_video(tmp_path / "a.mp4", frame_times())
    analysis = analysis_of(tmp_path / "a.mp4")
    longer = dataclasses.replace(analysis, frame_pts=np.append(analysis.frame_pts, analysis.frame_pts[-1] + 3600 * 5))
    write_preview(tmp_path, longer, TIMELINE, FAST, StageMonitor())
    assert len(read_clip(tmp_path / "preview.mp4")[0]) == 105


@pytest.fixture
def analysis(tmp_path) -> FaceAnalysis:
    write_video(tmp_path / "a.mp4", frame_times(), audio=None)
    return analysis_of(tmp_path / "a.mp4")


def drawn(analysis: FaceAnalysis, frame: int) -> np.ndarray:
    image = np.zeros((240, 320, 3), np.uint8)
    PreviewArtist(analysis, TIMELINE, 320, 240).draw(image, frame)
    return image


def test_a_face_has_the_colour_of_its_person_and_unknown_ones_are_grey(analysis):
    image = drawn(analysis, 12)
    # Boxes at twice the source's size; the left edges, below the labels.
    assert tuple(image[110, 40]) == PERSON_COLORS[0]
    assert len(set(image[110, 200].tolist())) == 1 and image[110, 200, 0] > 90
    assert not drawn(analysis, 30)[100:130].any()


def test_the_label_is_coloured_while_the_person_is_shown_in_a_clip(analysis):
    plate = (slice(46, 58), slice(42, 44))
    inside, outside = drawn(analysis, 5)[plate], drawn(analysis, 16)[plate]
    assert (inside == PERSON_COLORS[0]).all(-1).mean() > 0.5
    assert (outside == PERSON_COLORS[0]).all(-1).mean() < 0.1


def test_every_segment_of_a_tracklet_colours_the_label(analysis):
    plate = (slice(46, 58), slice(42, 44))
    person = TIMELINE.people[0]
    first = person.segments[0]
    parts = (dataclasses.replace(first, start=0, end=8), dataclasses.replace(first, start=12, end=15))
    timeline = dataclasses.replace(TIMELINE, people=(dataclasses.replace(person, segments=parts),))
    coloured = []
    for frame in (5, 10, 13):
        image = np.zeros((240, 320, 3), np.uint8)
        PreviewArtist(analysis, timeline, 320, 240).draw(image, frame)
        coloured.append((image[plate] == PERSON_COLORS[0]).all(-1).mean() > 0.5)
    assert coloured == [True, False, True]


def test_the_box_of_a_speaker_stands_out(analysis):
    turns = {"person_01": [Turn(0.2, 0.44, 2.0)]}
    edge = (slice(100, 130), slice(36, 46))
    thick = []
    for frame in (8, 18):
        image = np.zeros((240, 320, 3), np.uint8)
        PreviewArtist(analysis, TIMELINE, 320, 240, turns).draw(image, frame)
        thick.append(int(image[edge].any(-1).sum(1).min()))
    assert thick[0] >= 4 and thick[1] == 1


def test_a_hidden_face_is_dashed(analysis):
    seen, hidden = drawn(analysis, 18), drawn(analysis, 19)
    column = (slice(64, 138), 40)
    assert (seen[column] == PERSON_COLORS[0]).all(-1).mean() > 0.95
    assert 0.3 < (hidden[column] == PERSON_COLORS[0]).all(-1).mean() < 0.8


def test_cuts_are_marked_at_their_time_and_in_the_strip(analysis):
    corner = (slice(8, 20), slice(250, 310))
    assert drawn(analysis, 50)[corner].any() and drawn(analysis, 60)[corner].any()
    assert not drawn(analysis, 49)[corner].any() and not drawn(analysis, 70)[corner].any()
    assert tuple(drawn(analysis, 5)[-1, 160]) == (255, 60, 60)


def test_the_strip_shows_the_position(analysis):
    lit = [int((drawn(analysis, frame)[-1] == 200).all(-1).sum()) for frame in (0, 24, 99)]
    assert lit[0] < lit[1] < lit[2] and lit[1] == 80


@pytest.mark.parametrize("size", [(2, 2), (33, 17), (4000, 20)])
def test_images_of_any_size_can_be_drawn_on(analysis, size):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    PreviewArtist(analysis, TIMELINE, *size).draw(image, 51)
    assert image.any()


@pytest.mark.parametrize(
    ("source", "expected"),
    [((1920, 1080), (1280, 720)), ((640, 360), (640, 360)), ((1080, 1920), (720, 1280)), ((641, 361), (640, 360)),
     ((8000, 10), (1280, 2))],
)  # fmt: skip
def test_size_is_even_bounded_and_never_enlarged(source, expected):
    assert preview_size(*source) == expected


def test_people_have_the_colours_of_the_report():
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8").partition("@media")[0]
    found = re.findall(r"--c(\d): #([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2});", css)
    assert [int(number) for number, *_ in found] == list(range(PALETTE))
    assert tuple(tuple(int(part, 16) for part in parts) for _, *parts in found) == PERSON_COLORS
