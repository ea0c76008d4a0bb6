"""speech.csv: who speaks when, one row for each turn of a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.types import Timeline
from processors.results.tracks_table import csv_field
from processors.speech.turns import Turn

SPEECH_FILE = "speech.csv"
SPEECH_HEADER = "person,start_s,end_s,score"


def speech_lines(timeline: Timeline, turns: Mapping[str, Sequence[Turn]]) -> Iterator[str]:
    """The lines without line ends, header first, by time and then in the order of people.

    turns: of each person by name. Times are on the clock of tracks.csv; the score is the mean log-odds.
    """
    yield SPEECH_HEADER
    order = {person.name: number for number, person in enumerate(timeline.people)}
    rows = [(turn.start_s, order[name], turn.end_s, turn.score, name) for name, own in turns.items() for turn in own]
    for start_s, _, end_s, score, name in sorted(rows):
        # Adding zero turns -0.000 into 0.000.
        yield f"{csv_field(name)},{start_s:.6f},{end_s:.6f},{round(score, 3) + 0.0:.3f}"
