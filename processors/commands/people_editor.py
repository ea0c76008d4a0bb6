"""Corrections of who is who: rename, merge, split, assign, drop. Each is a function from one timeline to the next.

`timeline_edits` applies them to a folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from core.errors import SettingsError
from processors.commands.edited_segments import Speaks, derived_segments, turns_within, united_turns
from processors.commands.people_table import numbers_text
from processors.people.numbered_names import next_numbered_name
from processors.people.segments import SegmentRules
from processors.results.person_folders import check_name
from processors.results.timeline_file import DivisionEntry, PersonEntry, TimelineFile, TrackletEntry
from processors.results.tracks_table import UNKNOWN_PERSON
from utils.console.printable_text import ascii_safe
from utils.files import fold

_ROUNDING_S = 1e-6
_SHOWN_TIME_S = 0.05
"""times are shown in tenths of a second, so a time this close to the end of a tracklet means its end"""


def rename(timeline: TimelineFile, name: str, new_name: str) -> TimelineFile:
    """Rename the person `name` to `new_name`."""
    person, new_name = find_person(timeline, name), _composed(new_name)
    check_name(new_name, None, "the new name")
    _refuse_taken(timeline, new_name, person)
    return _with_people(timeline, (replace(p, name=new_name) if p is person else p for p in timeline.people))


def drop(timeline: TimelineFile, names: Sequence[str]) -> TimelineFile:
    """Remove people; their tracklets then belong to nobody."""
    gone = [find_person(timeline, name) for name in names]
    return _with_people(timeline, (p for p in timeline.people if not _among(p, gone)))


def merge(
    timeline: TimelineFile, rules: SegmentRules, name: str, others: Sequence[str], *, force: bool = False
) -> TimelineFile:
    """Merge `others` into the person `name`, whose segments are derived again from all their tracklets.

    Raises:
        SettingsError: there is no such person, or, without `force`, two of them are seen at the same time.
    """
    person = find_person(timeline, name)
    joined = [find_person(timeline, other) for other in others]
    names = [p.name for p in (person, *joined)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"{twice[0]} is named twice", hint="merge joins different people")
    by_id = {t.id: t for t in timeline.tracklets}
    tracklets = [by_id[i] for p in (person, *joined) for i in p.tracklets]
    if not force:
        _refuse_seen_together([(p.name, [by_id[i] for i in p.tracklets]) for p in (person, *joined)])
    still = all(p.still for p in (person, *joined))
    one = _made_of(person, tracklets, rules, still=still, speaks=united_turns([person, *joined]))
    return _with_people(timeline, (one if p is person else p for p in timeline.people if not _among(p, joined)))


def split(
    timeline: TimelineFile, rules: SegmentRules, name: str, tracklets: Sequence[int], new_name: str = ""
) -> TimelineFile:
    """Move some tracklets of the person `name` to a new person; the segments of both are derived again.

    new_name: of the new person; the next free person_NN if empty.

    Raises:
        SettingsError: there is no such person or tracklet, one of the two would have none, or the name is unusable.
    """
    person = find_person(timeline, name)
    chosen = set(tracklets)
    if missing := sorted(chosen - set(person.tracklets)):
        own = numbers_text(person.tracklets)
        raise SettingsError(f"{person.name} has no tracklet {missing[0]}", hint=f"its tracklets: {own}")
    if not chosen or chosen == set(person.tracklets):
        own = numbers_text(person.tracklets)
        raise SettingsError(
            f"some tracklets of {person.name} must move and some must stay", hint=f"its tracklets: {own}"
        )
    if new_name := _composed(new_name):
        check_name(new_name, None, "the new name")
        _refuse_taken(timeline, new_name, None)
    by_id = {t.id: t for t in timeline.tracklets}
    old, new = (
        _share_of(person, [by_id[i] for i in person.tracklets if (i in chosen) == is_new], rules)
        for is_new in (False, True)
    )
    new = replace(new, name=new_name or next_numbered_name(person.name for person in timeline.people))
    return _with_people(timeline, [*(old if p is person else p for p in timeline.people), new])


def split_at(timeline: TimelineFile, rules: SegmentRules, name: str, at_s: float, new_name: str = "") -> TimelineFile:
    """Move what the person `name` shows from `at_s` on to a new person; tracklets that run across it are divided.

    at_s: seconds from the first frame of the video. new_name: as for `split`.

    Raises:
        SettingsError: there is no such person, or they are not seen both before and after that time.
    """
    before = find_person(timeline, name)
    timeline = _divided(timeline, before, at_s)
    person = find_person(timeline, name)
    later = [t.id for t in timeline.tracklets if t.id in person.tracklets and t.start_s >= at_s - _SHOWN_TIME_S]
    if not later or len(later) == len(person.tracklets):
        own = [t for t in timeline.tracklets if t.id in before.tracklets]
        seen = f"from {min(t.start_s for t in own):.2f} to {max(t.end_s for t in own):.2f} s" if own else "nowhere"
        message = f"{person.name} is not seen both before and after {at_s:g} s"
        raise SettingsError(message, hint=f"the person is seen {seen}")
    return split(timeline, rules, name, later, new_name)


def assign(
    timeline: TimelineFile, rules: SegmentRules, name: str, tracklets: Sequence[int], *, force: bool = False
) -> TimelineFile:
    """Move tracklets to the person `name`, who is created if there is nobody of that name.

    The segments of all people involved are derived again; a person without tracklets is removed.

    Raises:
        SettingsError: there is no such tracklet, the person has them all, the name is unusable, or, without `force`,
            the person or another of the tracklets is visible at the same time.
    """
    by_id = {t.id: t for t in timeline.tracklets}
    chosen = set(tracklets)
    if missing := sorted(chosen - by_id.keys()):
        raise SettingsError(f"there is no tracklet {missing[0]}", hint=f"tracklets: {numbers_text(by_id)}")
    person = _person_called(timeline, name) or _nobody_yet(_composed(name))
    name = person.name
    if not chosen or chosen <= set(person.tracklets):
        hint = "main.py people FOLDER --tracklets lists all"
        raise SettingsError(f"{person.name} already has these tracklets", hint=hint)
    if not force:
        owners = {i: p.name for p in timeline.people for i in p.tracklets}
        kept = [by_id[i] for i in person.tracklets if i not in chosen]
        moved = [(owners.get(i, UNKNOWN_PERSON), [by_id[i]]) for i in sorted(chosen)]
        _refuse_seen_together([(person.name, kept), *moved])
    former = [p for p in timeline.people if p.name != name and not chosen.isdisjoint(p.tracklets)]
    given = [_share_of(p, [by_id[i] for i in p.tracklets if i in chosen], rules) for p in former]
    left = {p.name: _share_of(p, [by_id[i] for i in p.tracklets if i not in chosen], rules) for p in former}
    receiver = _united(person, [by_id[i] for i in chosen.union(person.tracklets)], given, rules)
    people = [receiver if p is person else left.get(p.name, p) for p in timeline.people]
    if not person.tracklets and not _among(person, timeline.people):
        people.append(receiver)
    return replace(
        _with_people(timeline, (p for p in people if p.tracklets or p.name not in left)),
        unknown=tuple(i for i in timeline.unknown if i not in chosen),
    )


def find_person(timeline: TimelineFile, name: str) -> PersonEntry:
    """The person called `name`, in upper or lower case.

    Raises:
        SettingsError: there is none; the message lists the people there are.
    """
    if (person := _person_called(timeline, name)) is not None:
        return person
    known = ", ".join(person.name for person in timeline.people) or "none"
    raise SettingsError(f"there is no person {ascii_safe(name)!r}", hint=f"people: {known}")


def _person_called(timeline: TimelineFile, name: str) -> PersonEntry | None:
    # No two people have names that are equal when folded.
    return next((person for person in timeline.people if fold(person.name) == fold(name)), None)


def _composed(name: str) -> str:
    """A name as it was typed, with composed letters: macOS gives names of folders decomposed, which look the same."""
    return unicodedata.normalize("NFC", name)


def _divided(timeline: TimelineFile, person: PersonEntry, at_s: float) -> TimelineFile:
    """`timeline` with the person's tracklets that run across `at_s` divided there; the pieces are the person's, too."""
    pieces: dict[int, TrackletEntry] = {}
    rows: list[TrackletEntry] = []
    free = max((t.id for t in timeline.tracklets), default=-1) + 1
    for t in timeline.tracklets:
        if t.id in person.tracklets and t.start_s + _SHOWN_TIME_S < at_s < t.end_s - _SHOWN_TIME_S:
            pieces[t.id] = replace(t, id=free + len(pieces), start_s=at_s)
            rows += [replace(t, end_s=at_s), pieces[t.id]]
        else:
            rows.append(t)
    if not pieces:
        return timeline
    divided = [DivisionEntry(tracklet=i, at_s=at_s, id=piece.id) for i, piece in pieces.items()]
    whole = replace(person, tracklets=(*person.tracklets, *(piece.id for piece in pieces.values())))
    return replace(
        _with_people(timeline, (whole if p is person else p for p in timeline.people)),
        divided=(*timeline.divisions, *divided),
        tracklets=tuple(rows),
    )


def _made_of(
    person: PersonEntry, tracklets: Iterable[TrackletEntry], rules: SegmentRules, *, still: bool, speaks: Speaks
) -> PersonEntry:
    """The person with these tracklets, and the segments that follow from them."""
    own = sorted(tracklets, key=lambda t: (t.start_s, t.id))
    segments = derived_segments(own, rules, still=still, speaks=speaks)
    return replace(person, tracklets=tuple(t.id for t in own), segments=segments, still=still, speaks=speaks)


def _united(
    person: PersonEntry, tracklets: Iterable[TrackletEntry], others: Sequence[PersonEntry], rules: SegmentRules
) -> PersonEntry:
    """The person with `tracklets`, some of which were those of `others`: still if all of them are."""
    parts = [*([person] if person.tracklets else []), *others]
    still = bool(parts) and all(part.still for part in parts)
    return _made_of(person, tracklets, rules, still=still, speaks=united_turns(parts))


def _share_of(person: PersonEntry, tracklets: Sequence[TrackletEntry], rules: SegmentRules) -> PersonEntry:
    """The person reduced to some of the tracklets."""
    speaks = turns_within(tracklets, person.speaks)
    return replace(_made_of(person, tracklets, rules, still=person.still, speaks=speaks), face=None)


def _nobody_yet(name: str) -> PersonEntry:
    check_name(name, None, "the person's name")
    return PersonEntry(name=name, tracklets=(), segments=())


def _refuse_taken(timeline: TimelineFile, name: str, person: PersonEntry | None) -> None:
    """Refuse a name that another person than `person` has."""
    other = _person_called(timeline, name)
    if other is not None and other is not person:
        hint = "merge joins two people"
        raise SettingsError(f"somebody is called {ascii_safe(other.name)!r} already", hint=hint)


def _refuse_seen_together(groups: Sequence[tuple[str, Sequence[TrackletEntry]]]) -> None:
    """groups: each the name of a person, and tracklets known to be of that person."""
    owned = sorted(((t, n) for n, (_, own) in enumerate(groups) for t in own), key=lambda pair: pair[0].start_s)
    for n, (first, owner) in enumerate(owned):
        for second, other in owned[n + 1 :]:
            if second.start_s >= first.end_s - _ROUNDING_S:
                break
            if other != owner:
                raise SettingsError(
                    f"{groups[owner][0]} (tracklet {first.id}) and {groups[other][0]} (tracklet {second.id}) are "
                    f"visible at the same time, at {second.start_s:.2f} s",
                    hint="split the wrong tracklet off first, or use --force",
                )


def _with_people(timeline: TimelineFile, people: Iterable[PersonEntry]) -> TimelineFile:
    return replace(timeline, people=tuple(people))


def _among(person: PersonEntry, people: Sequence[PersonEntry]) -> bool:
    return any(person is other for other in people)
