"""speech.csv: a row for each turn."""

from __future__ import annotations

from core.types import Identity, Timeline
from processors.results.speech_table import SPEECH_HEADER, speech_lines
from processors.speech.turns import Turn


def test_turns_are_listed_by_time_with_quoted_names() -> None:
    timeline = Timeline((Identity("b", (0,), ()), Identity('a, "x"', (1,), ()), Identity("c", (2,), ())))
    turns = {"b": [Turn(1.0, 2.0, 0.5), Turn(3.0, 4.0, -0.0001)], 'a, "x"': [Turn(1.0, 1.5, 2.0)], "c": []}
    assert list(speech_lines(timeline, turns)) == [
        SPEECH_HEADER,
        "b,1.000000,2.000000,0.500",
        '"a, ""x""",1.000000,1.500000,2.000',
        "b,3.000000,4.000000,0.000",
    ]
