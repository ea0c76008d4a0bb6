"""Folders of known people are names that timeline.json may have: what is written can be read and edited again."""

from __future__ import annotations

import pytest

from processors.known_people.person_names import clean_name
from processors.known_people.video_names import folders_of
from processors.results.person_folders import check_name

ODD = (
    "Anna",
    "A/B",
    "..",
    "...hidden",
    "report.html",
    "Unknown",
    "\U0001f600 Zoe",
    "x" * 300,
    "ä" * 200,
    "preview.mp4",
    "a\tb",
    "con",
    "Person: one?",
    "-rf",
    " spaced ",
    "Ångström",
    "é",
    "mot.txt",
    "$HOME `x`",
)


@pytest.mark.parametrize("name", ODD)
def test_every_name_gives_a_folder_that_a_timeline_takes(name):
    for folder in folders_of([("person_01", clean_name(name)), ("person_02", clean_name(name).upper()), ("p", "")]):
        check_name(folder, None, "name")
