"""An edited timeline: correct values are read exactly, errors name the field."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.errors import SettingsError
from core.types import Identity, Segment, Timeline, TrackletDivision
from processors.people.tracklet_division import divided_analysis
from processors.results.timeline_file import parse_timeline, read_timeline, to_timeline
from processors.video.output_writer import make_timeline_file
from tests.material.factories import face_analysis, tracklet, video_info

KEY = "ab" * 32
PATH = Path("a/timeline.json")


ANALYSIS = face_analysis(
    [
        tracklet(0, range(50)), tracklet(1, range(10, 45)), tracklet(2, range(50, 90), shot=1),
        tracklet(3, range(60, 61), shot=1), tracklet(4, range(3)),
    ],
    video=video_info(time_base=Fraction(1, 90000), frame_rate=Fraction(30000, 1001)),
    # 29.97 frames a second, and one frame that lasts three times as long.
    pts=12345 + 3003 * np.concatenate([np.arange(40), np.arange(42, 92)]),
    cuts=[50],
)  # fmt: skip
TIMELINE = Timeline(
    people=(
        Identity("person_01", (0, 2), (Segment("person_01", 0, 0, 50, (0,)), Segment("person_01", 1, 51, 90, (2,)))),
        Identity("person_02", (1,), (Segment("person_02", 0, 39, 41, (1,)),), still=True),
    ),
    unknown=(3,),
)


def written() -> dict:
    """The file as the program writes it, decoded from JSON."""
    value: dict = json.loads(msgspec.json.encode(make_timeline_file(ANALYSIS, TIMELINE, ["person_01"], KEY)))
    return value


def parse(value) -> Timeline:
    return to_timeline(parse_timeline(json.dumps(value).encode(), PATH), ANALYSIS, PATH)


def test_what_the_program_writes_it_reads_exactly(tmp_path):
    (tmp_path / "timeline.json").write_text(json.dumps(written()))
    file = read_timeline(tmp_path)
    assert file.analysis == KEY
    again = to_timeline(file, ANALYSIS, PATH)
    assert (again.people, again.unknown) == (TIMELINE.people, TIMELINE.unknown)


def test_people_may_be_edited_by_hand():
    value = written()
    value["people"][0]["name"] = "Jürgen, der Ältere"
    value["people"][0]["segments"][0] |= {"start_s": 0.51, "end_s": 1.0}
    value["people"][1]["segments"] = []
    value["unknown"] = []
    timeline = parse(value)
    first, second = timeline.people
    # 0.51 s lies nearest to frame 15, which begins at 0.5005 s; 1 s to frame 30, at 1.001 s.
    assert first.segments[0] == Segment("Jürgen, der Ältere", 0, 15, 30, (0,))
    assert second.segments == ()
    assert timeline.unknown == ()


def at(*path_and_value):
    """A copy of the file with another value at the given path."""
    *path, value = path_and_value

    def change(file) -> None:
        for key in path[:-1]:
            file = file[key]
        if value is None:
            del file[path[-1]]
        else:
            file[path[-1]] = value

    return change


SEGMENT = ("people", 0, "segments", 1)


@pytest.mark.parametrize(
    ("change", "field", "complaint"),
    [
        (at(*SEGMENT, "end_s", "late"), "people[0].segments[1].end_s", "Expected `float`, got `str`"),
        (at(*SEGMENT, "end_s", 1.0), "people[0].segments[1].end_s", "1 is not after start_s"),
        (at(*SEGMENT, "end_s", 99.0), "people[0].segments[1].end_s", "99: shot 1 lasts from 1.735 to 3.070"),
        (at(*SEGMENT, "end_s", 3.2), "people[0].segments[1].end_s", "3.2: shot 1 lasts"),
        (at(*SEGMENT, "start_s", 0.2), "people[0].segments[1].start_s", "0.2: shot 1 lasts"),
        (at(*SEGMENT, "start_s", -1.0), "people[0].segments[1].start_s", ">= 0"),
        (at(*SEGMENT, "end_s", 1.77), "people[0].segments[1].end_s", "shorter than a frame"),
        (at(*SEGMENT, "shot", 7), "people[0].segments[1].tracklets[0]", "2 lies in shot 1"),
        (at(*SEGMENT, "tracklets", []), "people[0].segments[1].tracklets", "there is none"),
        (
            at(*SEGMENT, "tracklets", [1]),
            "people[0].segments[1].tracklets[0]",
            "tracklet 1 does not belong to person_01",
        ),
        (at(*SEGMENT, "tracklets", None), "people[0].segments[1]", "missing required field `tracklets`"),
        (at(*SEGMENT, "start", 3), "people[0].segments[1]", "unknown field `start`"),
        (at("people", 0, "name", "a/b"), "people[0].name", "'a/b' cannot be the name of a folder, 'a_b' could"),
        (at("people", 0, "name", ".."), "people[0].name", "cannot be the name of a folder"),
        (at("people", 0, "name", ""), "people[0].name", "cannot be the name of a folder"),
        (at("people", 0, "name", "x\u2028y"), "people[0].name", r"'x\u2028y'"),
        (at("people", 0, "name", "Unknown"), "people[0].name", "is reserved here"),
        (at("people", 0, "name", "report.HTML"), "people[0].name", "is reserved here"),
        (at("people", 1, "name", "PERSON_01"), "people[1].name", "people[0] has this name already"),
        (at("people", 1, "tracklets", [1, 2]), "people[1].tracklets[1]", "tracklet 2 belongs to person_01 already"),
        (at("people", 1, "tracklets", [1, 77]), "people[1].tracklets[1]", "there is no tracklet 77"),
        (at("people", 1, "tracklets", [1, -1]), "people[1].tracklets[1]", ">= 0"),
        (at("people", 1, "still", "no"), "people[1].still", "Expected `bool`"),
        (at("unknown", [0]), "unknown[0]", "tracklet 0 belongs to person_01 already"),
        (at("people", {}), "people", "Expected `array`"),
        (at("schema", 1), "schema", "it is 1, but this version of the program reads 2"),
        (at("schema", None), "", "missing required field `schema`"),
        (at("analysis", "x"), "analysis", "regex"),
        (at("more", 1), "", "unknown field `more`"),
    ],
)
def test_a_wrong_field_is_named(change, field, complaint):
    value = written()
    change(value)
    with pytest.raises(SettingsError) as caught:
        parse(value)
    message = caught.value.message
    assert message.startswith(f"{field}: " if field else "Object ")
    assert complaint in message
    assert caught.value.path == PATH
    assert "\n" not in str(caught.value)


def test_tracklets_that_the_analysis_does_not_have_are_refused():
    value = written()
    value["tracklets"].append({"id": 9, "shot": 0, "start_s": 0, "end_s": 1})
    value["people"][1]["tracklets"] = [1, 9]
    with pytest.raises(SettingsError, match=r"people\[1\].tracklets\[1\]: the analysis has no tracklet 9"):
        parse(value)
    value = written()
    value["tracklets"][2]["shot"] = 0
    value["people"][0]["segments"] = [{"shot": 0, "start_s": 0, "end_s": 1, "tracklets": [2]}]
    with pytest.raises(SettingsError, match=r"people\[0\].segments\[0\].tracklets\[0\]: 2 lies in shot 1"):
        parse(value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"schema": 2, "schema": {}}', b"{}"]
)
def test_what_is_not_a_timeline_at_all(data):
    with pytest.raises(SettingsError) as caught:
        parse_timeline(data, PATH)
    assert "timeline.json" in str(caught.value) and "--overwrite" in str(caught.value)


def test_no_file_and_one_too_large(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="cannot read the timeline"):
        read_timeline(tmp_path)
    (tmp_path / "timeline.json").write_text(json.dumps(written()))
    monkeypatch.setattr("processors.results.timeline_file.MAX_BYTES", 100)
    with pytest.raises(SettingsError, match="too large"):
        read_timeline(tmp_path)


def divided(*entries: tuple[int, float, int]) -> dict:
    """The file with tracklets divided, the pieces of person_01's first one given to person_02."""
    value = written()
    value["divided"] = [{"tracklet": number, "at_s": at_s, "id": piece} for number, at_s, piece in entries]
    value["tracklets"] += [{"id": piece, "shot": 0, "start_s": 0, "end_s": 1} for _, _, piece in entries]
    value["people"][0]["segments"][0]["end_s"] = 0.5005
    return value


