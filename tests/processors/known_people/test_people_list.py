from __future__ import annotations

import json
from pathlib import Path

import msgspec

from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import GalleryPerson
from processors.known_people.people_list import (
    SuggestionEntry,
    match_entry,
    people_lines,
    suggested_name,
    write_people_file,
)
from processors.known_people.person_matching import Match, Suggestion
from tests.processors.known_people.people import run


def test_everybody_with_their_videos(tmp_path: Path) -> None:
    with Gallery(tmp_path / "g") as gallery:
        run(gallery, "one", [1, 2])
        run(gallery, "two", [2], first=20)
        gallery.name("P0002", "Berta")
        people = gallery.people()
    write_people_file(tmp_path / "people.json", people)
    found = json.loads((tmp_path / "people.json").read_text())
    assert found == {
        "schema": 1,
        "people": [
            {
                "id": "P0002",
                "name": "Berta",
                "videos": [
                    {"folder": "one", "person": "person_02", "on_screen_s": 11.0, "clips": 2},
                    {"folder": "two", "person": "person_01", "on_screen_s": 10.0, "clips": 2},
                ],
            },
            {
                "id": "P0001",
                "name": "",
                "videos": [{"folder": "one", "person": "person_01", "on_screen_s": 10.0, "clips": 2}],
            },
        ],
    }
    assert list(people_lines(people)) == [
        "id     name   on screen  videos  clips  photos",
        "P0001            0:10.0       1      2       0",
        "P0002  Berta     0:21.0       2      4       0",
    ]


def test_what_a_manifest_says() -> None:
    match = Match(None, 0.41, 0.9, "none", Suggestion(3, "Anna", 0.41))
    assert msgspec.to_builtins(match_entry(match)) == {
        "similarity": 0.41,
        "margin": 0.9,
        "source": "none",
        "suggestion": {"id": "P0003", "name": "Anna", "similarity": 0.41},
    }
    assert suggested_name(SuggestionEntry(id="P0003", name="Anna", similarity=0.41)) == "Anna? 0.41"
    assert suggested_name(SuggestionEntry(id="P0003", name="", similarity=0.4)) == "P0003? 0.40"


def test_one_long_name_does_not_tear_the_table_apart() -> None:
    people = [GalleryPerson(1, "n" * 255, 1, 0, ()), GalleryPerson(2, "Anna", 1, 1, ())]
    lines = list(people_lines(people))
    assert {len(line) for line in lines} == {len(lines[0])} and len(lines[0]) < 100
