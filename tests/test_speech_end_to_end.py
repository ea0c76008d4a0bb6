"""The real program on a clip in which two people take turns: a clip per turn, none without audio, and hard inputs."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from benchmarks.quality.speech import load_scorer
from core.models.inference.nets import CONVERTED_FOLDER
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
    command += ["--cache-dir", str(folder / "cache"), "--speech-model", "movement"]
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


FIRST_S, END_S = 4.0, 12.0
"""the part of `two_languages` that is analysed"""
VOICE_FROM_S = 5.0


@pytest.fixture(scope="module")
def two_languages(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People who take turns at 50 frames a second, with two audio tracks: a silent one, and the voices at 8 kHz.

    The voices begin at 5 s.
    """
    path = tmp_path_factory.mktemp("two_languages") / "two.mp4"
    with av.open(str(shared / "speech" / "turns-quiet__r1_r5.mp4")) as old, av.open(str(path), "w") as new:
        video = new.add_stream("libx264", rate=50, options={"preset": "ultrafast", "crf": "16"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        silent, voices = (new.add_stream("aac", rate=8000, layout="mono") for _ in range(2))
        silent.disposition, voices.disposition = Disposition.default, Disposition(0)
        for number, frame in enumerate(old.decode(video=0)):
            for repeated in range(2):
                frame.pts, frame.time_base = 2 * number + repeated, Fraction(1, 50)
                new.mux(video.encode(frame))
        old.seek(0)
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=8000)
        for frame in [*old.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                piece.time_base = Fraction(1, 8000)
                if (piece.pts or 0) >= VOICE_FROM_S * 8000:
                    new.mux(voices.encode(piece))
                nothing = av.AudioFrame.from_ndarray(np.zeros_like(piece.to_ndarray()), format="fltp", layout="mono")
                nothing.pts, nothing.time_base, nothing.sample_rate = piece.pts, piece.time_base, 8000
                new.mux(silent.encode(nothing))
        for stream in (video, silent, voices):
            new.mux(stream.encode(None))
    return path


def test_a_part_of_a_video_with_the_chosen_language(two_languages: Path, shared: Path, place: Path) -> None:
    part = ("--when", "speaking", "--start", str(FIRST_S), "--duration", str(END_S - FIRST_S))
    manifest, said = run(two_languages, place, *part, "--audio-stream", "1")
    assert manifest["clips"] == [] and "nobody who is visible speaks long enough for a clip" in said
    folder = place / "out" / two_languages.stem
    assert (folder / "speech.csv").read_text().splitlines() == ["person,start_s,end_s,score"]

    flags = (*part, "--audio-stream", "2")
    manifest, said = run(two_languages, place, *flags, "--overwrite")
    assert "using the stored analysis" in said
    # Times are those of the whole video, so the truth for the whole video fits.
    with (folder / "speech.csv").open() as predicted, (folder / "tracks.csv").open() as tracks:
        turns, boxes = list(csv.DictReader(predicted)), list(csv.DictReader(tracks))
    with (shared / "speech" / "turns-quiet__r1_r5.speech.csv").open() as file:
        truth = list(csv.DictReader(file))
    for row in truth:
        row["start_s"], row["end_s"] = str(max(float(row["start_s"]), 5.2)), str(min(float(row["end_s"]), END_S))
    numbers = load_scorer().summary(load_scorer().count(truth, turns, boxes))
    assert numbers["speaking"] > 80 and numbers["f1"] > 0.9
    assert min(float(turn["start_s"]) for turn in turns) == pytest.approx(VOICE_FROM_S, abs=0.2)
    assert len(manifest["clips"]) >= 2
    assert all(FIRST_S <= clip["start_s"] < clip["end_s"] <= END_S for clip in manifest["clips"])

    varied, _ = run(two_languages, place, *flags, "--variant", "tall", "--aspect", "9:16")
    (variant,) = varied["variants"].values()
    assert [(c["person"], c["start_s"], c["end_s"]) for c in variant["clips"]] == [
        (c["person"], c["start_s"], c["end_s"]) for c in manifest["clips"]
    ]
