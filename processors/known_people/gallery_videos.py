"""The people of a video and the gallery: taken up after the analysis, corrected when somebody edits the result."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import SettingsError, ascii_safe
from processors.known_people.edited_people import edited_owners
from processors.known_people.gallery import Gallery, give_up, number_of, set_apart
from processors.known_people.gallery_rows import (
    apart_pairs,
    appearances_of,
    change_state,
    gone_label,
    insert_faces,
    new_person,
    tracklets_of,
    tracklets_text,
    video_origin,
)
from processors.known_people.gallery_types import Appearance, EmbedderKey, PersonOfVideo, VideoKey
from processors.known_people.person_linker import Decisions, Match

Linker = Callable[[Sequence[PersonOfVideo], Decisions, sqlite3.Connection], Mapping[str, Match]]
"""says who is who; gets the transaction's connection, so that it sees what no other process can change meanwhile"""


@dataclass(frozen=True, slots=True)
class Linked:
    """A person of a video with the person of the gallery. number: None where they were dropped or forgotten."""

    label: str
    number: int | None
    name: str
    match: Match


def record_video(
    gallery: Gallery,
    video: VideoKey,
    embedder: EmbedderKey,
    people: Sequence[PersonOfVideo],
    together: Iterable[tuple[str, str]],
    link: Linker,
) -> list[Linked]:
    """Link the people of a video to known ones, or make new ones of them; what was settled before stays.

    The same video with the same analysis and an unchanged gallery changes nothing, `Gallery.state` included.

    Raises:
        GalleryError: the gallery cannot be written; nothing was changed.
    """
    with gallery.file.writing() as rows:
        number = _video(rows, video)
        before = list(appearances_of(rows, video=video.text))
        held, gone = _settled(before, people) if _same_analysis(before, video) else ({}, {})
        shown = {t for person in people for t in person.tracklets}
        apart = apart_pairs(rows)
        free = [person for person in people if person.label not in gone]
        matches = link(free, Decisions(held, (), apart), rows)
        owners: dict[str, int | None] = {}
        for person in people:
            match = matches.get(person.label, Match())
            owners[person.label] = None if person.label in gone else match.number or new_person(rows)
        decided = {**{a.label: a.decided for a in before}, **gone}
        entries: list[tuple[PersonOfVideo, int | None, str]] = [
            (person, owners[person.label], decided.get(person.label, "auto")) for person in people
        ]
        entries += [
            (PersonOfVideo(gone_label(a.decided, a.tracklets), a.tracklets), None, a.decided)
            for a in before
            if a.person is None and _same_analysis(before, video) and shown.isdisjoint(a.tracklets)
        ]
        _write(rows, number, video, embedder, entries, before)
        _note_together(rows, number, together)
        give_up(rows, [a.person for a in before if a.person is not None])
        names = dict(rows.execute("SELECT id, name FROM people").fetchall())
        return [
            Linked(label, owner, "" if owner is None else names[owner], matches.get(label, Match()))
            for label, owner in owners.items()
        ]


def follow_edits(gallery: Gallery, video: VideoKey, people: Sequence[PersonOfVideo]) -> list[tuple[str, int | None]]:
    """Take over what somebody made of a video's timeline: merged, split, renamed and dropped people.

    A new label that is a name names the person, or links to who has that name. Parts of a split person are remembered
    as two. Who is in no person any more is not taken up again. Returns label and number of everybody.

    Raises:
        GalleryError: the gallery cannot be written; nothing was changed.
    """
    with gallery.file.writing() as rows:
        before = list(appearances_of(rows, video=video.text))
        forgotten = {t for a in before if a.decided == "forgotten" for t in a.tracklets}
        number = _video(rows, video)
        seen = [p for p in people if not (p.tracklets and set(p.tracklets) <= forgotten)]
        owners = edited_owners(rows, before, seen)
        for person in seen:
            _move_faces(rows, video, person.tracklets, owners[person.label])
        kept = {t for person in people for t in person.tracklets}
        lost = {t for a in before for t in a.tracklets} - kept
        _delete_faces(rows, video, lost)
        hidden = [p for p in people if p.label not in owners]
        entries: list[tuple[PersonOfVideo, int | None, str]] = [(p, owners[p.label], "user") for p in seen]
        entries += [(p, None, "forgotten") for p in hidden]
        for decided, gone in (("dropped", lost - forgotten), ("forgotten", lost & forgotten)):
            if gone:
                entries.append((PersonOfVideo(gone_label(decided, gone), tuple(sorted(gone))), None, decided))
        _write(rows, number, video, None, entries, before)
        give_up(rows, {a.person for a in before if a.person is not None} | set(owners.values()))
        return [(person.label, owners.get(person.label)) for person in people]


def link_appearance(gallery: Gallery, folder: str, label: str, who: str) -> int:
    """Say that a video's person is `who`, an id or a name; returns the number.

    Raises:
        SettingsError: there is no such person, here or there.
    """
    with gallery.file.writing() as rows:
        number = number_of(rows, who)
        _give(rows, folder, label, number)
    return number


def unlink_appearance(gallery: Gallery, folder: str, label: str) -> int:
    """Say that a video's person is not who it is linked to; it becomes a new one. Remembered for good.

    Raises:
        SettingsError: there is no such person.
    """
    with gallery.file.writing() as rows:
        old = _appearance(rows, folder, label)[2]
        number = new_person(rows)
        _give(rows, folder, label, number)
        if old is not None and rows.execute("SELECT 1 FROM people WHERE id = ?", (old,)).fetchone():
            set_apart(rows, old, number)
    return number


