"""Editing people: what each change makes of a timeline, and how the file on disk is looked after."""

from __future__ import annotations

import argparse
import unicodedata
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from core.errors import SettingsError
from core.types import Tracklet
from processors.commands.edit_commands import time_in_video, tracklet_numbers
from processors.commands.edited_segments import derived_segments
from processors.commands.people_editor import assign, drop, merge, rename, split, split_at
from processors.commands.people_table import numbers_text, people_lines, tracklet_lines
from processors.people.segments import Presence, SegmentRules, person_segments
from processors.results.timeline_file import (
    DivisionEntry,
    PersonEntry,
    SegmentEntry,
    TimelineFile,
    TrackletEntry,
    check,
)
from tests.material import factories

RULES = SegmentRules(min_clip_s=1.0, merge_gap_s=1.0)


def tracklet(number: int, start_s: float, end_s: float, shot: int = 0) -> TrackletEntry:
    return TrackletEntry(id=number, shot=shot, start_s=start_s, end_s=end_s)


TRACKLETS = (
    tracklet(0, 0, 4),
    tracklet(1, 4.4, 5),  # too short for a clip of its own
    tracklet(2, 5.9, 8),
    tracklet(3, 0.5, 3),  # beside 0
    tracklet(4, 10, 12, shot=1),
    tracklet(5, 12.2, 14, shot=2),
)


def person(name: str, *ids: int, still: bool = False) -> PersonEntry:
    segments = derived_segments([TRACKLETS[i] for i in ids], RULES)
    return PersonEntry(name=name, tracklets=ids, segments=segments, still=still, face=f"{name}/face.jpg")


def timeline(*people: PersonEntry, unknown: tuple[int, ...] = ()) -> TimelineFile:
    return TimelineFile(schema=2, analysis="ab" * 32, people=people, unknown=unknown, tracklets=TRACKLETS)


TIMELINE = timeline(
    person("person_01", 0, 2), person("person_02", 1), person("person_03", 3), person("person_04", 4, 5)
)


def spans(one: PersonEntry) -> list[tuple]:
    return [(s.shot, s.start_s, s.end_s, s.tracklets) for s in one.segments]


def test_segments_join_over_short_gaps_never_over_cuts_and_short_ones_are_dropped():
    assert spans(person("x", 0, 1, 2)) == [(0, 0, 8, (0, 1, 2))]
    assert spans(person("x", 0, 2)) == [(0, 0, 4, (0,)), (0, 5.9, 8, (2,))]
    assert spans(person("x", 1)) == []
    assert spans(person("x", 4, 5)) == [(1, 10, 12, (4,)), (2, 12.2, 14, (5,))]
    assert spans(person("x", 0, 3)) == [(0, 0, 4, (0, 3))]
    assert derived_segments([], RULES) == ()


def test_a_renamed_person_keeps_everything_else():
    renamed = rename(TIMELINE, "person_02", "Anna Müller")
    assert [p.name for p in renamed.people] == ["person_01", "Anna Müller", "person_03", "person_04"]
    assert renamed.people[1].tracklets == (1,)
    assert renamed.people[0] is TIMELINE.people[0]


@pytest.mark.parametrize("name", ["a/b", "", "..", "-x", "manifest.json", "UNKNOWN", "x" * 200, "a\nb"])
def test_names_that_cannot_be_folders_are_refused(name):
    with pytest.raises(SettingsError, match="the new name"):
        rename(TIMELINE, "person_01", name)


def test_merging_closes_gaps_that_the_other_filled():
    merged = merge(TIMELINE, RULES, "person_01", ["person_02"])
    assert [p.name for p in merged.people] == ["person_01", "person_03", "person_04"]
    assert merged.people[0].tracklets == (0, 1, 2)
    assert spans(merged.people[0]) == [(0, 0, 8, (0, 1, 2))]


def test_merging_several_into_a_later_one():
    merged = merge(TIMELINE, RULES, "person_04", ["person_02", "person_01"])
    assert [p.name for p in merged.people] == ["person_03", "person_04"]
    assert merged.people[1].tracklets == (0, 1, 2, 4, 5)


def test_a_portrait_merged_with_a_living_face_is_alive():
    current = timeline(person("a", 0, still=True), person("b", 2), person("c", 4, still=True))
    assert merge(current, RULES, "a", ["b"]).people[0].still is False
    assert merge(current, RULES, "a", ["c"]).people[0].still is True


