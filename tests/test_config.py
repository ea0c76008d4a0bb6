"""The settings: one place from which flags, TOML keys, help and range checks derive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config import (
    RENAMED,
    RESULT_SECTIONS,
    AnalysisSettings,
    ClipSettings,
    RunSettings,
    Section,
    Settings,
    result_settings,
)
from core.errors import SettingsError
from core.options import options
from core.settings_file import load_settings


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


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


def test_the_image_can_be_turned_by_right_angles_only():
    given = ("auto", "90", 90, 0, "0")
    assert [AnalysisSettings(turn=turn).turn for turn in given] == ["auto", 90, 90, 0, 0]
    for wrong in (45, "45", 360, -90, "left", ""):
        with pytest.raises(ValueError, match=f"turn: '{wrong}' is not one of 0, 90, 180, 270 and auto"):
            AnalysisSettings(turn=wrong)


@pytest.mark.parametrize(
    ("aspect", "video_height", "expected"),
    [
        ("1:1", 1080, (1080, 1080)),
        ("9:16", 1080, (608, 1080)),
        ("16:9", 721, (1280, 720)),
        ("1:1", 4320, (2160, 2160)),
        ("4:1", 2160, (4096, 1024)),
        ("16:9", 2160, (3840, 2160)),
        ("1:1", 36, (64, 64)),
        ("1:4", 144, (64, 256)),
        ("3:7", 100, (64, 150)),
    ],
)
def test_clips_as_high_as_their_video(aspect, video_height, expected):
    settings = ClipSettings(size="source", aspect=aspect)
    sized = settings.sized_for(video_height)
    assert sized.frame_size == expected
    assert msgspec.structs.replace(sized, size="source") == settings
    with pytest.raises(ValueError, match="source"):
        _ = settings.frame_size


def test_a_height_that_was_given_is_that_of_every_video():
    assert ClipSettings(size=512).sized_for(1080) == ClipSettings(size=512)
    assert ClipSettings(size="640x360").sized_for(1080).frame_size == (640, 360)


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        ({"size": "source", "aspect": "5:1"}, "narrower than 1:4 or wider"),
        ({"size": "source", "aspect": "wide"}, "is not WIDTH:HEIGHT"),
        ({"size": "sauce"}, "nor source"),
    ],
)
def test_shapes_that_cannot_be_are_refused(clip, expected):
    with pytest.raises(SettingsError, match=expected):
        load_settings(None, {"clip": clip})


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


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"encode": {"quality": 99}}, "--quality: expected a whole number, 0 to 51, not 99"),
        ({"analysis": {"start": 20, "end": 10}}, "--end: 10 s is not after the start, 20 s"),
        ({"speech": {"speech": "off"}, "output": {"export": ["speech"]}}, "--export: speech needs speech"),
    ],
)
def test_a_wrong_override_is_named_like_its_flag(flags, message):
    """Of those that depend on each other, the name was that of the settings file: analysis.end."""
    with pytest.raises(SettingsError, match=f"^{message}"):
        load_settings(None, flags)


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


@pytest.mark.parametrize(("text", "seconds"), [("12h", 43200), ("0d", 0)])
def test_ages_of_analyses_are_seconds(text, seconds):
    assert Settings(run=RunSettings(keep_analyses=text)).run.keep_analyses_s == seconds


@pytest.mark.parametrize("text", ["", "30", "30 d"])
def test_malformed_ages_are_refused(text):
    with pytest.raises(SettingsError, match=r"^--keep-analyses: .*forever"):
        load_settings(None, {"run": {"keep_analyses": text}})


@pytest.mark.parametrize("address", ["", "auto", "local", "head:6379", "10.0.0.1:6379", "[::1]:6379", "a-b.c:1"])
def test_addresses_of_clusters_are_accepted(address):
    assert load_settings(None, {"run": {"cluster": address}}).run.cluster == address


@pytest.mark.parametrize("address", ["yes", "head", "head:", ":6379", "ray://head:1", "a b:1", "head:123456", "h:1\n"])
def test_malformed_addresses_of_clusters_are_refused(address):
    with pytest.raises(SettingsError, match=r"cluster: .*auto, local or HOST:PORT"):
        load_settings(None, {"run": {"cluster": address}})


def test_analyses_are_kept_forever_by_default():
    assert Settings().run.keep_analyses_s is None


@pytest.mark.parametrize(("given", "value"), [("auto", "auto"), ("4", 4), (4, 4), (64, 64)])
def test_numbers_of_workers(given, value):
    assert load_settings(None, {"run": {"workers": given}}).run.workers == value


@pytest.mark.parametrize("given", ["many", "0", 0, 65, "-1", True])
def test_what_is_not_a_number_of_workers(given):
    with pytest.raises(SettingsError, match=r"workers"):
        load_settings(None, {"run": {"workers": given}})
