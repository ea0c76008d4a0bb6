"""The people of a video in the gallery: added after the analysis, corrected when a user edits the result."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import SettingsError
from processors.known_people.edit_memory import recall_edit, remember_edit
from processors.known_people.edited_people import edited_owners
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_rows import (
    FaceSource,
    apart_pairs,
    appearances_of,
    change_state,
    face_counts,
    give_up,
    gone_label,
    insert_faces,
    new_person,
    note_given_up,
    note_together,
    number_of,
    origin_range,
    set_apart,
    tracklets_of,
    tracklets_text,
    video_origin,
)
from processors.known_people.gallery_types import Appearance, EmbedderKey, PersonOfVideo, VideoKey
from processors.known_people.naming_case import NamingCase
from processors.known_people.person_matching import Decisions, Match
from utils.console.printable_text import ascii_safe
from utils.files import fold

Linker = Callable[[Sequence[PersonOfVideo], Decisions, sqlite3.Connection], Mapping[str, Match]]
"""says who is who; gets the transaction's connection, so that it sees what no other process can change meanwhile"""


@dataclass(frozen=True, slots=True)
class Linked:
    """A person of a video with the person of the gallery. number: None where they were dropped or forgotten.

    label: of the person in the video. folder: the name of their folder in the gallery and in the results.
    """

    label: str
    number: int | None
    name: str
    match: Match
    folder: str = ""


_Entry = tuple[PersonOfVideo, int | None, str]
Relabel = Callable[[Sequence[Linked]], Sequence[str]]
"""folder of each person, all different; folders carry names, so they are known only when everybody is linked"""


def record_video(
    gallery: Gallery, case: NamingCase, embedder: EmbedderKey, link: Linker, relabel: Relabel | None = None
) -> list[Linked]:
    """Link the people of a video to known ones, or add them as new ones; earlier decisions are kept.

    embedder: the network that saw their faces.

    Recording the same analysis of the same video again changes nothing, not even `Gallery.state`.

    Raises:
        GalleryError: the gallery cannot be written; nothing was changed.
    """
    video, people = case.video, case.people
    with gallery.file.writing() as rows:
        number = _video(rows, video)
        before = list(appearances_of(rows, video=video.text))
        again = _same_analysis(before, video)
        held, decided = _settled(before, people) if again else ({}, {})
        gone = {person.label for person in people if person.label in decided and person.label not in held}
        free = [person for person in people if person.label not in gone]
        matches = link(free, Decisions(held, (), apart_pairs(rows), video.text if again else ""), rows)
        numbers = [
            None if person.label in gone else matches.get(person.label, Match()).number or new_person(rows)
            for person in people
        ]
        names = dict(rows.execute("SELECT id, name FROM people").fetchall())
        linked = [
            Linked(p.label, n, "" if n is None else names[n], replace(matches.get(p.label, Match()), number=n), p.label)
            for p, n in zip(people, numbers, strict=True)
        ]
        if relabel is not None:
            linked = [replace(one, folder=folder) for one, folder in zip(linked, relabel(linked), strict=True)]
        entries: list[_Entry] = [
            (replace(person, label=one.folder), one.number, decided.get(person.label, "auto"))
            for person, one in zip(people, linked, strict=True)
        ]
        if again:
            entries += _still_absent(before, people)
        _write(rows, number, video, embedder, entries, before)
        folders = {one.label: one.folder for one in linked}
        note_together(rows, number, [(folders[a], folders[b]) for a, b in case.together])
        give_up(rows, [a.person for a in before if a.person is not None])
        return linked


def _still_absent(before: Sequence[Appearance], people: Sequence[PersonOfVideo]) -> list[_Entry]:
    """Those who were dropped or forgotten earlier, and of whose tracklets nobody has one now."""
    shown = {t for person in people for t in person.tracklets}
    return [
        (PersonOfVideo(gone_label(a.decided, a.tracklets), a.tracklets), None, a.decided)
        for a in before
        if a.person is None and shown.isdisjoint(a.tracklets)
    ]


