"""`python -m benchmarks` lists what there is, by question."""

from __future__ import annotations

import runpy
import sys

import pytest

from benchmarks.__main__ import FOLDER, QUESTIONS, benchmarks, listing, main


def test_every_question_has_benchmarks_with_a_line_each() -> None:
    found = {question: dict(benchmarks(question)) for question in QUESTIONS}
    assert {"people", "tracks"} <= set(found["quality"])
    assert {"whole_runs"} <= set(found["speed"]) and {"faults"} <= set(found["robustness"])
    assert all(line and not line.endswith(":") for lines in found.values() for line in lines.values())
    assert all(len(line) < 160 for line in listing())


def test_every_package_of_benchmarks_is_listed() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/*.py")} == set(QUESTIONS)


def test_names_are_used_once() -> None:
    names = [name for question in QUESTIONS for name, _ in benchmarks(question)]
    assert len(names) == len(set(names))


def test_a_wrong_name_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no_such"]) == 2
    assert "no_such" in capsys.readouterr().err


def test_what_is_run_gets_the_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    monkeypatch.setattr(runpy, "run_module", lambda name, **_: started.append((name, sys.argv[1:])))
    assert main(["tracks", "--keep", "x"]) == 0
    assert started == [("benchmarks.quality.tracks", ["--keep", "x"])]
