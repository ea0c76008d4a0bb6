"""`main.py rename`: the results have the new name at once, and no clip is made again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import main
from processors.commands.people_editor import merge, rename
from processors.commands.timeline_edits import edit_people
from tests.processors.commands.test_folder_renderer import Studio, inodes, studio, video

__all__ = ["studio", "video"]


def rename_in(studio: Studio, old: str, new: str, *flags: str) -> int:
    place = ["-o", str(studio.output), "--cache-dir", str(studio.cache)]
    return main.main(["rename", "film", old, new, *place, *flags])


def people_in(folder: Path) -> set[str]:
    with (folder / "tracks.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["person"] for row in csv.DictReader(file)}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {person["name"] for person in manifest["people"]} == {clip["person"] for clip in manifest["clips"]} == rows
    assert {path.parent.name for path in folder.rglob("*.mp4")} == rows
    return rows


def test_folders_tables_pages_and_exports_have_the_new_name(studio):
    assert studio.run(output={"export": ["vtt", "mot"]}) == ["done"]
    before = inodes(studio)
    assert rename_in(studio, "person_01", "Anna") == 0
    assert people_in(studio.folder) == {"Anna", "person_02"}
    assert inodes(studio) == {name.replace("person_01", "Anna"): inode for name, inode in before.items()}
    assert "Anna" in (studio.folder / "people.vtt").read_text()
    for page in (studio.folder / "report.html", studio.output / "index.html", studio.output / "people.html"):
        assert "Anna" in page.read_text()
    assert not (studio.folder / "person_01").exists()
    assert studio.run() == ["cached"]


def test_people_are_listed_as_they_are_called_afterwards(studio, capsys):
    """`name` reaches the folders with the next run, and this is one; the list had the names before it."""
    assert main.main(["name", "P0002", "Berta", "-o", str(studio.output)]) == 0
    capsys.readouterr()
    assert rename_in(studio, "person_01", "Anna") == 0
    assert people_in(studio.folder) == {"Anna", "Berta"}
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["person", "Anna", "Berta"]


def test_a_rename_that_was_killed_is_completed_by_the_next_run(studio):
    before = inodes(studio)
    # What is there when the command dies before the results follow; how they are exchanged is tested elsewhere.
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    assert studio.run() == ["done"]
    assert people_in(studio.folder) == {"Anna", "person_02"}
    assert sorted(inodes(studio).values()) == sorted(before.values())


def test_without_the_video_only_the_timeline_is_changed_and_that_is_reported(studio, caplog):
    hidden = studio.video.rename(studio.video.with_suffix(".hidden"))
    try:
        assert rename_in(studio, "person_01", "Anna") == 0
    finally:
        hidden.rename(studio.video)
    assert "only timeline.json has the new name: film: its video film.mp4 cannot be found" in caplog.text
    assert people_in(studio.folder) == {"person_01", "person_02"}
    assert "Anna" in (studio.folder / "timeline.json").read_text()


def test_edits_that_wait_for_render_are_not_rendered(studio, caplog):
    caplog.set_level("INFO")
    edit_people(studio.folder, lambda film, rules: merge(film, rules, "person_01", ["person_02"], force=True))
    assert rename_in(studio, "person_01", "Anna") == 0
    assert "apply the earlier corrections" in caplog.text
    assert people_in(studio.folder) == {"person_01", "person_02"}