SKIPPING = SegmentRules(min_clip_s=1.0, merge_gap_s=1.0, skip_still=True)


def test_a_portrait_that_was_left_out_does_not_come_back_by_merging_or_splitting():
    portraits = [replace(person(n, *ids, still=True), segments=()) for n, ids in (("a", (0, 2)), ("b", (4, 5)))]
    current = timeline(*portraits, person("c", 1))
    assert [p.segments for p in split(current, SKIPPING, "a", [2]).people] == [(), (), (), ()]
    assert merge(current, SKIPPING, "a", ["b"]).people[0].segments == ()
    # Without the setting they are people like others, and so is whoever moves.
    assert [len(p.segments) for p in split(current, RULES, "a", [2]).people] == [1, 0, 0, 1]
    assert len(merge(current, RULES, "a", ["b"]).people[0].segments) == 4
    assert len(merge(current, SKIPPING, "a", ["c"]).people[0].segments) == 1


@pytest.mark.parametrize("seed", range(20))
def test_editing_derives_the_segments_that_a_run_finds(seed):
    """From the frames of tracklets, as a run, and from their times in timeline.json, as an edit."""
    rng = np.random.default_rng(seed)
    starts_s = np.cumsum(rng.uniform(0.02, 0.06, 1001)) - 0.02
    tracklets: list[Tracklet] = []
    for shot in range(4):
        for start in np.sort(rng.integers(0, 240, 5)).tolist():
            end = min(start + int(rng.integers(2, 80)), 250)
            frames = range(250 * shot + start, 250 * shot + end)
            tracklets.append(factories.tracklet(len(tracklets), frames, shot=shot))
    entries = [tracklet(t.id, float(starts_s[t.start]), float(starts_s[t.end]), t.shot) for t in tracklets]
    rules = SegmentRules(0.8, 0.4)
    by_run = person_segments("a", Presence(tracklets), starts_s[:-1], starts_s[1:], rules)
    by_edit = derived_segments(entries, rules)
    assert [(s.shot, starts_s[s.start], starts_s[s.end], s.tracklets) for s in by_run] == [
        (s.shot, s.start_s, s.end_s, s.tracklets) for s in by_edit
    ]
    assert len(by_run) > 3


def test_two_who_are_seen_together_are_not_one_unless_forced():
    with pytest.raises(SettingsError, match=r"person_01 \(tracklet 0\) and person_03 \(tracklet 3\).* at 0.50 s"):
        merge(TIMELINE, RULES, "person_01", ["person_03"])
    assert merge(TIMELINE, RULES, "person_01", ["person_03"], force=True).people[0].tracklets == (0, 3, 2)


@pytest.mark.parametrize("others", [["person_01"], ["person_02", "person_02"]])
def test_nobody_is_merged_with_themselves(others):
    with pytest.raises(SettingsError, match=rf"^{others[0]} is named twice \(merge joins"):
        merge(TIMELINE, RULES, "person_01", others)


def test_splitting_makes_a_new_person_with_the_next_free_name():
    parted = split(TIMELINE, RULES, "person_04", [5])
    assert [p.name for p in parted.people] == ["person_01", "person_02", "person_03", "person_04", "person_05"]
    assert [p.tracklets for p in parted.people[3:]] == [(4,), (5,)]
    assert spans(parted.people[4]) == [(2, 12.2, 14, (5,))]
    assert split(TIMELINE, RULES, "person_04", [5], "Bob").people[-1].name == "Bob"


def test_splitting_undoes_merging():
    merged = merge(TIMELINE, RULES, "person_01", ["person_02"])
    parted = split(merged, RULES, "person_01", [1], "person_02")
    assert parted.people[0].segments == TIMELINE.people[0].segments
    assert parted.people[-1].segments == TIMELINE.people[1].segments


@pytest.mark.parametrize(
    ("ids", "complaint"),
    [([4, 5], "some must stay"), ([], "some must stay"), ([0], r"person_04 has no tracklet 0 \(its tracklets: ")],
)
def test_splitting_needs_tracklets_that_go_and_some_that_stay(ids, complaint):
    with pytest.raises(SettingsError, match=complaint):
        split(TIMELINE, RULES, "person_04", ids)


