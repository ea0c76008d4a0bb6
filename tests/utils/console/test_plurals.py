"""One thing is named in the singular."""

from __future__ import annotations

from utils.console.plurals import count_of


def test_counts_have_their_number() -> None:
    assert count_of(1, "clip") == "1 clip"
    assert [count_of(2, "clip"), count_of(0, "person", "people")] == ["2 clips", "0 people"]
