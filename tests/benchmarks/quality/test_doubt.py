"""Which labelled faces lie in whose folder."""

from __future__ import annotations

from collections import Counter

from benchmarks.quality.doubt import faces_of_people, is_mixed


def row(frame: int, person: str, left: float) -> dict[str, str]:
    box = {"x1": left, "y1": 0, "x2": left + 40, "y2": 40}
    return {"frame": str(frame), "person": person, **{name: str(value) for name, value in box.items()}}


def test_every_labelled_face_counts_for_the_person_who_has_it():
    labelled = [row(0, "Anna", 0), row(0, "Bob", 100), row(1, "Anna", 0), row(2, "Bob", 0), row(3, "Bob", 0)]
    tracked = [row(0, "person_02", 104), row(0, "person_01", 4), row(1, "person_01", 0), row(2, "person_01", 0)]
    tracked += [row(3, "person_01", 300), row(9, "person_01", 0)]
    assert faces_of_people(labelled, tracked) == {"person_01": {"Anna": 2, "Bob": 1}, "person_02": {"Bob": 1}}


def test_mixed_people_have_a_tenth_of_somebody_else():
    assert is_mixed(Counter(Anna=9, Bob=1)) and not is_mixed(Counter(Anna=91, Bob=9)) and not is_mixed(Counter(Anna=3))