def test_a_person_is_divided_at_a_time_and_a_tracklet_that_runs_across_it_too():
    parted = split_at(TIMELINE, RULES, "person_01", 6.5)
    check(parted, Path("timeline.json"))
    old, new = parted.people[0], parted.people[-1]
    assert (old.tracklets, new.name, new.tracklets) == ((0, 2), "person_05", (6,))
    assert parted.divisions == (DivisionEntry(tracklet=2, at_s=6.5, id=6),)
    assert [(t.start_s, t.end_s) for t in parted.tracklets if t.id in (2, 6)] == [(5.9, 6.5), (6.5, 8)]
    assert spans(old) == [(0, 0, 4, (0,))] and spans(new) == [(0, 6.5, 8, (6,))]
    assert parted.people[1:4] == TIMELINE.people[1:]


def test_a_time_between_tracklets_divides_none():
    for at_s in (4.0, 5.0, 5.9):
        parted = split_at(TIMELINE, RULES, "person_01", at_s, "Bob")
        assert [p.tracklets for p in (parted.people[0], parted.people[-1])] == [(0,), (2,)]
        assert "divided" not in msgspec.to_builtins(parted) and parted.tracklets == TRACKLETS


def test_a_time_as_it_is_shown_means_the_end_of_a_tracklet_and_leaves_no_splinter():
    """Times are shown in tenths of a second: 3.96 and 4.04 are shown as 4.0."""
    for at_s in (3.96, 4.04, 5.86, 5.94):
        assert split_at(TIMELINE, RULES, "person_01", at_s).divisions == ()


def test_two_tracklets_at_one_time_are_both_divided_and_pieces_can_be_divided_again():
    both = timeline(person("a", 0, 3))
    once = split_at(both, RULES, "a", 1.0, "b")
    assert [p.tracklets for p in once.people] == [(0, 3), (6, 7)]
    twice = split_at(once, RULES, "b", 2.0, "c")
    check(twice, Path("timeline.json"))
    assert [(d.tracklet, d.at_s, d.id) for d in twice.divisions] == [(0, 1, 6), (3, 1, 7), (6, 2, 8), (7, 2, 9)]
    assert [p.tracklets for p in twice.people] == [(0, 3), (6, 7), (8, 9)]


@pytest.mark.parametrize("at_s", [0.0, 0.04, 8.0, 99.0])
def test_a_person_is_only_divided_where_they_are_seen_before_and_after(at_s):
    with pytest.raises(SettingsError, match=r"both before and after .* s \(the person is seen from 0.00 to 8.00"):
        split_at(TIMELINE, RULES, "person_01", at_s)


def test_an_unknown_tracklet_is_given_to_a_person():
    current = timeline(person("a", 0), person("b", 4), unknown=(1, 2))
    given = assign(current, RULES, "a", [1])
    assert given.people[0].tracklets == (0, 1) and given.unknown == (2,)
    assert spans(given.people[0]) == [(0, 0, 5, (0, 1))]
    assert given.people[1] is current.people[1]
    # One that appears nowhere, because its person was dropped.
    assert assign(current, RULES, "a", [5]).people[0].tracklets == (0, 5)


def test_tracklets_are_taken_from_whoever_had_them():
    moved = assign(TIMELINE, RULES, "person_04", [2, 1])
    assert [(p.name, p.tracklets) for p in moved.people] == [
        ("person_01", (0,)), ("person_03", (3,)), ("person_04", (1, 2, 4, 5)),
    ]  # fmt: skip
    assert spans(moved.people[0]) == [(0, 0, 4, (0,))]
    check(moved, Path("timeline.json"))


def test_a_new_name_makes_a_new_person():
    current = timeline(person("a", 0), unknown=(2, 4))
    given = assign(current, RULES, "Bob", [2, 4])
    assert [(p.name, p.tracklets, p.still) for p in given.people] == [("a", (0,), False), ("Bob", (2, 4), False)]
    assert spans(given.people[1]) == [(0, 5.9, 8, (2,)), (1, 10, 12, (4,))]
    portrait = timeline(person("a", 0, 2, still=True))
    assert [p.still for p in assign(portrait, RULES, "b", [2]).people] == [True, True]


def test_giving_somebody_a_tracklet_who_is_seen_elsewhere_needs_force():
    current = timeline(person("a", 0), unknown=(3,))
    with pytest.raises(SettingsError, match=r"a \(tracklet 0\) and unknown \(tracklet 3\).* at 0.50 s"):
        assign(current, RULES, "a", [3])
    with pytest.raises(SettingsError, match="visible at the same time"):
        assign(timeline(unknown=(0, 3)), RULES, "a", [0, 3])
    assert assign(current, RULES, "a", [3], force=True).people[0].tracklets == (0, 3)


