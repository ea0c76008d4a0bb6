"""Who may be in a photo: people of the gallery and people whom reference photos name, as one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import NamedPhoto
from processors.known_people.known_faces import KnownFaces
from processors.known_people.person_matching import KnownPerson
from processors.known_people.person_names import folded
from processors.known_people.video_names import known_by_photos


def known_in_gallery(gallery: Gallery, faces: KnownFaces) -> list[KnownPerson]:
    """Everybody in the gallery who has a face of the embedder of `faces`.

    Raises:
        GalleryError: the gallery cannot be read.
    """
    with gallery.file.reading() as rows:
        numbers = [row[0] for row in rows.execute("SELECT id FROM people ORDER BY id")]
        return [person for person in faces.load(rows, numbers) if len(person.photos) or len(person.videos)]


def with_photos(known: Sequence[KnownPerson], photos: Sequence[NamedPhoto]) -> list[KnownPerson]:
    """`known` with the faces of `photos` added to the people of their names; new people get the next numbers."""
    by_name = {folded(person.name): person for person in known if person.name}
    people = {person.number: person for person in known}
    for person in known_by_photos(photos):
        there = by_name.get(folded(person.name))
        if there is None:
            number = max(people, default=0) + 1
            people[number] = replace(person, number=number)
        else:
            people[there.number] = replace(there, photos=there.photos.joined(person.photos, one_appearance=True))
    return list(people.values())
