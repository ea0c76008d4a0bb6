from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import PersonOfVideo
from processors.known_people.gallery_videos import (
    follow_edits,
    link_appearance,
    number_of_appearance,
    unlink_appearance,
)
from processors.known_people.known_faces import KnownFaces
from tests.processors.known_people.people import CURVES, EMBEDDER, cast, faces, linked, photo, run, video

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery(tmp_path / "gallery.sqlite") as opened:
        yield opened


def edited(*people: tuple[str, tuple[int, ...]]) -> list[PersonOfVideo]:
    return [PersonOfVideo(label, tracklets) for label, tracklets in people]


def test_people_are_known_again_in_another_video(gallery: Gallery) -> None:
    assert run(gallery, "one", [1, 2]) == {"person_01": 1, "person_02": 2}
    assert run(gallery, "two", [3, 2, 1], first=50) == {"person_01": 3, "person_02": 2, "person_03": 1}
    gallery.name("P0002", "Berta")
    found = linked(gallery, "three", [2], first=90)[0]
    assert (found.number, found.name, found.match.source) == (2, "Berta", "gallery")
    assert found.match.similarity > 0.9 and found.match.margin > 0.9


def test_two_in_one_frame_are_never_one(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    found = run(gallery, "two", [1, 1], together=[("person_01", "person_02")], first=20)
    assert len(set(found.values())) == 2
    # Both fit as well as each other: which of them it is would be a guess.
    assert 1 not in found.values()


def test_a_person_who_is_split_in_one_video_is_one_person(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    assert run(gallery, "two", [1, 1], first=20) == {"person_01": 1, "person_02": 1}


def test_the_same_video_keeps_its_people(gallery: Gallery) -> None:
    first = run(gallery, "one", [1, 2])
    state = gallery.state
    assert run(gallery, "one", [1, 2]) == first
    assert gallery.state == state
    # Found in another order, by the same analysis.
    again = [replace(p, label=f"person_{2 - k:02d}") for k, p in enumerate(cast([1, 2]))]
    assert run(gallery, "one", again) == {"person_02": 1, "person_01": 2}


def test_a_new_analysis_of_a_video_finds_its_people_again(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    assert run(gallery, "one", [2, 1], analysis="b", first=50) == {"person_01": 2, "person_02": 1}
    assert [person.faces for person in gallery.people()] == [6, 6]


def test_what_a_finished_video_is_compared_with(gallery: Gallery) -> None:
    assert gallery.names_of(video("one")) == {}
    run(gallery, "one", [1, 2])
    gallery.name("P0002", "Berta")
    assert gallery.names_of(video("one")) == {"person_01": (1, ""), "person_02": (2, "Berta")}
    gallery.forget("P0001")
    assert gallery.names_of(video("one")) == {"person_02": (2, "Berta")}


def test_unlink_is_remembered_for_good(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    run(gallery, "two", [1], first=20)
    assert unlink_appearance(gallery, "two", "person_01") == 2
    assert gallery.apart() == {(1, 2)}
    assert run(gallery, "two", [1], first=20) == {"person_01": 2}
    # The two look alike: the next one is a rival of both, and not guessed.
    assert run(gallery, "three", [1], first=40) == {"person_01": 3}


def test_two_people_of_one_video_who_were_taken_for_one(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    assert run(gallery, "two", [1, 1], first=20) == {"person_01": 1, "person_02": 1}
    assert unlink_appearance(gallery, "two", "person_02") == 2
    assert gallery.apart() == {(1, 2)}
    assert run(gallery, "two", [1, 1], first=20) == {"person_01": 1, "person_02": 2}
    assert [person.faces for person in gallery.people()] == [12, 6]
    with pytest.raises(SettingsError, match=r"both are P0001 \(to separate one of its appearances"):
        gallery.set_apart("P0001", "P0001")


def test_link_is_remembered(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    run(gallery, "two", [2])
    assert link_appearance(gallery, "two", "person_01", "P0001") == 1
    assert run(gallery, "two", [2]) == {"person_01": 1}
    assert [person.number for person in gallery.people()] == [1]
    assert gallery.people()[0].faces == 12
    # What was linked by hand counts as their face from now on.
    assert run(gallery, "three", [2], first=30) == {"person_01": 1}


def test_unknown_appearances(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    with pytest.raises(SettingsError, match=r"one/person_09 is not in the gallery \(people of this video: person_01\)"):
        unlink_appearance(gallery, "one", "person_09")
    with pytest.raises(SettingsError, match=r"two/person_01 is not in the gallery \(run the video first"):
        unlink_appearance(gallery, "two", "person_01")
    with pytest.raises(SettingsError, match="nobody called 'Zoe'"):
        link_appearance(gallery, "one", "person_01", "Zoe")


def test_names_of_appearances_are_found_as_they_are_typed(gallery: Gallery) -> None:
    """In lower case, or decomposed, as macOS gives names of folders."""
    run(gallery, "one", [1, 2])
    follow_edits(gallery, video("one"), edited(("José", (0, 1)), ("person_02", (2, 3))))
    assert number_of_appearance(gallery, "one", unicodedata.normalize("NFD", "josé")) == 1
    assert unlink_appearance(gallery, "one", unicodedata.normalize("NFD", "José")) == 3
    assert [person.faces for person in gallery.people()] == [0, 6, 6]


def test_ids_that_are_given_up_by_links_and_edits_are_known(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    run(gallery, "two", [3], first=20)
    link_appearance(gallery, "two", "person_01", "P0001")
    assert gallery.person_now("P0003") == "P0001"
    follow_edits(gallery, video("one"), edited(("person_01", (0, 1, 2, 3))))
    assert gallery.person_now("P0002") == "P0001"
    # Whoever is separated may be any of those who had an id of their own.
    assert unlink_appearance(gallery, "two", "person_01") == 4
    assert gallery.person_now("P0002") == gallery.person_now("P0003") == ""
    assert unlink_appearance(gallery, "two", "person_01") == 5
    assert gallery.person_now("P0004") == "P0005"


def test_merging_in_a_video(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2, 3])
    after = follow_edits(gallery, video("one"), edited(("person_01", (0, 1, 2, 3)), ("person_03", (4, 5))))
    assert after == [("person_01", 1), ("person_03", 3)]
    assert [(person.number, person.faces) for person in gallery.people()] == [(1, 12), (3, 6)]


def test_splitting_in_a_video(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    after = follow_edits(gallery, video("one"), edited(("person_01", (0,)), ("person_02", (2, 3)), ("person_03", (1,))))
    assert after == [("person_01", 1), ("person_02", 2), ("person_03", 3)]
    assert gallery.apart() == {(1, 3)}
    assert [person.faces for person in gallery.people()] == [3, 6, 3]
    split = [replace(cast([1])[0], tracklets=(0,)), replace(cast([1])[0], label="person_03", tracklets=(1,))]
    assert run(gallery, "one", split) == {"person_01": 1, "person_03": 3}


def test_a_piece_of_a_divided_tracklet_is_somebody_else(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    people = edited(("person_01", (0,)), ("person_02", (2, 3)), ("person_03", (1, 4)))
    # 4 is the later part of 0: its person was split off, and is not taken for a newcomer.
    after = follow_edits(gallery, video("one"), people, {4: 0})
    assert after == [("person_01", 1), ("person_02", 2), ("person_03", 3)]
    assert gallery.apart() == {(1, 3)}
    # What the gallery had of 0 may show either of them.
    assert {person.number: person.faces for person in gallery.people()} == {1: 0, 2: 6, 3: 3}
    pieces = [
        PersonOfVideo("person_01", (0,), faces=faces(1, 0, 1)),
        PersonOfVideo("person_02", (2, 3), faces=faces(2, 2, 3) + faces(2, 3, 3, first=10)),
        PersonOfVideo("person_03", (1, 4), faces=faces(1, 1, 3, first=10) + faces(5, 4, 2)),
    ]
    follow_edits(gallery, video("one"), pieces, {4: 0})
    assert run(gallery, "one", pieces) == {"person_01": 1, "person_02": 2, "person_03": 3}
    assert {person.number: person.faces for person in gallery.people()} == {1: 1, 2: 6, 3: 5}
    state = gallery.state
    run(gallery, "one", pieces)
    assert gallery.state == state


def test_an_unknown_tracklet_that_is_given_to_somebody_brings_its_faces(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    follow_edits(gallery, video("one"), edited(("person_01", (0, 1, 7))))
    given = replace(cast([1])[0], tracklets=(0, 1, 7), faces=cast([1])[0].faces + faces(1, 7, 2, first=20))
    assert run(gallery, "one", [given]) == {"person_01": 1}
    assert gallery.people()[0].faces == 8


def test_a_name_that_is_taken_back_names_nobody(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    follow_edits(gallery, video("one"), edited(("Anna", (0, 1))))
    assert gallery.find("P0001").name == "Anna"
    follow_edits(gallery, video("one"), edited(("person_01", (0, 1))))
    assert gallery.find("P0001").name == ""


def test_a_name_that_a_photo_or_another_video_gave_is_not_taken_back(gallery: Gallery) -> None:
    gallery.keep_photos([photo(1, "Anna")], "/photos", EMBEDDER)
    run(gallery, "one", [1])
    follow_edits(gallery, video("one"), edited(("Anna", (0, 1))))
    follow_edits(gallery, video("one"), edited(("person_01", (0, 1))))
    assert gallery.find("P0001").name == "Anna"
    run(gallery, "two", [2])
    run(gallery, "three", [2], first=20)
    follow_edits(gallery, video("two"), edited(("Berta", (0, 1))))
    follow_edits(gallery, video("two"), edited(("person_01", (0, 1))))
    assert gallery.find("P0002").name == "Berta"


def test_renaming_in_a_video_names_the_person(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    follow_edits(gallery, video("one"), edited(("Anna", (0, 1)), ("person_02", (2, 3))))
    assert gallery.find("Anna").number == 1
    assert linked(gallery, "two", [1], first=20)[0].name == "Anna"


def test_renaming_to_somebody_who_is_known_links(gallery: Gallery) -> None:
    gallery.keep_photos([photo(5, "Anna")], "/photos", EMBEDDER)
    run(gallery, "one", [1, 2])
    after = follow_edits(gallery, video("one"), edited(("Anna", (0, 1)), ("person_02", (2, 3))))
    assert after == [("Anna", 1), ("person_02", 3)]
    assert gallery.find("Anna").faces == 7


def test_renaming_somebody_whom_a_photo_names_corrects_this_video_only(gallery: Gallery) -> None:
    gallery.keep_photos([photo(1, "Anna")], "/photos", EMBEDDER)
    run(gallery, "one", [1])
    run(gallery, "two", [1], first=20)
    follow_edits(gallery, video("two"), edited(("Berta", (0, 1))))
    assert [a.folder for a in gallery.find("Anna").appearances] == ["one"]
    assert [a.folder for a in gallery.find("Berta").appearances] == ["two"]
    assert len(gallery.apart()) == 1


def test_who_is_dropped_is_not_taken_up_again(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    follow_edits(gallery, video("one"), edited(("person_02", (2, 3))))
    assert [person.number for person in gallery.people()] == [2]
    assert run(gallery, "one", [1, 2]) == {"person_01": None, "person_02": 2}
    assert run(gallery, "one", cast([1, 2])[1:]) == {"person_02": 2}
    assert run(gallery, "one", [1, 2]) == {"person_01": None, "person_02": 2}


def test_an_edit_does_not_bring_back_who_was_forgotten(gallery: Gallery) -> None:
    run(gallery, "one", [1, 2])
    gallery.forget("P0001")
    after = follow_edits(gallery, video("one"), edited(("person_01", (0, 1)), ("Berta", (2, 3))))
    assert after == [("person_01", None), ("Berta", 2)]
    assert run(gallery, "one", [1, 2]) == {"person_01": None, "person_02": 2}


def test_pairs_that_may_be_one_are_suggested(gallery: Gallery) -> None:
    run(gallery, "one", [1])
    run(gallery, "two", [1], first=20)
    unlink_appearance(gallery, "two", "person_01")
    known = KnownFaces(EMBEDDER, CURVES)
    assert known.suggest_pairs(gallery, 10) == []  # somebody said that they are two
    run(gallery, "three", [1, 2], first=40)
    pairs = known.suggest_pairs(gallery, 10)
    assert {(p.first, p.second) for p in pairs} == {(1, 3), (2, 3)}
    assert all(p.similarity > 0.9 and 9 < p.settles <= 10 for p in pairs)
    assert len(known.suggest_pairs(gallery, 1)) == 1


_WORKER = """
import sys
import unicodedata
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from processors.known_people.gallery import Gallery
from tests.processors.known_people.people import run
with Gallery(Path(sys.argv[2])) as gallery:
    for number in range(10):
        run(gallery, f"{sys.argv[3]} {number}", [1, 2 + number], first=100 * number + int(sys.argv[4]))
"""


def test_two_processes_on_one_gallery_both_end_right(tmp_path: Path) -> None:
    path = tmp_path / "gallery.sqlite"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(PROJECT), str(path), name, offset],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, offset in (("left", "0"), ("right", "50"))
    ]
    ended = [(worker.communicate(timeout=120)[1], worker.returncode) for worker in workers]
    assert [code for _, code in ended] == [0, 0], ended
    with Gallery(path) as gallery:
        people = gallery.people()
        assert len(people) == 11
        assert sorted(len(person.appearances) for person in people) == [2] * 10 + [20]
        assert sum(person.faces for person in people) == 240
