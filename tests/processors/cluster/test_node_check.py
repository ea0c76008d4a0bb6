"""What a node is asked, and what keeps it from taking part."""

from __future__ import annotations

import dataclasses
import errno
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from core.errors import ModelChecksumError, ModelUnavailableError, OutputError, ToolMissingError
from core.settings_file import load_settings
from processors.cluster import node_check as module
from processors.cluster.node_check import (
    MARKER_PREFIX,
    NodeQuestion,
    NodeReport,
    examine_node,
    free_space_problems,
    node_question,
    why_left_out,
)
from tests.material.small_disk import small_disk


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an encoder and all networks."""
    monkeypatch.setattr(module, "choose_encoder", lambda *_: None)
    monkeypatch.setattr(module, "locate", lambda kind, **_: Path(kind))
    monkeypatch.setattr(module, "possible_embedders", lambda settings: ("facenet", "dlib"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(None, {"run": {"cache_dir": str(tmp_path / "cache"), "offline": True}})


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.mp4"
    path.parent.mkdir()
    path.write_bytes(b"video")
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def examine(settings: Settings, video: Path, output: Path, **changes: Any) -> NodeReport:
    with node_question(settings, [video], output) as question:
        return examine_node(dataclasses.replace(question, **changes))


def test_the_same_machine_may_take_part(settings: Settings, video: Path, output: Path) -> None:
    report = examine(settings, video, output)
    assert report.problems == ()
    assert why_left_out(report, examine(settings, video, output)) == []
    assert list(output.iterdir()) == [], "neither the marker nor a trial is left"


def test_question_and_report_can_be_sent(settings: Settings, video: Path, output: Path) -> None:
    with node_question(settings, [video], output) as question:
        assert pickle.loads(pickle.dumps(question)) == question
        assert pickle.loads(pickle.dumps(examine_node(question))) == examine_node(question)


def test_one_input_of_each_folder_is_asked_for(settings: Settings, tmp_path: Path, output: Path) -> None:
    paths = [tmp_path / "x" / "a.mp4", tmp_path / "x" / "b.mp4", tmp_path / "y" / "c.mp4"]
    with node_question(settings, paths, output) as question:
        assert question.inputs == (paths[0], paths[2])


def test_a_folder_of_the_same_name_is_not_the_shared_one(settings: Settings, video: Path, output: Path) -> None:
    """A node with a folder of its own at that path has no marker, or one that was left by somebody else."""
    (output / "old").write_text("another secret")
    for changes in ({"marker": "missing"}, {"marker": "old"}):
        (problem,) = examine(settings, video, output, **changes).problems
        assert problem == f"the output folder {output} is not the shared one there"


def test_missing_inputs_are_named(settings: Settings, video: Path, output: Path, tmp_path: Path) -> None:
    missing = (tmp_path / "else\nwhere" / "b.mp4", tmp_path / "y" / "c.mp4")
    (problem,) = examine(settings, video, output, inputs=(video, *missing)).problems
    assert problem == f"{tmp_path}/else\\nwhere/b.mp4 and inputs of 1 other folders cannot be read under that path"


def test_an_output_folder_that_does_not_exist(settings: Settings, video: Path, tmp_path: Path) -> None:
    question = NodeQuestion(settings, (video,), tmp_path / "nowhere", "m", "s")
    problems = examine_node(question).problems
    assert problems[0].endswith("is not the shared one there")
    assert problems[1] == f"{tmp_path / 'nowhere'} cannot be written (No such file or directory)"
    assert not (tmp_path / "nowhere").exists()


def test_the_driver_must_be_able_to_write_the_marker(settings: Settings, video: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"), node_question(settings, [video], tmp_path / "nowhere"):
        pass


def test_a_full_disk_is_one_line(settings: Settings, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "scratch_file", full)
    assert free_space_problems(settings, output)[0] == f"the disk of {output} is full"


def test_a_small_disk_is_noticed_by_writing(settings: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 500_000) as folder:
        assert free_space_problems(settings, folder)[0] == f"the disk of {folder} is full"
        assert list(folder.iterdir()) == []


def test_a_disk_that_is_nearly_full_is_one_line(
    settings: Settings, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=12_345_678))
    assert f"the disk of {output} is nearly full: 12 MB are left" in free_space_problems(settings, output)


def test_the_folders_of_the_machine_are_made_and_looked_at(output: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    here = load_settings(None, {"run": {"cache_dir": str(tmp_path / "new" / "c"), "scratch": str(tmp_path / "file")}})
    (problem,) = free_space_problems(here, output)
    assert problem.startswith(f"{tmp_path / 'file'} cannot be written")
    assert (tmp_path / "new" / "c").is_dir()


def test_a_missing_tool_and_damaged_weights_are_problems(
    settings: Settings, video: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_encoder(*_: Any) -> None:
        raise ToolMissingError("there is no ffmpeg")

    def damaged(kind: str, **_: Any) -> Path:
        raise ModelChecksumError(f"is not the expected {kind}", path="w.pt")

    monkeypatch.setattr(module, "choose_encoder", no_encoder)
    monkeypatch.setattr(module, "locate", damaged)
    assert examine(settings, video, output).problems == ("there is no ffmpeg", "w.pt: is not the expected pnet")


def test_weights_may_be_missing_where_another_network_replaces_them(
    settings: Settings, video: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locate(kind: str, **_: Any) -> Path:
        if kind in missing:
            raise ModelUnavailableError(f"weights of {kind} are missing")
        return Path(kind)

    monkeypatch.setattr(module, "locate", locate)
    missing = {"facenet"}
    assert examine(settings, video, output).problems == ()
    missing = {"facenet", "dlib"}
    assert examine(settings, video, output).problems == ("weights of dlib are missing",)
    online = load_settings(None, {"run": {"cache_dir": settings.run.cache_dir}})
    assert examine(online, video, output).problems == (), "they can still be downloaded"


def test_what_differs_is_reported(
    settings: Settings, video: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = examine(settings, video, output)
    monkeypatch.setattr(module, "possible_embedders", lambda settings: ("dlib",))
    monkeypatch.setattr("processors.batch.call_terms.possible_embedders", lambda settings: ("dlib",))
    monkeypatch.setattr("platform.python_version", lambda: "3.10.1")
    monkeypatch.setattr(module, "package_version", lambda package: "1.0")
    said = "; ".join(why_left_out(examine(settings, video, output), ours))
    for text in ("embedder dlib (here ", "weights ", "Python 3.10.1 (here ", "packages "):
        assert text in said


def test_the_marker_is_hidden_and_never_the_same(settings: Settings, video: Path, output: Path) -> None:
    with node_question(settings, [video], output) as one, node_question(settings, [video], output) as two:
        assert one.marker.startswith(MARKER_PREFIX) and MARKER_PREFIX.startswith(".")
        assert (one.marker, one.secret) != (two.marker, two.secret)
