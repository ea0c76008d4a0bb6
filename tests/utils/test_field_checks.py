"""Checks of fields that types and ranges cannot express."""

from __future__ import annotations

import msgspec
import pytest

from utils.field_checks import (
    check_folder_word,
    check_template,
    check_word_or_count,
    check_word_or_one_of,
    is_address,
    parse_field,
    parse_seconds,
)


class Point(msgspec.Struct, frozen=True):
    x: int | str

    def __post_init__(self) -> None:
        parse_field(self, "x", int)


def test_a_parsed_field_replaces_what_was_given():
    assert Point("12") == Point(12)


def test_an_error_names_the_field_wherever_the_structure_is_made():
    with pytest.raises(ValueError, match=r"^x: invalid literal"):
        Point("east")
    with pytest.raises(msgspec.ValidationError, match=r"^x: invalid literal"):
        msgspec.convert({"x": "east"}, Point)


@pytest.mark.parametrize(("given", "value"), [("auto", "auto"), ("90", 90), (0, 0)])
def test_a_word_or_one_of_some_numbers(given, value):
    assert check_word_or_one_of(given, "auto", (0, 90)) == value
    with pytest.raises(ValueError, match=r"^'45' is not one of 0, 90 and auto$"):
        check_word_or_one_of("45", "auto", (0, 90))


@pytest.mark.parametrize(("given", "seconds"), [("1:30", 90.0), (3, 3.0), ("0", 0.0), (100, 100.0)])
def test_times_are_parsed_as_seconds(given, seconds):
    assert parse_seconds(given, 100) == seconds


@pytest.mark.parametrize("given", [-1, 101, "1:41", "soon"])
def test_malformed_times_are_refused(given):
    with pytest.raises(ValueError):
        parse_seconds(given, 100)


@pytest.mark.parametrize(("given", "value"), [("auto", "auto"), ("4", 4), (4, 4)])
def test_a_word_or_a_count(given, value):
    assert check_word_or_count(given, "auto", 4) == value


@pytest.mark.parametrize("given", ["many", "5", 0, "", "-1"])
def test_neither_the_word_nor_a_count(given):
    with pytest.raises(ValueError, match="neither auto nor a number from 1 to 4"):
        check_word_or_count(given, "auto", 4)


@pytest.mark.parametrize("text", ["plain", "$A", "${A}_$B"])
def test_templates(text):
    assert check_template(text, ("A", "B")) == text


@pytest.mark.parametrize(("text", "named"), [("$C", "C"), ("${C}", "C"), ("$", r"\$"), ("100$$", r"\$")])
def test_templates_with_what_is_not_a_field(text, named):
    with pytest.raises(ValueError, match=f"^{named} is not a field; fields are A, B$"):
        check_template(text, ("A", "B"))


def test_an_empty_template():
    with pytest.raises(ValueError, match=r"^it is empty; fields are A, B$"):
        check_template(" ", ("A", "B"))


@pytest.mark.parametrize("name", ["vertical", "9-16", "a_b", "x" * 32])
def test_names_of_folders(name):
    assert check_folder_word(name) == name


@pytest.mark.parametrize("name", ["", "Upper", "../up", "-x", "x" * 33, "a b", "a\n"])
def test_what_no_folder_may_be_called(name):
    with pytest.raises(ValueError, match="up to 32"):
        check_folder_word(name)


@pytest.mark.parametrize(
    ("text", "expected"), [("head:6379", True), ("[::1]:1", True), ("head", False), ("h:1\n", False)]
)
def test_addresses(text, expected):
    assert is_address(text) is expected
