"""People are named in the order in which the videos were submitted, whatever the order of the questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.settings_file import load_settings
from core.types import Timeline
from processors.known_people import people_sources
from processors.known_people.gallery import Gallery
from processors.known_people.naming_case import NamingCase, case_of
from processors.known_people.people_namer import PeopleNamer
from processors.workers.job_link import ClipsMade, NamesQuestion, TurnQuestion
from processors.workers.naming_service import NamingService
from tests.processors.known_people.people import EMBEDDER, use_curve, video
from tests.processors.known_people.test_people_namer import Networks, Photos
from tests.processors.known_people.test_video_names import TIMELINE, analysis

CASTS = {"a": (1, 2), "b": (3, 1), "c": (4, 5)}
MARKS = {name: video(name).fingerprint for name in CASTS}


@pytest.fixture(autouse=True)
def made_up_faces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_curve(monkeypatch)
    monkeypatch.setattr(people_sources, "DEFAULT_PHOTOS", tmp_path / "videos" / "people")


def case(name: str, timeline: Timeline = TIMELINE) -> NamingCase:
    return case_of(video(name), EMBEDDER, analysis(*CASTS[name]), timeline)


def people_namer(folder: Path, **people: Any) -> PeopleNamer:
    def no_models() -> Any:
        raise AssertionError("there are no photos")

    return PeopleNamer(load_settings(None, {"people": people}), folder, no_models)


class RunningService:
    def __init__(self, namer: PeopleNamer | None) -> None:
        self.stop = threading.Event()
        self.service = NamingService(namer, self.stop)
        self.thread = threading.Thread(target=self.service.run, daemon=True)
        self.thread.start()

    def ask(self, name: str) -> Any:
        return self.service.ask(NamesQuestion(case(name)))


@pytest.fixture
def naming(tmp_path: Path) -> Iterator[RunningService]:
    made = RunningService(people_namer(tmp_path))
    yield made
    made.service.close()
    made.thread.join(10)


def ids(answer: Any) -> list[str]:
    return [person.id for person in answer.result(10).people]


def test_numbers_follow_the_order_of_submission(naming: RunningService, tmp_path: Path) -> None:
    for name in "abc":
        naming.service.expect(MARKS[name])
    late, middle = naming.ask("c"), naming.ask("b")
    assert not late.done() and not middle.done()
    early = naming.ask("a")
    # Somebody of b is somebody of a, who therefore has to be known first.
    assert [ids(early), ids(middle), ids(late)] == [["P0001", "P0002"], ["P0003", "P0001"], ["P0004", "P0005"]]
    one_process = people_namer(tmp_path / "other")
    (tmp_path / "other").mkdir()
    in_turn = [one_process.decide(case(name)) for name in "abc"]
    assert [early.result(), middle.result(), late.result()] == in_turn, "states of the gallery included"


def test_a_video_that_fails_holds_up_nobody(naming: RunningService) -> None:
    for name in "ab":
        naming.service.expect(MARKS[name])
    waiting = naming.ask("b")
    assert not naming.service.ask(TurnQuestion(MARKS["b"])).result(10)
    naming.service.leave(MARKS["a"])
    assert ids(waiting) == ["P0001", "P0002"]
    assert naming.service.ask(TurnQuestion(MARKS["b"])).result(10)


def test_a_retried_video_gets_its_names_again(naming: RunningService) -> None:
    for name in "ab":
        naming.service.expect(MARKS[name])
    first = naming.ask("a").result(10)
    assert ids(naming.ask("b")) == ["P0003", "P0001"]
    # By now there is more to compare with, and the gallery has another state.
    assert naming.ask("a").result(10) == first


def test_clips_are_noted(naming: RunningService, tmp_path: Path) -> None:
    naming.service.expect(MARKS["a"])
    naming.ask("a").result(10)
    naming.service.note(ClipsMade(MARKS["a"], {"person_01": 7})).result(10)
    with Gallery(people_namer(tmp_path).gallery_path or Path()) as gallery:
        assert [a.clips for a in gallery.find("P0001").appearances] == [7]


def test_without_a_gallery_nobody_waits(tmp_path: Path) -> None:
    naming = RunningService(people_namer(tmp_path, no_gallery=True))
    for name in "ab":
        naming.service.expect(MARKS[name])
    assert naming.ask("b").result(10).people == ()
    naming.service.close()
    naming.thread.join(10)


def test_photos_are_taken_up_by_the_driver_before_anybody_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = Photos(monkeypatch, tmp_path / "photos", Anna=1)
    namer = PeopleNamer(load_settings(None, {"people": {"people": str(photos.folder)}}), tmp_path, Networks)  # type: ignore[arg-type]
    naming = RunningService(namer)
    for name in "ab":
        naming.service.expect(MARKS[name])
    second, first = naming.ask("b"), naming.ask("a")
    # Anna is of both videos; the photo was there first.
    assert [person.name for person in first.result(10).people] == ["Anna", ""]
    assert [person.name for person in second.result(10).people] == ["", "Anna"]
    assert photos.reads == 1
    naming.service.close()
    naming.thread.join(10)


def test_what_goes_wrong_is_the_asking_video_s(naming: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("out of order")

    monkeypatch.setattr(PeopleNamer, "decide", broken)
    for name in "ab":
        naming.service.expect(MARKS[name])
    with pytest.raises(ValueError, match="out of order"):
        naming.ask("a").result(10)
    monkeypatch.undo()
    naming.service.leave(MARKS["a"])
    assert naming.service.is_turn(MARKS["b"])
