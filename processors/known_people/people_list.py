"""people.json and what the manifest says of names: everybody with the videos and clips that they are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from processors.known_people.gallery_types import GalleryPerson
from processors.known_people.person_matching import Match, Suggestion
from processors.known_people.person_names import person_id
from utils.console.printable_text import ascii_safe
from utils.console.text_width import columns, padded, shortened
from utils.files import write_bytes
from utils.time_formats import clock

PEOPLE_SCHEMA = 1
PEOPLE_FILE = "people.json"
NAME_COLUMNS = 40
"""of a longer name the table shows the beginning: one long name must not tear all lines apart"""


class VideoEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A person in one video. folder: of the video's results. person: their folder in it."""

    folder: str
    person: str
    on_screen_s: float
    clips: int


class PersonEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One person. name: "" where there is none."""

    id: str
    name: str
    videos: tuple[VideoEntry, ...]


class PeopleFile(msgspec.Struct, frozen=True, kw_only=True):
    """people.json."""

    schema: int = PEOPLE_SCHEMA
    people: tuple[PersonEntry, ...]


class SuggestionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who a person may be, for the manifest and the report."""

    id: str
    name: str
    similarity: float


class MatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`people[].match` of a manifest. similarity, margin: [0, 1], see `person_matching.Match`."""

    similarity: float
    margin: float
    source: str
    suggestion: SuggestionEntry | None = None


def people_file(people: Iterable[GalleryPerson]) -> PeopleFile:
    """Everybody who is in a video, those with a name first, by name; then by id."""
    shown = [person for person in people if person.appearances]
    shown.sort(key=lambda person: (not person.name, person.name.casefold(), person.number))
    return PeopleFile(
        people=tuple(
            PersonEntry(
                id=person.id,
                name=ascii_safe(person.name),
                videos=tuple(
                    VideoEntry(
                        folder=ascii_safe(a.folder),
                        person=ascii_safe(a.label),
                        on_screen_s=a.on_screen_s,
                        clips=a.clips,
                    )
                    for a in person.appearances
                ),
            )
            for person in shown
        )
    )


def write_people_file(path: Path, people: Iterable[GalleryPerson]) -> None:
    """Write people.json, atomically.

    Raises:
        OSError: it cannot be written.
    """
    write_bytes(path, msgspec.json.format(msgspec.json.encode(people_file(people)), indent=2) + b"\n")


def match_entry(match: Match) -> MatchEntry:
    """What a manifest says of a match."""
    return MatchEntry(
        similarity=match.similarity,
        margin=match.margin,
        source=match.source,
        suggestion=None if match.suggestion is None else _suggestion_entry(match.suggestion),
    )


def suggested_name(suggestion: SuggestionEntry) -> str:
    """A suggestion for the report: "Anna? 0.41"."""
    return f"{suggestion.name or suggestion.id}? {suggestion.similarity:.2f}"


def people_lines(people: Sequence[GalleryPerson]) -> Iterator[str]:
    """The table of people for a terminal, header first."""
    names = [shortened(person.name, NAME_COLUMNS) for person in people]
    width = max([len("name"), *(columns(name) for name in names)])
    yield f"id     {'name':<{width}}  on screen  videos  clips  photos"
    for person, name in zip(people, names, strict=True):
        shown = clock(sum(a.on_screen_s for a in person.appearances))
        clips = sum(a.clips for a in person.appearances)
        videos = len({a.folder for a in person.appearances})
        yield f"{person.id}  {padded(name, width)}  {shown:>9}  {videos:>6}  {clips:>5}  {person.photos:>6}"


def videos_lines(person: GalleryPerson) -> Iterator[str]:
    """The videos that a person is in, for a terminal, header first. `link` and `unlink` take the first column."""
    if not person.appearances:
        yield f"{person.id} {ascii_safe(person.name)}".rstrip() + " is in no video"
        return
    shown = [(ascii_safe(f"{a.folder}/{a.label}"), a) for a in person.appearances]
    width = max([len("person"), *(columns(place) for place, _ in shown)])
    yield f"{'person':<{width}}  on screen  clips"
    for place, appearance in sorted(shown, key=lambda pair: pair[0]):
        yield f"{padded(place, width)}  {clock(appearance.on_screen_s):>9}  {appearance.clips:>5}"


def _suggestion_entry(suggestion: Suggestion) -> SuggestionEntry:
    return SuggestionEntry(
        id=person_id(suggestion.number), name=ascii_safe(suggestion.name), similarity=suggestion.similarity
    )
