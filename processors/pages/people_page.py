"""people.html: everybody in the videos of an output folder, with faces and clips, and pairs who may be one person."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from processors.pages.html_page import data_uri, page_parts, page_state
from processors.results.result_tree import REPORT_FILE
from utils.console.printable_text import ascii_safe
from utils.console.program_command import PROGRAM

PEOPLE_PAGE = "people.html"
_FILES = ("people.html.j2", ("page.css", "search.css", "people.css"), ("search.js", "people.js", "copy.js"))


@dataclass(frozen=True, slots=True)
class PageClip:
    """A clip. file: relative to the output folder. start_s, end_s: in the video."""

    file: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class PageVideo:
    """A person in one video. folder: of its results. video: its file name. person: their folder."""

    folder: str
    video: str
    person: str
    on_screen_s: float
    clips: tuple[PageClip, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PagePerson:
    """A person. name: "" without one. faces: JPEGs, the best first. photos: number of photos that name the person."""

    id: str
    name: str
    faces: Sequence[bytes]
    videos: tuple[PageVideo, ...]
    photos: int


@dataclass(frozen=True, slots=True, eq=False)
class PagePair:
    """Two people who may be one. first: the one whose name stays. face: a JPEG, or b""."""

    first_id: str
    first_name: str
    first_face: bytes
    second_id: str
    second_name: str
    second_face: bytes
    similarity: float


def people_state(people: Iterable[PagePerson], pairs: Sequence[PagePair], place_flags: str = "") -> str:
    """The `page_state` of the page about these people and pairs. place_flags: as for `people_parts`."""
    return page_state(*_FILES, itertools.chain(people, pairs, [place_flags]))


def people_parts(
    people: Iterable[PagePerson], count: int, pairs: Sequence[PagePair], *, place_flags: str = "", state: str = ""
) -> Iterator[str]:
    """The page, piece by piece.

    people: `count` of them, taken one at a time, because faces make a page large. place_flags: what the shown
    commands need to find the output folder and its gallery. state: of `people_state`.
    """
    values = {
        "state": state,
        "people": map(_person, people),
        "count": count,
        "command": PROGRAM,
        "flags": f" {place_flags}" if place_flags else "",
        "pairs": [
            {
                "first": _half(pair.first_id, pair.first_name, pair.first_face),
                "second": _half(pair.second_id, pair.second_name, pair.second_face),
                "similarity": pair.similarity,
            }
            for pair in pairs
        ],
    }
    return page_parts(*_FILES, values)


def _person(person: PagePerson) -> dict[str, object]:
    return {
        "id": person.id,
        "name": ascii_safe(person.name),
        "faces": [data_uri(jpeg) for jpeg in person.faces],
        "photos": person.photos,
        "on_screen_s": sum(video.on_screen_s for video in person.videos),
        "clips": sum(len(video.clips) for video in person.videos),
        "videos": [
            {
                "name": ascii_safe(video.video),
                "page": f"{video.folder}/{REPORT_FILE}",
                "label": f"{video.folder}/{video.person}",
                "on_screen_s": video.on_screen_s,
                "clips": video.clips,
            }
            for video in person.videos
        ],
    }


def _half(number: str, name: str, face: bytes) -> dict[str, str]:
    return {"id": number, "name": ascii_safe(name), "face": data_uri(face) if face else ""}
