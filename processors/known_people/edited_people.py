"""Which known people the people of an edited timeline are: what merge, split and rename mean for the gallery."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

from core.errors import SettingsError
from processors.known_people.gallery_rows import change_state, new_person, set_apart, unite
from processors.known_people.gallery_types import Appearance, PersonOfVideo
from processors.known_people.person_names import checked_name, folded


def edited_owners(
    rows: sqlite3.Connection,
    before: Sequence[Appearance],
    people: Sequence[PersonOfVideo],
    divided: Mapping[int, int] | None = None,
    recalled: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """The number of each person of the edited timeline, by label.

    before: the video's people until now. divided: the tracklet that each piece of a divided one was part of.
    recalled: the numbers before an edit that was undone, of everybody.
    """
    if recalled is None:
        owners = _by_tracklets(rows, before, people, divided or {})
    else:
        owners = dict(recalled)
        for number in {a.person for a in before if a.person is not None} - set(owners.values()):
            _revoke_name(rows, number)  # given by the edit
    known = {a.label for a in before if a.person is not None}
    for label, owner in list(owners.items()):
        if label in known:
            continue
        named = _named(rows, label, owner)
        if named != owner and not _exists(rows, owner):  # both were made one
            owners = {other: named if value == owner else value for other, value in owners.items()}
        owners[label] = named
    return owners


def _by_tracklets(
    rows: sqlite3.Connection,
    before: Sequence[Appearance],
    people: Sequence[PersonOfVideo],
    divided: Mapping[int, int],
) -> dict[str, int]:
    """Decide by the owners of their tracklets. A person who was split off is new, and known to be another one."""
    entries = {a.label: a for a in before if a.person is not None}
    label_of = {t: a.label for a in entries.values() for t in a.tracklets}
    for piece, whole in divided.items():  # a piece of a piece comes after it
        if whole in label_of:
            label_of.setdefault(piece, label_of[whole])
    claims: list[tuple[bool, int, int, str, str | None]] = []
    for order, person in enumerate(people):
        votes = Counter(label_of[t] for t in person.tracklets if t in label_of)
        kept = person.label in votes
        source = person.label if kept else max(votes, key=lambda label: (votes[label], label), default=None)
        claims.append((not kept, -sum(votes.values()), order, person.label, source))
    taken: dict[str, int] = {}
    owners: dict[str, int] = {}
    # The one with the old label keeps the person; else the one that has most of the tracklets.
    for _, _, _, label, source in sorted(claims):
        person_before = entries[source].person if source is not None else None
        if source is None or person_before is None:
            owners[label] = new_person(rows)
        elif source in taken:
            owners[label] = new_person(rows)
            set_apart(rows, taken[source], owners[label])
        else:
            owners[label] = taken[source] = person_before
    return {person.label: owners[person.label] for person in people}


def _named(rows: sqlite3.Connection, label: str, owner: int) -> int:
    """The person that a new label means, after the label was given as a name."""
    try:
        name = checked_name(label)
    except SettingsError:
        _revoke_name(rows, owner)
        return owner
    found = rows.execute("SELECT id, name FROM people WHERE folded = ?", (folded(name),)).fetchone()
    if found is not None and found[0] == owner:
        if found[1] != name:  # the same in other letters: "anna", and now "Anna"
            rows.execute("UPDATE people SET name = ? WHERE id = ?", (name, owner))
            change_state(rows, "name", owner, name)
        return owner
    called, photos = rows.execute(
        "SELECT name, EXISTS (SELECT 1 FROM faces WHERE person = people.id AND source = 'photo')"
        " FROM people WHERE id = ?",
        (owner,),
    ).fetchone()
    if found is not None:
        there = int(found[0])
        if not called:
            unite(rows, there, owner)
        return there  # of two people with names, only this video's is corrected
    if called and photos:
        # A photo says what its person is called: this one is somebody else.
        other = new_person(rows, name)
        set_apart(rows, owner, other)
        return other
    rows.execute("UPDATE people SET name = ?, folded = ? WHERE id = ?", (name, folded(name), owner))
    change_state(rows, "name", owner, name)
    return owner


def _revoke_name(rows: sqlite3.Connection, owner: int) -> None:
    """Remove the name of somebody relabelled `person_NN`, unless a photo or another video supports it."""
    said_elsewhere = rows.execute(
        "SELECT EXISTS (SELECT 1 FROM faces WHERE person = ? AND source = 'photo')"
        " OR (SELECT count(DISTINCT video) FROM appearances WHERE person = ?) > 1",
        (owner, owner),
    ).fetchone()[0]
    if not said_elsewhere and rows.execute("SELECT name FROM people WHERE id = ?", (owner,)).fetchone()[0]:
        rows.execute("UPDATE people SET name = '', folded = '' WHERE id = ?", (owner,))
        change_state(rows, "name", owner, "")


def _exists(rows: sqlite3.Connection, number: int) -> bool:
    return rows.execute("SELECT 1 FROM people WHERE id = ?", (number,)).fetchone() is not None
