from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import GalleryError, SettingsError
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_rows import vector_bytes
from processors.known_people.known_faces import KnownFaces
from tests.processors.known_people.people import CURVES, EMBEDDER, cast, photo, run, stored_bytes, vector


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sqlite"


def test_a_new_gallery_is_private_and_empty(path: Path) -> None:
    with Gallery(path) as gallery:
        assert gallery.people() == [] and gallery.state == ""
        run(gallery, "one", [1])
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_names_hold_and_are_unique(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1, 2])
        gallery.name("P0001", "Anna")
    with Gallery(path) as gallery:
        assert gallery.find("anna").number == 1 and gallery.find("p0001").name == "Anna"
        with pytest.raises(SettingsError, match="P0001 is called 'ANNA' already"):
            gallery.name("P0002", "ANNA")
        assert gallery.name("anna", "").name == ""


@pytest.mark.parametrize("name", ["P0009", "person_03", "unknown", "\u202e\n"])
def test_what_is_not_a_name(path: Path, name: str) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1])
        with pytest.raises(SettingsError):
            gallery.name("P0001", name)


def test_odd_names_are_kept_as_they_can_be_shown(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1, 2, 3])
        assert gallery.name("P0001", " AC/DC \n Ann ").name == "AC/DC Ann"
        assert gallery.name("P0002", "👩\u200d🚀").name == "👩\u200d🚀"
        assert len(gallery.name("P0003", "ä" * 300).name.encode()) == 254


def test_nobody_of_that_name(path: Path) -> None:
    with Gallery(path) as gallery, pytest.raises(SettingsError, match="nobody called 'Berta' is in the gallery"):
        gallery.find("Berta")


def test_an_id_that_was_given_up_says_who_it_is_now(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1, 2, 3])
        gallery.unite("P0002", "P0003")
        gallery.unite("P0001", "P0002")
        for given_up in ("P0002", "p0003"):
            with pytest.raises(SettingsError, match=f"{given_up.upper()} is P0001 now") as found:
                gallery.name(given_up, "Anna")
            assert "P0001" in found.value.hint and gallery.person_now(given_up) == "P0001"
        assert gallery.person_now("P0001") == gallery.person_now("P0099") == gallery.person_now("Anna") == ""
        gallery.forget("P0001")
        with pytest.raises(SettingsError, match="nobody called 'P0002'"):
            gallery.find("P0002")


def test_a_gallery_of_an_earlier_version_does_not_know_ids_that_were_given_up(path: Path) -> None:
    with Gallery(path) as gallery, gallery.file.writing() as rows:
        rows.execute("DROP TABLE given_up")
    with Gallery(path, for_reading=True) as gallery, pytest.raises(SettingsError, match="nobody called 'P0002'"):
        gallery.find("P0002")


def test_the_state_changes_with_what_is_in_it_and_with_nothing_else(tmp_path: Path) -> None:
    states = []
    for name in ("a", "b"):
        with Gallery(tmp_path / name) as gallery:
            seen = [gallery.state]
            run(gallery, "one", [1, 2])
            seen.append(gallery.state)
            gallery.name("P0001", "Anna")
            seen.append(gallery.state)
            gallery.set_apart("P0001", "P0002")
            seen.append(gallery.state)
            assert len(set(seen)) == 4
            gallery.name("P0001", "Anna")
            gallery.set_apart("P0002", "P0001")
            run(gallery, "one", [1, 2])
            assert gallery.state == seen[-1]
            states.append(seen)
    assert states[0] == states[1]


def test_photos_name_people_and_leave_with_the_folder(path: Path) -> None:
    with Gallery(path) as gallery:
        assert gallery.keep_photos([photo(1, "Anna"), photo(2, "Berta")], "/photos", EMBEDDER)
        assert not gallery.keep_photos([photo(2, "Berta"), photo(1, "Anna")], "/photos", EMBEDDER)
        assert run(gallery, "one", [1, 3]) == {"person_01": gallery.find("Anna").number, "person_02": 3}
        gallery.keep_photos([photo(4, "Dora", "/other")], "/other", EMBEDDER)
        assert gallery.find("Berta").photos == 1
        assert gallery.keep_photos([photo(1, "Anna")], "/photos", EMBEDDER)
        assert (gallery.find("Berta").photos, gallery.find("Anna").photos) == (0, 1)
        assert vector_bytes(vector(2, 99)) not in stored_bytes(path)


def test_a_photo_of_another_name_names_another_person(path: Path) -> None:
    with Gallery(path) as gallery:
        gallery.keep_photos([photo(1, "Anna")], "/photos", EMBEDDER)
        renamed = photo(1, "Anna")
        gallery.keep_photos([type(renamed)("Berta", renamed.sha256, "/photos", renamed.face)], "/photos", EMBEDDER)
        assert (gallery.find("Anna").photos, gallery.find("Berta").photos) == (0, 1)


def test_a_photo_names_somebody_who_is_known_without_a_name(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1, 2])
        gallery.keep_photos([photo(2, "Berta"), photo(3, "Carl")], "/photos", EMBEDDER)
        known = KnownFaces(EMBEDDER, CURVES)
        assert known.settle_photos(gallery) == 1
        berta = gallery.find("Berta")
        assert [(a.folder, a.label) for a in berta.appearances] == [("one", "person_02")]
        assert known.settle_photos(gallery) == 0
        assert gallery.find("Carl").appearances == ()


