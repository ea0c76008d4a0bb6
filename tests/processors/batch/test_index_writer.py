"""The index of an output folder."""

from __future__ import annotations

import html
import json
import re
import weakref
from pathlib import Path

import msgspec
import pytest

from processors.batch import index_writer
from processors.batch.batch_summary import BatchSummary
from processors.batch.index_writer import IndexView, index_parts, index_values, write_index
from processors.batch.input_result import InputResult
from processors.pages import html_page
from processors.results.manifest import read_view
from processors.results.result_tree import MARK_FILE
from tests.material.allocated_memory import allocated_memory
from tests.material.page_material import HOSTILE, a_manifest

DONE = BatchSummary((InputResult("/in/a.mp4", "a", "done"),), 1.0)


def page_of(manifests, summary: BatchSummary) -> str:
    return "".join(index_parts(index_values(manifests, summary)))


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def view(**names: str) -> IndexView:
    return msgspec.json.decode(json.dumps(a_manifest(**names)), type=IndexView)


def put(output: Path, folder: str, **names: str) -> None:
    (output / folder).mkdir(parents=True)
    (output / folder / "manifest.json").write_text(json.dumps(a_manifest(**names)))


def test_videos_of_this_and_earlier_runs_with_their_people(tmp_path):
    put(tmp_path, "b ü", name="b ü.mp4")
    put(tmp_path, "a", name="a.mp4")
    write_index(tmp_path, DONE)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h2><a href="([^"]+)"', page) == ["a/report.html", "b%20%C3%BC/report.html"]
    # One of two people has clips.
    assert page.count('<img class="face"') == 2 and 'src="a/person_01/face.jpg"' in page
    text = text_of(page)
    assert "2 people, counted per video 2 more without a clip" in text and "1 person and 1 without a clip" in text
    assert "2 videos" in text and "4 clips" in text.replace("4  clips", "4 clips") and "0:25.6 of video" in text
    assert "Not done" not in text


def test_videos_in_folders_inside_folders_are_linked(tmp_path):
    put(tmp_path, "mon/a", name="a.mp4")
    put(tmp_path, "tue/a", name="a.mp4")
    (tmp_path / "other").mkdir()
    put(tmp_path / "other", "b", name="b.mp4")
    (tmp_path / "other" / MARK_FILE).touch()
    write_index(tmp_path, DONE)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h2><a href="([^"]+)"', page) == ["mon/a/report.html", "tue/a/report.html"]
    assert "a.mp4 (mon/a)" in page, "another output folder below this one has an index of its own"


def test_whoever_has_no_image_is_on_the_page_by_name(tmp_path):
    """Or the search for a name would leave out the videos of many people."""
    values = a_manifest()
    values["people"] = [{**values["people"][0], "name": f"Person {n}", "on_screen_s": 20.0 - n} for n in range(11)]
    page = page_of([("2024/may/a", msgspec.json.decode(json.dumps(values), type=IndexView))], DONE)
    assert "+3 Person 8, Person 9, Person 10" in text_of(page)
    assert "2024/may" in text_of(page)
    assert "11 to check" in text_of(page)


def test_one_is_singular(tmp_path):
    values = {**a_manifest(), "people": a_manifest()["people"][:1], "clips": a_manifest()["clips"][:1]}
    one = msgspec.json.decode(json.dumps(values), type=IndexView)
    text = text_of(page_of([("a", one)], DONE))
    assert "1 video 1 person , counted per video 1 clip" in text.replace(" ,", " ,").replace("person,", "person ,")


def test_where_nobody_has_a_clip_nobody_is_said_to_have_one():
    values = {**a_manifest(), "people": a_manifest()["people"][1:], "clips": []}
    brief = msgspec.json.decode(json.dumps(values), type=IndexView)
    text = text_of(page_of([("a", brief)], DONE))
    assert "1 person without a clip 0 clips" in text and "0:12.8, 1 person without a clip, 0 clips" in text
    assert "0 people" not in text


