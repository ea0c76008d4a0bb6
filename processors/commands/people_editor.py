"""Corrections of who is who in a finished folder: rename, merge, split, drop. `main.py render` then makes the clips.

Each correction is a function from one timeline to the next; only `edit_people` touches the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from config import ClipSettings, IdentitySettings, SpeechSettings
from core.errors import OutputError, SettingsError, ascii_safe
from processors.people.segments import SegmentRules, segment_rows
from processors.results.manifest import read_manifest
from processors.results.output_folder import keep_backup, output_lock
from processors.results.result_tree import output_root
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

Speaks = tuple[tuple[float, float], ...] | UnsetType
_Span = tuple[TrackletEntry, float, float]
"""part of a tracklet: [start_s, end_s)"""

Change = Callable[[TimelineFile, SegmentRules], TimelineFile]
"""given the timeline and the rules that the folder was made with"""


def edit_people(folder: Path, change: Change) -> TimelineFile:
    """Apply `change` to the timeline in `folder` and return the result; the old one is kept as timeline.json.bak.

    Raises:
        SettingsError: the timeline is invalid or the change is impossible; nothing is written.
        OutputError: the folder cannot be written, or a run is writing there.
    """
    with output_lock(output_root(folder)):
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
    speaks = _all_speaks([person, *joined])
    segments = derived_segments(tracklets, rules, still=still, speaks=speaks)
    one = replace(person, tracklets=tuple(t.id for t in tracklets), segments=segments, still=still, speaks=speaks)
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
            segments=derived_segments(part, rules, still=person.still, speaks=person.speaks),
            face=None,
            speaks=UNSET if person.speaks is UNSET else tuple((a, b) for _, a, b in _spoken(part, person.speaks)),
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
    tracklets: Iterable[TrackletEntry], rules: SegmentRules, *, still: bool = False, speaks: Speaks = UNSET
) -> tuple[SegmentEntry, ...]:
    """The segments of a person with these tracklets, by the rules that a run follows.

    Only the beginning and end of each tracklet are known here, so a pause of the recording within one is not seen.
    With `rules.only_speaking`, `speaks` are the person's turns; a lead or tail then ends with the tracklets, because
    where the shot ends is not known.
    """
    rows = sorted(tracklets, key=lambda t: (t.shot, t.start_s, t.id))
    spans = [(t, t.start_s, t.end_s) for t in rows]
    if rules.only_speaking:
        spans = _spoken(rows, () if speaks is UNSET else speaks)
    starts_s, ends_s = np.array([start for _, start, _ in spans]), np.array([end for _, _, end in spans])
    shots = np.array([t.shot for t, _, _ in spans], np.int64)
    found: list[SegmentEntry] = []
    for first, last in segment_rows(shots, starts_s, ends_s, rules, still=still):
        shot, start_s, end_s = int(shots[first]), float(starts_s[first]), float(ends_s[first:last].max())
        if rules.only_speaking:
            here = [t for t in rows if t.shot == shot]
            start_s = max(start_s - rules.lead_s, min(t.start_s for t in here))
            end_s = min(end_s + rules.tail_s, max(t.end_s for t in here))
            if found and found[-1].shot == shot and found[-1].end_s > start_s:
                start_s = round((found[-1].end_s + start_s) / 2, 6)
                found[-1] = replace(found[-1], end_s=start_s)
        own = dict.fromkeys(t.id for t, _, _ in spans[first:last])
        found.append(SegmentEntry(shot=shot, start_s=start_s, end_s=end_s, tracklets=tuple(own)))
    # The lead or tail of some may have been cut off.
    return tuple(s for s in found if s.end_s - s.start_s >= rules.min_clip_s - _ROUNDING_S)


def _spoken(tracklets: Sequence[TrackletEntry], speaks: Sequence[tuple[float, float]]) -> list[_Span]:
    """The parts of turns that lie in the tracklets, sorted like them; what is shared by two is in both."""
    parts = [(t, max(start, t.start_s), min(end, t.end_s)) for t in tracklets for start, end in speaks]
    return sorted((part for part in parts if part[1] < part[2]), key=lambda part: (part[0].shot, part[1], part[0].id))


def _all_speaks(people: Sequence[PersonEntry]) -> Speaks:
    """The turns of several people as those of one, in order."""
    known = [person.speaks for person in people if person.speaks is not UNSET]
    if not known:
        return UNSET
    found: list[tuple[float, float]] = []
    for start, end in sorted(turn for turns in known for turn in turns):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def people_lines(timeline: TimelineFile) -> Iterator[str]:
    """The table of people for a terminal, header first."""
    by_id = {t.id: t for t in timeline.tracklets}
    width = max([len("person"), *(columns(p.name) for p in timeline.people)])
    is_speech_known = any(person.speaks is not UNSET for person in timeline.people)
    talking = f"{'talking':>9}  {'turns':>5}  " if is_speech_known else ""
    yield f"{'person':<{width}}  on screen  {talking}first seen  clips  tracklets"
    for person in timeline.people:
        own = [by_id[i] for i in person.tracklets]
        shown = clock(sum(t.end_s - t.start_s for t in own))
        first = clock(min(t.start_s for t in own)) if own else "-"
        note = "  (still image)" if person.still else ""
        ids = numbers_text(person.tracklets)
        if is_speech_known:
            turns = () if person.speaks is UNSET else person.speaks
            talking = f"{clock(sum(end - start for start, end in turns)):>9}  {len(turns):>5}  "
        line = f"{padded(person.name, width)}  {shown:>9}  {talking}{first:>10}  {len(person.segments):>5}  {ids}{note}"
        yield line.rstrip()


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
        return SegmentRules.from_settings(
            msgspec.convert(settings["identity"], IdentitySettings),
            msgspec.convert(settings["clip"], ClipSettings),
            msgspec.convert(settings["speech"], SpeechSettings),
        )
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise SettingsError("the folder's manifest.json is missing or damaged", path=folder) from error


def _with_people(timeline: TimelineFile, people: Iterable[PersonEntry]) -> TimelineFile:
    return replace(timeline, people=tuple(people))


def _among(person: PersonEntry, people: Sequence[PersonEntry]) -> bool:
    return any(person is other for other in people)


def _free_name(timeline: TimelineFile) -> str:
    numbers = [int(m[1]) for p in timeline.people if (m := re.fullmatch(r"person_(\d{1,6})", p.name))]
    return f"person_{max(numbers, default=0) + 1:02d}"