@pytest.mark.parametrize(
    ("name", "ids", "complaint"),
    [
        ("person_01", [77], r"no tracklet 77 \(tracklets: 0-5\)"),
        ("person_01", [0], r"person_01 already has these tracklets \(main.py people"),
        ("a/b", [0], "the person's name: 'a/b' cannot be the name of a folder"),
        ("unknown", [0], "is reserved here"),
    ],
)
def test_what_cannot_be_given(name, ids, complaint):
    with pytest.raises(SettingsError, match=complaint):
        assign(TIMELINE, RULES, name, ids)


def test_dropped_people_leave_their_tracklets_to_nobody():
    left = drop(TIMELINE, ["person_02", "person_04"])
    assert [p.name for p in left.people] == ["person_01", "person_03"]
    assert left.unknown == ()
    check(left, Path("timeline.json"))


def test_who_is_not_there_is_said_with_who_is():
    for change in (
        lambda: rename(TIMELINE, "nobody", "x"),
        lambda: drop(TIMELINE, ["nobody"]),
        lambda: merge(TIMELINE, RULES, "person_01", ["nobody"]),
        lambda: split(TIMELINE, RULES, "nobody", [1]),
    ):
        with pytest.raises(SettingsError) as caught:
            change()
        assert "no person 'nobody'" in str(caught.value) and "person_01, person_02" in str(caught.value)


def test_names_are_found_and_given_as_they_are_typed():
    """In lower case, or decomposed, as macOS gives names of folders: they look the same."""
    composed, decomposed = "José", unicodedata.normalize("NFD", "José")
    called = rename(TIMELINE, "PERSON_03", decomposed)
    assert [p.name for p in called.people] == ["person_01", "person_02", composed, "person_04"]
    assert [p.name for p in drop(called, [decomposed]).people] == ["person_01", "person_02", "person_04"]
    assert merge(called, RULES, "josé", ["Person_04"]).people[2].tracklets == (3, 4, 5)
    assert assign(called, RULES, decomposed, [5]).people[2].tracklets == (3, 5)
    assert assign(called, RULES, unicodedata.normalize("NFD", "Zoë"), [5]).people[-1].name == "Zoë"
    with pytest.raises(SettingsError, match=r"somebody is called 'José' already"):
        split(called, RULES, "person_04", [5], decomposed)


def test_the_table_of_people():
    current = timeline(person("person_01", 0, 2), person("Anna", 4, still=True))
    assert list(people_lines(current)) == [
        "person     on screen  first seen  clips  tracklets",
        "person_01     0:06.1      0:00.0      2  0,2",
        "Anna          0:02.0      0:10.0      1  4  (still image)",
    ]
    assert list(people_lines(timeline())) == ["person  on screen  first seen  clips  tracklets"]


def test_letters_of_two_columns_do_not_shift_the_table():
    lines = list(people_lines(timeline(person("김민수", 0), person("Anna", 4))))
    assert lines[1].startswith("김민수     0:04.0") and lines[2].startswith("Anna       0:02.0")


def test_a_name_that_somebody_has_is_refused_with_the_way_to_go():
    for name in ("person_02", "PERSON_02"):
        with pytest.raises(SettingsError, match=r"'person_02' already \(merge joins two people\)"):
            rename(TIMELINE, "person_01", name)
    assert rename(TIMELINE, "person_01", "PERSON_01").people[0].name == "PERSON_01"


def test_the_table_of_tracklets():
    current = timeline(person("person_01", 0, 2), person("Anna", 4), unknown=(1,))
    assert list(tracklet_lines(current)) == [
        "tracklet  shot      from        to  person",
        "       0     1    0:00.0    0:04.0  person_01",
        "       1     1    0:04.4    0:05.0  unknown",
        "       2     1    0:05.9    0:08.0  person_01",
        "       4     2    0:10.0    0:12.0  Anna",
    ]


def test_numbers_are_written_as_they_are_read():
    assert numbers_text([7, 0, 1, 2, 3, 9, 10]) == "0-3,7,9,10"
    assert numbers_text([]) == ""
    assert tracklet_numbers("0-3,7, 9,10") == [0, 1, 2, 3, 7, 9, 10]


