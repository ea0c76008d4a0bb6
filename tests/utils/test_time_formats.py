"""Times as people and programs read them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from utils.time_formats import (
    clock,
    format_duration,
    parse_age,
    parse_clock,
    parse_timecode,
    timecode,
    timecode_base,
    vtt_time,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1:00"), (75, "1:15"), (3599.6, "1:00:00"), (3725, "1:02:05")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_times_as_others_write_them() -> None:
    assert [clock(s) for s in (0, 3.24, 59.96, 75, 3725.5)] == ["0:00.0", "0:03.2", "1:00.0", "1:15.0", "1:02:05.5"]
    assert vtt_time(3725.5) == "01:02:05.500"
    assert [timecode_base(Fraction(r)) for r in ("30000/1001", "25", "24000/1001", "1/2")] == [30, 25, 24, 1]
    # Ten minutes of 29.97: non-drop counts on, drop-frame would say 00:10:00:00 here.
    assert timecode(17982, 30) == "00:09:59:12"
    assert timecode(24 * 3600 * 25 + 26, 25) == "00:00:01:01"


@pytest.mark.parametrize("seconds", [0, 3.2, 75, 3725.5, 360000])
def test_a_time_that_is_shown_can_be_given(seconds: float) -> None:
    assert parse_clock(clock(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), ("1:30", 90), ("1:30.5", 90.5), ("90:00", 5400), ("0:01:30.500", 90.5), ("12:00:00", 43200),
        ("1:60", None), ("1:75:00", None), ("1:2:60", None), ("1:", None), ("", None), ("-1", None), ("nan", None),
        ("1:2:3:4", None), ("x", None),
    ],
)  # fmt: skip
def test_times_are_seconds_or_clocks(text, seconds):
    if seconds is None:
        with pytest.raises(ValueError, match="is not a time"):
            parse_clock(text)
    else:
        assert parse_clock(text) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("12h", 43200), ("30d", 30 * 86400), ("2w", 14 * 86400), ("0d", 0)])
def test_ages_are_parsed_as_seconds(text, seconds):
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 d", "30m", "999999d", "\u0663d"])
def test_malformed_ages_are_refused(text):
    with pytest.raises(ValueError, match="30d"):
        parse_age(text)


@pytest.mark.parametrize(
    ("frame", "base", "code"),
    [
        (1799, 30, "00:00:59;29"),
        (1800, 30, "00:01:00;02"),
        (17981, 30, "00:09:59;29"),
        (17982, 30, "00:10:00;00"),
        (107892, 30, "01:00:00;00"),
        (3600, 60, "00:01:00;04"),
        (2 * 107892, 60, "01:00:00;00"),
    ],
)
def test_drop_frame_timecode_keeps_to_the_clock(frame, base, code):
    assert timecode(frame, base, drop_frame=True) == code
    assert parse_timecode(code, base, drop_frame=True) == frame


def test_every_frame_of_twenty_minutes_has_a_timecode_of_its_own():
    for drop_frame in (False, True):
        codes = [timecode(frame, 30, drop_frame=drop_frame) for frame in range(36000)]
        assert [parse_timecode(code, 30, drop_frame=drop_frame) for code in codes] == list(range(36000))


@pytest.mark.parametrize("text", ["", "1:00:00:00", "24:00:00:00", "00:60:00:00", "00:00:00:25", "00:00:00:-1"])
def test_what_is_not_a_timecode_is_refused(text):
    with pytest.raises(ValueError, match="no timecode at 25"):
        parse_timecode(text, 25)
