"""Several worker processes give what one process gives: real files and encoders, only the faces are scripted."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from processors.known_people.gallery import Gallery
from processors.known_people.people_sources import GALLERY_FILE
from tests.processors.test_process_faults import half_written, results
from tests.processors.test_resume import write_video

pytestmark = pytest.mark.slow

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for seed, name in enumerate(NAMES):
        write_video(folder / f"{name}.mp4", seed)
    return folder


with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="the package of requirements-ray.txt is not installed"
)


def run(inputs: Path, place: Path, workers: int | str, project: Path, *crash: str) -> str:
    """Returns what the run said. workers: see `parallel_run`."""
    command = [sys.executable, "-m", "tests.material.parallel_run"]
    command += [*map(str, (inputs, place / "out", place / "cache", workers)), *crash]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def alone(inputs: Path, tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    """Output of one process."""
    place = tmp_path_factory.mktemp("alone")
    run(inputs, place, 1, project)
    return place / "out"


def people(output: Path) -> list[tuple[str, list[str]]]:
    """Who is in which videos, by the gallery."""
    with Gallery(output / GALLERY_FILE) as gallery:
        return [(one.id, [seen.folder for seen in one.appearances]) for one in gallery.people()]


def test_the_same_bytes_and_names_although_the_first_video_is_analysed_last(
    inputs: Path, alone: Path, tmp_path: Path, project: Path
) -> None:
    said = run(inputs, tmp_path, 2, project)
    output = tmp_path / "out"
    assert results(output) == results(alone)
    assert people(output) == people(alone) == [
        ("P0001", ["a"]), ("P0002", ["a", "b"]), ("P0003", ["b", "c"]), ("P0004", ["c"]),
    ]  # fmt: skip
    assert said.index("b: done") > said.index("b: using the stored analysis"), "it was set aside until a was named"
    assert sorted((tmp_path / "cache" / "analysed.log").read_text().split()) == ["a.mp4", "b.mp4", "c.mp4"]
    told = {entry["folder"]: entry for entry in json.loads((output / "summary.json").read_text())["inputs"]}
    assert [told[name]["analysis_cached"] for name in NAMES] == [False] * 3
    assert list(output.glob(".lease-*")) == half_written(output) == []


def test_a_worker_that_crashes_while_it_renders_changes_nothing(
    inputs: Path, alone: Path, tmp_path: Path, project: Path
) -> None:
    said = run(inputs, tmp_path, 2, project, "b")
    assert "its worker process crashed (SIGABRT) while the video was being rendered; trying it once more" in said
    assert (tmp_path / "cache" / "crashes.log").read_text() == "crash\n"
    assert results(tmp_path / "out") == results(alone)
    assert people(tmp_path / "out") == people(alone)
    assert half_written(tmp_path / "out") == []


@with_ray
def test_a_cluster_gives_the_same_although_a_worker_dies(
    inputs: Path, alone: Path, tmp_path: Path, project: Path
) -> None:
    said = run(inputs, tmp_path, "cluster", project, "b")
    assert "2 workers on 1 node" in said
    assert "killed or crashed) while the video was being rendered; trying it once more" in said
    assert results(tmp_path / "out") == results(alone)
    assert people(tmp_path / "out") == people(alone)
    assert half_written(tmp_path / "out") == list((tmp_path / "out").glob(".lease-*")) == []