def test_segments_changed_by_hand_survive_what_does_not_concern_them():
    trimmed = msgspec.structs.replace(
        TIMELINE.people[0], segments=(SegmentEntry(shot=0, start_s=1.0, end_s=2.0, tracklets=(0,)),)
    )
    current = timeline(trimmed, *TIMELINE.people[1:])
    for edited in (
        rename(current, "person_01", "Anna"),
        drop(current, ["person_02"]),
        split(current, RULES, "person_04", [5]),
    ):
        assert edited.people[0].segments == trimmed.segments


@pytest.mark.parametrize(
    ("text", "seconds"), [("11.64", 11.64), ("0:11.64", 11.64), ("62:05", 3725), ("1:02:11.640", 3731.64), ("0", 0)]
)
def test_times_as_they_are_given(text, seconds):
    assert time_in_video(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "-1", "1:60", "1:60:00", "1:2:3:4", "1e3", "nan", "inf", "1:", ":1"])
def test_what_is_not_a_time(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected a time like"):
        time_in_video(text)


SPEAKING = SegmentRules(1.0, 0.6, only_speaking=True, lead_s=0.2, tail_s=0.3)


def talker(name: str, *ids: int, speaks: tuple[tuple[float, float], ...]) -> PersonEntry:
    segments = derived_segments([TRACKLETS[i] for i in ids], SPEAKING, speaks=speaks)
    return PersonEntry(name=name, tracklets=ids, segments=segments, speaks=speaks)


def test_segments_of_people_who_speak_are_their_turns():
    one = talker("x", 0, 2, 4, speaks=((0.1, 1.5), (2.0, 3.0), (3.7, 6.2), (10.5, 11.4), (11.9, 12.0)))
    assert spans(one) == [
        (0, 0.0, 3.3, (0,)),  # a pause of 0.5 s within; the lead ends where the tracklet begins
        (1, 10.3, 12.0, (4,)),  # the tail ends with the shot
    ]


def test_merging_and_splitting_keep_who_speaks_when():
    before = timeline(
        talker("person_01", 0, 2, speaks=((1.0, 3.0), (6.0, 7.5))), talker("person_02", 4, speaks=((10.2, 11.8),))
    )
    merged = merge(before, SPEAKING, "person_01", ["person_02"])
    (one,) = merged.people
    assert one.speaks == ((1.0, 3.0), (6.0, 7.5), (10.2, 11.8))
    assert spans(one) == [(0, 0.8, 3.3, (0,)), (0, 5.8, 7.8, (2,)), (1, 10.0, 12.0, (4,))]
    old, new = split(merged, SPEAKING, "person_01", [2]).people
    assert old.speaks == ((1.0, 3.0), (10.2, 11.8)) and new.speaks == ((6.0, 7.5),)
    assert spans(new) == [(0, 5.9, 7.8, (2,))]


def test_dividing_and_giving_keep_who_speaks_when():
    one = talker("person_01", 0, 2, speaks=((1.0, 3.0), (6.0, 7.5)))
    before = timeline(one, talker("person_02", 4, speaks=((10.2, 11.8),)))
    old, _, new = split_at(before, SPEAKING, "person_01", 2.0).people
    assert old.speaks == ((1.0, 2.0),) and new.speaks == ((2.0, 3.0), (6.0, 7.5))
    first, second = assign(before, SPEAKING, "person_02", [2]).people
    assert first.speaks == ((1.0, 3.0),) and second.speaks == ((6.0, 7.5), (10.2, 11.8))
    assert spans(second) == [(0, 5.9, 7.8, (2,)), (1, 10.0, 12.0, (4,))]


def test_timelines_without_speech_do_not_say_who_speaks():
    (one,) = merge(timeline(person("person_01", 0), person("person_02", 4)), RULES, "person_01", ["person_02"]).people
    assert "speaks" not in msgspec.to_builtins(one)


def test_the_table_of_people_has_talking_time_where_it_is_known():
    known = timeline(talker("person_01", 0, 2, speaks=((1.0, 3.0), (6.0, 7.5))), person("person_02", 4))
    lines = list(people_lines(known))
    assert lines[0] == "person     on screen    talking  turns  first seen  clips  tracklets"
    assert lines[1].split()[:4] == ["person_01", "0:06.1", "0:03.5", "2"]
    assert "talking" not in next(people_lines(TIMELINE))
