"""Every setting is one flag, with its range and default."""

from __future__ import annotations

import re

import pytest

from config import Settings
from core.options import options, section_title


def test_every_field_is_one_option_with_its_own_flag():
    fields = {
        (s, f) for s in Settings.__struct_fields__ if s != "variants" for f in getattr(Settings(), s).__struct_fields__
    }
    assert {(o.section, o.name) for o in options()} == fields
    flags = [o.flag for o in options()]
    assert len(set(flags)) == len(flags)
    assert all(re.fullmatch(r"--[a-z][a-z-]+", flag) for flag in flags)


def test_help_says_what_it_is_its_range_and_default():
    by_flag = {o.flag: o for o in options()}
    assert by_flag["--min-face"].help.endswith("(0.02 to 0.5; default: 0.05)")
    assert by_flag["--search-interval"].help.endswith("(above 0 to 2; default: 0.5)")
    assert by_flag["--size"].help.endswith("px, even, 64 to 2160 (default: 512)")
    assert by_flag["--offline"].help.endswith("(default: no)")
    assert by_flag["--tracker"].choices[0] == "cascade"
    assert all(section_title(o.section) for o in options())


def test_every_number_is_bounded_on_both_sides():
    for option in options():
        if isinstance(option.default, (int, float)) and not option.is_switch:
            for text in ("-1e300", "1e300", "nan", "inf"):
                with pytest.raises(ValueError):
                    option.parse(text)


def test_defaults_survive_their_own_checks():
    for option in options():
        if not option.is_switch:
            text = ",".join(option.default) if option.is_list else str(option.default)
            assert option.parse(text) == option.default


def test_a_value_that_is_a_file_or_folder_is_called_so():
    called = {o.name: o.metavar for o in options() if o.metavar in ("DIR", "FILE")}
    files = ("cuts", "gallery", "facenet_weights")
    assert called == dict.fromkeys(("people", "cache_dir", "scratch"), "DIR") | dict.fromkeys(files, "FILE")


def test_what_is_expected_of_a_value():
    by_name = {o.name: o.expected for o in options()}
    names = ("min_face", "threads", "camera", "offline", "size", "export", "only")
    assert [by_name[name] for name in names] == [
        "a number, 0.02 to 0.5",
        "a whole number, 0 to 256",
        "one of steady, follow, locked",
        "true or false",
        "a whole number or text",
        "a list of mot, coco, vtt, speech, otio, edl, fcpxml",
        "text",
    ]
