"""Whose segments become clips."""

from __future__ import annotations

from typing import Any

import pytest

from core.settings_file import load_settings
from core.types import Identity, Segment, Timeline
from processors.video.clip_choice import choose_clips
from tests.material.factories import face_analysis, tracklet

ANALYSIS = face_analysis([tracklet(0, range(10)), tracklet(1, range(4))])
LONG, SHORT = Segment("Anna", 0, 0, 10, (0,)), Segment("Zoe", 0, 0, 4, (1,))
TIMELINE = Timeline((Identity("Anna", (0,), (LONG,)), Identity("Zoe", (1,), (SHORT,))))


@pytest.mark.parametrize(
    ("settings", "people", "is_anybody_named"),
    [
        ({}, ["Anna", "Zoe"], True),
        ({"clip": {"min_time": 0.3}}, ["Anna"], True),
        ({"clip": {"min_time": 1}}, [], True),
        ({"people": {"only": "zoe"}}, ["Zoe"], True),
        ({"people": {"only": "zoe"}, "clip": {"min_time": 0.3}}, [], True),
        ({"people": {"only": "Bob"}}, [], False),
    ],
)
def test_names_and_times_decide(settings: dict[str, Any], people: list[str], is_anybody_named: bool) -> None:
    choice = choose_clips(TIMELINE, ANALYSIS, (), load_settings(None, settings), "a")
    assert sorted(segment.person for segment in choice.segments) == people
    assert choice.is_anybody_named == is_anybody_named


def test_who_is_left_out_for_being_brief_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    choose_clips(TIMELINE, ANALYSIS, (), load_settings(None, {"clip": {"min_time": 0.3}}), "a")
    assert "a: 1 person on screen for less than 0.3 s, without clips" in caplog.text