def test_failures_are_named_without_the_folders_of_this_machine():
    results = (
        InputResult("/secret/b.mp4", "b", "failed", "is no video"),
        InputResult("c", "c", "interrupted", "later"),
    )
    earlier = (InputResult("d.mp4", "d", "failed", "was broken"), InputResult("e.mp4", "e", "done"))
    page = page_of([], BatchSummary(results, 1.0, earlier=earlier))
    assert "d.mp4 failed: was broken" in text_of(page) and "e.mp4" not in page
    assert "b.mp4 failed: is no video" in text_of(page) and "c interrupted: later" in text_of(page)
    assert "secret" not in page


def test_hostile_names_are_text():
    summary = BatchSummary((InputResult(HOSTILE, "x", "failed", HOSTILE),), 1.0)
    page = page_of([("a", view(name=HOSTILE, person=HOSTILE))], summary)
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
    slow = BatchSummary(DONE.results, 99.0)
    pages = [page_of([("a", view())], summary) for summary in (DONE, slow)]
    assert pages[0] == pages[1]


def test_without_news_the_page_is_left_as_it_is(tmp_path):
    put(tmp_path, "a", name="a.mp4")
    write_index(tmp_path, DONE)
    path = tmp_path / "index.html"
    page, before = path.read_bytes(), path.stat().st_ino
    write_index(tmp_path, DONE)
    assert path.stat().st_ino == before
    path.write_bytes(page[:-1])  # as a full disk leaves it
    write_index(tmp_path, DONE)
    assert path.read_bytes() == page
    # What only the page of another version would not have: the state.
    path.write_bytes(re.sub(rb'<meta name="state".*?>\n', b"", page))
    write_index(tmp_path, DONE)
    assert path.read_bytes() == page
    put(tmp_path, "b", name="b.mp4")
    write_index(tmp_path, DONE)
    assert path.read_bytes() != page and "b.mp4" in path.read_text(encoding="utf-8")


def test_a_style_that_changed_makes_another_page(tmp_path, monkeypatch):
    for name in ("index.html.j2", "page.css", "search.css", "index.css", "search.js"):
        (tmp_path / name).write_bytes((html_page.TEMPLATES / name).read_bytes())
    first = index_values([("a", view())], DONE)["state"]
    monkeypatch.setattr(html_page, "TEMPLATES", tmp_path)
    assert index_values([("a", view())], DONE)["state"] == first
    (tmp_path / "index.css").write_text("p { color: red }")
    assert index_values([("a", view())], DONE)["state"] != first


def test_videos_of_one_name_are_distinguished(tmp_path):
    for folder in ("a", "a_2"):
        put(tmp_path, folder, name="a.mp4")
    put(tmp_path, "b", name="b.mp4")
    write_index(tmp_path, DONE)
    titles = re.findall(r"<h2><a[^>]*>([^<]*)<", (tmp_path / "index.html").read_text(encoding="utf-8"))
    assert titles == ["a.mp4 (a)", "a.mp4 (a_2)", "b.mp4"]


class Watched(IndexView, frozen=True, kw_only=True, weakref=True):
    """A manifest whose end of life can be observed."""


def test_one_manifest_is_in_memory_at_a_time(tmp_path, monkeypatch):
    seen: list[weakref.ref[Watched]] = []

    def watched(folder, _):
        assert not any(manifest() is not None for manifest in seen)
        manifest = read_view(folder, Watched)
        assert manifest is not None
        seen.append(weakref.ref(manifest))
        return manifest

    for number in range(300):
        put(tmp_path, f"v{number:03d}", name=f"{number}.mp4")
    monkeypatch.setattr(index_writer, "read_view", watched)
    write_index(tmp_path, DONE)
    assert len(seen) == 300 and seen[-1]() is None


def peak_bytes(output: Path) -> int:
    return allocated_memory(lambda: write_index(output, DONE)).peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_manifests(tmp_path):
    """Manifests of 50 kB each, of which the page shows one."""
    manifest = a_manifest()
    manifest["shots"] = [{"index": n, "start_s": float(n), "end_s": n + 1.0} for n in range(1000)]
    text = json.dumps(manifest)
    for number in range(200):
        (tmp_path / f"v{number:03d}").mkdir()
        (tmp_path / f"v{number:03d}" / "manifest.json").write_text(text)
        if number == 1:
            write_index(tmp_path, DONE)  # templates and the like are loaded once
            few = peak_bytes(tmp_path)
    assert peak_bytes(tmp_path) < few + 200 * 5000