def _video(rows: sqlite3.Connection, video: VideoKey) -> int:
    found = rows.execute("SELECT id FROM videos WHERE fingerprint = ?", (video.text,)).fetchone()
    if found is None:
        found = rows.execute(
            "INSERT INTO videos (fingerprint, name, folder, analysis) VALUES (?, ?, ?, ?) RETURNING id",
            (video.text, video.name, video.folder, video.analysis),
        ).fetchone()
    return int(found[0])


def _same_analysis(before: Sequence[Appearance], video: VideoKey) -> bool:
    return bool(before) and before[0].analysis == video.analysis


def _settled(before: Sequence[Appearance], people: Sequence[PersonOfVideo]) -> tuple[dict[str, int], dict[str, str]]:
    """Who is whom by the tracklets of an earlier run; and who was dropped or forgotten, with which of it."""
    owner = {t: a for a in before for t in a.tracklets}
    held: dict[str, int] = {}
    gone: dict[str, str] = {}
    for person in people:
        votes = Counter((a.person, a.decided) for t in person.tracklets if (a := owner.get(t)) is not None)
        if not votes:
            continue
        number, decided = max(votes, key=lambda vote: (votes[vote], -(vote[0] or 0)))
        if number is None:
            gone[person.label] = decided
        else:
            held[person.label] = number
    return held, gone


def _write(
    rows: sqlite3.Connection,
    number: int,
    video: VideoKey,
    embedder: EmbedderKey | None,
    entries: Sequence[tuple[PersonOfVideo, int | None, str]],
    before: Sequence[Appearance],
) -> None:
    """Make the appearances of a video those given, and its faces too where an embedder is named."""
    old = sorted((a.label, a.tracklets, a.person, a.decided) for a in before)
    new = sorted((p.label, tuple(sorted(p.tracklets)), owner, decided) for p, owner, decided in entries)
    rows.execute(
        "UPDATE videos SET name = ?, folder = ?, analysis = ? WHERE id = ?",
        (video.name, video.folder, video.analysis, number),
    )
    rows.execute("DELETE FROM appearances WHERE video = ?", (number,))
    rows.executemany(
        "INSERT INTO appearances VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, p.label, tracklets_text(p.tracklets), owner, decided, round(p.on_screen_s, 3), p.clips)
            for p, owner, decided in entries
        ],
    )
    if embedder is not None and not (
        _same_analysis(before, video) and old == new and _has_faces(rows, video, embedder)
    ):
        low, high = video_origin(video.text, 0)[:-1], f"{video.text}$"  # every origin of the video lies between
        rows.execute(
            "DELETE FROM faces WHERE origin >= ? AND origin < ? AND embedder = ? AND weights = ?",
            (low, high, embedder.name, embedder.weights_sha256),
        )
        for person, owner, _ in entries:
            if owner is not None:
                insert_faces(rows, owner, person.faces, embedder, "video", video.text)
        change_state(rows, "faces", video.text, video.analysis, embedder.name, embedder.weights_sha256)
    if old != new:
        change_state(rows, "video", video.text, *[value for entry in new for value in entry])


def _has_faces(rows: sqlite3.Connection, video: VideoKey, embedder: EmbedderKey) -> bool:
    low, high = video_origin(video.text, 0)[:-1], f"{video.text}$"
    found = rows.execute(
        "SELECT 1 FROM faces WHERE origin >= ? AND origin < ? AND embedder = ? AND weights = ? LIMIT 1",
        (low, high, embedder.name, embedder.weights_sha256),
    )
    return found.fetchone() is not None


def _note_together(rows: sqlite3.Connection, number: int, together: Iterable[tuple[str, str]]) -> None:
    rows.execute("DELETE FROM together WHERE video = ?", (number,))
    pairs = sorted({(min(a, b), max(a, b)) for a, b in together if a != b})
    rows.executemany("INSERT INTO together VALUES (?, ?, ?)", [(number, a, b) for a, b in pairs])


def _give(rows: sqlite3.Connection, folder: str, label: str, number: int) -> None:
    """Make the appearance the person `number`'s, with its faces."""
    video, tracklets, old, text = _appearance(rows, folder, label)
    if old == number:
        rows.execute("UPDATE appearances SET decided = 'user' WHERE video = ? AND label = ?", (video, label))
        return
    rows.execute(
        "UPDATE appearances SET person = ?, decided = 'user' WHERE video = ? AND label = ?", (number, video, label)
    )
    for tracklet in tracklets:
        rows.execute("UPDATE faces SET person = ? WHERE origin = ?", (number, video_origin(text, tracklet)))
    change_state(rows, "link", text, label, number)
    if old is not None:
        give_up(rows, [old])


def _appearance(rows: sqlite3.Connection, folder: str, label: str) -> tuple[int, tuple[int, ...], int | None, str]:
    found = rows.execute(
        "SELECT v.id, a.tracklets, a.person, v.fingerprint FROM appearances a JOIN videos v ON v.id = a.video"
        " WHERE v.folder = ? AND a.label = ?",
        (folder, label),
    ).fetchone()
    if found is None:
        where = f"{ascii_safe(folder)}/{ascii_safe(label)}"
        raise SettingsError(f"the gallery knows no {where}", hint="run the video first, with the same gallery")
    return int(found[0]), tracklets_of(found[1]), found[2], str(found[3])


def _move_faces(rows: sqlite3.Connection, video: VideoKey, tracklets: Iterable[int], owner: int) -> None:
    for tracklet in tracklets:
        rows.execute("UPDATE faces SET person = ? WHERE origin = ?", (owner, video_origin(video.text, tracklet)))


def _delete_faces(rows: sqlite3.Connection, video: VideoKey, tracklets: Iterable[int]) -> None:
    for tracklet in tracklets:
        rows.execute("DELETE FROM faces WHERE origin = ?", (video_origin(video.text, tracklet),))
