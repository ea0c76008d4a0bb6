"""Rows of the gallery's tables; to be called inside a transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import SettingsError
from core.types import FloatArray
from processors.known_people.gallery_types import Appearance, EmbedderKey, GalleryFace
from processors.known_people.person_names import clean_name, folded, person_id, person_number
from utils.console.printable_text import ascii_safe

_APPEARANCES = (
    "SELECT v.folder, v.name, v.analysis, a.label, a.tracklets, a.person, a.decided, a.on_screen_s, a.clips"
    " FROM appearances a JOIN videos v ON v.id = a.video"
)


def change_state(rows: sqlite3.Connection, *change: object) -> None:
    """Note a change: the state becomes a digest of the one before and of the change."""
    before = rows.execute("SELECT digest FROM state").fetchone()[0]
    text = "\x1f".join([before, *map(str, change)])
    rows.execute("UPDATE state SET digest = ?", (hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),))


def new_person(rows: sqlite3.Connection, name: str = "") -> int:
    """The number of a new person, never used before or again."""
    number = rows.execute("INSERT INTO people (name, folded) VALUES (?, ?)", (name, folded(name))).lastrowid
    change_state(rows, "person", number, name)
    return int(number or 0)


def remove_if_empty(rows: sqlite3.Connection, number: int) -> None:
    """Remove a person without a name, a face and a video."""
    used = rows.execute(
        "SELECT EXISTS (SELECT 1 FROM people WHERE id = :n AND name <> '')"
        " OR EXISTS (SELECT 1 FROM faces WHERE person = :n) OR EXISTS (SELECT 1 FROM appearances WHERE person = :n)",
        {"n": number},
    ).fetchone()[0]
    if not used and rows.execute("DELETE FROM people WHERE id = ?", (number,)).rowcount:
        change_state(rows, "person gone", number)


def unite(rows: sqlite3.Connection, kept: int, gone: int, *, by_hand: bool = True) -> None:
    """Move everything of the person `gone` to `kept`. by_hand: a user said so; it was not inferred."""
    names = dict(rows.execute("SELECT id, name FROM people WHERE id IN (?, ?)", (kept, gone)).fetchall())
    # What was said to be two is now said to be one: the later word counts.
    rows.execute("DELETE FROM not_same WHERE a = ? AND b = ?", (min(kept, gone), max(kept, gone)))
    for a, b in rows.execute("SELECT a, b FROM not_same WHERE a = ? OR b = ?", (gone, gone)).fetchall():
        other = b if a == gone else a
        rows.execute("INSERT OR IGNORE INTO not_same VALUES (?, ?)", (min(kept, other), max(kept, other)))
    rows.execute("UPDATE appearances SET person = ? WHERE person = ?", (kept, gone))
    if by_hand:
        rows.execute("UPDATE appearances SET decided = 'user' WHERE person = ?", (kept,))
    rows.execute("UPDATE faces SET person = ? WHERE person = ?", (kept, gone))
    # Before the person goes, with whom the rows about earlier ids would go.
    rows.execute("UPDATE given_up SET person = ? WHERE person = ?", (kept, gone))
    rows.execute("DELETE FROM people WHERE id = ?", (gone,))
    note_given_up(rows, gone, kept)
    if not names[kept]:
        rows.execute("UPDATE people SET name = ?, folded = ? WHERE id = ?", (names[gone], folded(names[gone]), kept))
    change_state(rows, "unite", kept, gone)


def set_apart(rows: sqlite3.Connection, a: int, b: int) -> None:
    """Record that `a` and `b` are different people."""
    done = rows.execute("INSERT OR IGNORE INTO not_same VALUES (?, ?)", (min(a, b), max(a, b)))
    if done.rowcount > 0:
        change_state(rows, "apart", min(a, b), max(a, b))


def person_called(rows: sqlite3.Connection, name: str) -> int:
    """The number of the person called `name`, who is added if there is none."""
    found = rows.execute("SELECT id FROM people WHERE folded = ?", (folded(clean_name(name)),)).fetchone()
    return int(found[0]) if found is not None else new_person(rows, clean_name(name))


def give_up(rows: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Remove those people who have neither a name nor a face nor a video."""
    for number in sorted(set(numbers)):
        remove_if_empty(rows, number)


def note_given_up(rows: sqlite3.Connection, gone: int, person: int) -> None:
    """Keep that `gone`, if there is nobody of that number any more, is `person` now: see `person_now`."""
    rows.execute(
        "INSERT OR REPLACE INTO given_up SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM people WHERE id = ?)",
        (gone, person, gone),
    )


def number_of(rows: sqlite3.Connection, who: str) -> int:
    """The number of the person that `who`, an id or a name, stands for.

    Raises:
        SettingsError: there is nobody.
    """
    number = person_number(who)
    by_id = number is not None and rows.execute("SELECT id FROM people WHERE id = ?", (number,)).fetchone()
    found = (
        by_id
        or rows.execute(
            "SELECT id FROM people WHERE folded = ? AND folded <> ''", (folded(clean_name(who)),)
        ).fetchone()
    )
    if found:
        return int(found[0])
    if (now := person_now(rows, who)) is not None:
        # Not followed: the command would concern all the videos of both.
        raise SettingsError(
            f"{person_id(number or 0)} is {person_id(now)} now: the two are one person", hint=f"say {person_id(now)}"
        )
    raise SettingsError(f"nobody called {ascii_safe(who)!r} is in the gallery", hint="main.py people lists them")


