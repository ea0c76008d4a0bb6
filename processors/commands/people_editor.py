"""Changing who is who in a finished folder: rename, merge, split, drop. The clips follow with `main.py render`.

The changes are functions from one timeline to the next; `edit_people` is what touches the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from core.errors import OutputError, SettingsError, ascii_safe
from processors.results.manifest import read_manifest
from processors.results.output_folder import keep_backup, output_lock
from processors.results.timeline_file import (
    TIMELINE_FILE,
    PersonEntry,
    SegmentEntry,
    TimelineFile,
    TrackletEntry,
    check,
    check_name,
    fold,
    read_timeline,
)
from processors.results.tracks_table import UNKNOWN_PERSON
from utils.files import write_bytes
from utils.text_width import columns, padded
from utils.time_formats import clock

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class ClipRules:
    """What makes a clip of a person's tracklets: seconds, as in the settings that the folder was made with."""

    min_clip_s: float
    merge_gap_s: float


Change = Callable[[TimelineFile, ClipRules], TimelineFile]


def edit_people(folder: Path, change: Change) -> TimelineFile:
    """Apply `change` to the timeline in `folder`, keeping the one before as timeline.json.bak; returns the new one.

    Raises:
        SettingsError: the timeline is wrong, or the change cannot be made; nothing is changed.
        OutputError: the folder cannot be written, or a run is writing there.
    """
    with output_lock(folder.parent):
        path = folder / TIMELINE_FILE
        changed = change(read_timeline(folder), _rules(folder))
        check(changed, path)
        data = msgspec.json.format(msgspec.json.encode(changed), indent=2) + b"\n"
        try:
            keep_backup(folder)
            write_bytes(path, data)
        except OSError as error:
            raise OutputError(f"cannot write the timeline: {error.strerror}", path=path) from error
    return changed


def rename(timeline: TimelineFile, name: str, new_name: str) -> TimelineFile:
    """Call the person `name` `new_name`."""
    person = find_person(timeline, name)
    check_name(new_name, None, "the new name")
    for other in timeline.people:
        if other is not person and fold(other.name) == fold(new_name):
            hint = "merge makes one person of two"
            raise SettingsError(f"somebody is called {ascii_safe(other.name)!r} already", hint=hint)
    return _with_people(timeline, (replace(p, name=new_name) if p is person else p for p in timeline.people))


def drop(timeline: TimelineFile, names: Sequence[str]) -> TimelineFile:
    """Leave people out; their tracklets belong to nobody from then on."""
    gone = [find_person(timeline, name) for name in names]
    return _with_people(timeline, (p for p in timeline.people if not _among(p, gone)))


def merge(
    timeline: TimelineFile, rules: ClipRules, name: str, others: Sequence[str], *, force: bool = False
) -> TimelineFile:
    """Make one person of several, called `name`; its segments are worked out anew from all the tracklets.

    Raises:
        SettingsError: no such person, or two of them are in the picture at the same time (and no `force`).
    """
    person = find_person(timeline, name)
    joined = [find_person(timeline, other) for other in others]
    if _among(person, joined) or len({p.name for p in joined}) < len(joined):
        raise SettingsError("a person cannot be merged with themselves")
    by_id = {t.id: t for t in timeline.tracklets}
    tracklets = [by_id[i] for p in (person, *joined) for i in p.tracklets]
    if not force:
        _refuse_two_at_a_time([person, *joined], by_id)
    tracklets.sort(key=lambda t: (t.start_s, t.id))
    still = all(p.still for p in (person, *joined))
    one = replace(person, tracklets=tuple(t.id for t in tracklets), segments=stretches(tracklets, rules), still=still)
    return _with_people(timeline, (one if p is person else p for p in timeline.people if not _among(p, joined)))


def split(
    timeline: TimelineFile, rules: ClipRules, name: str, tracklets: Sequence[int], new_name: str = ""
) -> TimelineFile:
    """Make a new person of some of the tracklets of `name`; the segments of both are worked out anew.

    new_name: the new person's; the next free person_NN where it is empty.
    """
    person = find_person(timeline, name)
    chosen = set(tracklets)
    if missing := sorted(chosen - set(person.tracklets)):
        own = numbers_text(person.tracklets)
        raise SettingsError(f"{person.name} has no tracklet {missing[0]}", hint=f"there are {own}")
    if not chosen or chosen == set(person.tracklets):
        raise SettingsError(f"some tracklets of {person.name} have to go and some to stay")
    if new_name:
        check_name(new_name, None, "the new name")
    by_id = {t.id: t for t in timeline.tracklets}
    parts = [[by_id[i] for i in person.tracklets if (i in chosen) == new] for new in (False, True)]
    names = (person.name, new_name or _free_name(timeline))
    old, new = (
        replace(person, name=n, tracklets=tuple(t.id for t in part), segments=stretches(part, rules), face=None)
        for n, part in zip(names, parts, strict=True)
    )
    return _with_people(timeline, [*(old if p is person else p for p in timeline.people), new])


