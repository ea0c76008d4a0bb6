"""A run that is killed and started again ends in the same files as one that nobody disturbed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

pytestmark = pytest.mark.slow

VIDEOS = ("a", "b")
SIZE, OTHER_SIZE = 64, 96


def write_video(path: Path, seed: int) -> None:
    """1.2 s of moving noise, 96x64 px."""
    image = np.random.default_rng(seed).integers(0, 256, (64, 128, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image[:, number : number + 96].copy())))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for seed, name in enumerate(VIDEOS):
        write_video(folder / f"{name}.mp4", seed)
    return folder


class Place:
    """An output folder, and a cache of its own."""

    def __init__(self, inputs: Path, root: Path, project: Path) -> None:
        self.inputs, self.root, self.project = inputs, root, project
        self.output, self.cache = root / "out", root / "cache"

    def run(self, *, kill_at: int = 0, size: int = SIZE) -> int:
        (self.cache / "renames.log").unlink(missing_ok=True)
        arguments = [self.inputs, self.output, self.cache, size, kill_at]
        command = [sys.executable, "-m", "tests.material.killed_run", *map(str, arguments)]
        done = subprocess.run(command, cwd=self.project, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode

    def renamed(self) -> list[str]:
        """What got its final name in the last run, in order."""
        return [line.split(" ", 1)[1] for line in (self.cache / "renames.log").read_text().splitlines()]

    def analysed(self) -> list[str]:
        return sorted((self.cache / "analysed.log").read_text().split())

    def results(self) -> dict[str, bytes]:
        """Every file by name; what stands beside the folders tells of the run and its times."""
        files = [p for p in self.output.rglob("*") if p.is_file() and p.parent != self.output]
        return {p.relative_to(self.output).as_posix(): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory, project) -> Place:
    place = Place(inputs, tmp_path_factory.mktemp("undisturbed"), project)
    assert place.run() == 0
    assert sum(name.endswith(".mp4") for name in place.results()) == 4
    assert place.analysed() == ["a.mp4", "b.mp4"]
    return place


@pytest.fixture
def place(inputs, tmp_path, project) -> Place:
    return Place(inputs, tmp_path, project)


def moments(undisturbed: Place) -> dict[str, int]:
    """Numbers of renames worth dying at, by what they are."""
    names = undisturbed.renamed()
    clips = [i for i, name in enumerate(names, 1) if name.endswith(".mp4")]
    return {
        "first analysis": 1,
        "first clip": clips[0],
        "last clip": clips[-1],
        "first folder": names.index("a") + 1,
        "last folder": names.index("b") + 1,
        "summary": names.index("summary.json") + 1,
    }


def clips(names: list[str]) -> int:
    return sum(name.endswith(".mp4") for name in names)


@pytest.mark.parametrize(
    "moment",
    ["first analysis", "last clip", "last folder", "first clip", "first folder", "summary"],
)
def test_killed_and_started_again(undisturbed, place, moment):
    assert place.run(kill_at=moments(undisturbed)[moment]) == -signal.SIGKILL
    stored = len(list((place.cache / "analyses").glob("[0-9a-f]*.npz")))
    begun = len(place.analysed())
    finished = len([p for p in place.output.rglob("*.mp4") if not p.name.startswith(".partial-")])
    done_before = [name for name in VIDEOS if (place.output / name / "manifest.json").exists()]
    assert place.run() == 0
    assert place.results() == undisturbed.results()
    # What was stored is not analysed again, and what was done is not rendered again.
    assert len(place.analysed()) == begun + len(VIDEOS) - stored
    assert not set(done_before) & set(place.renamed())
    # A clip that was finished in the very moment of the kill may not have been noted any more.
    assert clips(place.renamed()) in ([4 - finished] if "folder" in moment else [4 - finished, 5 - finished])
    assert not list(place.output.rglob(".partial-*"))


def test_killed_while_old_results_are_exchanged(undisturbed, inputs, place):
    assert place.run(size=OTHER_SIZE) == 0
    (place.output / "a" / "mine.txt").write_text("mine")
    root = place.root
    shutil.copytree(place.output, root / "before")
    assert place.run() == 0
    wanted = place.results()
    names = place.renamed()
    assert {k: v for k, v in wanted.items() if k != "a/mine.txt"} == undisturbed.results()
    # The journal is the first manifest.json of a folder, the one that ends the exchange the third.
    journal = names.index("manifest.json", names.index("manifest.json") + 1) + 1
    for kill_at in (journal, journal + 4, names.index("summary.json")):
        shutil.rmtree(place.output)
        shutil.copytree(root / "before", place.output)
        assert place.run(kill_at=kill_at) == -signal.SIGKILL
        assert place.run() == 0
        assert place.results() == wanted
    assert place.analysed() == ["a.mp4", "b.mp4"]


def test_a_third_run_has_nothing_to_do(undisturbed):
    before = undisturbed.results()
    assert undisturbed.run() == 0
    assert "summary.json" in undisturbed.renamed()
    assert not {"manifest.json", "a", "b"} & set(undisturbed.renamed())
    assert undisturbed.results() == before
