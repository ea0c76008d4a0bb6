"""The walk through all commands goes where the program can follow."""

from __future__ import annotations

import pytest

import main
from benchmarks.robustness.walkthrough import steps

STEPS = [step for step in steps(["a.mp4"], "a") if step[0] != "--help"]


@pytest.mark.parametrize(("title", "arguments", "code"), STEPS, ids=[title for title, _, _ in STEPS])
def test_every_step_is_understood(title, arguments, code):
    command, *rest = arguments
    if command in main.COMMANDS:
        main.COMMANDS[command].parser().parse_args(rest)
    else:
        assert main.COMMANDS["run"].parser().parse_intermixed_args(arguments).inputs == ["a.mp4"]


def test_it_uses_every_command():
    used = {arguments[0] for _, arguments, _ in STEPS}
    assert set(main.COMMANDS) - {"run", "version"} <= used