def note_clips(gallery: Gallery, video: VideoKey, clips: Mapping[str, int]) -> None:
    """Record how many clips a finished video has of each person, by folder; does not change `Gallery.state`.

    Raises:
        GalleryError: the gallery cannot be written.
    """
    with gallery.file.writing() as rows:
        rows.executemany(
            "UPDATE appearances SET clips = ?"
            " WHERE label = ? AND video = (SELECT id FROM videos WHERE fingerprint = ?)",
            [(count, folder, video.text) for folder, count in sorted(clips.items())],
        )


def follow_edits(
    gallery: Gallery,
    video: VideoKey,
    people: Sequence[PersonOfVideo],
    divided: Mapping[int, int] | None = None,
    *,
    edited: str = "",
    restored: str = "",
) -> list[tuple[str, int | None]]:
    """Apply a user's edits of a video's timeline: merged, split, renamed and dropped people.

    A new label that is a name names the person, or links them to the person of that name. The parts of a split person
    are recorded as different people. Tracklets that belong to nobody any more are not added again. Returns label and
    number of everybody.
    divided: the tracklet that each piece of a divided one was part of. Its faces are deleted, because they may belong
    to either piece; the pieces' own faces are added when the clips are made again.
    edited: sha256 of timeline.json before the edit, by which `undo` finds who was who. restored: sha256 of the timeline
    that `undo` restored: its people get the numbers that they had before the edit.

    Raises:
        GalleryError: the gallery cannot be written; nothing was changed.
    """
    with gallery.file.writing() as rows:
        before = list(appearances_of(rows, video=video.text))
        forgotten = {t for a in before if a.decided == "forgotten" for t in a.tracklets}
        number = _video(rows, video)
        seen = [p for p in people if not (p.tracklets and set(p.tracklets) <= forgotten)]
        divided = divided or {}
        if edited:
            remember_edit(rows, number, edited, before)
        recalled = recall_edit(rows, number, restored, seen, before) if restored else None
        owners = edited_owners(rows, before, seen, divided, recalled)
        for person in seen:
            _move_faces(rows, video, person.tracklets, owners[person.label])
        kept = {t for person in people for t in person.tracklets}
        lost = {t for a in before for t in a.tracklets} - kept
        known = {t for a in before for t in a.tracklets}
        _delete_faces(rows, video, lost | {whole for piece, whole in divided.items() if piece not in known})
        hidden = [p for p in people if p.label not in owners]
        entries: list[_Entry] = [(p, owners[p.label], "user") for p in seen]
        entries += [(p, None, "forgotten") for p in hidden]
        for decided, gone in (("dropped", lost - forgotten), ("forgotten", lost & forgotten)):
            if gone:
                entries.append((PersonOfVideo(gone_label(decided, gone), tuple(sorted(gone))), None, decided))
        _write(rows, number, video, None, entries, before)
        give_up(rows, {a.person for a in before if a.person is not None} | set(owners.values()))
        for a in before:
            now = {owners[p.label] for p in seen if not set(p.tracklets).isdisjoint(a.tracklets)}
            if a.person is not None and len(now) == 1:
                note_given_up(rows, a.person, now.pop())
        return [(person.label, owners.get(person.label)) for person in people]


def number_of_appearance(gallery: Gallery, folder: str, label: str) -> int:
    """The number of a video's person.

    Raises:
        SettingsError: there is no such person, or they were dropped or forgotten.
    """
    with gallery.file.reading() as rows:
        number = _appearance(rows, folder, label)[3]
    if number is None:
        raise SettingsError(f"{ascii_safe(folder)}/{ascii_safe(label)} is nobody in the gallery any more")
    return number


def link_appearance(gallery: Gallery, folder: str, label: str, who: str) -> int:
    """Link a video's person to `who`, an id or a name, on a user's word; returns the number.

    Raises:
        SettingsError: there is no such person, here or there.
    """
    with gallery.file.writing() as rows:
        number = number_of(rows, who)
        _give(rows, folder, label, number)
    return number


