"""Settings files: where they are found, what may be in them, and what is said of mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import Settings, result_settings
from core.errors import SettingsError
from core.settings_file import current_names, find_settings_file, load_settings


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
        ("[analysis]\nmin_face = 0.9", "analysis.min_face: expected a number, 0.02 to 0.5, not 0.9 ("),
        ("[analysis]\nmin_face = nan", "analysis.min_face"),
        ("[analysis]\nmin_face = '0.1'", "analysis.min_face"),
        ("[analysis]\nmin_fcae = 0.1", "min_fcae"),
        ("[clips]\nsize = 256", "clips"),
        ("clip = 3", "clip is a section"),
        ("[clip]\nsize = 101", "clip.size: 100x101 px, but each side must be an even number"),
        ("[clip]\ncamera = 'fixed'", "clip.camera: expected one of steady, follow, locked, not 'fixed'"),
        ("[output]\nexport = ['avi']", "output.export: expected a list of mot, coco,"),
        ("[analysis]\nstart = 5\nend = 3", "analysis.end: 3 s is not after the start"),
        ("[variants.tall]\nclip.size = 3", "variants[...].clip.size: 4x3 px"),
        ("[variants.tall]\nclip.camera = 3", "variants[...].clip.camera: "),
        ("[variants.Tall]", "variants: 'Tall' is not a name"),
        ("[run]\nthreads = true", "run.threads: expected a whole number, 0 to 256, not True"),
        ("[clip]\nsize = '640'\naspect = '9'", "aspect"),
        ("[clip]\nsize = '640 x 360'", "WIDTHxHEIGHT"),
        ("[clip]\nsize = '4000x360'", "wider than 4:1"),
        ("[clip]\nsize = 64\naspect = '1:4'", "16x64"),
        ("[clip]\nmax_clip = 0.1", "max_clip"),
        ("[clip]\ntemplate = '$PERSONS'", "PERSONS"),
        ("[clip]\ntemplate = 'cost$'", "template"),
        ("[clip]\ntemplate = ' '", "template"),
        ("[clip", "not valid TOML"),
        ("size 3", "main.py config prints a valid file"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key_in_the_message(tmp_path, text, expected):
    with pytest.raises(SettingsError, match=re.escape(expected)) as caught:
        load_settings(write(tmp_path, text), {})
    assert "settings.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_settings_errors(tmp_path):
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path / "missing.toml", {})
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path, {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(binary, {})


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[analysis]\nmin_fcae = 0.1", "there is no setting analysis.min_fcae; did you mean min_face?"),
        ("[analysis]\nmin-face = 0.1", "there is no setting analysis.min-face; did you mean min_face?"),
        ("[analysis]\nsize = 256", "there is no setting analysis.size; size belongs to [clip]"),
        ("[clips]\nsize = 256", "there is no section [clips]; did you mean clip?"),
        ("[xyz]\nsize = 256", "there is no section [xyz] ("),
        ("min_face = 0.1", "there is no section [min_face]; min_face belongs to [analysis]"),
    ],
)
def test_unknown_names_are_met_with_the_nearest(tmp_path, text, expected):
    with pytest.raises(SettingsError, match=re.escape(expected)):
        load_settings(write(tmp_path, text), {})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in/ with a video, and a config folder of the user without a file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "face-clips").mkdir(parents=True)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").touch()
    return tmp_path


def test_a_file_is_found_beside_the_inputs_and_else_in_the_config_folder(place):
    video, folder = place / "in" / "a.mp4", place / "in"
    assert find_settings_file([folder]) is None
    mine = place / "config" / "face-clips" / "face-clips.toml"
    mine.write_text("")
    assert find_settings_file([folder]) == find_settings_file([video]) == find_settings_file([]) == mine
    beside = place / "face-clips.toml"
    beside.write_text("")
    assert find_settings_file([folder]) == beside and find_settings_file([video]) == mine
    inside = folder / "face-clips.toml"
    inside.write_text("")
    assert find_settings_file([folder]) == find_settings_file([video, folder]) == inside


def test_two_files_beside_different_inputs_are_not_chosen_from(place):
    for name in ("x", "y"):
        (place / name).mkdir()
        (place / name / "face-clips.toml").write_text("")
    with pytest.raises(SettingsError, match="several settings files") as caught:
        find_settings_file([place / "x", place / "y"])
    assert "--config" in caught.value.hint


def test_a_file_that_came_with_videos_names_no_files_of_the_user(place):
    beside = place / "in" / "face-clips.toml"
    beside.write_text('[people]\ngallery = "/etc/passwd"\n')
    with pytest.raises(SettingsError, match=re.escape("beside videos cannot set [people]")):
        load_settings(None, {}, found=beside)
    assert load_settings(beside, {}).people.gallery == "/etc/passwd", "the user names it"
    beside.write_text('[analysis]\nmin_face = 0.1\ncuts = "/etc/passwd"\n')
    with pytest.raises(SettingsError, match=re.escape("beside videos cannot set analysis.cuts")):
        load_settings(None, {}, found=beside)
    assert load_settings(beside, {}).analysis.cuts == "/etc/passwd"
    mine = place / "config" / "face-clips" / "face-clips.toml"
    mine.write_text("[run]\nthreads = 3\n")
    assert load_settings(None, {}, found=mine).run.threads == 3


def test_a_found_file_gives_way_to_flags_and_to_the_file_that_is_named(place):
    beside = place / "in" / "face-clips.toml"
    beside.write_text("[clip]\nsize = 256\nmin_clip = 2\n")
    settings = load_settings(None, {"clip": {"size": 128}}, found=beside)
    assert (settings.clip.size, settings.clip.min_clip) == (128, 2.0)
    assert load_settings(write(place, ""), {}, found=beside) == Settings()
