"""The settings: one place from which flags, TOML keys, help and range checks derive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from config import RENAMED, RESULT_SECTIONS, Section, Settings, result_settings, seconds_of
from core.errors import SettingsError
from core.options import options
from core.settings_file import current_names, load_settings


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_precedence_is_defaults_then_file_then_flags(tmp_path):
    path = write(tmp_path, "[clip]\nsize = 256\nmin_clip = 2\n")
    settings = load_settings(path, {"clip": {"size": 128}})
    assert (settings.clip.size, settings.clip.min_clip, settings.clip.merge_gap) == (128, 2.0, 1.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[analysis]\nmin_face = 0.9", "analysis.min_face"),
        ("[analysis]\nmin_face = nan", "analysis.min_face"),
        ("[analysis]\nmin_face = '0.1'", "analysis.min_face"),
        ("[analysis]\nmin_fcae = 0.1", "min_fcae"),
        ("[clips]\nsize = 256", "clips"),
        ("clip = 3", "clip"),
        ("[clip]\nsize = 101", "multiple of 2"),
        ("[run]\nthreads = true", "run.threads"),
        ("[clip]\nsize = '640'\naspect = '9'", "aspect"),
        ("[clip]\nsize = '640 x 360'", "WIDTHxHEIGHT"),
        ("[clip]\nsize = '4000x360'", "wider than 4:1"),
        ("[clip]\nsize = 64\naspect = '1:4'", "16x64"),
        ("[clip]\nmax_clip = 0.1", "max_clip"),
        ("[clip]\ntemplate = '$PERSONS'", "PERSONS"),
        ("[clip]\ntemplate = 'cost$'", "template"),
        ("[clip]\ntemplate = ' '", "template"),
        ("[clip", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key_in_the_message(tmp_path, text, expected):
    with pytest.raises(SettingsError, match=re.escape(expected)) as caught:
        load_settings(write(tmp_path, text), {})
    assert "settings.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (512, 512)),
        ("size = 720\naspect = '9:16'", (404, 720)),
        ("size = '720'\naspect = '16:9'", (1280, 720)),
        ("size = '640x360'", (640, 360)),
        ("size = 500\naspect = '4:5'", (400, 500)),
    ],
)
def test_shape_and_size_of_the_clips(tmp_path, text, expected):
    assert load_settings(write(tmp_path, f"[clip]\n{text}"), {}).clip.frame_size == expected


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
            seconds_of(text)
    else:
        assert seconds_of(text) == seconds


def test_a_part_of_a_video_is_the_same_however_it_is_given(tmp_path):
    given: list[dict[str, Any]] = [
        {"start": "1:30", "end": "1:40"},
        {"start": 90, "duration": 10},
        {"start": 90.0, "end": "100"},
    ]
    assert {load_settings(None, {"analysis": part}).analysis.part for part in given} == {(90.0, 100.0)}
    assert load_settings(None, {}).analysis.part == (0.0, None)
    assert load_settings(write(tmp_path, "[analysis]\nstart = 3\n"), {}).analysis.part == (3.0, None)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"start": 20, "end": 10}, "not after the start"),
        ({"end": 10, "duration": 5}, "either end or duration"),
        ({"start": -1}, "start: -1"),
        ({"end": "soon"}, "end: 'soon' is not a time"),
    ],
)
def test_parts_that_cannot_be_are_refused(part, expected):
    with pytest.raises(SettingsError, match=expected):
        load_settings(None, {"analysis": part})


def test_a_height_is_the_same_setting_however_it_was_given(tmp_path):
    by_flag = next(o for o in options() if o.flag == "--size").parse("256")
    from_file = load_settings(write(tmp_path, "[clip]\nsize = 256"), {})
    assert result_settings(load_settings(None, {"clip": {"size": by_flag}})) == result_settings(from_file)


def test_unreadable_files_are_settings_errors(tmp_path):
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path / "missing.toml", {})
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path, {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(binary, {})


def test_an_override_out_of_range_is_refused():
    with pytest.raises(SettingsError, match=r"encode\.quality"):
        load_settings(None, {"encode": {"quality": 99}})


def test_settings_are_immutable():
    assert isinstance(Settings().clip, Section)
    with pytest.raises(AttributeError):
        Settings().clip.size = 3  # type: ignore[misc]


def test_result_settings_leave_out_how_the_run_is_done():
    assert tuple(result_settings(Settings())) == RESULT_SECTIONS
    assert result_settings(load_settings(None, {"run": {"threads": 1}})) == result_settings(Settings())
    assert result_settings(load_settings(None, {"clip": {"size": 256}})) != result_settings(Settings())


def test_a_list_is_words_with_commas_on_the_command_line_and_an_array_in_a_file(tmp_path):
    export = next(o for o in options() if o.flag == "--export")
    assert export.parse("mot, vtt") == ("mot", "vtt")
    assert export.parse("") == ()
    with pytest.raises(ValueError, match="avi"):
        export.parse("mot,avi")
    assert load_settings(write(tmp_path, '[output]\nexport = ["otio"]'), {}).output.export == ("otio",)


@pytest.mark.parametrize(("section", "old", "new"), [(*key, new) for key, new in RENAMED.items()])
def test_a_renamed_setting_has_a_new_name_that_exists(section, old, new):
    assert new in getattr(Settings(), section).__struct_fields__
    assert old not in getattr(Settings(), section).__struct_fields__


def test_the_old_name_of_a_setting_works_in_a_file_and_is_reported(tmp_path, caplog):
    settings = load_settings(write(tmp_path, "[analysis]\nlook_out = 0.3\n"), {})
    assert settings.analysis.search_interval == 0.3
    (record,) = caplog.records
    assert "settings.toml: analysis.look_out is now called analysis.search_interval" in record.getMessage()
    caplog.clear()
    load_settings(write(tmp_path, "[analysis]\nsearch_interval = 0.3\n"), {})
    assert caplog.records == []


def test_both_names_of_a_setting_contradict_each_other(tmp_path):
    with pytest.raises(SettingsError, match="look_out is the old name of search_interval"):
        load_settings(write(tmp_path, "[analysis]\nlook_out = 0.3\nsearch_interval = 0.3\n"), {})


def test_recorded_settings_are_compared_by_their_new_names(caplog):
    recorded = result_settings(Settings())
    recorded["analysis"]["look_out"] = recorded["analysis"].pop("search_interval")
    assert current_names(recorded) == result_settings(Settings())
    assert caplog.records == []
