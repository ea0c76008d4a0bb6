"""The list of who speaks when: in time order, each turn with the clip that shows it."""

from __future__ import annotations

from typing import Any

from processors.pages.report_turns import turns_in_order


def person(name: str, turns: list[tuple[float, float]], clips: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "name": name,
        "anchor": name,
        "color": 0,
        "speaks": [{"start_s": start_s, "end_s": end_s} for start_s, end_s in turns],
        "clips": [
            {"start_s": start_s, "end_s": end_s, "anchor": f"{name}-{number}"}
            for number, (start_s, end_s) in enumerate(clips)
        ],
    }


def test_turns_are_in_time_order_with_the_clip_that_shows_them():
    anna = person("anna", [(1.0, 2.0), (5.0, 7.0), (9.0, 9.5)], [(0.5, 4.0), (5.5, 8.0)])
    berta = person("berta", [(1.5, 3.0)], [])
    found = turns_in_order([anna, berta])
    assert [(turn["name"], turn["start_s"], turn["anchor"], turn["at_s"]) for turn in found] == [
        ("anna", 1.0, "anna-0", 0.5),
        ("berta", 1.5, "berta", None),  # no clip shows it
        ("anna", 5.0, "anna-1", 0.0),  # it begins before the clip
        ("anna", 9.0, "anna", None),
    ]
