"""The closing table, summary.json and the exit code."""

from __future__ import annotations

import json

import pytest

from core.errors import ModelError
from processors.batch.batch_summary import BatchSummary
from processors.batch.input_result import InputResult

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
    assert list(BatchSummary((DONE, CACHED, FAILED, STOPPED), 3.5).lines()) == [
        "a         2 people    5 clips    12.0 s in 3.0 s (4.0x)",
        "longer    1 person     1 clip      1:15  already done",
        "c.mp4   failed: is no video (try another)",
        "d       interrupted: not begun",
        "4 videos: 1 done, 1 cached, 1 failed, 1 interrupted; 6 clips; 3.5 s",
    ]


def test_summary_json_has_the_inputs_in_their_order(tmp_path):
    BatchSummary((FAILED, DONE), 3.5).write(tmp_path)
    value = json.loads((tmp_path / "summary.json").read_text())
    assert [(e["input"], e["status"], e["reason"], e["people"]) for e in value["inputs"]] == [
        ("in/c.mp4", "failed", "is no video (try another)", 0),
        ("in/a.mp4", "done", "", 2),
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]
