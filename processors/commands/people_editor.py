"""Corrections of who is who in a finished folder: rename, merge, split, drop. `main.py render` then makes the clips.

Each correction is a function from one timeline to the next; only `edit_people` touches the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from core.errors import OutputError, SettingsError, ascii_safe
from processors.people.segments import SegmentRules, segment_rows
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


Change = Callable[[TimelineFile, SegmentRules], TimelineFile]
"""given the timeline and the rules that the folder was made with"""


def edit_people(folder: Path, change: Change) -> TimelineFile:
    """Apply `change` to the timeline in `folder` and return the result; the old one is kept as timeline.json.bak.

    Raises:
        SettingsError: the timeline is invalid or the change is impossible; nothing is written.
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
    """Rename the person `name` to `new_name`."""
    person = find_person(timeline, name)
    check_name(new_name, None, "the new name")
    for other in timeline.people:
        if other is not person and fold(other.name) == fold(new_name):
            hint = "merge makes one person of two"
            raise SettingsError(f"somebody is called {ascii_safe(other.name)!r} already", hint=hint)
    return _with_people(timeline, (replace(p, name=new_name) if p is person else p for p in timeline.people))


def drop(timeline: TimelineFile, names: Sequence[str]) -> TimelineFile:
    """Remove people; their tracklets belong to nobody from then on."""
    gone = [find_person(timeline, name) for name in names]
    return _with_people(timeline, (p for p in timeline.people if not _among(p, gone)))


def merge(
    timeline: TimelineFile, rules: SegmentRules, name: str, others: Sequence[str], *, force: bool = False
) -> TimelineFile:
    """Merge `others` into the person `name`, whose segments are derived anew from all their tracklets.

    Raises:
        SettingsError: there is no such person, or, without `force`, two of them are seen at the same time.
    """
    person = find_person(timeline, name)
    joined = [find_person(timeline, other) for other in others]
    if _among(person, joined) or len({p.name for p in joined}) < len(joined):
        raise SettingsError("a person cannot be merged with themselves")
    by_id = {t.id: t for t in timeline.tracklets}
    tracklets = [by_id[i] for p in (person, *joined) for i in p.tracklets]
    if not force:
        _refuse_seen_together([person, *joined], by_id)
    tracklets.sort(key=lambda t: (t.start_s, t.id))
    still = all(p.still for p in (person, *joined))
    segments = derived_segments(tracklets, rules, still=still)
    one = replace(person, tracklets=tuple(t.id for t in tracklets), segments=segments, still=still)
    return _with_people(timeline, (one if p is person else p for p in timeline.people if not _among(p, joined)))


