"""Who speaks when, as the report lists it: all turns in time order, each with the clip that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def turns_in_order(people: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The turns of all people by their start: `start_s`, `end_s`, `name`, `anchor` and `at_s`.

    people: with `name`, `anchor`, `speaks` and `clips` as the report shows them, clips by their start. anchor: of the
    first clip that shows some of the turn, else of the person. at_s: when the turn begins, in that clip; None without.
    """
    return sorted(
        (_turn(person, turn) for person in people for turn in person["speaks"]),
        key=lambda turn: (turn["start_s"], turn["end_s"]),
    )


def _turn(person: Mapping[str, Any], turn: Mapping[str, Any]) -> dict[str, Any]:
    start_s, end_s = turn["start_s"], turn["end_s"]
    clip = next((clip for clip in person["clips"] if clip["start_s"] < end_s and clip["end_s"] > start_s), None)
    return {
        "start_s": start_s,
        "end_s": end_s,
        "name": person["name"],
        "color": person["color"],
        "anchor": person["anchor"] if clip is None else clip["anchor"],
        "at_s": None if clip is None else max(0.0, start_s - clip["start_s"]),
    }