def test_forget_leaves_nothing_to_find(path: Path) -> None:
    with Gallery(path) as gallery:
        gallery.keep_photos([photo(1, "Anna"), photo(2, "Berta")], "/photos", EMBEDDER)
        run(gallery, "one", [1, 2, 3])
        traces = [vector_bytes(vector(1, k)) for k in (0, 1, 2, 10, 11, 12, 99)] + [
            b"jpeg of 1",
            b"photo of 1",
            b"Anna",
        ]
        assert all(trace in stored_bytes(path) for trace in traces)
        gone = gallery.forget("Anna")
        assert (gone.name, gone.faces, gone.places, gone.still_in_log) == ("Anna", 7, ("/photos",), "")
        assert [(a.folder, a.label, a.clips) for a in gone.appearances] == [("one", "person_01", 2)]
        assert gone.analyses == ("a" * 64,)
        left = stored_bytes(path)
        assert not any(trace in left for trace in traces)
        assert vector_bytes(vector(2, 0)) in left
        # The same video does not bring her back, and her number is nobody's again.
        assert run(gallery, "one", [1, 2, 3]) == {"person_01": None, "person_02": 2, "person_03": 3}
        assert vector_bytes(vector(1, 0)) not in stored_bytes(path)
        assert run(gallery, "two", [1])["person_01"] == 4
    assert not any(trace in stored_bytes(path) for trace in (b"photo of 1", b"Anna"))


def test_forget_takes_the_name_out_of_labels_too(path: Path) -> None:
    with Gallery(path) as gallery:
        people = [replace(cast([1])[0], label="Roswitha"), cast([1, 2])[1]]
        run(gallery, "one", people, together=[("Roswitha", "person_02")])
        gallery.name("P0001", "Roswitha")
        gallery.forget("Roswitha")
        assert b"Roswitha" not in stored_bytes(path)
        assert run(gallery, "one", cast([1, 2])) == {"person_01": None, "person_02": 2}


def test_forget_says_when_a_reader_keeps_the_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.known_people.gallery_file.WAIT_S", 0.1)
    with Gallery(path) as gallery:
        run(gallery, "one", [1])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM faces").fetchone()
        assert gallery.forget("P0001").still_in_log
        other.close()
        assert gallery.people() == []


def test_vectors_are_kept_in_half_precision(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1])
        known = KnownFaces(EMBEDDER, CURVES)
        with gallery.file.reading() as rows:
            stored = known.load(rows, [1])[0].videos
        exact = np.stack([face.vector for face in cast([1])[0].faces])
        assert np.abs(stored.vectors @ exact.T - exact @ exact.T).max() < 1e-4


def test_the_best_faces_come_first(path: Path) -> None:
    with Gallery(path) as gallery:
        people = cast([1])
        run(gallery, "one", people)
        assert gallery.thumbnails(1, 5) == [b"jpeg of 1"] * 2  # one of each tracklet
        assert gallery.thumbnails(1, 1) == [b"jpeg of 1"]
        assert gallery.thumbnails(7, 5) == []


def test_uniting_and_keeping_apart(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1, 2, 3], together=[("person_01", "person_03")])
        gallery.set_apart("P0002", "P0003")
        assert gallery.apart() == {(1, 3), (2, 3)}
        gallery.name("P0002", "Berta")
        assert gallery.unite("P0001", "Berta").name == "Berta"
        assert gallery.apart() == {(1, 3)}
        with pytest.raises(SettingsError, match="both are P0001 already"):
            gallery.unite("P0001", "Berta")
        with pytest.raises(SettingsError):
            gallery.set_apart("P0001", "Berta")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a database at all, but long enough to look like one" * 40, "damaged or no database"),
        (b"SQLite format 3\0" + bytes(4000), "damaged or no database"),
    ],
)
def test_a_damaged_gallery_is_one_clear_line(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(GalleryError, match=said) as caught:
        Gallery(path)
    assert path.read_bytes() == content and "\n" not in str(caught.value)


def test_damage_in_the_middle(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", list(range(30)))
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data) - 4096, 4096):
        data[page : page + 200] = b"\xff" * 200
    path.write_bytes(bytes(data))
    with pytest.raises(GalleryError, match="damaged"), Gallery(path) as gallery:
        run(gallery, "two", [1])


def test_another_programs_database_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE people (id INTEGER)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(GalleryError, match="another program's"):
        Gallery(path)
    assert path.read_bytes() == before


def test_a_newer_gallery_is_left_alone(path: Path) -> None:
    Gallery(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 2")
    other.close()
    with pytest.raises(GalleryError, match=r"newer version.*update the program"):
        Gallery(path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GalleryError, match="cannot be written"):
        Gallery(tmp_path / "file" / "gallery.sqlite")
    with pytest.raises(GalleryError):
        Gallery(tmp_path)


def test_a_locked_gallery(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.known_people.gallery_file.WAIT_S", 0.1)
    with Gallery(path) as gallery:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GalleryError, match="locked by another process"):
            run(gallery, "one", [1])
        other.execute("ROLLBACK")
        other.close()
        assert run(gallery, "one", [1]) == {"person_01": 1}


def test_a_failed_change_changes_nothing(path: Path) -> None:
    with Gallery(path) as gallery:
        run(gallery, "one", [1])
        state = gallery.state
        with pytest.raises(RuntimeError), gallery.file.writing() as rows:
            rows.execute("DELETE FROM people")
            raise RuntimeError
        assert gallery.state == state and len(gallery.people()) == 1


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("attempt to write a readonly database", "read-only"),
        ("unable to open database file", "read-only"),
        ("database or disk is full", "the disk is full"),
        ("database is locked", "locked by another process"),
        ("database disk image is malformed", "is damaged"),
        ("no such table: people", "a part of it is missing"),
        ("something new", "something new"),
    ],
)
def test_what_sqlite_complains_about_becomes_one_line(path: Path, complaint: str, said: str) -> None:
    with Gallery(path) as gallery, pytest.raises(GalleryError, match=said) as caught, gallery.file.writing():
        raise sqlite3.OperationalError(complaint)
    assert caught.value.hint and caught.value.path == path
