"""people.html: the flags of the commands on it, and whom it asks about."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from processors.batch import people_pages
from processors.batch.people_pages import place_flags, write_people_pages
from processors.known_people.gallery import Gallery
from tests.processors.known_people.people import run, use_curve


@pytest.fixture
def default_output(tmp_path, monkeypatch):
    folder = tmp_path / "videos" / "output"
    folder.mkdir(parents=True)
    monkeypatch.setattr(people_pages, "OUTPUT_DIR", folder)
    return folder


def test_the_default_folder_needs_no_flag(default_output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert place_flags(default_output, default_output / "people.db") == ""
    relative = default_output.relative_to(tmp_path)
    assert place_flags(relative, relative / "people.db") == ""


def test_another_folder_and_another_gallery_are_named_for_the_shell(default_output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "it's 2024"
    assert shlex.split(place_flags(other, other / "people.db")) == ["-o", str(other)]
    assert shlex.split(place_flags(default_output, other / "all.db")) == ["--gallery", str(other / "all.db")]
    relative = other.relative_to(tmp_path)
    assert shlex.split(place_flags(relative, default_output / "people.db")) == [
        "-o",
        str(other),
        "--gallery",
        str(default_output / "people.db"),
    ]


def test_flags_of_a_folder_whose_name_is_not_text_can_be_written(tmp_path):
    flags = place_flags(tmp_path / "\udcff", tmp_path / "\udcff" / "people.db")
    assert flags.encode().startswith(b"-o ") and str(tmp_path) in flags


@pytest.mark.parametrize(("video_says", "asks"), [(0.05, False), (0.6, True), (None, True)])
def test_people_whom_a_video_keeps_apart_on_all_evidence_are_no_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, video_says: float | None, asks: bool
) -> None:
    """To the gallery two blurred people of one video looked alike by 0.95, and the page asked about them first."""
    use_curve(monkeypatch)
    (tmp_path / "one").mkdir()
    doubts = ({"nearest": "person_02", "nearest_similarity": video_says}, {"nearest_similarity": 0.9})
    people = [
        {"name": f"person_{k + 1:02d}", "tracklets": [2 * k, 2 * k + 1], "doubt": doubt}
        for k, doubt in enumerate(doubts)
    ]
    (tmp_path / "one" / "manifest.json").write_text(json.dumps({"people": people, "clips": []}))
    with Gallery(tmp_path / "people.db") as gallery:
        run(gallery, "one", [1, 1])
    write_people_pages(tmp_path, tmp_path / "people.db")
    assert ("One person or two?" in (tmp_path / "people.html").read_text()) == asks
