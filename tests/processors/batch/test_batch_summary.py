"""The closing table, summary.json and the exit code."""

from __future__ import annotations

import json

import pytest

from core.errors import ModelError
from processors.batch.batch_summary import BatchSummary, last_summary, with_earlier
from processors.batch.input_result import InputResult
from processors.batch.summary_pages import rebuilt_summary

DONE = InputResult("in/a.mp4", "a", "done", people=2, clips=5, duration_s=12.0, wall_s=3.0)
CACHED = InputResult("in/b.mp4", "longer", "cached", people=1, clips=1, duration_s=75.0)
FAILED = InputResult("in/c.mp4", "c", "failed", "is no video (try another)")
STOPPED = InputResult("in/d.mp4", "d", "interrupted", "not begun")


@pytest.mark.parametrize(
    ("summary", "code"),
    [
        (BatchSummary((DONE, CACHED), 1.0), 0),
        (BatchSummary((), 1.0), 0),
        (BatchSummary((DONE, FAILED), 1.0), 1),
        (BatchSummary((FAILED, STOPPED), 1.0, fatal=ModelError("gone")), 3),
        (BatchSummary((FAILED, STOPPED), 1.0, interrupted=True), 130),
        (BatchSummary((FAILED, STOPPED), 1.0, fatal=ModelError("gone"), interrupted=True), 130),
    ],
)
def test_exit_codes(summary, code):
    assert summary.exit_code == code


def test_the_table_has_a_line_for_each_and_one_for_all():
    assert list(BatchSummary((FAILED, DONE, STOPPED, CACHED), 3.5).lines()) == [
        "a         2 people    5 clips    12.0 s in 3.0 s (4.0x)",
        "longer    1 person     1 clip      1:15  already done",
        "c.mp4   failed: is no video (try another)",
        "d       interrupted: not begun",
        "4 videos: 1 done, 1 already done, 1 failed, 1 interrupted; 6 clips; 3.5 s",
    ]


def test_an_interrupted_run_says_how_to_go_on():
    lines = list(BatchSummary((DONE, STOPPED), 3.5, interrupted=True).lines())
    assert lines[-1] == "interrupted; the same command does what is left"


def test_failed_files_of_one_name_are_shown_by_their_paths():
    """Two lines "a.mp4 failed" did not tell which card held the bad one."""
    bad = [InputResult(f"{card}/a.mp4", card, "failed", "is empty") for card in ("monday", "tuesday")]
    lines = list(BatchSummary((*bad, FAILED), 1.0, earlier=(failed_at("x/b"), failed_at("y/b"))).lines())
    assert [line.split("  ")[0] for line in lines[:3]] == ["monday/a.mp4", "tuesday/a.mp4", "c.mp4"]
    assert "x/b, y/b" in lines[-1]
    beside_a_good_one = BatchSummary((bad[0], InputResult("tuesday/a.mp4", "a", "done", folder="a")), 1.0)
    assert list(beside_a_good_one.lines())[1].startswith("monday/a.mp4  failed")


def test_wide_letters_do_not_shift_the_table():
    wide = InputResult("in/x.mp4", "\u6771\u4eac", "cached", people=1, clips=1, duration_s=75.0)
    lines = list(BatchSummary((wide, CACHED), 1.0).lines())
    assert lines[:2] == [
        "\u6771\u4eac      1 person     1 clip      1:15  already done",
        "longer    1 person     1 clip      1:15  already done",
    ]


def test_summary_json_has_the_inputs_in_their_order(tmp_path):
    BatchSummary((FAILED, DONE), 3.5).write(tmp_path)
    value = json.loads((tmp_path / "summary.json").read_text())
    assert [(e["input"], e["status"], e["reason"], e["people"]) for e in value["inputs"]] == [
        ("in/c.mp4", "failed", "is no video (try another)", 0),
        ("in/a.mp4", "done", "", 2),
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def failed_at(path: str) -> InputResult:
    return InputResult(path, "x", "failed", "is no video", path=path)


def test_failures_of_earlier_runs_stay_until_the_input_is_done(tmp_path):
    """A second run used to take every failure of the first out of summary.json and index.html."""
    done = InputResult("b", "b", "done", people=1, clips=2, folder="b", path="/in/b")
    (tmp_path / "b").mkdir()
    BatchSummary((failed_at("/in/a"), failed_at("/in/c"), done), 1.0).write(tmp_path)
    again = with_earlier(BatchSummary((InputResult("../in/c", "c", "done", path="/in/c"),), 1.0), tmp_path)
    assert [(r.path, r.status, r.last_run) for r in again.earlier] == [
        ("/in/a", "failed", False),
        ("/in/b", "done", False),
    ]
    assert again.exit_code == 0, "it is about this run"
    assert list(again.lines())[-1] == "not done since an earlier run: a; see summary.json"
    again.write(tmp_path)
    read = last_summary(tmp_path)
    assert (read.earlier, [r.path for r in read.results]) == (again.earlier, ["/in/c"])
    third = with_earlier(BatchSummary((InputResult("a", "a", "done", path="/in/a"),), 1.0), tmp_path)
    assert [r.path for r in third.earlier if r.status == "failed"] == []
    assert "not done" not in " ".join(third.lines())


def test_an_undone_input_that_was_removed_is_forgotten(tmp_path):
    """Unless its whole folder is away, as on a drive that is unplugged."""
    there, gone, away = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "drive" / "c.mp4"
    there.touch()
    failed = [InputResult(path.name, path.stem, "failed", "broken", path=str(path)) for path in (there, gone, away)]
    BatchSummary(tuple(failed), 1.0).write(tmp_path)
    found = [result.label for result in with_earlier(BatchSummary((), 1.0), tmp_path).earlier]
    assert found == ["a.mp4", "c.mp4"]
    rebuilt, _ = rebuilt_summary(tmp_path)
    assert [result.label for result in rebuilt.results] == ["a.mp4", "c.mp4"]


def test_results_that_are_no_longer_there_are_forgotten(tmp_path):
    BatchSummary((InputResult("b", "b", "done", folder="b", path="/in/b"),), 1.0).write(tmp_path)
    assert with_earlier(BatchSummary((), 1.0), tmp_path).earlier == ()


@pytest.mark.parametrize("text", ["", "[]", '{"inputs": [1]}', '{"inputs": [{"input": "a", "status": "?"}]}', "{"])
def test_a_summary_that_cannot_be_read_says_nothing(tmp_path, text):
    (tmp_path / "summary.json").write_text(text)
    assert last_summary(tmp_path) == BatchSummary((), 0.0)


def test_a_summary_from_before_paths_were_recorded_is_known_by_the_input(tmp_path):
    entry = {"input": "in/a", "folder": "a", "status": "failed", "reason": "is no video"}
    (tmp_path / "summary.json").write_text(json.dumps({"schema": 1, "inputs": [entry]}))
    assert [r.label for r in with_earlier(BatchSummary((), 1.0), tmp_path).earlier] == ["in/a"]
    now = InputResult("in/a", "a", "done", path="/in/a")
    assert with_earlier(BatchSummary((now,), 1.0), tmp_path).earlier == ()
