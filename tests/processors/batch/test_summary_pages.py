"""The summary and the pages of an output folder, made from the results in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import main
from processors.batch.batch_summary import BatchSummary, with_earlier
from processors.batch.input_result import InputResult
from processors.batch.summary_pages import rebuild_summary_pages, write_summary_pages
from tests.material.page_material import a_manifest


def make_results(output: Path, name: str) -> None:
    folder = output / name
    folder.mkdir(parents=True)
    manifest = a_manifest(name=f"{name}.mp4")
    manifest["files"] = [*manifest["files"], {"file": "report.html", "bytes": 1}]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def entries(output: Path) -> dict[str, dict[str, Any]]:
    return {entry["folder"]: entry for entry in json.loads((output / "summary.json").read_text())["inputs"]}


def result(name: str, status: Any = "done", **values: Any) -> InputResult:
    return InputResult(f"in/{name}.mp4", name, status, folder=name, path=f"/in/{name}.mp4", **values)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    output = tmp_path / "out"
    for name in ("a", "b"):
        make_results(output, name)
    return output


def test_it_is_made_again_from_the_results_alone(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["index", "-o", str(output), "-q"]) == 0
    assert "2 videos -> " in capsys.readouterr().out
    told = entries(output)
    assert list(told) == ["a", "b"]
    assert told["a"]["status"] == "cached"
    assert told["a"]["people"] == len(a_manifest()["people"])
    page = (output / "index.html").read_text()
    assert "a.mp4" in page
    assert "b.mp4" in page
    before = {name: (output / name).read_bytes() for name in ("summary.json", "index.html")}
    assert main.main(["index", "-o", str(output), "-q"]) == 0
    assert {name: (output / name).read_bytes() for name in before} == before


def test_what_runs_have_said_stays_unless_it_is_no_longer_so(output: Path) -> None:
    said = (result("a", wall_s=3.0), result("gone"), result("bad", "failed", reason="no video"))
    write_summary_pages(output, None, BatchSummary(said, 7.0))
    assert rebuild_summary_pages(output, None) == 2
    told = entries(output)
    assert {name: entry["status"] for name, entry in told.items()} == {"a": "done", "bad": "failed", "b": "cached"}
    assert (told["a"]["wall_s"], told["a"]["path"]) == (3.0, "/in/a.mp4")
    assert json.loads((output / "summary.json").read_text())["wall_s"] == 7.0


def test_a_run_knows_again_what_was_only_known_by_its_folder(output: Path) -> None:
    rebuild_summary_pages(output, None)
    summary = with_earlier(BatchSummary((result("a"),), 1.0), output)
    assert [entry.folder for entry in summary.earlier] == ["b"]


def test_whoever_comes_last_says_everything(output: Path) -> None:
    """Two calls about different inputs end one after the other."""
    write_summary_pages(output, None, BatchSummary((result("a"),), 1.0))
    write_summary_pages(output, None, BatchSummary((result("b"),), 1.0))
    assert sorted(entries(output)) == ["a", "b"]


def test_corrected_and_removed_results_are_counted_anew(output: Path) -> None:
    said = (result("a", people=9, clips=9), result("b"), result("c", "failed"), result("a", "duplicate"))
    write_summary_pages(output, None, BatchSummary(said, 7.0))
    shutil.rmtree(output / "b")
    write_summary_pages(output, None)
    told = json.loads((output / "summary.json").read_text())["inputs"]
    manifest = a_manifest()
    counts = (len(manifest["people"]), len(manifest["clips"]))
    assert [(entry["status"], entry["people"], entry["clips"]) for entry in told if entry["folder"] == "a"] == [
        ("done", *counts),
        ("duplicate", 0, 0),
    ]
    assert "b" not in entries(output)


def test_no_folder_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["index", "-o", str(tmp_path / "none")]) == 2
    assert "is not a folder with results" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
