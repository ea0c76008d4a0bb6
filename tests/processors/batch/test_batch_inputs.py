"""Files, folders, globs and the names of the output folders."""

from __future__ import annotations

import json
import os
from itertools import permutations
from pathlib import Path

import pytest

from processors.batch.batch_inputs import RESERVED_NAMES, find_inputs, folder_names
from processors.batch.batch_summary import SUMMARY_FILE
from processors.batch.index_writer import INDEX_FILE
from processors.commands.housekeeping import LOG_FILE
from processors.known_people.people_list import PEOPLE_FILE
from processors.known_people.people_sources import GALLERY_FILE
from processors.pages.people_page import PEOPLE_PAGE


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


def test_folders_inside_folders_are_taken_on_request_and_their_layout_is_kept(tmp_path):
    root = tmp_path / "in"
    touch(root / "a.mp4", root / "2024" / "a.mp4", root / "2024" / "may: 1" / "b.mp4", root / ".hidden" / "c.mp4")
    (root / "again").symlink_to(root)
    inputs = find_inputs([str(root)], tmp_path / "out", recursive=True)
    assert [i.name for i in inputs] == ["a", "2024/a", "2024/may_ 1/b"]
    assert [i.name for i in find_inputs([str(root)], tmp_path / "out")] == ["a"]
    inside = find_inputs([str(tmp_path)], root / "2024", recursive=True)
    assert [i.path.name for i in inside] == ["a.mp4"], "the output folder is not searched"


def test_a_video_never_gets_the_folder_that_holds_those_of_others(tmp_path):
    may = tmp_path / "May"
    touch(tmp_path / "may.mp4", may / "x.mp4", may / "x.mov", may / "y" / "z.mp4")
    inputs = find_inputs([str(tmp_path)], tmp_path / "out", recursive=True)
    assert {i.path.relative_to(tmp_path).as_posix(): i.name for i in inputs} == {
        "may.mp4": "may.mp4",
        "May/x.mov": "May/x.mov",
        "May/x.mp4": "May/x.mp4",
        "May/y/z.mp4": "May/y/z",
    }


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
    assert find_inputs(["nothing*"], tmp_path / "out")[0].problem == "no video file matches this pattern"
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


def test_a_web_address_is_no_missing_file(tmp_path):
    for address in ("https://example.com/film.mp4", "HTTP://example.com/film.mp4?a=b", "rtsp://camera/1"):
        (found,) = find_inputs([address], tmp_path / "out")
        assert found.problem == "is a web address; download the video first"


def test_what_cannot_be_read_is_an_input_with_a_reason(tmp_path, caplog):
    touch(tmp_path / "good.mp4")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nowhere.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    arguments = [str(tmp_path / n) for n in ("missing.mp4", "dangling.mp4", "pipe.mp4", "good.mp4")]
    problems = [i.problem for i in find_inputs(arguments, tmp_path / "out")]
    assert problems == ["no such file", "broken symbolic link", "not a regular file", ""]
    # In a folder they are no failures, because nobody asked for them.
    with caplog.at_level("INFO"):
        assert names(find_inputs([str(tmp_path)], tmp_path / "out")) == ["good.mp4"]
    assert said(caplog) == ["2 entries skipped: dangling.mp4, pipe.mp4 (broken links, pipes or devices)"]


def test_links_to_folders_are_not_followed_but_said(tmp_path, caplog):
    touch(tmp_path / "card" / "a.mp4", tmp_path / "disk" / "b.mp4")
    (tmp_path / "card" / "again").symlink_to(tmp_path / "card")
    (tmp_path / "card" / "more").symlink_to(tmp_path / "disk")
    with caplog.at_level("INFO"):
        assert names(find_inputs([str(tmp_path / "card")], tmp_path / "out", recursive=True)) == ["a.mp4"]
    assert said(caplog) == ["2 folders skipped: again, more (links; name a folder itself to search it)"]


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
        (["People.html.mp4", "people.db.mp4"], ["People.html_2", "people.db_2"]),
        (["x.mp4.mkv", "x.mp4", "x.mov"], ["x.mp4", "x.mp4_2", "x.mov"]),
        (["CON.mp4", "nul.tar.mp4", "com.mp4"], ["CON_", "nul_.tar", "com"]),
        (["..mp4", "-rf.mp4", "a\nb.mp4"], None),
    ],
)
def test_folder_names_are_unique_and_harmless(files, expected):
    result = folder_names(files)
    if expected is not None:
        assert result == expected
    assert len({name.casefold() for name in result}) == len(files)
    assert all(name[0] not in "-." and "/" not in name and name.isprintable() for name in result)


