"""Commands that are shown can be copied into a shell."""

from __future__ import annotations

import shlex

from utils.console.program_command import program_command


def test_spaces_and_quotes_survive_the_shell():
    shown = program_command("render", "/out/Zoë's interview 1")
    assert shlex.split(shown) == [".venv/bin/python", "main.py", "render", "/out/Zoë's interview 1"]