def find_person(timeline: TimelineFile, name: str) -> PersonEntry:
    """The person called `name`.

    Raises:
        SettingsError: nobody is called so; the message says who there is.
    """
    for person in timeline.people:
        if person.name == name:
            return person
    known = ", ".join(person.name for person in timeline.people) or "nobody"
    raise SettingsError(f"there is no person {ascii_safe(name)!r}", hint=f"there is {known}")


def stretches(tracklets: Iterable[TrackletEntry], rules: ClipRules) -> tuple[SegmentEntry, ...]:
    """The segments that a person's tracklets make, by the rules that the identification follows."""
    by_shot: dict[int, list[TrackletEntry]] = {}
    for tracklet in sorted(tracklets, key=lambda t: (t.shot, t.start_s, t.id)):
        by_shot.setdefault(tracklet.shot, []).append(tracklet)
    segments: list[SegmentEntry] = []
    for members in by_shot.values():
        group: list[TrackletEntry] = []
        for tracklet in members:
            if group and tracklet.start_s - _end_s(group) > rules.merge_gap_s + _ROUNDING_S:
                segments += _segment(group, rules)
                group = []
            group.append(tracklet)
        segments += _segment(group, rules)
    return tuple(segments)


def people_lines(timeline: TimelineFile) -> Iterator[str]:
    """The table of people for a terminal, header first."""
    by_id = {t.id: t for t in timeline.tracklets}
    width = max([len("person"), *(columns(p.name) for p in timeline.people)])
    yield f"{'person':<{width}}  on screen  first seen  clips  tracklets"
    for person in timeline.people:
        own = [by_id[i] for i in person.tracklets]
        shown = clock(sum(t.end_s - t.start_s for t in own))
        first = clock(min(t.start_s for t in own)) if own else "-"
        note = "  (a still picture)" if person.still else ""
        ids = numbers_text(person.tracklets)
        yield f"{padded(person.name, width)}  {shown:>9}  {first:>10}  {len(person.segments):>5}  {ids}{note}".rstrip()


def tracklet_lines(timeline: TimelineFile) -> Iterator[str]:
    """The table of tracklets for a terminal, header first; those that were left out have no line."""
    owners = {i: person.name for person in timeline.people for i in person.tracklets}
    owners |= dict.fromkeys(timeline.unknown, UNKNOWN_PERSON)
    yield "tracklet  shot      from        to  person"
    for tracklet in sorted(timeline.tracklets, key=lambda t: (t.start_s, t.id)):
        if tracklet.id in owners:
            start, end = clock(tracklet.start_s), clock(tracklet.end_s)
            yield f"{tracklet.id:>8}  {tracklet.shot + 1:>4}  {start:>8}  {end:>8}  {owners[tracklet.id]}"


def numbers_text(numbers: Iterable[int]) -> str:
    """Numbers as `--tracklets` takes them: 0, 1, 2, 3, 7 -> "0-3,7"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def _end_s(group: Iterable[TrackletEntry]) -> float:
    return max(tracklet.end_s for tracklet in group)


def _segment(group: Sequence[TrackletEntry], rules: ClipRules) -> list[SegmentEntry]:
    start_s, end_s = group[0].start_s, _end_s(group)
    if end_s - start_s < rules.min_clip_s - _ROUNDING_S:
        return []
    ids = tuple(tracklet.id for tracklet in group)
    return [SegmentEntry(shot=group[0].shot, start_s=start_s, end_s=end_s, tracklets=ids)]


def _refuse_two_at_a_time(people: Sequence[PersonEntry], by_id: dict[int, TrackletEntry]) -> None:
    owned = sorted(((by_id[i], p) for p in people for i in p.tracklets), key=lambda pair: pair[0].start_s)
    for n, (first, owner) in enumerate(owned):
        for second, other in owned[n + 1 :]:
            if second.start_s >= first.end_s - _ROUNDING_S:
                break
            if other is not owner:
                raise SettingsError(
                    f"{owner.name} (tracklet {first.id}) and {other.name} (tracklet {second.id}) are in the picture "
                    f"at the same time, at {second.start_s:.2f} s",
                    hint="split the wrong tracklet off first, or use --force",
                )


def _rules(folder: Path) -> ClipRules:
    try:
        manifest = read_manifest(folder)
        clip = {} if manifest is None else manifest.settings["clip"]
        return ClipRules(float(clip["min_clip"]), float(clip["merge_gap"]))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError("the folder's manifest.json is missing or damaged", path=folder) from error


def _with_people(timeline: TimelineFile, people: Iterable[PersonEntry]) -> TimelineFile:
    return replace(timeline, people=tuple(people))


def _among(person: PersonEntry, people: Sequence[PersonEntry]) -> bool:
    return any(person is other for other in people)


def _free_name(timeline: TimelineFile) -> str:
    numbers = [int(m[1]) for p in timeline.people if (m := re.fullmatch(r"person_(\d{1,6})", p.name))]
    return f"person_{max(numbers, default=0) + 1:02d}"