def test_no_video_gets_a_folder_that_is_called_like_a_file_of_the_output_folder():
    files = {SUMMARY_FILE, INDEX_FILE, PEOPLE_FILE, PEOPLE_PAGE, GALLERY_FILE, f"{GALLERY_FILE}-wal", LOG_FILE}
    assert files <= RESERVED_NAMES


def test_bytes_that_are_no_text_in_a_file_name(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4"))
    touch(path)
    (found,) = find_inputs([str(tmp_path)], tmp_path / "out")
    assert found.path == path
    found.label.encode("utf-8")
    found.name.encode("utf-8")


def results(output: Path, *files: str, folder: str = "a") -> None:
    """Results of a run on a video, as it leaves them."""
    touch(*(output / folder / file for file in files))
    listed = [{"file": file, "bytes": 1} for file in files]
    manifest = {"schema": 2, "version": "0.1.0", "input": {"size_bytes": 1, "sha256": "aa"}, "files": listed}
    (output / folder / "manifest.json").write_text(json.dumps(manifest))
    touch(output / "index.html", output / "summary.json", output / folder / "report.html", output / folder / "mot.txt")


def said(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if "skipped" in r.getMessage()]


@pytest.mark.parametrize("argument", ["proj/**/*", "proj/**/*.mp4", "proj/old/a", "proj/old/a/person_01", "proj/old/*"])
def test_results_of_other_runs_are_left_out_with_a_word(argument, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "proj" / "a.mp4", tmp_path / "proj" / "deep" / "b.mp4")
    results(tmp_path / "proj" / "old", "preview.mp4", "person_01/clip_1.mp4", "person_01/reel.mp4")
    # Somebody's own folders in a folder of results are not what the program made.
    touch(tmp_path / "proj" / "old" / "a" / "mine" / "2024" / "c.mp4")
    with caplog.at_level("INFO"):
        found = find_inputs([argument], tmp_path / "out")
    expected = ["a.mp4", "b.mp4", "c.mp4"] if "**" in argument else []
    assert [i.path.name for i in found if not i.problem] == expected
    count = {"proj/old/a/person_01": 2, "proj/old/*": 1, "proj/old/a": 1}.get(argument, 3)
    files = f"{count} file{'s' if count > 1 else ''}"
    assert said(caplog) == [f"{files} skipped: results of earlier runs in proj/old"]


def test_clips_of_a_variant_are_results_too(tmp_path):
    results(tmp_path / "old", "person_01/vertical/clip_1.mp4")
    touch(tmp_path / "old" / "a" / "person_01" / "vertical" / "mine.mp4")
    found = find_inputs([str(tmp_path / "old" / "a" / "person_01" / "vertical")], tmp_path / "out")
    assert [i.path.name for i in found] == ["mine.mp4"]


def test_results_beside_the_working_folder_and_in_several_places(tmp_path, monkeypatch, caplog):
    for place in ("p", "q", "r", "s"):
        results(tmp_path / place, "preview.mp4")
    monkeypatch.chdir(tmp_path / "p" / "a")
    with caplog.at_level("INFO"):
        assert [i.problem for i in find_inputs(["*.mp4"], tmp_path / "out")] == ["no video file matches this pattern"]
        assert find_inputs([str(tmp_path / place / "a") for place in "pqrs"], tmp_path / "out") == ()
    assert said(caplog)[0] == f"1 file skipped: results of earlier runs in {tmp_path / 'p'}"
    assert said(caplog)[1].startswith("4 files skipped") and said(caplog)[1].endswith(" and 1 more")


def test_a_result_that_is_named_is_taken(tmp_path, caplog):
    results(tmp_path, "person_01/clip_1.mp4")
    clip = tmp_path / "a" / "person_01" / "clip_1.mp4"
    with caplog.at_level("INFO"):
        assert [i.path for i in find_inputs([str(clip)], tmp_path)] == [clip]
    assert said(caplog) == []


def test_another_programs_manifest_means_nothing(tmp_path):
    touch(tmp_path / "app" / "a.mp4")
    (tmp_path / "app" / "manifest.json").write_text('{"name": "an app", "icons": []}')
    assert names(find_inputs([str(tmp_path / "app")], tmp_path / "out")) == ["a.mp4"]


def test_a_folder_of_videos_in_the_output_folder_is_taken_where_it_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "card" / "a.mp4")
    assert names(find_inputs(["card"], Path())) == ["a.mp4"]
    with caplog.at_level("INFO"):
        assert find_inputs(["**/*.mp4"], Path())[0].problem == "no video file matches this pattern"
    assert said(caplog) == ["1 file skipped: inside the output folder ."]


