"""The template of a settings file."""

from __future__ import annotations

import msgspec.toml

import main
from config import Settings
from core.options import options
from core.settings_file import load_settings
from processors.commands.config_command import template_lines


def test_the_template_changes_nothing_until_a_setting_is_uncommented(tmp_path):
    path = tmp_path / "face-clips.toml"
    path.write_text("\n".join(template_lines()))
    assert load_settings(path, {}) == Settings()


def test_every_setting_is_in_it_at_its_default_in_a_form_that_can_be_read(tmp_path):
    lines = list(template_lines())
    named = [
        line for line in lines if line.startswith("[") or any(line.startswith(f"# {o.name} = ") for o in options())
    ]
    text = "\n".join(line.removeprefix("# ") for line in named)
    assert sum(map(len, msgspec.toml.decode(text).values())) == len(options())
    path = tmp_path / "face-clips.toml"
    path.write_text(text)
    assert load_settings(path, {}) == Settings()
    assert all(f"# {option.help}" in lines for option in options())


def test_the_command_prints_it(capsys):
    assert main.main(["config"]) == 0
    assert capsys.readouterr().out == "\n".join(template_lines()) + "\n"
