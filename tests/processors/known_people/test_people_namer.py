"""Naming the people of a run's videos: when results are current, what edits do, and what a broken gallery costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from core.analysis_file import AnalysisRecord
from core.errors import ModelError
from core.settings_file import load_settings
from core.types import FaceAnalysis, Identity, Timeline
from processors.known_people import people_sources, reference_photos
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_videos import link_appearance
from processors.known_people.people_namer import FinishedNames, NamedBy, PeopleNamer, VideoNames, folder_digest
from processors.known_people.reference_photos import ReferencePhotos
from processors.known_people.video_names import chosen_folders, named_timeline
from tests.processors.known_people.people import EMBEDDER, photo, use_curve, video
from tests.processors.known_people.test_video_names import TIMELINE, analysis

MODELS = {"embedder": {"name": EMBEDDER.name, "sha256": EMBEDDER.weights_sha256}}
ONE = video("one").fingerprint


@pytest.fixture(autouse=True)
def made_up_faces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_curve(monkeypatch)
    monkeypatch.setattr(people_sources, "DEFAULT_PHOTOS", tmp_path / "videos" / "people")


class Networks:
    def describe(self) -> Mapping[str, Any]:
        return MODELS


class Photos:
    """Stands in for reading photos; counts how often that is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **people: int) -> None:
        self.people, self.reads, self.folder = people, 0, folder
        folder.mkdir()
        for name in people:
            (folder / f"{name}.jpg").write_bytes(name.encode())
        monkeypatch.setattr(reference_photos, "read_reference_photos", self.read)

    def read(self, folder: Path, models: object) -> ReferencePhotos:
        self.reads += 1
        photos = tuple(photo(number, name, str(folder.resolve())) for name, number in self.people.items())
        return ReferencePhotos(photos, (), ())


def record(first: int, second: int) -> AnalysisRecord:
    return AnalysisRecord("ab" * 32, analysis(first, second), MODELS, ())


def namer(folder: Path, **people: Any) -> PeopleNamer:
    return PeopleNamer(load_settings(None, {"people": people}), folder, Networks)  # type: ignore[arg-type]


def finished(names: VideoNames) -> FinishedNames:
    suggested = frozenset(f"P{p.match.suggestion.number:04d}" for p in names.people if p.match.suggestion)
    return FinishedNames({p.folder: (p.id, p.name) for p in names.people}, names.named_by, suggested)


def test_photos_are_read_once_for_all_runs(monkeypatch, tmp_path):
    photos = Photos(monkeypatch, tmp_path / "photos", Anna=1)
    for _ in range(2):
        run = namer(tmp_path, people=str(photos.folder))
        run.load_photos()
        run.load_photos()
    assert photos.reads == 1
    names = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert [(p.folder, p.id, p.match.source) for p in names.people] == [
        ("Anna", "P0001", "photo"),
        ("person_02", "P0002", "none"),
    ]
    assert run.is_current(ONE, finished(names))
    (photos.folder / "Anna.jpg").write_bytes(b"another one")
    assert not namer(tmp_path, people=str(photos.folder)).is_current(ONE, finished(names))


def test_without_a_gallery_photos_name_people_all_the_same(monkeypatch, tmp_path):
    photos = Photos(monkeypatch, tmp_path / "photos", Anna=1)
    run = namer(tmp_path, people=str(photos.folder), no_gallery=True)
    run.load_photos()
    names = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert [(p.folder, p.id) for p in names.people] == [("Anna", ""), ("person_02", "")]
    assert run.is_current(ONE, finished(names)) and not (tmp_path / "people.db").exists()
    assert not namer(tmp_path).is_current(ONE, finished(names)), "with a gallery, people have ids"


def test_a_name_makes_results_out_of_date(tmp_path):
    run = namer(tmp_path)
    names = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert run.is_current(ONE, finished(names))
    with Gallery(tmp_path / "people.db") as gallery:
        gallery.name("P0002", "Berta")
    assert not run.is_current(ONE, finished(names))
    again = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert [p.folder for p in again.people] == ["person_01", "Berta"]
    assert run.is_current(ONE, finished(again))
    assert again.named_by.gallery != names.named_by.gallery


def test_what_was_edited_holds_in_other_videos(tmp_path):
    run = namer(tmp_path)
    run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    people = (dataclasses.replace(TIMELINE.people[0], name="Anna", folder=""), TIMELINE.people[1])
    edited = Timeline(tuple(Identity(p.name, p.tracklets, p.segments) for p in people))
    names = run.name(ONE, record(1, 2), edited, "one", edited=True)
    assert [p.folder for p in names.people] == ["Anna", "person_02"]
    other = run.name(video("two").fingerprint, record(3, 1), TIMELINE, "two", edited=False)
    assert [(p.folder, p.id) for p in other.people] == [("person_01", "P0003"), ("Anna", "P0001")]


def test_the_gallery_has_the_last_word_about_edited_names(tmp_path):
    run = namer(tmp_path)
    run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    edited = Timeline((Identity("Anna", (0, 2), ()), Identity("person_02", (1,), ())))
    run.name(ONE, record(1, 2), edited, "one", edited=True)
    with Gallery(tmp_path / "people.db") as gallery:
        gallery.name("Anna", "Anna Maria")
    names = run.name(ONE, record(1, 2), edited, "one", edited=True)
    assert [p.folder for p in names.people] == ["Anna Maria", "person_02"]


def test_a_link_holds(tmp_path):
    run = namer(tmp_path)
    run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    run.name(video("two").fingerprint, record(5, 6), TIMELINE, "two", edited=False)
    with Gallery(tmp_path / "people.db") as gallery:
        link_appearance(gallery, "two", "person_01", "P0001")
    for _ in range(2):
        names = run.name(video("two").fingerprint, record(5, 6), TIMELINE, "two", edited=False)
        assert [p.id for p in names.people] == ["P0001", "P0004"]


