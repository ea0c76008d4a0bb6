"""Files, folders, globs and the names of the output folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from processors.batch_inputs import find_inputs, folder_names


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(inputs) -> list[str]:
    return [i.path.name for i in inputs]


def test_a_folder_gives_its_visible_videos_sorted(tmp_path):
    touch(tmp_path / "b.mp4", tmp_path / "A.MOV", tmp_path / "c.txt", tmp_path / "._b.mp4", tmp_path / "sub" / "d.mp4")
    (tmp_path / "folder.mp4").mkdir()
    inputs = find_inputs([str(tmp_path)], tmp_path / "out")
    assert names(inputs) == ["A.MOV", "b.mp4"]
    assert [i.name for i in inputs] == ["A", "b"]
    assert all(not i.problem for i in inputs)


def test_named_files_keep_the_order_of_the_arguments_whatever_their_extension(tmp_path):
    touch(tmp_path / "z.bin", tmp_path / "a.mp4")
    inputs = find_inputs([str(tmp_path / "z.bin"), str(tmp_path / "a.mp4")], tmp_path / "out")
    assert names(inputs) == ["z.bin", "a.mp4"]


def test_the_same_file_is_taken_once(tmp_path, monkeypatch):
    touch(tmp_path / "a.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    monkeypatch.chdir(tmp_path)
    inputs = find_inputs(["a.mp4", str(tmp_path), "./a.mp4", "link.mp4"], tmp_path / "out")
    assert names(inputs) == ["a.mp4"]


def test_globs_are_sorted_and_names_with_brackets_are_literal(tmp_path, monkeypatch):
    touch(tmp_path / "x2.mp4", tmp_path / "x1.mp4", tmp_path / "deep" / "x3.mp4", tmp_path / "[x].mp4")
    monkeypatch.chdir(tmp_path)
    assert names(find_inputs(["x*.mp4"], tmp_path / "out")) == ["x1.mp4", "x2.mp4"]
    assert names(find_inputs(["**/x*.mp4"], tmp_path / "out")) == ["x3.mp4", "x1.mp4", "x2.mp4"]
    assert names(find_inputs(["[x].mp4"], tmp_path / "out")) == ["[x].mp4"]
    assert find_inputs(["nothing*"], tmp_path / "out")[0].problem == "no video file matches"
    touch(tmp_path / "x9.txt")
    assert names(find_inputs(["x*"], tmp_path / "out")) == ["x1.mp4", "x2.mp4"]
    assert names(find_inputs(["d*"], tmp_path / "out")) == ["x3.mp4"]


def test_results_are_no_inputs_even_where_the_output_folder_is_inside_the_input_folder(tmp_path, monkeypatch):
    touch(tmp_path / "a.mp4", tmp_path / "out" / "a" / "person_01" / "clip_001.mp4")
    monkeypatch.chdir(tmp_path)
    assert names(find_inputs(["**/*.mp4"], tmp_path / "out")) == ["a.mp4"]
    assert names(find_inputs(["."], tmp_path / "out")) == ["a.mp4"]
    # One folder for both: the results lie one level deeper.
    touch(tmp_path / "a" / "person_01" / "clip_001.mp4")
    assert names(find_inputs(["**/*.mp4"], tmp_path)) == ["a.mp4"]


def test_what_cannot_be_read_is_an_input_with_a_reason(tmp_path):
    touch(tmp_path / "good.mp4")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nowhere.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    arguments = [str(tmp_path / n) for n in ("missing.mp4", "dangling.mp4", "pipe.mp4", "good.mp4")]
    problems = [i.problem for i in find_inputs(arguments, tmp_path / "out")]
    assert problems == ["no such file", "a link to nothing", "not a regular file", ""]
    # In a folder such things are passed over in silence: nobody asked for them.
    assert names(find_inputs([str(tmp_path)], tmp_path / "out")) == ["good.mp4"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.mp4", "b.mp4"], ["a", "b"]),
        (["a.mp4", "a.mov", "b.mp4"], ["a.mp4", "a.mov", "b"]),
        (["A.mp4", "a.mov"], ["A.mp4", "a.mov"]),
        (["a.mp4", "a.mp4", "a.mp4"], ["a.mp4", "a.mp4_2", "a.mp4_3"]),
        (["a?.mp4", "a*.mp4"], ["a_.mp4", "a_.mp4_2"]),
        (["caf\u00e9.mp4", "cafe\u0301.mov"], ["caf\u00e9.mp4", "caf\u00e9.mov"]),
        (["summary.json.mp4"], ["summary.json_2"]),
        (["x.mp4.mkv", "x.mp4", "x.mov"], ["x.mp4", "x.mp4_2", "x.mov"]),
        (["..mp4", "-rf.mp4", "a\nb.mp4"], None),
    ],
)
def test_folder_names_are_unique_and_harmless(files, expected):
    result = folder_names(files)
    if expected is not None:
        assert result == expected
    assert len({name.casefold() for name in result}) == len(files)
    assert all(name[0] not in "-." and "/" not in name and name.isprintable() for name in result)


def test_bytes_that_are_no_text_in_a_file_name(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4"))
    touch(path)
    (found,) = find_inputs([str(tmp_path)], tmp_path / "out")
    assert found.path == path
    found.label.encode("utf-8")
    found.name.encode("utf-8")
