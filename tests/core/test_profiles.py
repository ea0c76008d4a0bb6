"""Bundles of settings: what each stands for, and what takes precedence over it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

from config import ClipSettings, Settings
from core.errors import SettingsError
from core.options import options
from core.profiles import CUT_LISTS, PROFILES, profile_settings
from core.settings_file import load_settings, read_settings_file
from processors.commands.render_command import parser as render_parser
from processors.commands.run_command import parser as run_parser
from processors.commands.settings_flags import given_settings, settings_from
from processors.results.remembered_settings import SHARED, VARIANT_SECTIONS

OTHER_VALUES: dict[str, Any] = {
    "aspect": "4:5", "size": 256, "framing": "face", "padding": 3.0, "camera": "follow", "max_upscale": 2.0,
    "max_clip": 60.0, "export": ("mot",),
}  # fmt: skip
"""of each setting that a profile sets, one that no profile has and that is no default"""


def clip_shape(clip: ClipSettings) -> tuple[tuple[int, int], str, str]:
    return clip.sized_for(720).frame_size, clip.framing, clip.camera


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("reels", ((1080, 1920), "bust", "steady")),
        ("edit", ((720, 720), "head", "steady")),
        ("training", ((512, 512), "head", "locked")),
    ],
)
def test_what_each_profile_is(name: str, shape: tuple[Any, ...]) -> None:
    settings = load_settings(None, profile_settings(name))
    assert clip_shape(settings.clip) == shape
    assert settings.output.extras == (frozenset(CUT_LISTS) if name == "edit" else frozenset())
    assert settings.clip.padding == (1.0 if name == "edit" else 0.0)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_changes_only_what_a_variant_may_have_of_its_own(name: str) -> None:
    keys = {f"{section}.{key}" for section, values in PROFILES[name].settings.items() for key in values}
    assert not keys & SHARED
    assert all(key.startswith((*VARIANT_SECTIONS, "output.")) for key in keys)


@pytest.mark.parametrize("name", PROFILES)
def test_every_flag_takes_precedence_over_a_profile_and_the_profile_over_the_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for section, values in PROFILES[name].settings.items():
        for key, value in values.items():
            other = OTHER_VALUES[key]
            flag = next(o.flag for o in options() if o.name == key)
            text = ",".join(other) if isinstance(other, tuple) else str(other)
            quoted = f'["{text}"]' if isinstance(other, tuple) else f'"{text}"' if isinstance(other, str) else text
            file.write_text(f"[{section}]\n{key} = {quoted}\n")

            def read(*arguments: str, section: str = section, key: str = key) -> Any:
                parsed = run_parser().parse_args([*arguments, "--config", str(file)])
                return getattr(getattr(settings_from(parsed), section), key)

            assert read() == other
            assert read("--for", name) == value
            assert read("--for", name, flag, text) == other


def test_the_settings_of_a_profile_count_as_given() -> None:
    parsed = run_parser().parse_args(["--for", "edit", "--framing", "bust"])
    assert given_settings(parsed) == {"clip.size", "clip.padding", "output.export", "clip.framing"}
    assert given_settings(run_parser().parse_args([])) == set()


def test_what_a_file_sets_takes_precedence_over_its_own_profile(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('for = "reels"\n[clip]\nsize = 1280\n')
    clip = load_settings(file, {}).clip
    assert (clip.frame_size, clip.framing) == ((720, 1280), "bust")
    assert load_settings(None, {}, found=file).clip == clip, "beside videos too"


def test_a_profile_of_the_command_line_takes_the_place_of_the_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('for = "edit"\n[clip]\nmin_clip = 2\n')
    parsed = run_parser().parse_args(["--for", "reels", "--config", str(file)])
    settings = settings_from(parsed)
    assert (settings.clip.padding, settings.clip.min_clip, settings.output.export) == (0.0, 2.0, ())
    assert given_settings(parsed) == {"clip.aspect", "clip.size", "clip.framing", "clip.min_clip"}


@pytest.mark.parametrize("value", ['"films"', "3", '["reels"]'])
def test_profiles_that_do_not_exist_are_refused(value: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"for = {value}\n")
    with pytest.raises(SettingsError, match="is not one of reels, edit, training") as caught:
        read_settings_file(file)
    assert caught.value.path == file


def test_render_follows_a_profile_rather_than_what_is_recorded() -> None:
    recorded = {"clip": {"size": 512, "camera": "follow"}}
    parsed = render_parser().parse_args(["interview", "--for", "reels"])
    clip = settings_from(parsed, recorded).clip
    assert (clip.size, clip.camera) == (1920, "follow")


@pytest.mark.parametrize("parser", [run_parser, render_parser])
def test_help_lists_what_each_profile_sets(parser: Any) -> None:
    text = " ".join(parser().format_help().split())
    for name, profile in PROFILES.items():
        assert f"{name} ({profile.purpose}): {profile.flags}" in text
        parsed = run_parser().parse_args(profile.flags.split())
        assert settings_from(parsed) == load_settings(None, profile_settings(name)), "and they are flags"


@pytest.mark.parametrize("argument", ["--fo", "--force", "--for=film"])
def test_nothing_else_is_taken_for_it(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_parser().parse_args([argument, "reels"])
    assert re.search(r"unrecognized arguments|invalid choice", capsys.readouterr().err)


def test_a_run_without_a_profile_has_the_defaults() -> None:
    assert settings_from(argparse.Namespace()) == Settings()
