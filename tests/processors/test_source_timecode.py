"""From a video with timecode to the files that carry it; faces are scripted, clips are real."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import av
import pytest

from processors import face_analyzer
from processors.video import analysis_key
from tests.material.export_material import HAS_OTIO, needs_otio
from tests.material.fcpxml_rules import assert_importable, seconds
from tests.material.killed_run import ScriptedAnalyzer
from tests.material.small_videos import run_ffmpeg
from tests.processors.commands.test_folder_renderer import Studio
from tests.processors.test_resume import write_video

EXPORTS = {"output": {"export": [*(["otio"] if HAS_OTIO else []), "edl", "fcpxml"]}}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The results of a film that begins at 10:00:00:00, with everything that an editor may want."""
    root = tmp_path_factory.mktemp("timed")
    write_video(root / "plain.mp4", 1)
    run_ffmpeg("-i", str(root / "plain.mp4"), "-c", "copy", "-timecode", "10:00:00:00", str(root / "film.mov"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(face_analyzer, "FaceAnalyzer", ScriptedAnalyzer)
        patch.setattr(analysis_key, "code_digest", lambda: "scripted")
        patch.setattr(ScriptedAnalyzer, "log", root / "cache" / "analysed.log")
        studio = Studio(root / "film.mov", root)
        assert studio.run(**EXPORTS) == ["done"]
        before = studio.tree()
        assert studio.run(**EXPORTS, run={**studio.values["run"], "overwrite": True}) == ["done"]
        assert studio.tree() == before, "the same bytes, although the second run has the analysis from the cache"
    return studio


def test_manifest_and_clips_tell_the_timecode(studio):
    manifest = json.loads((studio.folder / "manifest.json").read_text())
    assert manifest["video"]["timecode"] == "10:00:00:00"
    assert len(manifest["clips"]) == 2
    for clip in manifest["clips"]:
        with av.open(str(studio.folder / clip["file"])) as container:
            (track,) = [stream for stream in container.streams if stream.type == "data"]
            assert track.metadata["timecode"] == f"10:00:00:{round(clip['start_s'] * 25):02d}"


def test_exports_count_from_it(studio):
    edl = (studio.folder / "person_01" / "segments.edl").read_text().splitlines()
    assert edl[3].split()[4:6] == ["10:00:00:00", "10:00:01:05"]
    root = ElementTree.parse(studio.folder / "timeline.fcpxml").getroot()
    assert_importable(root)
    assert {seconds(clip.attrib["start"]) for clip in root.iter("asset-clip")} == {36000}


@needs_otio
def test_otio_counts_from_it_and_finds_the_video(studio):
    otio = json.loads((studio.folder / "timeline.otio").read_text())
    assert otio["global_start_time"]["value"] == 36000 * 25
    source = otio["tracks"]["children"][0]["children"][0]
    (reference,) = source["media_references"].values()
    assert (studio.folder / Path(unquote(reference["target_url"]))).samefile(studio.video)


def test_exports_find_the_video_from_where_they_lie_at_last(studio):
    (media,) = ElementTree.parse(studio.folder / "timeline.fcpxml").iter("media-rep")
    assert (studio.folder / Path(unquote(media.attrib["src"]))).samefile(studio.video)
