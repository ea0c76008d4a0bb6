"""Editing people: what each change makes of a timeline, and how the file on disk is looked after."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from config import Settings, result_settings
from core.errors import OutputError, SettingsError
from core.settings_file import load_settings
from core.types import Tracklet
from processors.commands.edit_commands import tracklet_numbers
from processors.commands.people_editor import (
    derived_segments,
    drop,
    edit_people,
    merge,
    numbers_text,
    people_lines,
    rename,
    split,
    tracklet_lines,
)
from processors.people.segments import SegmentRules, person_segments
from processors.results.output_folder import output_lock
from processors.results.timeline_file import (
    PersonEntry,
    SegmentEntry,
    TimelineFile,
    TrackletEntry,
    check,
    read_timeline,
)
from tests.material import factories
from tests.material.page_material import a_manifest
from utils.files import write_json

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
    by_run = person_segments("a", tracklets, starts_s[:-1], starts_s[1:], rules)
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
    with pytest.raises(SettingsError, match="themselves"):
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
    ("ids", "complaint"), [([4, 5], "some to stay"), ([], "some to stay"), ([0], "person_04 has no tracklet 0")]
)
def test_splitting_needs_tracklets_that_go_and_some_that_stay(ids, complaint):
    with pytest.raises(SettingsError, match=complaint):
        split(TIMELINE, RULES, "person_04", ids)


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
        with pytest.raises(SettingsError, match=r"'person_02' already \(merge makes one person of two\)"):
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out" / "video"
    made.mkdir(parents=True)
    settings = load_settings(None, {"clip": {"min_clip": 0.5}, "identity": {"skip_still": True}})
    write_json(made / "manifest.json", {**a_manifest(), "settings": result_settings(settings)})
    (made / "timeline.json").write_bytes(msgspec.json.encode(TIMELINE))
    return made


def test_an_edit_is_written_and_the_one_before_is_kept(folder):
    before = (folder / "timeline.json").read_bytes()
    returned = edit_people(folder, lambda current, rules: rename(current, "person_01", "Anna"))
    assert read_timeline(folder) == returned
    assert (folder / "timeline.json.bak").read_bytes() == before
    assert json.loads((folder / "timeline.json").read_text())["people"][0]["name"] == "Anna"
    assert sorted(p.name for p in folder.iterdir()) == ["manifest.json", "timeline.json", "timeline.json.bak"]


def test_the_rules_are_those_that_the_folder_was_made_with(folder):
    given = []

    def note_rules(current, rules):
        given.append(rules)
        return current

    edit_people(folder, note_rules)
    assert given == [SegmentRules(0.5, Settings().clip.merge_gap, True)]


@pytest.mark.parametrize(
    "change",
    [
        lambda current, rules: rename(current, "person_01", "PERSON_02"),
        lambda current, rules: rename(current, "nobody", "x"),
        lambda current, rules: split(current, rules, "person_04", [5], "person_01"),
    ],
)
def test_what_cannot_be_done_changes_nothing(folder, change):
    before = (folder / "timeline.json").read_bytes()
    with pytest.raises(SettingsError):
        edit_people(folder, change)
    assert (folder / "timeline.json").read_bytes() == before
    assert not (folder / "timeline.json.bak").exists()


def test_a_damaged_manifest_or_timeline_is_said(folder):
    (folder / "timeline.json").write_text("{")
    with pytest.raises(SettingsError, match=r"timeline\.json"):
        edit_people(folder, lambda current, rules: current)
    (folder / "timeline.json").write_bytes(msgspec.json.encode(TIMELINE))
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(SettingsError, match="manifest"):
        edit_people(folder, lambda current, rules: current)


def test_nobody_edits_while_a_run_writes(folder):
    with output_lock(folder.parent), pytest.raises(OutputError, match="another run"):
        edit_people(folder, lambda current, rules: current)


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


def test_who_speaks_is_no_part_of_timelines_without_it():
    (one,) = merge(timeline(person("person_01", 0), person("person_02", 4)), RULES, "person_01", ["person_02"]).people
    assert "speaks" not in msgspec.to_builtins(one)


def test_the_table_of_people_has_talking_time_where_it_is_known():
    known = timeline(talker("person_01", 0, 2, speaks=((1.0, 3.0), (6.0, 7.5))), person("person_02", 4))
    lines = list(people_lines(known))
    assert lines[0] == "person     on screen    talking  turns  first seen  clips  tracklets"
    assert lines[1].split()[:4] == ["person_01", "0:06.1", "0:03.5", "2"]
    assert "talking" not in next(people_lines(TIMELINE))
