"""Commands on finished results: list and correct people, describe and clear the cache, clean."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import main
from tests.material.command_calls import run_main

pytestmark = pytest.mark.errors_expected


def people_of(folder: Path) -> list[str]:
    return [p["name"] for p in json.loads((folder / "timeline.json").read_text())["people"]]


def test_people_are_listed_on_stdout(results, capsys):
    code, out, err = run_main(capsys, "people", results)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["person", "person_01", "person_02"]
    assert run_main(capsys, "people", "film", "-o", results.parent)[1] == out
    (results.parent / "other").mkdir()
    (results.parent / "damaged").mkdir()
    (results.parent / "damaged" / "manifest.json").write_text('{"schema": 2}')
    code, everybody, err = run_main(capsys, "people", "-o", results.parent)
    assert everybody.splitlines() == ["film:", *(f"  {line}" for line in out.splitlines())]
    assert code == 2 and "damaged" in err and len(err.splitlines()) == 1
    tracklets = run_main(capsys, "people", results, "--tracklets")[1].splitlines()
    assert [line.split() for line in tracklets[1:]] == [
        ["1", "1", "0:03.0", "0:05.0", "person_01"],
        ["2", "1", "0:06.0", "0:08.0", "person_02"],
    ]


def test_where_nothing_was_done_there_is_nobody_to_list(tmp_path, capsys):
    code, out, err = run_main(capsys, "people", "-o", tmp_path / "out")
    assert (code, out) == (2, "") and "no results yet" in err


def test_people_are_edited_one_command_each(results, capsys):
    assert run_main(capsys, "rename", results, "person_01", "Anna")[0] == 0
    assert people_of(results) == ["Anna", "person_02"]
    code, out, err = run_main(capsys, "merge", results, "Anna", "person_02")
    assert code == 0 and len(out.splitlines()) == 2
    assert f"main.py render {results}" in err
    assert run_main(capsys, "split", results, "Anna", "--tracklets", "1-2")[0] == 2
    assert run_main(capsys, "split", results, "Anna", "--tracklets", "2", "--name", "Bob")[0] == 0
    assert people_of(results) == ["Anna", "Bob"]
    assert run_main(capsys, "assign", results, "Anna", "--tracklets", "2")[0] == 0
    assert people_of(results) == ["Anna"]
    code, out, err = run_main(capsys, "split", results, "Anna", "--at", "0:04", "--name", "Zoe")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == ["person", "Anna", "Zoe"]
    assert run_main(capsys, "drop", results, "Zoe")[0] == 0
    assert people_of(results) == ["Anna"]


def test_edits_are_taken_back_one_command_each(results, capsys):
    before = (results / "timeline.json").read_bytes()
    assert run_main(capsys, "drop", results, "person_02")[0] == 0
    assert run_main(capsys, "rename", results, "person_01", "Anna")[0] == 0
    code, out, err = run_main(capsys, "undo", results)
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == ["person", "person_01"]
    assert f"main.py render {results}" in err
    assert run_main(capsys, "undo", "film", "-o", results.parent)[0] == 0
    assert (results / "timeline.json").read_bytes() == before
    assert run_main(capsys, "undo", results)[2] == "main.py: film: there is no correction to undo\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rename", "FOLDER", "nobody", "x"], "there is no person 'nobody' (people: person_01, person_02)"),
        (["rename", "FOLDER", "person_01", "a/b"], "cannot be the name of a folder"),
        (["split", "FOLDER", "person_01", "--tracklets", "x"], "expected numbers"),
        (["split", "FOLDER", "person_01", "--tracklets", "9-3"], "expected numbers like 3,4 or 3-6,9, not '9-3'"),
        (["split", "FOLDER", "person_01"], "one of the arguments --tracklets --at is required"),
        (["split", "FOLDER", "person_01", "--at", "soon"], "expected a time like 11.64, 0:11.64 or 1:02:11.640"),
        (["split", "FOLDER", "person_01", "--at", "9"], "not seen both before and after 9 s"),
        (["assign", "FOLDER", "person_01", "--tracklets", "7"], "there is no tracklet 7 (tracklets: 1,2)"),
        (["undo", "FOLDER"], "there is no correction to undo"),
        (["drop", "FOLDER"], "required: PERSON"),
        (["people", "nowhere"], "neither a video nor a folder with results"),
        (["people", "nowhere", "-o", "PARENT"], ": film; -o names another folder)"),
        (["render", "FOLDER", "--min-face", "0.1"], "unrecognized arguments: --min-face"),
        (["render", "FOLDER"], "its video film.mp4 cannot be found"),
        (["cache", "burn"], "invalid choice"),
        (["clean"], "--older-than"),
        (["clean", "--older-than", "30d", "-o", "nowhere"], "nowhere: is not a folder with results (-o names"),
        (["clean", "--older-than", "soon"], "like 30d, not 'soon'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(results, tmp_path, capsys, arguments, complaint):
    places = {"FOLDER": str(results), "PARENT": str(results.parent)}
    arguments = [places.get(argument, argument) for argument in arguments]
    if arguments[0] == "render":
        arguments += ["--cache-dir", str(tmp_path)]
    before = (results / "timeline.json").read_bytes()
    try:
        code: object = main.main(arguments)
    except SystemExit as end:
        code = end.code
    err = capsys.readouterr().err
    assert code == 2
    assert complaint in err and len(err.splitlines()) == 1
    assert (results / "timeline.json").read_bytes() == before


def test_the_cache_is_described_and_cleared(tmp_path, capsys):
    entry = tmp_path / "analyses" / f"{'a' * 64}.npz"
    entry.parent.mkdir()
    entry.write_bytes(bytes(2_000_000))
    code, out, err = run_main(capsys, "cache", "info", "--cache-dir", tmp_path, "--cache-mb", 10)
    assert (code, err) == (0, "")
    assert "analyses  1" in out and "2.0 of 10 MB" in out
    assert run_main(capsys, "cache", "--cache-dir", tmp_path, "--cache-mb", 10)[1] == out
    assert run_main(capsys, "cache", "clear", "--cache-dir", tmp_path)[1] == "1 analysis removed, 2.0 MB\n"
    assert not entry.exists()


def test_old_things_are_cleaned_away(results, tmp_path, capsys):
    entry, others = (tmp_path / "analyses" / f"{digits * 32}.npz" for digits in ("ab", "cd"))
    entry.parent.mkdir()
    for path in (entry, others):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    arguments = ["clean", "--older-than", "30d", "-o", results.parent, "--cache-dir", tmp_path]
    assert "1 would be removed" in run_main(capsys, *arguments, "--dry-run")[1]
    assert entry.exists()
    assert "1 removed" in run_main(capsys, *arguments)[1]
    assert not entry.exists() and others.exists() and results.exists()
    assert str(entry) in (results.parent / "clean.log").read_text()
