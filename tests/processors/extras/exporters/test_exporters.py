"""Each format is read back by an independent reader."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from typing import get_args

import numpy as np
import pytest

from config import ExportFormat
from core.types import Identity, Timeline
from processors.extras.exporters.vtt import escaped, visible_people
from processors.extras.registry import EXTRAS
from tests.material.export_material import export, moving, needs_otio
from utils.time_formats import vtt_time

FORMATS = [pytest.param(name, marks=needs_otio) if name == "otio" else name for name in sorted(get_args(ExportFormat))]
NAMING_THE_VIDEO = ("fcpxml", "otio")


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
    # Editing programs have to find the video.
    assert name in NAMING_THE_VIDEO or all(b"secret" not in data for data in found[0])


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