def test_hidden_videos_are_named(tmp_path, caplog):
    found = ("a.mp4", ".b.mp4", "._a.mp4", ".partial-a.mp4", ".hidden")
    touch(*(tmp_path / "in" / name for name in found), tmp_path / "in" / "sub" / ".c.mkv")
    with caplog.at_level("INFO"):
        assert names(find_inputs([str(tmp_path / "in")], tmp_path / "out", recursive=True)) == ["a.mp4"]
    assert said(caplog) == ["2 hidden files skipped: .b.mp4, .c.mkv (name a file explicitly to process it)"]
    assert names(find_inputs([str(tmp_path / "in" / ".b.mp4")], tmp_path / "out")) == [".b.mp4"]


def test_what_is_not_known_as_a_video_is_named_first(tmp_path, caplog):
    touch(*(tmp_path / n for n in ("a.mp4", "z.braw", "y.r3d", "notes.txt", "a.srt", "a.jpg", "b.jpg", ".hidden")))
    touch(tmp_path / "summary.json", tmp_path / "index.html")
    with caplog.at_level("INFO"):
        assert names(find_inputs([str(tmp_path)], tmp_path)) == ["a.mp4"]
    why = "not recognised as videos; name a file explicitly to try it anyway"
    assert said(caplog) == [f"6 files skipped: y.r3d, z.braw, a.jpg, a.srt, b.jpg, ... ({why})"]
    caplog.clear()
    (tmp_path / "y.r3d").unlink()
    (tmp_path / "z.braw").unlink()
    with caplog.at_level("INFO"):
        find_inputs([str(tmp_path), str(tmp_path / "*")], tmp_path)
    assert said(caplog) == ["4 files skipped: a.jpg, a.srt, b.jpg, notes.txt (not videos)"]


@pytest.mark.parametrize("extension", ["mod", "dat"])
@pytest.mark.parametrize(("data", "taken"), [(b"\x00\x00\x01\xba...", True), (b"module x", False), (b"", False)])
def test_extensions_of_other_things_too_are_taken_where_the_file_begins_like_a_video(data, taken, extension, tmp_path):
    touch(tmp_path / "a.mp4")
    name = f"MOV001.{extension.upper()}"
    (tmp_path / name).write_bytes(data)
    assert names(find_inputs([str(tmp_path)], tmp_path / "out")) == ["a.mp4", *([name] if taken else [])]


def test_names_do_not_depend_on_the_order_of_the_arguments(tmp_path):
    files = [tmp_path / name for name in ("mon/a.mp4", "tue/a.mp4", "tue/a.mov", "b.mp4")]
    touch(*files)
    found = [{i.path: i.name for i in find_inputs(list(map(str, order)), tmp_path)} for order in permutations(files)]
    assert found == [dict(zip(files, ["a.mp4", "a.mp4_2", "a.mov", "b"], strict=True))] * 24