def test_a_damaged_gallery_is_one_warning_and_costs_no_finished_names(tmp_path, caplog):
    names = namer(tmp_path).name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    damaged = b"not a database at all, and longer than its header" * 100
    (tmp_path / "people.db").write_bytes(damaged)
    run = namer(tmp_path)
    assert run.is_current(ONE, finished(names)), "names that are there are better than none"
    assert run.name(ONE, record(1, 2), TIMELINE, "one", edited=False).people == ()
    assert run.gallery_path is None
    assert sum("people.db" in entry.message for entry in caplog.records) == 1
    assert (tmp_path / "people.db").read_bytes() == damaged


def test_who_was_forgotten_is_suggested_no_more(tmp_path):
    run = namer(tmp_path)
    run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    names = run.name(video("two").fingerprint, record(3, 4), TIMELINE, "two", edited=False)
    told = dataclasses.replace(finished(names), suggested=frozenset({"P0001"}))
    assert run.is_current(video("two").fingerprint, told)
    with Gallery(tmp_path / "people.db") as gallery:
        gallery.forget("P0001")
    assert not run.is_current(video("two").fingerprint, told)


def test_looking_makes_no_gallery(tmp_path):
    run = namer(tmp_path)
    assert not run.is_current(ONE, FinishedNames({}, NamedBy()))
    assert list(tmp_path.iterdir()) == []


def test_photos_that_cannot_be_looked_at_are_a_warning(monkeypatch, tmp_path, caplog):
    photos = Photos(monkeypatch, tmp_path / "photos", Anna=1)

    def no_networks() -> Any:
        raise ModelError("there are no weights", stage="models")

    settings = load_settings(None, {"people": {"people": str(photos.folder)}})
    run = PeopleNamer(settings, tmp_path, no_networks)
    run.load_photos()
    names = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert [p.folder for p in names.people] == ["person_01", "person_02"]
    assert any("cannot be used to name people" in entry.message for entry in caplog.records)


def test_an_analysis_that_does_not_tell_its_network_goes_without_names(tmp_path):
    unknown = dataclasses.replace(record(1, 2), models={"device": "cpu"})
    assert namer(tmp_path).name(ONE, unknown, TIMELINE, "one", edited=False).people == ()


def test_an_empty_folder_needs_no_networks(monkeypatch, tmp_path):
    photos = Photos(monkeypatch, tmp_path / "photos")
    (photos.folder / ".gitkeep").touch()
    namer(tmp_path, people=str(photos.folder)).load_photos()
    assert photos.reads == 0


def test_an_empty_folder_that_was_named_is_a_warning(tmp_path, caplog):
    (tmp_path / "photos" / "2024" / "Anna").mkdir(parents=True)
    (tmp_path / "photos" / "2024" / "Anna" / "too deep.jpg").touch()
    one = namer(tmp_path, people=str(tmp_path / "photos"))
    one.load_photos()
    one.is_current(ONE, FinishedNames({}, NamedBy(), frozenset()))
    assert [r.getMessage().partition(" (")[0] for r in caplog.records if r.levelname == "WARNING"] == [
        f"{tmp_path / 'photos'}: has no photos, so it names nobody"
    ]
    caplog.clear()
    (tmp_path / "videos" / "people").mkdir(parents=True)
    namer(tmp_path).load_photos()
    assert not caplog.records


def test_photos_that_are_gone_name_nobody_new(monkeypatch, tmp_path):
    photos = Photos(monkeypatch, tmp_path / "photos", Anna=1)
    namer(tmp_path, people=str(photos.folder)).load_photos()
    (photos.folder / "Anna.jpg").unlink()
    photos.people = {}
    run = namer(tmp_path, people=str(photos.folder))
    run.load_photos()
    names = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert photos.reads == 2 and "photo" not in [p.match.source for p in names.people]


def test_the_digest_follows_the_photos(tmp_path):
    (tmp_path / "Anna").mkdir()
    (tmp_path / "Anna" / "a.jpg").write_bytes(b"1")
    before = folder_digest(tmp_path, ("dlib",))
    assert folder_digest(tmp_path, ("dlib",)) == before != folder_digest(tmp_path, ("facenet",))
    (tmp_path / "Anna" / "b.jpg").write_bytes(b"1")
    assert folder_digest(tmp_path, ("dlib",)) != before


@pytest.mark.parametrize(
    ("only", "folders"),
    [
        ("", {"Anna", "person_02"}),
        ("anna", {"Anna"}),
        ("P0002", {"person_02"}),
        ("Anna, p0002", {"Anna", "person_02"}),
        ("Zoe", set()),
    ],
)
def test_only_takes_names_ids_and_folders(tmp_path, only, folders):
    run = namer(tmp_path)
    run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    with Gallery(tmp_path / "people.db") as gallery:
        gallery.name("P0001", "Anna")
    names = run.name(ONE, record(1, 2), TIMELINE, "one", edited=False)
    assert chosen_folders(only, named_timeline(TIMELINE, names.people), names.people) == folders


def test_names_change_nothing_but_names(tmp_path):
    found: FaceAnalysis = analysis(1, 2)
    names = namer(tmp_path).name(ONE, AnalysisRecord("ab" * 32, found, MODELS, ()), TIMELINE, "one", edited=False)
    named = named_timeline(TIMELINE, names.people)
    assert [p.tracklets for p in named.people] == [p.tracklets for p in TIMELINE.people]
    assert Settings().people.only == ""
