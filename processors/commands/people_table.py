"""The tables of people and tracklets of one video, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import UNSET

from processors.pages.doubt_text import current_doubts, doubt_text
from processors.results.manifest import Manifest
from processors.results.timeline_file import PersonEntry, TimelineFile
from processors.results.tracks_table import UNKNOWN_PERSON
from utils.console.text_width import columns, padded
from utils.time_formats import clock


def people_lines(timeline: TimelineFile, manifest: Manifest | None = None) -> Iterator[str]:
    """The table of people for a terminal, header first.

    manifest: of the folder; it says who is doubtful, and how many clips there are. People whose tracklets have changed
    since are not marked, and their clips are those that `render` will make, unless long ones are split.
    """
    doubts = {} if manifest is None else current_doubts(timeline, manifest)
    by_id = {t.id: t for t in timeline.tracklets}
    width = max([len("person"), *(columns(p.name) for p in timeline.people)])
    is_speech_known = any(person.speaks is not UNSET for person in timeline.people)
    talking = f"{'talking':>9}  {'turns':>5}  " if is_speech_known else ""
    yield f"{'person':<{width}}  on screen  {talking}first seen  clips  tracklets"
    for person in timeline.people:
        own = [by_id[i] for i in person.tracklets]
        shown = clock(sum(t.end_s - t.start_s for t in own))
        first = clock(min(t.start_s for t in own)) if own else "-"
        notes = ["still image"] if person.still else []
        if person.name in doubts:
            notes.append(doubt_text(doubts[person.name]))
        note = f"  ({'; '.join(notes)})" if notes else ""
        ids = numbers_text(person.tracklets)
        if is_speech_known:
            turns = () if person.speaks is UNSET else person.speaks
            talking = f"{clock(sum(end - start for start, end in turns)):>9}  {len(turns):>5}  "
        clips = _clip_count(person, manifest)
        line = f"{padded(person.name, width)}  {shown:>9}  {talking}{first:>10}  {clips:>5}  {ids}{note}"
        yield line.rstrip()


def _clip_count(person: PersonEntry, manifest: Manifest | None) -> int:
    """The person's clips; the number of segments for people who have changed since `manifest` was written.

    A segment gives more clips than one with `--max-clip`, and none if `--only` leaves the person out.
    """
    segments = [(s.shot, s.start_s, s.end_s) for s in person.segments]
    for made in manifest.people if manifest is not None else ():
        if made.tracklets == person.tracklets and [(s.shot, s.start_s, s.end_s) for s in made.segments] == segments:
            return made.clips
    return len(person.segments)


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
