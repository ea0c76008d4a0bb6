"""The names of a video's people, before anything is rendered: folders carry them.

This is where the pipeline enters: `names_from_gallery` where there is a gallery, else `names_from_photos`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from config import EXTRA_FILES
from core.models.embedder_spec import link_curves_of
from core.types import Timeline
from processors.known_people.face_evidence import FaceSet
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import EmbedderKey, NamedPhoto
from processors.known_people.gallery_videos import Linked, record_video
from processors.known_people.known_faces import KnownFaces, video_people
from processors.known_people.naming_case import NamingCase
from processors.known_people.person_matching import KnownPerson, LinkRules, Match, link_people
from processors.known_people.person_names import clean_name, folded, folder_names, person_id
from processors.people.person_linker import identified

RESERVED_FOLDERS = (
    "contact.jpg", "index.html", "manifest.json", "report.html", "timeline.json", "timeline.json.bak", "tracks.csv",
    "unknown", *EXTRA_FILES.values(),
)  # fmt: skip
"""what lies beside the people's folders, or is called so in tracks.csv"""


@dataclass(frozen=True, slots=True)
class PersonName:
    """What a person of a video is called.

    label: in the timeline that was given. id: of the gallery, "" without one, or for somebody who was forgotten.
    name: "" where there is none. folder: the name where there is one, else the label; different for everybody.
    """

    label: str
    id: str
    name: str
    folder: str
    match: Match


def names_from_gallery(gallery: Gallery, known: KnownFaces, case: NamingCase) -> list[PersonName]:
    """Link the people of `case` to the gallery and record them in it; in the order of the timeline.

    Raises:
        GalleryError: the gallery cannot be used; nothing was changed, and the video goes without names.
    """
    linked = record_video(
        gallery,
        case,
        known.embedder,
        lambda free, decided, rows: known.link(free, case.together, decided, rows),
        lambda found: folders_of([(one.label, one.name) for one in found], _on_screen_s(case)),
    )
    return [_person_name(one) for one in linked]


def names_from_photos(
    photos: Sequence[NamedPhoto], embedder: EmbedderKey, case: NamingCase, rules: LinkRules | None = None
) -> list[PersonName]:
    """Name the people of `case` by photos alone; in the order of the timeline. embedder: of both.

    Raises:
        ModelError: the embedder has no calibration.
    """
    known = known_by_photos(photos)
    people = video_people(case.people, case.together)
    matches = link_people(people, known, link_curves_of(embedder.name), rules or LinkRules())
    called = {person.number: person.name for person in known}
    named = [(label, called.get(match.number or 0, "")) for label, match in matches.items()]
    return [
        PersonName(label, "", name, folder, matches[label])
        for (label, name), folder in zip(named, folders_of(named, _on_screen_s(case)), strict=True)
    ]


def known_by_photos(photos: Sequence[NamedPhoto]) -> list[KnownPerson]:
    """The people that photos show, numbered by name from 1."""
    by_name: dict[str, list[NamedPhoto]] = {}
    for photo in photos:
        by_name.setdefault(folded(photo.name), []).append(photo)
    nobody = FaceSet(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
    return [
        KnownPerson(
            number,
            own[0].name,
            FaceSet(
                np.stack([photo.face.vector for photo in own]),
                np.array([photo.face.quality for photo in own], np.float32),
            ),
            nobody,
        )
        for number, (_, own) in enumerate(sorted(by_name.items()), 1)
    ]


def folders_of(people: Sequence[tuple[str, str]], on_screen_s: Mapping[str, float] | None = None) -> list[str]:
    """A folder for each (label, name): the name where there is one, else the label, which stays as it is.

    on_screen_s: seconds by label. Of several people of one name, whoever is shown longest has it without a number, so
    that "Anna (2)" is not the one with the clips.
    """
    seconds = on_screen_s or {}
    folders = [label for label, _ in people]
    named = sorted((i for i, (_, name) in enumerate(people) if name), key=lambda i: -seconds.get(people[i][0], 0.0))
    labels = [label for label, name in people if not name]
    given = folder_names([people[i][1] for i in named], taken=[*RESERVED_FOLDERS, *labels])
    for i, folder in zip(named, given, strict=True):
        folders[i] = folder
    return folders


def named_timeline(timeline: Timeline, people: Sequence[PersonName]) -> Timeline:
    """`timeline` with the folders of `people`, which are in its order; as it is where there are none."""
    if not people:
        return timeline
    return replace(
        timeline,
        people=tuple(
            identified(person, named.id or named.folder, named.folder)
            for person, named in zip(timeline.people, people, strict=True)
        ),
    )


def numbered_timeline(timeline: Timeline) -> Timeline:
    """`timeline` with the names that people have before anybody knows them: person_01, person_02, ..."""
    people = (identified(person, f"person_{number:02d}") for number, person in enumerate(timeline.people, 1))
    return replace(timeline, people=tuple(people))


def chosen_folders(only: str, timeline: Timeline, people: Sequence[PersonName]) -> frozenset[str]:
    """The folders of those whom `only` means: a name or an id, or several with commas; "" means everybody.

    people: in the order of `timeline`, or none, where only folders tell who is meant.
    """
    folders = [person.name for person in timeline.people]
    if not only:
        return frozenset(folders)
    # A name may have a comma in it.
    wanted = {folded(clean_name(part)) for part in (only, *only.split(","))} - {""}
    called = [{folded(folder)} for folder in folders]
    for keys, person in zip(called, people, strict=False):
        keys |= {folded(person.name), folded(person.id)}
    return frozenset(folder for folder, keys in zip(folders, called, strict=True) if keys & wanted)


def _on_screen_s(case: NamingCase) -> dict[str, float]:
    return {person.label: person.on_screen_s for person in case.people}


def _person_name(linked: Linked) -> PersonName:
    number = "" if linked.number is None else person_id(linked.number)
    return PersonName(linked.label, number, linked.name, linked.folder, linked.match)
