"""The gallery: known people, their faces, and their appearances in videos. What users say takes precedence.

Every change is one transaction; `state` changes with each and with nothing else, so that a result can record the
state of the gallery that its names come from.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from core.errors import GalleryError, SettingsError
from processors.known_people.edit_memory import erase_edits
from processors.known_people.gallery_file import GalleryFile
from processors.known_people.gallery_rows import (
    FaceSource,
    apart_pairs,
    appearances_of,
    change_state,
    hide_appearances,
    insert_faces,
    number_of,
    person_called,
    person_now,
    set_apart,
    unite,
)
from processors.known_people.gallery_types import (
    Appearance,
    EmbedderKey,
    Forgotten,
    GalleryPerson,
    NamedPhoto,
    VideoKey,
)
from processors.known_people.person_names import checked_name, clean_name, folded, person_id
from utils.console.printable_text import ascii_safe


class Gallery:
    """One process's access to the gallery at `file`; a context manager. Not thread-safe."""

    def __init__(self, path: Path, *, for_reading: bool = False) -> None:
        """Open the gallery at `path`, or make it. for_reading: see `GalleryFile`.

        Raises:
            GalleryError: it cannot be used; the run continues without it.
        """
        self.file = GalleryFile(path, for_reading=for_reading)

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    @property
    def state(self) -> str:
        """Digest of everything in the gallery, 64 hexadecimal digits; "" for an empty one.

        The same changes in the same order give the same digits.
        """
        with self.file.reading() as rows:
            return str(rows.execute("SELECT digest FROM state").fetchone()[0])

    def people(self) -> list[GalleryPerson]:
        """Everybody, by number."""
        with self.file.reading() as rows:
            return _people(rows, rows.execute("SELECT id, name FROM people ORDER BY id").fetchall())

    def numbers(self) -> list[int]:
        """The numbers of all people."""
        with self.file.reading() as rows:
            return [int(row[0]) for row in rows.execute("SELECT id FROM people ORDER BY id")]

    def find(self, who: str) -> GalleryPerson:
        """The person that `who`, an id or a name, stands for.

        Raises:
            SettingsError: there is nobody.
        """
        with self.file.reading() as rows:
            number = number_of(rows, who)
            return _people(rows, rows.execute("SELECT id, name FROM people WHERE id = ?", (number,)).fetchall())[0]

    def names_of(self, video: VideoKey) -> dict[str, tuple[int | None, str]]:
        """What the people of a video are called now: number and name by label; empty if the video is unknown.

        A finished result is up to date if its manifest says the same.
        """
        with self.file.reading() as rows:
            names = dict(rows.execute("SELECT id, name FROM people").fetchall())
            found = appearances_of(rows, video=video.text)
            return {a.label: (a.person, names.get(a.person, "")) for a in found if not a.label.startswith("(")}

    def person_now(self, who: str) -> str:
        """The id of the person with whom the id `who` was united; "" if it was not, or is no id."""
        with self.file.reading() as rows:
            number = person_now(rows, who)
            return "" if number is None else person_id(number)

    def name(self, who: str, name: str) -> GalleryPerson:
        """Give the person a `name`; an empty one removes it.

        Raises:
            SettingsError: nobody is `who`, it is no name, or somebody else has it.
        """
        wanted = checked_name(name) if name.strip() else ""
        with self.file.writing() as rows:
            number = number_of(rows, who)
            other = rows.execute(
                "SELECT id FROM people WHERE folded = ? AND folded <> '' AND id <> ?", (folded(wanted), number)
            ).fetchone()
            if other is not None:
                raise SettingsError(
                    f"{person_id(other[0])} is called {ascii_safe(wanted)!r} already",
                    hint="link joins two people",
                )
            if rows.execute("SELECT name FROM people WHERE id = ?", (number,)).fetchone()[0] != wanted:
                rows.execute("UPDATE people SET name = ?, folded = ? WHERE id = ?", (wanted, folded(wanted), number))
                change_state(rows, "name", number, wanted)
        return self.find(person_id(number))

    def unite(self, who: str, other: str) -> GalleryPerson:
        """Merge two people; the name of `who` is kept, or the other's if there is none.

        Raises:
            SettingsError: nobody is `who` or `other`, or both are one already.
        """
        with self.file.writing() as rows:
            kept, gone = number_of(rows, who), number_of(rows, other)
            if kept == gone:
                raise SettingsError(f"both are {person_id(kept)} already", hint="there is nothing to link")
            unite(rows, kept, gone)
        return self.find(person_id(kept))

    def set_apart(self, who: str, other: str) -> None:
        """Record permanently that two people are not the same.

        Raises:
            SettingsError: nobody is `who` or `other`, or both are one.
        """
        with self.file.writing() as rows:
            a, b = sorted((number_of(rows, who), number_of(rows, other)))
            if a == b:
                hint = "to separate one of its appearances, name that: unlink VIDEO/PERSON"
                raise SettingsError(f"both are {person_id(a)}", hint=hint)
            set_apart(rows, a, b)

    def apart(self) -> set[tuple[int, int]]:
        """Pairs of numbers, the lower first, of people known to be different: by a user's word or by a common frame."""
        with self.file.reading() as rows:
            return apart_pairs(rows)

    def embedders(self) -> list[EmbedderKey]:
        """The networks that embedded the faces, the one with the most faces first."""
        with self.file.reading() as rows:
            found = rows.execute("SELECT embedder, weights FROM faces GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2")
            return [EmbedderKey(str(name), str(weights)) for name, weights in found]

    def thumbnails(self, number: int, count: int) -> list[bytes]:
        """The best faces of a person as JPEGs, the best first, at most one of a tracklet or photo."""
        with self.file.reading() as rows:
            found = rows.execute(
                "SELECT thumbnail, max(quality) FROM faces WHERE person = ? AND length(thumbnail) > 0"
                " GROUP BY origin ORDER BY 2 DESC, id LIMIT ?",
                (number, count),
            )
            return [bytes(row[0]) for row in found]

    def keep_photos(self, photos: Sequence[NamedPhoto], place: str, embedder: EmbedderKey) -> bool:
        """Replace the photos of the folder `place` by those given; True if that changed anything.

        The face of a photo that has left the folder is deleted; the person that it named keeps the name.
        """
        with self.file.writing() as rows:
            wanted = {(folded(clean_name(photo.name)), photo.sha256): photo for photo in photos}
            there = {
                (name, origin): number
                for number, origin, name in rows.execute(
                    "SELECT f.id, f.origin, p.folded FROM faces f JOIN people p ON p.id = f.person"
                    " WHERE f.source = 'photo' AND f.place = ? AND f.embedder = ? AND f.weights = ?",
                    (place, embedder.name, embedder.weights_sha256),
                )
            }
            gone = sorted({origin for _, origin in there.keys() - wanted.keys()})
            for origin in gone:
                rows.execute("DELETE FROM faces WHERE source = 'photo' AND place = ? AND origin = ?", (place, origin))
                change_state(rows, "photo gone", origin)
            new = [key for key in sorted(wanted.keys()) if key not in there or key[1] in gone]
            for key in new:
                photo = wanted[key]
                number = person_called(rows, photo.name)
                insert_faces(rows, number, [photo.face], embedder, FaceSource("photo", photo.sha256, place))
                change_state(rows, "photo", photo.sha256, number)
        if gone:
            # A reader may keep the log for now; it is emptied when the last one leaves.
            with contextlib.suppress(GalleryError):
                self.file.scrub()
        return bool(gone or new)

    def photo_digest(self, place: str) -> str:
        """What `note_photo_digest` last recorded for the folder `place`; "" if nothing."""
        with self.file.reading() as rows:
            found = rows.execute("SELECT digest FROM photo_folders WHERE place = ?", (place,)).fetchone()
            return "" if found is None else str(found[0])

    def note_photo_digest(self, place: str, digest: str) -> None:
        """Record that the gallery has the current photos of the folder `place`; does not change `state`."""
        with self.file.writing() as rows:
            rows.execute("INSERT OR REPLACE INTO photo_folders VALUES (?, ?)", (place, digest))

    def forget(self, who: str) -> Forgotten:
        """Delete a person with vectors, thumbnails and links. Their number stays in finished results, unused.

        They are not added again from known videos; in new videos they are somebody new, without a name.

        Raises:
            SettingsError: nobody is `who`.
        """
        with self.file.writing() as rows:
            number = number_of(rows, who)
            name = rows.execute("SELECT name FROM people WHERE id = ?", (number,)).fetchone()[0]
            shown = tuple(appearances_of(rows, number))
            faces = rows.execute("SELECT count(*) FROM faces WHERE person = ?", (number,)).fetchone()[0]
            places = [
                row[0]
                for row in rows.execute(
                    "SELECT DISTINCT place FROM faces WHERE person = ? AND source = 'photo' ORDER BY place", (number,)
                )
            ]
            hide_appearances(rows, number)
            erase_edits(rows, number)
            rows.execute("DELETE FROM people WHERE id = ?", (number,))
            change_state(rows, "forget", number)
        left = ""
        try:
            self.file.scrub()
        except GalleryError as error:  # the person is gone all the same
            left = error.message
        analyses = tuple(sorted({appearance.analysis for appearance in shown}))
        return Forgotten(number, name, faces, tuple(places), analyses, shown, left)


def _people(rows: sqlite3.Connection, found: Sequence[tuple[int, str]]) -> list[GalleryPerson]:
    seen: dict[int, list[Appearance]] = {}
    for appearance in appearances_of(rows, found[0][0] if len(found) == 1 else None):
        if appearance.person is not None:
            seen.setdefault(appearance.person, []).append(appearance)
    counts = {
        person: (faces, photos)
        for person, faces, photos in rows.execute(
            "SELECT person, count(*), sum(source = 'photo') FROM faces GROUP BY person"
        )
    }
    return [
        GalleryPerson(number, name, *counts.get(number, (0, 0)), tuple(seen.get(number, ()))) for number, name in found
    ]
