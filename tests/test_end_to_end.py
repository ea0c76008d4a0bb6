"""The real program on the sample video, whose faces, cuts and audio are known exactly."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.material.scoring import box_overlap, read_tracks, score
from tests.material.synthetic.audio import SAMPLE_RATE_HZ, render_audio
from tests.material.synthetic.truth import film_truth
from videos.make_sample import SAMPLE

PROJECT = Path(__file__).resolve().parent.parent
TRUTH = film_truth(SAMPLE)
MIN_FACE_PX = 0.05 * SAMPLE.height
AUDIO_TOLERANCE_S = 0.02
HEAVY = {
    "torch",
    "torchvision",
    "cv2",
    "av",
    "openvino",
    "dlib",
    "scipy",
    "highspy",
    "PIL",
    "moviepy",
    "tqdm",
    "jinja2",
}
MAX_MODULES = 300
"""modules that a run over finished videos may import: 266 today. Those of the standard library, some 170, are left out,
because releases of Python differ in them"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the program."""

    output: Path
    exit_code: int
    said: str

    @property
    def folder(self) -> Path:
        return self.output / "sample"

    def read(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.output / name).read_text(encoding="utf-8"))
        return value

    @property
    def clips(self) -> list[dict[str, Any]]:
        clips: list[dict[str, Any]] = self.read("sample/manifest.json")["clips"]
        return clips


