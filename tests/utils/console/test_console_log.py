"""Log lines for people."""

from __future__ import annotations

import logging

import pytest

from utils.console.console_log import CallbackHandler, configure_logging
from utils.console.printable_text import ascii_safe


@pytest.fixture
def lines():
    """Collects lines; puts logging back as it was."""
    root = logging.getLogger()
    level, loggers = root.level, ("core", "processors", "utils", "main", "config", "__main__")
    yield []
    logging.captureWarnings(False)
    root.setLevel(level)
    for handler in [h for h in root.handlers if isinstance(h, CallbackHandler)]:
        root.removeHandler(handler)
    for name in loggers:
        logging.getLogger(name).setLevel(logging.NOTSET)


def talk() -> None:
    for name in ("core.x", "somebody.else"):
        log = logging.getLogger(name)
        log.debug("debug of %s", name)
        log.info("info of %s", name)
        log.warning("warning of %s", name)
        log.error("error of %s", name)


def test_levels_and_whose_messages_are_shown(lines):
    configure_logging(0, lines.append)
    talk()
    assert lines == [
        "info of core.x",
        "WARNING: warning of core.x",
        "ERROR: error of core.x",
        "ERROR: error of somebody.else",
    ]


def test_quiet_keeps_warnings(lines):
    configure_logging(-1, lines.append)
    talk()
    assert lines == ["WARNING: warning of core.x", "ERROR: error of core.x", "ERROR: error of somebody.else"]


def test_verbose_says_when_and_where(lines):
    configure_logging(1, lines.append)
    talk()
    assert any("core.x: debug of core.x" in line for line in lines)
    assert any("somebody.else: warning" in line for line in lines)


def test_configuring_twice_does_not_double_the_lines(lines):
    configure_logging(0, lines.append)
    configure_logging(0, lines.append)
    logging.getLogger("core").info("once")
    assert lines == ["once"]


def test_a_hostile_name_neither_breaks_the_line_nor_commands_the_terminal(lines):
    configure_logging(0, lines.append)
    logging.getLogger("core").info("%s", "a\nb\x1b[2Jc\udcff")
    assert lines == ["a\\nb\\x1b[2Jc\\udcff"]
    assert ascii_safe("Käse 面") == "Käse 面"


def test_a_traceback_keeps_its_lines(lines):
    configure_logging(1, lines.append)
    try:
        raise ValueError("boom")
    except ValueError:
        logging.getLogger("core").error("failed", exc_info=True)
    assert lines[0].splitlines()[-1] == "ValueError: boom"
    assert len(lines[0].splitlines()) > 2
