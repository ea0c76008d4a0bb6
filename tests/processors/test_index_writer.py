"""The index of an output folder."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from processors.batch_summary import BatchSummary, InputResult
from processors.index_writer import index_html, write_index
from tests.processors.page_material import HOSTILE, a_manifest

DONE = BatchSummary((InputResult("/in/a.mp4", "a", "done"),), 1.0)


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def put(output: Path, folder: str, **names: str) -> None:
    (output / folder).mkdir(parents=True)
    (output / folder / "manifest.json").write_text(json.dumps(a_manifest(**names)))


def test_videos_of_this_and_earlier_runs_with_their_people(tmp_path):
    put(tmp_path, "b ü", name="b ü.mp4")
    put(tmp_path, "a", name="a.mp4")
    write_index(tmp_path, DONE)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h2><a href="([^"]+)"', page) == ["a/report.html", "b%20%C3%BC/report.html"]
    # Of two people one has a picture.
    assert page.count('<img class="face"') == 2 and 'src="a/person_01/face.jpg"' in page
    text = text_of(page)
    assert "2 videos" in text and "4 clips" in text.replace("4  clips", "4 clips") and "0:25.6 of film" in text
    assert "Not done" not in text


def test_failures_are_named_without_the_folders_of_this_machine():
    results = (
        InputResult("/secret/b.mp4", "b", "failed", "is no video"),
        InputResult("c", "c", "interrupted", "later"),
    )
    page = index_html({}, BatchSummary(results, 1.0))
    assert "b.mp4 failed: is no video" in text_of(page) and "c interrupted: later" in text_of(page)
    assert "secret" not in page


def test_hostile_names_are_text():
    summary = BatchSummary((InputResult(HOSTILE, "x", "failed", HOSTILE),), 1.0)
    page = index_html({"a": a_manifest(name=HOSTILE, person=HOSTILE)}, summary)
    assert "<img src=x" not in page and page.count("<script>") == 1


def test_what_is_not_ours_is_left_out_and_left_alone(tmp_path, caplog):
    put(tmp_path, ".partial-a")
    for folder, text in {"damaged": "{", "other": '{"files": 3}', "list": "[]", "empty": "{}"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "manifest.json").write_text(text)
    (tmp_path / "nothing").mkdir()
    write_index(tmp_path, DONE)
    assert "0 videos" in text_of((tmp_path / "index.html").read_text())
    (tmp_path / "index.html").write_text("my own page")
    write_index(tmp_path, DONE)
    assert (tmp_path / "index.html").read_text() == "my own page" and "left alone" in caplog.text


def test_the_same_every_time_whatever_the_clock_says():
    assert index_html({"a": a_manifest()}, DONE) == index_html({"a": a_manifest()}, BatchSummary(DONE.results, 99.0))
