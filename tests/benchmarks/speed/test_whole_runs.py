"""What the speed benchmark reports: figures of commands, and extrapolations of programs too slow for a whole video."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.processes import Usage, measure
from benchmarks.speed.whole_runs import Measured, stage_table

CHILD = "import time; block = bytearray(60_000_000); time.sleep(0.5)"
PARENT = f"""
import subprocess, sys
block = bytearray(100_000_000)
subprocess.run([sys.executable, "-c", {CHILD!r}])
sum(i * i for i in range(2_000_000))
"""


def test_a_command_is_measured_with_its_children(tmp_path: Path) -> None:
    usage = measure([sys.executable, "-c", PARENT], tmp_path / "log.txt")
    assert usage.exit_code == 0
    assert usage.wall_s >= 0.5 and usage.cpu_s > 0.05
    assert 95 < usage.peak_mib < 150, "the largest process alone"
    if sys.platform == "linux":
        assert usage.tree_mib > usage.peak_mib + 50, "both together"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_that_continues_with_the_same_program_is_counted(tmp_path: Path) -> None:
    """As the program's worker does, which its supervisor forks."""
    forked = "import os, time\nif os.fork():\n    os.wait()\nelse:\n    b = bytearray(80_000_000); time.sleep(1.5)"
    assert measure([sys.executable, "-c", forked], tmp_path / "log.txt").peak_mib > 80


def test_a_failure_is_reported_and_its_words_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert measure([sys.executable, "-c", "raise SystemExit('no such video')"], log).exit_code == 1
    assert "no such video" in log.read_text()


def usage(wall_s: float) -> Usage:
    return Usage(0, wall_s, 2 * wall_s, 500, 600)


def test_only_what_exceeds_the_start_is_extrapolated() -> None:
    measured = Measured([usage(5.0), usage(9.0), usage(6.0)], start=usage(4.0), frames=11, share=10.0)
    assert measured.median(lambda u: u.wall_s) == 6.0
    assert measured.whole(lambda u: u.wall_s) == pytest.approx(4.0 + 10 * 2.0)
    assert measured.whole(lambda u: u.cpu_s) == pytest.approx(8.0 + 10 * 4.0)


def test_a_whole_video_is_not_extrapolated() -> None:
    assert Measured([usage(5.0), usage(7.0), usage(6.0)]).whole(lambda u: u.wall_s) == 6.0


def test_the_stage_table_has_the_longest_stage_first_and_a_column_for_each_video() -> None:
    def figures(**stages: float) -> dict[str, object]:
        spent = {name: {"calls": 1, "wall_s": seconds, "cpu_s": 0.0} for name, seconds in stages.items()}
        return {"stages": spent, "wall_s": 9.0, "cpu_s": 8.0, "children_cpu_s": 1.0}

    lines = stage_table({"a": figures(decode=1.0, embed=0.5), "b": figures(decode=2.0, track=4.0)})
    assert lines[0] == "| stage | a | b |"
    assert lines[2:5] == ["| track | - | 4.00 |", "| decode | 1.00 | 2.00 |", "| embed | 0.50 | - |"]
    assert lines[-1] == "| whole run | 9.00 | 9.00 |"