def split(
    timeline: TimelineFile, rules: SegmentRules, name: str, tracklets: Sequence[int], new_name: str = ""
) -> TimelineFile:
    """Move some tracklets of the person `name` to a new person; the segments of both are derived anew.

    new_name: of the new person; the next free person_NN if empty.

    Raises:
        SettingsError: there is no such person or tracklet, one of the two would have none, or the name is unusable.
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
        replace(
            person,
            name=n,
            tracklets=tuple(t.id for t in part),
            segments=derived_segments(part, rules, still=person.still),
            face=None,
        )
        for n, part in zip(names, parts, strict=True)
    )
    return _with_people(timeline, [*(old if p is person else p for p in timeline.people), new])


def find_person(timeline: TimelineFile, name: str) -> PersonEntry:
    """The person called `name`.

    Raises:
        SettingsError: there is none; the message lists the people there are.
    """
    for person in timeline.people:
        if person.name == name:
            return person
    known = ", ".join(person.name for person in timeline.people) or "nobody"
    raise SettingsError(f"there is no person {ascii_safe(name)!r}", hint=f"there is {known}")


def derived_segments(
    tracklets: Iterable[TrackletEntry], rules: SegmentRules, *, still: bool = False
) -> tuple[SegmentEntry, ...]:
    """The segments of a person with these tracklets, by the rules that a run follows.

    Only the beginning and end of each tracklet are known here, so a pause of the recording within one is not seen.
    """
    rows = sorted(tracklets, key=lambda t: (t.shot, t.start_s, t.id))
    ends_s = np.array([t.end_s for t in rows])
    ranges = segment_rows(
        np.array([t.shot for t in rows], np.int64), np.array([t.start_s for t in rows]), ends_s, rules, still=still
    )
    return tuple(
        SegmentEntry(
            shot=rows[first].shot,
            start_s=rows[first].start_s,
            end_s=float(ends_s[first:last].max()),
            tracklets=tuple(t.id for t in rows[first:last]),
        )
        for first, last in ranges
    )


def people_lines(timeline: TimelineFile) -> Iterator[str]:
    """The table of people for a terminal, header first."""
    by_id = {t.id: t for t in timeline.tracklets}
    width = max([len("person"), *(columns(p.name) for p in timeline.people)])
    yield f"{'person':<{width}}  on screen  first seen  clips  tracklets"
    for person in timeline.people:
        own = [by_id[i] for i in person.tracklets]
        shown = clock(sum(t.end_s - t.start_s for t in own))
        first = clock(min(t.start_s for t in own)) if own else "-"
        note = "  (still image)" if person.still else ""
        ids = numbers_text(person.tracklets)
        yield f"{padded(person.name, width)}  {shown:>9}  {first:>10}  {len(person.segments):>5}  {ids}{note}".rstrip()


def tracklet_lines(timeline: TimelineFile) -> Iterator[str]:
    """The table of tracklets for a terminal, header first; tracklets of dropped people are not listed."""
    owners = {i: person.name for person in timeline.people for i in person.tracklets}
    owners |= dict.fromkeys(timeline.unknown, UNKNOWN_PERSON)
    yield "tracklet  shot      from        to  person"
    for tracklet in sorted(timeline.tracklets, key=lambda t: (t.start_s, t.id)):
        if tracklet.id in owners:
            start, end = clock(tracklet.start_s), clock(tracklet.end_s)
            yield f"{tracklet.id:>8}  {tracklet.shot + 1:>4}  {start:>8}  {end:>8}  {owners[tracklet.id]}"


def numbers_text(numbers: Iterable[int]) -> str:
    """Numbers in the notation of `--tracklets`: 0, 1, 2, 3, 7 -> "0-3,7"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def _refuse_seen_together(people: Sequence[PersonEntry], by_id: dict[int, TrackletEntry]) -> None:
    owned = sorted(((by_id[i], p) for p in people for i in p.tracklets), key=lambda pair: pair[0].start_s)
    for n, (first, owner) in enumerate(owned):
        for second, other in owned[n + 1 :]:
            if second.start_s >= first.end_s - _ROUNDING_S:
                break
            if other is not owner:
                raise SettingsError(
                    f"{owner.name} (tracklet {first.id}) and {other.name} (tracklet {second.id}) are visible "
                    f"at the same time, at {second.start_s:.2f} s",
                    hint="split the wrong tracklet off first, or use --force",
                )


def _rules(folder: Path) -> SegmentRules:
    try:
        manifest = read_manifest(folder)
        settings = {} if manifest is None else manifest.settings
        clip, identity = settings["clip"], settings["identity"]
        return SegmentRules(float(clip["min_clip"]), float(clip["merge_gap"]), bool(identity["skip_still"]))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError("the folder's manifest.json is missing or damaged", path=folder) from error


def _with_people(timeline: TimelineFile, people: Iterable[PersonEntry]) -> TimelineFile:
    return replace(timeline, people=tuple(people))


def _among(person: PersonEntry, people: Sequence[PersonEntry]) -> bool:
    return any(person is other for other in people)


def _free_name(timeline: TimelineFile) -> str:
    numbers = [int(m[1]) for p in timeline.people if (m := re.fullmatch(r"person_(\d{1,6})", p.name))]
    return f"person_{max(numbers, default=0) + 1:02d}"