def test_a_tracklet_is_divided_at_the_nearest_frame():
    value = divided((0, 0.51, 7))
    value["people"][1]["tracklets"].append(7)
    value["people"][1]["segments"] = [{"shot": 0, "start_s": 0.5005, "end_s": 1.0, "tracklets": [7]}]
    timeline = parse(value)
    assert timeline.divisions == (TrackletDivision(0, 15, 7),)
    assert timeline.people[1].segments == (Segment("person_02", 0, 15, 30, (7,)),)
    assert timeline.statistics["tracklets"] == 6
    again = make_timeline_file(divided_analysis(ANALYSIS, timeline.divisions), timeline, [], KEY)
    assert [(d.tracklet, d.at_s, d.id) for d in again.divisions] == [(0, 0.5005, 7)]
    ends = {t.id: (t.start_s, t.end_s) for t in again.tracklets}
    assert ends[0] == (0.0, 0.5005) and ends[7] == (0.5005, 1.735067)
    assert to_timeline(again, ANALYSIS, PATH).people == timeline.people


def test_a_piece_may_be_divided_and_a_time_at_its_very_end_leaves_it_a_frame():
    assert parse(divided((0, 0.51, 7), (7, 1.0, 8))).divisions[1] == TrackletDivision(7, 30, 8)
    assert parse(divided((0, 0.0, 7))).divisions == (TrackletDivision(0, 1, 7),)


def test_files_without_divisions_are_as_before():
    assert "divided" not in written()
    assert parse(written()).divisions == ()


@pytest.mark.parametrize(
    ("entry", "field", "complaint"),
    [
        ((0, 9.0, 7), "divided[0].at_s", "9: tracklet 0 lasts from 0.000 to 1.735"),
        ((2, 0.5, 7), "divided[0].at_s", "0.5: tracklet 2 lasts from 1.735"),
        ((3, 2.069, 7), "divided[0].at_s", "tracklet 3 is a single frame"),
        ((0, 0.5, 1), "divided[0].id", "the analysis has a tracklet 1 already"),
        ((9, 0.5, 7), "divided[0].tracklet", "there is no tracklet 9"),
    ],
)
def test_a_wrong_division_is_named(entry, field, complaint):
    value = divided(entry)
    value["tracklets"] = list({t["id"]: t for t in reversed(value["tracklets"])}.values())
    with pytest.raises(SettingsError) as caught:
        parse(value)
    assert caught.value.message.startswith(f"{field}: ") and complaint in caught.value.message
