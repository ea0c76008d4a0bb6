"""The real program on a clip in which two people take turns: a clip per turn, and none without audio."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest

from core.models.nets import CONVERTED_FOLDER
from tests.material.real_models import models_cache, net_files
from tests.speech_models import needs_speech_packages

__all__ = ["models_cache", "net_files"]

PROJECT = Path(__file__).resolve().parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.clips, needs_speech_packages]


@pytest.fixture
def place(tmp_path: Path, models_cache: Path, net_files: object) -> Path:
    """A folder with a cache of its own, in which the converted networks lie already."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / CONVERTED_FOLDER).symlink_to(models_cache / CONVERTED_FOLDER)
    return tmp_path


def run(video: Path, folder: Path, *flags: str) -> tuple[dict[str, Any], str]:
    """The manifest, and what the program said."""
    command = [sys.executable, str(PROJECT / "main.py"), str(video), "-o", str(folder / "out"), "--offline", *flags]
    command += ["--cache-dir", str(folder / "cache"), "--embedder", "dlib", "--speech-model", "movement"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    manifest: dict[str, Any] = json.loads((folder / "out" / video.stem / "manifest.json").read_text())
    return manifest, done.stdout + done.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_clip_is_a_turn_and_asking_later_detects_nothing_again(shared: Path, place: Path) -> None:
    video = shared / "speech" / "small__r5_r1.mp4"
    visible, _ = run(video, place)
    assert [clip["end_s"] - clip["start_s"] for clip in visible["clips"]] == [16.0, 16.0]
    speaking, said = run(video, place, "--when", "speaking", "--overwrite")
    assert "using the stored analysis" in said
    folder = place / "out" / video.stem
    with (folder / "speech.csv").open() as file:
        turns = [(row["person"], float(row["start_s"]), float(row["end_s"])) for row in csv.DictReader(file)]
    assert len(speaking["clips"]) >= 4
    for clip in speaking["clips"]:
        inside = [t for t in turns if t[0] == clip["person"] and t[1] < clip["end_s"] and t[2] > clip["start_s"]]
        assert clip["start_s"] == pytest.approx(max(inside[0][1] - 0.2, 0), abs=0.041)
        assert clip["end_s"] == pytest.approx(min(inside[-1][2] + 0.3, 16), abs=0.041)
        assert all(b[1] - a[2] <= 0.6 for a, b in itertools.pairwise(inside))
        with av.open(str(folder / clip["file"])) as file:
            assert file.streams.audio and file.streams.video[0].frames == clip["frames"]
    before = files(folder)
    run(video, place, "--when", "speaking", "--overwrite", "--no-cache")
    assert files(folder) == before


def test_without_audio_there_is_a_warning_and_no_clip(shared: Path, place: Path) -> None:
    silent = place / "silent.mp4"
    with av.open(str(shared / "speech" / "turns-quiet__r1_r5.mp4")) as old, av.open(str(silent), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None and packet.pts is not None and packet.pts * packet.time_base < 2:
                packet.stream = stream
                new.mux(packet)
    manifest, said = run(silent, place, "--when", "speaking")
    assert manifest["clips"] == [] and len(manifest["people"]) == 2
    assert any("no audio" in warning for warning in manifest["warnings"]) and "no audio" in said