def unlink_appearance(gallery: Gallery, folder: str, label: str) -> int:
    """Separate a video's person from the one it is linked to, permanently; it becomes a new person.

    Raises:
        SettingsError: there is no such person.
    """
    with gallery.file.writing() as rows:
        old = _appearance(rows, folder, label)[3]
        number = new_person(rows)
        _give(rows, folder, label, number)
        # It may be somebody who had an id of their own before.
        rows.execute("DELETE FROM given_up WHERE person = ?", (old,))
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
    """Number by label from the tracklets of an earlier run, and how that was decided; no number: dropped since."""
    owner = {t: a for a in before for t in a.tracklets}
    held: dict[str, int] = {}
    how: dict[str, str] = {}
    for person in people:
        votes = Counter((a.person, a.decided) for t in person.tracklets if (a := owner.get(t)) is not None)
        if votes:
            number, how[person.label] = max(votes, key=lambda vote: (votes[vote], -(vote[0] or 0)))
            if number is not None:
                held[person.label] = number
    return held, how


def _write(
    rows: sqlite3.Connection,
    number: int,
    video: VideoKey,
    embedder: EmbedderKey | None,
    entries: Sequence[_Entry],
    before: Sequence[Appearance],
) -> None:
    """Replace the appearances of a video, and with an `embedder` its faces as well."""
    # A label is only what somebody is called, and follows from the rest.
    old = sorted(f"{list(a.tracklets)} {a.person} {a.decided}" for a in before)
    new = sorted(f"{sorted(p.tracklets)} {owner} {decided}" for p, owner, decided in entries)
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
        _same_analysis(before, video) and old == new and _has_faces(rows, video, embedder, entries)
    ):
        rows.execute(
            "DELETE FROM faces WHERE origin >= ? AND origin < ? AND embedder = ? AND weights = ?",
            (*origin_range(video.text), embedder.name, embedder.weights_sha256),
        )
        for person, owner, _ in entries:
            if owner is not None:
                insert_faces(rows, owner, person.faces, embedder, FaceSource("video", video.text))
        change_state(rows, "faces", video.text, video.analysis, embedder.name, embedder.weights_sha256)
    if old != new:
        change_state(rows, "video", video.text, *new)


def _has_faces(rows: sqlite3.Connection, video: VideoKey, embedder: EmbedderKey, entries: Sequence[_Entry]) -> bool:
    """Whether the gallery has as many faces of each tracklet as it would be given now."""
    wanted = [person.faces for person, owner, _ in entries if owner is not None]
    origins = Counter(video_origin(video.text, face.tracklet) for faces in wanted for face in faces)
    return face_counts(rows, video.text, embedder) == origins


def _give(rows: sqlite3.Connection, folder: str, label: str, number: int) -> None:
    """Make the appearance the person `number`'s, with its faces."""
    video, label, tracklets, old, text = _appearance(rows, folder, label)
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
        note_given_up(rows, old, number)


def _appearance(rows: sqlite3.Connection, folder: str, label: str) -> tuple[int, str, tuple[int, ...], int | None, str]:
    """Video, label, tracklets, number and fingerprint of the person who has this label, in upper or lower case."""
    entries = rows.execute(
        "SELECT v.folder, a.label, v.id, a.tracklets, a.person, v.fingerprint"
        " FROM appearances a JOIN videos v ON v.id = a.video ORDER BY a.label"
    ).fetchall()
    here = [entry for entry in entries if entry[0] == folder] or [e for e in entries if fold(e[0]) == fold(folder)]
    # No two people of a video have labels that are equal when folded.
    found = next((entry for entry in here if fold(entry[1]) == fold(label)), None)
    if found is None:
        where = f"{ascii_safe(folder)}/{ascii_safe(label)}"
        people = ", ".join(ascii_safe(entry[1]) for entry in here if not entry[1].startswith("("))
        hint = f"people of this video: {people or 'nobody'}" if here else "run the video first, with the same gallery"
        raise SettingsError(f"{where} is not in the gallery", hint=hint)
    return int(found[2]), str(found[1]), tracklets_of(found[3]), found[4], str(found[5])


def _move_faces(rows: sqlite3.Connection, video: VideoKey, tracklets: Iterable[int], owner: int) -> None:
    for tracklet in tracklets:
        rows.execute("UPDATE faces SET person = ? WHERE origin = ?", (owner, video_origin(video.text, tracklet)))


def _delete_faces(rows: sqlite3.Connection, video: VideoKey, tracklets: Iterable[int]) -> None:
    for tracklet in tracklets:
        rows.execute("DELETE FROM faces WHERE origin = ?", (video_origin(video.text, tracklet),))
