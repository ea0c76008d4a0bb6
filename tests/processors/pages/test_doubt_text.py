"""What is said about doubtful people."""

from __future__ import annotations

from msgspec.structs import replace

from processors.pages.doubt_text import current_doubts, doubt_text
from processors.results.manifest_people import ManifestDoubt
from processors.results.timeline_file import PersonEntry
from tests.material.page_material import a_manifest, a_timeline, as_manifest, as_timeline

MANIFEST = as_manifest(a_manifest())


def test_doubt_in_one_line():
    doubt = ManifestDoubt(doubtful=True, similarity=0.554, part=(3, 5), nearest="Anna", nearest_similarity=0.31)
    assert (
        doubt_text(doubt)
        == "doubtful: similarity of tracklets 3,5 to the others only 0.55; perhaps the same as Anna (0.31)"
    )
    assert doubt_text(replace(doubt, part=(3,), nearest_similarity=0.1)) == (
        "doubtful: similarity of tracklet 3 to the others only 0.55; most similar: Anna (0.10)"
    )
    assert doubt_text(replace(doubt, doubtful=False, similarity=0.9)) == "perhaps the same as Anna (0.31)"
    assert doubt_text(replace(doubt, doubtful=False, nearest_similarity=0.1)) == ""
    assert doubt_text(ManifestDoubt()) == ""


def people(*entries: tuple[str, tuple[int, ...]]):
    entries_made = tuple(PersonEntry(name=name, tracklets=own, segments=()) for name, own in entries)
    return replace(as_timeline(a_timeline()), people=entries_made)


def test_renamed_people_are_called_by_their_new_names():
    doubts = current_doubts(people(("Bob", (0, 1)), ("Zoë", (2,))), MANIFEST)
    assert list(doubts) == ["Bob"]
    assert doubts["Bob"].nearest == "Zoë" and doubts["Bob"].similarity == 0.55


def test_of_changed_people_nothing_is_said_and_the_dropped_are_nobodys_nearest():
    assert current_doubts(people(("person_01", (0,)), ("Zoë & co", (2,))), MANIFEST) == {}
    doubts = current_doubts(people(("person_01", (1, 0)), ("x", (2, 3))), MANIFEST)
    assert doubts["person_01"].nearest == "" and doubts["person_01"].doubtful