def person_now(rows: sqlite3.Connection, who: str) -> int | None:
    """The number of the person with whom the id `who` was united; None if that is not known."""
    # A gallery of an earlier version that is only read has no such table.
    if rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'given_up'").fetchone() is None:
        return None
    found = rows.execute("SELECT person FROM given_up WHERE id = ?", (person_number(who),)).fetchone()
    return None if found is None else int(found[0])


@dataclass(frozen=True, slots=True)
class FaceSource:
    """What faces were seen in.

    origin: sha256 of the photo, or `VideoKey.text`. place: the folder of photos; "" for a video.
    """

    kind: Literal["photo", "video"]
    origin: str
    place: str = ""


def insert_faces(
    rows: sqlite3.Connection, person: int, faces: Iterable[GalleryFace], embedder: EmbedderKey, source: FaceSource
) -> None:
    """Add faces to a person. embedder: that made their vectors."""
    rows.executemany(
        "INSERT INTO faces (person, embedder, weights, vector, quality, source, origin, place, thumbnail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                person,
                embedder.name,
                embedder.weights_sha256,
                vector_bytes(face.vector),
                round(float(face.quality), 4),
                source.kind,
                source.origin if face.tracklet < 0 else video_origin(source.origin, face.tracklet),
                source.place,
                face.thumbnail,
            )
            for face in faces
        ],
    )


def video_origin(video: str, tracklet: int) -> str:
    """Where a face of a tracklet comes from; video: `VideoKey.text`."""
    return f"{video}#{tracklet}"


def video_of(origin: str) -> str:
    """The video that a face comes from, whose tracklet `video_origin` named."""
    return origin.partition("#")[0]


def origin_range(video: str) -> tuple[str, str]:
    """All origins of a video's faces lie from the first of these on and before the second."""
    return f"{video}#", f"{video}$"


def face_counts(rows: sqlite3.Connection, video: str, embedder: EmbedderKey) -> dict[str, int]:
    """How many faces a video has by origin, of those that the network `embedder` saw."""
    found = rows.execute(
        "SELECT origin, count(*) FROM faces WHERE origin >= ? AND origin < ? AND embedder = ? AND weights = ?"
        " GROUP BY origin",
        (*origin_range(video), embedder.name, embedder.weights_sha256),
    )
    return {str(origin): int(count) for origin, count in found}


def vector_bytes(vector: FloatArray) -> bytes:
    """`vector`, (D,) float32, as the gallery keeps it: D little-endian float16 numbers."""
    return vector.astype("<f2").tobytes()


def appearances_of(
    rows: sqlite3.Connection, person: int | None = None, *, video: str | None = None
) -> Iterator[Appearance]:
    """Appearances of a person, in a video, or all; by folder and label."""
    order = " ORDER BY v.folder, v.id, a.label"
    if person is not None:
        found = rows.execute(f"{_APPEARANCES} WHERE a.person = ?{order}", (person,))
    elif video is not None:
        found = rows.execute(f"{_APPEARANCES} WHERE v.fingerprint = ?{order}", (video,))
    else:
        found = rows.execute(_APPEARANCES + order)
    for folder, name, analysis, label, tracklets, number, decided, on_screen_s, clips in found:
        yield Appearance(
            folder, name, analysis, label, tracklets_of(tracklets), number, decided, float(on_screen_s), int(clips)
        )


def hide_appearances(rows: sqlite3.Connection, person: int) -> None:
    """Keep of a person's appearances only the tracklets, so that they are not taken up again; a label may be a name."""
    found = rows.execute("SELECT video, label, tracklets FROM appearances WHERE person = ?", (person,)).fetchall()
    for video, label, tracklets in found:
        rows.execute("DELETE FROM together WHERE video = ? AND (a = ? OR b = ?)", (video, label, label))
        rows.execute(
            "UPDATE appearances SET person = NULL, decided = 'forgotten', label = ? WHERE video = ? AND label = ?",
            (gone_label("forgotten", tracklets_of(tracklets)), video, label),
        )


def gone_label(decided: str, tracklets: Iterable[int]) -> str:
    """The label of somebody who was dropped or forgotten; no name can be equal to it."""
    return f"({decided}) {tracklets_text(tracklets)}"


def apart_pairs(rows: sqlite3.Connection) -> set[tuple[int, int]]:
    """Pairs of numbers, the lower first, of people known to be different: by a user's word or by a common frame."""
    said = rows.execute("SELECT a, b FROM not_same").fetchall()
    seen = rows.execute(
        "SELECT DISTINCT min(x.person, y.person), max(x.person, y.person) FROM together t"
        " JOIN appearances x ON x.video = t.video AND x.label = t.a"
        " JOIN appearances y ON y.video = t.video AND y.label = t.b"
        " WHERE x.person <> y.person"
    ).fetchall()
    return {(int(a), int(b)) for a, b in [*said, *seen]}


def note_together(rows: sqlite3.Connection, video: int, together: Iterable[tuple[str, str]]) -> None:
    """Replace the pairs of labels that were seen in one frame of a video. video: its id in the table."""
    rows.execute("DELETE FROM together WHERE video = ?", (video,))
    pairs = sorted({(min(a, b), max(a, b)) for a, b in together if a != b})
    rows.executemany("INSERT INTO together VALUES (?, ?, ?)", [(video, a, b) for a, b in pairs])


def tracklets_text(tracklets: Iterable[int]) -> str:
    """Numbers of tracklets as a column holds them."""
    return json.dumps(sorted(tracklets))


def tracklets_of(text: Any) -> tuple[int, ...]:
    """What `tracklets_text` made."""
    return tuple(int(number) for number in json.loads(text))