def run_program(inputs: Path, output: Path, *python_flags: str) -> Run:
    command = [sys.executable, *python_flags, str(PROJECT / "main.py"), str(inputs), "-o", str(output)]
    command += ["--offline", "--no-cache"]
    done = subprocess.run(command, cwd=output.parent, capture_output=True, text=True, timeout=240, check=False)
    return Run(output, done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """A folder with the sample, and a web page under the name of a video."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copy(sample, folder)
    (folder / "a_page.mp4").write_text("<!DOCTYPE html><title>404</title>" * 50)
    return folder


@pytest.fixture(scope="module")
def alone(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The program's run on the sample alone."""
    return run_program(inputs / "sample.mp4", tmp_path_factory.mktemp("alone") / "output")


@pytest.fixture(scope="module")
def with_broken(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The program's run on the folder: one file is broken, the other the same sample."""
    return run_program(inputs, tmp_path_factory.mktemp("folder") / "output")


def test_it_ends_well(alone: Run) -> None:
    assert alone.exit_code == 0, alone.said
    assert "Traceback" not in alone.said
    (entry,) = alone.read("summary.json")["inputs"]
    assert (entry["status"], entry["people"], entry["clips"]) == ("done", 2, len(alone.clips))


def test_the_folders_are_as_promised(alone: Run) -> None:
    files = {path.relative_to(alone.folder).as_posix() for path in alone.folder.rglob("*") if path.is_file()}
    clips = {file for file in files if re.fullmatch(r"(person_\d\d)/\1_clip_\d{3}_\d\d-\d\d-\d\d\.\d{3}\.mp4", file)}
    assert clips == {clip["file"] for clip in alone.clips}
    assert {file.split("/")[0] for file in clips} == {"person_01", "person_02"}
    assert {"manifest.json", "timeline.json", "tracks.csv", "person_01/face.jpg", "person_02/face.jpg"} <= files
    assert not list(alone.output.rglob(".partial*"))
    for face in alone.folder.glob("person_*/face.jpg"):
        assert cv2.imread(str(face)) is not None


def test_faces_and_people(alone: Run, tmp_path: Path) -> None:
    TRUTH.write_csv(tmp_path / "truth.csv")
    result = score(
        read_tracks(tmp_path / "truth.csv"), read_tracks(alone.folder / "tracks.csv"), min_height=MIN_FACE_PX
    )
    assert result.recall >= 0.97
    assert result.precision >= 0.97
    assert result.idf1 >= 0.97
    assert result.people == result.true_people == 2


def test_cuts_are_found_on_their_frames(alone: Run) -> None:
    shots = alone.read("sample/manifest.json")["shots"]
    assert [shot["start"] for shot in shots] == [0, *TRUTH.cuts]
    assert [shot["transition"] for shot in shots] == ["start", "cut", "cut", "cut"]
    with (alone.folder / "tracks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(int(row["shot"]) == sum(int(row["frame"]) >= cut for cut in TRUTH.cuts) for row in rows)


def test_everybody_has_a_clip_of_every_shot_they_are_in(alone: Run) -> None:
    """And each clip shows one person: the folder is a person's, not a track's."""
    tracks = read_tracks(alone.folder / "tracks.csv")
    names = {}
    for person in TRUTH.people:
        frames, boxes = TRUTH.track(person)
        found = tracks[int(frames[10])]
        names[person] = found[int(np.argmax(box_overlap([boxes[10]], [box for _, box in found])))][0]
    shown = sorted((clip["person"], clip["shot"]) for clip in alone.clips)
    wanted = {("collins", 0), ("collins", 1), ("collins", 3), ("hopper", 1), ("hopper", 2), ("hopper", 3)}
    assert shown == sorted((names[person], shot) for person, shot in wanted)


def test_clips_play_to_the_end(alone: Run) -> None:
    assert alone.clips
    for clip in alone.clips:
        with av.open(str(alone.folder / clip["file"])) as container:
            video = container.streams.video[0]
            frames = list(container.decode(video))
            steps = {b.pts - a.pts for a, b in itertools.pairwise(frames)}
            assert len(steps) == 1, f"{clip['file']}: not a constant rate"
            assert steps.pop() * video.time_base == 1 / SAMPLE.frame_rate
            assert len(frames) == clip["frames"] == clip["end"] - clip["start"]
            assert (video.width, video.height) == (clip["width"], clip["height"])
            assert video.codec_context.pix_fmt == "yuv420p"
        assert not frames[0].is_corrupt and not frames[-1].is_corrupt


def test_audio_is_that_of_the_images(alone: Run) -> None:
    """Clips have the audio of their frames: same length, same position in the source."""
    source = render_audio(SAMPLE)
    for clip in alone.clips:
        audio, begin_s = decode_audio(alone.folder / clip["file"])
        length_s = clip["frames"] / float(SAMPLE.frame_rate)
        assert begin_s == pytest.approx(0, abs=AUDIO_TOLERANCE_S)
        # AAC comes in blocks of 1024 samples, and some players' decoders do not trim the last one.
        assert len(audio) / SAMPLE_RATE_HZ == pytest.approx(length_s, abs=AUDIO_TOLERANCE_S + 1024 / SAMPLE_RATE_HZ)
        first = round(clip["start"] / float(SAMPLE.frame_rate) * SAMPLE_RATE_HZ)
        wanted = source[first : first + round(length_s * SAMPLE_RATE_HZ)]
        assert abs(lag(audio, wanted)) / SAMPLE_RATE_HZ + abs(begin_s) <= AUDIO_TOLERANCE_S, clip["file"]


def decode_audio(path: Path) -> tuple[NDArray[np.float64], float]:
    """Samples of the mean of all channels, (N,), and the time of the first one in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.sample_rate == SAMPLE_RATE_HZ
        chunks = list(container.decode(stream))
    return np.concatenate([chunk.to_ndarray().mean(0) for chunk in chunks]).astype(float), float(chunks[0].time or 0)


def lag(audio: NDArray[Any], wanted: NDArray[Any]) -> int:
    """By how many samples `audio` is later than `wanted`: the lag with the largest correlation."""
    size = 1 << (len(audio) + len(wanted)).bit_length()
    spectrum = np.fft.rfft(audio, size) * np.conj(np.fft.rfft(wanted, size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


def test_a_broken_file_stops_nothing(with_broken: Run) -> None:
    assert with_broken.exit_code == 1, with_broken.said
    entries = {entry["input"].rsplit("/", 1)[-1]: entry for entry in with_broken.read("summary.json")["inputs"]}
    assert (entries["sample.mp4"]["status"], entries["a_page.mp4"]["status"]) == ("done", "failed")
    assert entries["a_page.mp4"]["reason"]
    assert "a_page.mp4" in with_broken.said and "Traceback" not in with_broken.said
    assert not (with_broken.output / "a_page").exists()


def test_two_runs_give_the_same_bytes(alone: Run, with_broken: Run) -> None:
    for name in ("tracks.csv", "manifest.json", "timeline.json"):
        assert (alone.folder / name).read_bytes() == (with_broken.folder / name).read_bytes(), name


def test_what_is_done_is_not_done_again(alone: Run, inputs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in alone.folder.rglob("*")}
    again = run_program(inputs / "sample.mp4", alone.output, "-X", "importtime")
    assert again.exit_code == 0
    assert again.read("summary.json")["inputs"][0]["status"] == "cached"
    assert {path: path.stat().st_mtime_ns for path in alone.folder.rglob("*")} == before
    imported = set(re.findall(r"^import time:.*\| +(\S+)$", again.said, re.MULTILINE))
    assert {"main", "processors.batch_runner"} & imported
    assert not imported & HEAVY, "a run over finished videos decodes and computes nothing"
    others = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert len(others) <= MAX_MODULES
