"""Log lines for programs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import main
from utils.console.json_log import JsonFormatter, log_context, open_log_file


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_line_is_an_object_with_video_and_stage(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "run.jsonl"
    log = logging.getLogger("some.module")
    log.propagate = False
    for _ in range(2):  # the second time it is appended
        handler = open_log_file(path)
        log.addHandler(handler)
        with log_context("film", "analyse"):
            log.error("cannot %s", "a\nb\udcff")
        log.error("after")
        log.removeHandler(handler)
        handler.close()
    first, second, *rest = read(path)
    assert len(rest) == 2
    assert (first["level"], first["video"], first["stage"]) == ("ERROR", "film", "analyse")
    assert first["message"] == "cannot a\nb\udcff"
    assert first["time"].endswith("+00:00")
    assert (second["video"], second["stage"]) == ("", "")


@pytest.mark.errors_expected
def test_a_run_with_a_log_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    path = tmp_path / "run.jsonl"
    arguments = [str(tmp_path / "bad.mp4"), "-o", str(tmp_path / "out"), "--quiet", "--log-file", str(path)]
    assert main.main(arguments) == 1
    entries = read(path)
    (failed,) = [e for e in entries if e["level"] == "ERROR"]
    assert (failed["video"], failed["stage"]) == ("bad", "probe")
    assert "not a video" in failed["message"]
    # Details, tracebacks among them, are in the file even where the terminal is to be quiet.
    assert any("InvalidVideoError" in e.get("traceback", "") for e in entries)
    assert "Traceback" not in capsys.readouterr().err
    assert not [h for h in logging.getLogger().handlers if isinstance(h.formatter, JsonFormatter)]


def test_a_log_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([str(tmp_path), "--log-file", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "the log cannot be written" in said and "name another file with --log-file" in said
