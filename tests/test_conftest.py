"""The checks in tests/conftest.py work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import encodable

SKIPPING = """\
import pytest

@pytest.mark.skipif(True, reason={reason!r})
def test_by_mark(): ...

def test_by_call():
    pytest.skip({reason!r})
"""


@pytest.mark.parametrize(
    ("ci", "reason", "outcome"),
    [
        ("true", "missing on this machine: chromium", "1 failed, 1 error"),
        pytest.param("", "missing on this machine: chromium", "2 skipped", marks=pytest.mark.slow),
        pytest.param("true", "no CUDA device", "2 skipped", marks=pytest.mark.slow),
    ],
)
def test_in_ci_a_missing_tool_is_a_failure(ci: str, reason: str, outcome: str, tmp_path: Path, project: Path) -> None:
    (tmp_path / "test_skipping.py").write_text(SKIPPING.format(reason=reason))
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    settings = ["-p", "no:cacheprovider", "-c", str(project / ".pytest.ini")]
    command = [sys.executable, "-m", "pytest", *settings, str(tmp_path)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(project)}
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert outcome in done.stdout.splitlines()[-1], done.stdout


def test_a_report_of_a_name_that_is_not_utf8_can_be_sent() -> None:
    report = {"nodeid": "a", "sections": [("log", "a\udcff b")], "duration": 1.5, "longrepr": None, "when": ("ü", 1)}
    assert encodable(report) == {**report, "sections": [("log", "a\\udcff b")]}
