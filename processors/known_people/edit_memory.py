"""Who the people of a video were before each edit of its timeline, so that `undo` gives them back their numbers.

Kept under the digest of the timeline as it was before the edit: that is the one that `undo` restores.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from processors.known_people.gallery_rows import tracklets_of, tracklets_text
from processors.known_people.gallery_types import Appearance, PersonOfVideo
from processors.known_people.person_names import folded

EDITS_KEPT = 20
"""of one video, as many as `undo` can revert"""


def remember_edit(rows: sqlite3.Connection, video: int, timeline: str, before: Sequence[Appearance]) -> None:
    """Keep who the people of a video are before an edit.

    video: its id in the table. timeline: sha256 of timeline.json as it is now.
    """
    rows.execute("DELETE FROM edits WHERE video = ? AND timeline = ?", (video, timeline))
    last = rows.execute("SELECT max(edit) FROM edits WHERE video = ?", (video,)).fetchone()[0] or 0
    rows.executemany(
        "INSERT INTO edits SELECT ?, ?, ?, ?, ?, id, name FROM people WHERE id = ?",
        [
            (video, last + 1, timeline, a.label, tracklets_text(a.tracklets), a.person)
            for a in before
            if a.person is not None
        ],
    )
    rows.execute("DELETE FROM edits WHERE video = ? AND edit <= ?", (video, last + 1 - EDITS_KEPT))


def recall_edit(
    rows: sqlite3.Connection,
    video: int,
    timeline: str,
    people: Sequence[PersonOfVideo],
    before: Sequence[Appearance],
) -> Mapping[str, int] | None:
    """The number of each of `people`, by label, as it was under this timeline; None if that is not known.

    Numbers that were given up meanwhile are added again, and names that the edit gave are taken back.
    before: the video's people until now.
    """
    found = rows.execute(
        "SELECT label, tracklets, person, name FROM edits WHERE video = ? AND timeline = ?", (video, timeline)
    ).fetchall()
    rows.execute("DELETE FROM edits WHERE video = ? AND timeline = ?", (video, timeline))
    known = {(label, tracklets_of(tracklets)): int(number) for label, tracklets, number, _ in found}
    numbers = {person.label: known.get((person.label, tuple(sorted(person.tracklets)))) for person in people}
    recalled = {label: number for label, number in numbers.items() if number is not None}
    if len(recalled) < len(numbers):
        return None
    numbers_now = [(number,) for number in sorted(set(recalled.values()))]
    rows.executemany("INSERT OR IGNORE INTO people (id) VALUES (?)", numbers_now)
    rows.executemany("DELETE FROM given_up WHERE id = ?", numbers_now)
    called = {int(number): name for _, _, number, name in found}
    for appearance in before:
        if appearance.person in called:
            _take_back_name(rows, appearance.person, given=appearance.label, earlier=called[appearance.person])
    return recalled


def _take_back_name(rows: sqlite3.Connection, number: int, *, given: str, earlier: str) -> None:
    """Give a person the name before the edit, if they are called as the edit labelled them (`given`)."""
    taken = rows.execute(
        "SELECT 1 FROM people WHERE folded = ? AND folded <> '' AND id <> ?", (folded(earlier), number)
    )
    if taken.fetchone() is None and folded(given) != folded(earlier):
        rows.execute(
            "UPDATE people SET name = ?, folded = ? WHERE id = ? AND folded = ?"
            " AND NOT EXISTS (SELECT 1 FROM faces WHERE person = people.id AND source = 'photo')",
            (earlier, folded(earlier), number, folded(given)),
        )


def erase_edits(rows: sqlite3.Connection, person: int) -> None:
    """Forget that `person` was somebody before an edit; a label may be a name."""
    rows.execute("DELETE FROM edits WHERE person = ?", (person,))
