"""FCPXML as an editing program reads it: structure, times, and the image that the key frames show."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urljoin
from xml.etree import ElementTree

import numpy as np
import pytest

from core.types import CropPath, FaceAnalysis, SourceTimecode, Timeline
from processors.extras.exporters.fcpxml import sequence_rate
from tests.material.export_material import NTSC, example_analysis, example_timeline, export
from tests.material.fcpxml_rules import assert_importable, seconds

HOUR = SourceTimecode(107892, 30, drop_frame=True)
"""01:00:00;00 at 29.97"""


def frames(time: str, rate: Fraction = NTSC) -> int:
    """A time that is a whole number of frames."""
    count = seconds(time) * rate
    assert count.denominator == 1, time
    return int(count)


def moving_paths(timeline: Timeline, size: tuple[int, int] = (512, 512)) -> list[CropPath]:
    """A camera that eases to the right while it zooms out, one path per segment."""
    paths = []
    for segment in timeline.segments:
        count = segment.end - segment.start
        ease = (1 - np.cos(np.linspace(0, np.pi, count))) / 2
        heights = 150 + 60 * ease**2
        half = np.stack([heights / 2 * size[0] / size[1], heights / 2], axis=1)
        centers = np.stack([200 + 180 * ease, np.full(count, 170.0)], axis=1)
        frames = segment.start + np.arange(count)
        paths.append(CropPath(segment, frames, np.hstack([centers - half, centers + half]), *size))
    return paths


def exported(folder: Path, analysis: FaceAnalysis, timeline: Timeline, paths: list[CropPath]) -> ElementTree.Element:
    assert export("fcpxml", folder, analysis, timeline, paths) == ("timeline.fcpxml",)
    root = ElementTree.parse(folder / "timeline.fcpxml").getroot()
    assert_importable(root)
    return root


def value_at(param: ElementTree.Element, time: Fraction) -> tuple[float, ...]:
    """The value between two key frames: "Final Cut Pro interpolates the values between them"."""
    keys = [
        (seconds(key.attrib["time"]), [float(number) for number in key.attrib["value"].split()])
        for key in param.iter("keyframe")
    ]
    for (before, first), (after, second) in pairwise(keys):
        if before <= time <= after:
            share = float((time - before) / (after - before))
            return tuple(a + share * (b - a) for a, b in zip(first, second, strict=True))
    raise AssertionError(f"no key frames around {time}")


def placed(
    point: tuple[float, float], clip: ElementTree.Element, time: Fraction, size: tuple[int, int]
) -> tuple[float, float]:
    """Where a point of the source (640x360 px, y down) is in the sequence, px, as Apple describes the adjustment.

    The frame is fitted, scaled and turned about its centre, and moved right and up by percent of the project's height.
    """
    params = {param.attrib["name"]: value_at(param, time) for param in clip.iterfind("adjust-transform/param")}
    (transform,) = clip.iterfind("adjust-transform")
    turn = np.radians(float(transform.attrib.get("rotation", "0")))
    fit = min(size[0] / 640, size[1] / 360)
    (right, up), (scale_x, scale_y) = params["position"], params["scale"]
    x, y = (point[0] - 320) * fit * scale_x, (point[1] - 180) * fit * scale_y
    # Counterclockwise, with y down.
    x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return size[0] / 2 + x + right * size[1] / 100, size[1] / 2 + y - up * size[1] / 100


@pytest.mark.parametrize("timecode", [None, HOUR])
@pytest.mark.parametrize("size", [(512, 512), (360, 640), (640, 360)])
def test_key_frames_show_what_the_clip_shows(tmp_path, timeline, timecode, size):
    paths = moving_paths(timeline, size)
    root = exported(tmp_path, example_analysis(timecode=timecode), timeline, paths)
    first = 0 if timecode is None else timecode.start
    clips = {clip.attrib["name"]: clip for clip in root.iterfind(".//spine/asset-clip")}
    named = zip(["person_01 1", "Zoë <b> 1", "person_01 2"], paths, strict=True)
    for name, path in named:
        for row, (left, top, right, bottom) in enumerate(path.windows):
            time = (first + path.segment.start + row) / NTSC
            corners = placed((left, top), clips[name], time, size), placed((right, bottom), clips[name], time, size)
            enlargement = size[1] / (bottom - top)
            np.testing.assert_allclose(corners, [(0, 0), size], atol=0.51 * enlargement)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("size", [(512, 512), (360, 640)])
def test_a_turned_image_is_turned_by_the_editing_program_too(tmp_path, timeline, degrees, size):
    paths = moving_paths(timeline, size)
    analysis = example_analysis()
    analysis = dataclasses.replace(analysis, video=analysis.video.turned(degrees))
    root = exported(tmp_path, analysis, timeline, paths)
    (source,) = root.iterfind(".//format[@id='r1']")
    assert (source.attrib["width"], source.attrib["height"]) == ("640", "360")
    width, height = analysis.video.width, analysis.video.height
    # A point of the turned image, as a point of what players show.
    unturned = {
        90: lambda x, y: (y, width - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (height - y, x),
    }[degrees]
    clip = next(root.iterfind(".//spine/asset-clip"))
    for row, (left, top, right, bottom) in enumerate(paths[0].windows):
        time = (paths[0].segment.start + row) / NTSC
        corners = [placed(unturned(*point), clip, time, size) for point in ((left, top), (right, bottom))]
        np.testing.assert_allclose(corners, [(0, 0), size], atol=0.51 * size[1] / (bottom - top))


def test_a_project_per_person_with_one_clip_after_the_other(tmp_path, timeline):
    root = exported(tmp_path, example_analysis(timecode=HOUR), timeline, moving_paths(timeline))
    (asset,) = root.iter("asset")
    assert (frames(asset.attrib["start"]), frames(asset.attrib["duration"])) == (107892, 90)
    assert [f.attrib["frameDuration"] for f in root.iter("format")] == ["1001/30000s"] * 2
    assert [(f.attrib["width"], f.attrib["height"]) for f in root.iter("format")] == [("640", "360"), ("512", "512")]
    found = {
        project.attrib["name"]: [
            tuple(frames(clip.attrib[name]) for name in ("offset", "start", "duration"))
            for clip in project.iter("asset-clip")
        ]
        for project in root.iter("project")
    }
    assert found == {
        "person_01": [(0, 107892, 40), (40, 107942, 40)],
        "Zoë <b>": [(0, 107902, 30)],
    }
    assert {sequence.attrib["tcFormat"] for sequence in root.iter("sequence")} == {"DF"}


def test_people_are_marked_on_the_source_and_on_their_clips(tmp_path, timeline):
    root = exported(tmp_path, example_analysis(), timeline, moving_paths(timeline))
    (source,) = root.iterfind(".//event/asset-clip")
    marked = [(m.attrib["value"], frames(m.attrib["start"])) for m in source.iter("marker")]
    assert marked == [("person_01", 0), ("Zoë <b>", 10), ("person_01", 50)]
    ranges = [(k.attrib["value"], frames(k.attrib["start"]), frames(k.attrib["duration"]))
              for k in source.iter("keyword")]  # fmt: skip
    assert ranges == [("person_01", 0, 40), ("Zoë <b>", 10, 30), ("person_01", 50, 40)]
    for clip in root.iterfind(".//spine/asset-clip"):
        (marker,) = clip.iter("marker")
        assert clip.attrib["name"].startswith(marker.attrib["value"]) and marker.attrib["start"] == clip.attrib["start"]


def test_it_leads_from_its_folder_to_the_video(tmp_path, timeline):
    analysis = example_analysis(tmp_path / "in put")
    analysis.video.path.parent.mkdir()
    analysis.video.path.touch()
    root = exported(tmp_path / "out" / "a", analysis, timeline, moving_paths(timeline))
    (media,) = root.iter("media-rep")
    url = urljoin((tmp_path / "out/a/timeline.fcpxml").as_uri(), media.attrib["src"])
    assert Path(unquote(url.removeprefix("file://"))).samefile(analysis.video.path)


def test_names_that_xml_cannot_hold_are_escaped(tmp_path, analysis, timeline):
    odd = dataclasses.replace(analysis.video, path=Path("/secret/a\x01\n\udcff.mp4"))
    root = exported(tmp_path, dataclasses.replace(analysis, video=odd), timeline, moving_paths(timeline))
    assert next(root.iter("asset")).attrib["name"] == "a\\x01\\n\\udcff.mp4"


def test_a_camera_that_rests_has_no_key_frames_and_silence_no_audio(tmp_path, timeline):
    moving = moving_paths(timeline)
    still = [dataclasses.replace(path, windows=np.repeat(path.windows[:1], len(path.windows), 0)) for path in moving]
    root = exported(tmp_path, example_analysis(audio=()), timeline, still)
    assert not list(root.iter("keyframe"))
    assert all(len(t.attrib["position"].split()) == 2 for t in root.iter("adjust-transform"))
    assert "hasAudio" not in next(root.iter("asset")).attrib


def test_people_without_clips_have_no_project(tmp_path, analysis, timeline):
    root = exported(tmp_path, analysis, timeline, moving_paths(timeline)[:1])
    assert [project.attrib["name"] for project in root.iter("project")] == ["person_01"]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [("30000/1001", "30000/1001"), ("25", "25"), ("12", "24"), ("10", "30"), ("15", "30"), ("120", "60"), ("20", "60")],
)
def test_rates_of_projects(rate, expected):
    assert sequence_rate(Fraction(rate)) == Fraction(expected)


def test_a_source_at_a_rate_without_projects_plays_at_its_own_speed(tmp_path, timeline):
    analysis = dataclasses.replace(
        example_analysis(frame_rate=Fraction(20), time_base=Fraction(1, 20)), frame_pts=np.arange(90)
    )
    root = exported(tmp_path, analysis, timeline, moving_paths(timeline))
    assert [f.attrib["frameDuration"] for f in root.iter("format")] == ["1/20s", "1/60s"]
    clips = list(root.iterfind(".//spine/asset-clip"))
    assert [seconds(clip.attrib["duration"]) for clip in clips] == [2, 2, Fraction(3, 2)]
    assert [rate.attrib["scaleEnabled"] for rate in root.iter("conform-rate")] == ["0"] * 3


# The adapter (1.0.0) asks an XML element for its truth value, which Python 3.12 and later warn of.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
def test_it_is_read_by_the_otio_adapter(tmp_path):
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_fcpx_xml_adapter")
    timeline = example_timeline()
    # At 25 frames a second, because the adapter counts 29 whole frames a second at 29.97.
    analysis = dataclasses.replace(
        example_analysis(
            frame_rate=Fraction(25), time_base=Fraction(1, 25), timecode=SourceTimecode(90000, 25)
        ),
        frame_pts=np.arange(90),
    )  # fmt: skip
    exported(tmp_path, analysis, timeline, moving_paths(timeline))
    event = otio.adapters.read_from_file(str(tmp_path / "timeline.fcpxml"), adapter_name="fcpx_xml")
    projects = {item.name: item for item in event if isinstance(item, otio.schema.Timeline)}
    found = {
        name: [
            (clip.name, clip.source_range.start_time.to_frames() - 90000, clip.source_range.duration.to_frames(),
             [marker.name for marker in clip.markers])
            for clip in project.find_clips()
        ]
        for name, project in projects.items()
    }  # fmt: skip
    assert found == {
        "person_01": [("person_01 1", 0, 40, ["person_01"]), ("person_01 2", 50, 40, ["person_01"])],
        "Zoë <b>": [("Zoë <b> 1", 10, 30, ["Zoë <b>"])],
    }
