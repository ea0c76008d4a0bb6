"""Messages of another process are logged here as if they had been logged here."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from utils.console.json_log import log_context, open_log_file
from utils.console.log_forwarding import LogLevels, SentMessage, forward_logs, log_levels


@pytest.fixture
def sent() -> Iterator[list[SentMessage]]:
    """What is sent while this process's messages go to another one."""
    root = logging.getLogger()
    before, levels = list(root.handlers), log_levels()
    messages: list[SentMessage] = []
    try:
        forward_logs(messages.append, LogLevels(own=logging.INFO, others=logging.ERROR))
        yield messages
    finally:
        forward_logs(messages.append, levels)
        root.handlers[:] = before
        logging.captureWarnings(False)


def test_levels_and_contexts_are_kept(sent: list[SentMessage]) -> None:
    with log_context("a", "analyse"):
        logging.getLogger("core.x").debug("too small")
        logging.getLogger("core.x").info("%d frames", 3)
        logging.getLogger("library").warning("of no interest")
        logging.getLogger("library").error("broken")
    assert [(m.logger, m.message, m.context) for m in sent] == [
        ("core.x", "3 frames", ("a", "analyse")),
        ("library", "broken", ("a", "analyse")),
    ]


def test_a_message_arrives_with_its_traceback(sent: list[SentMessage], tmp_path: Path) -> None:
    try:
        raise ValueError("no such frame")
    except ValueError as error:
        with log_context("a", "finish"):
            logging.getLogger("core.x").error("failed", exc_info=error)
    (message,) = (pickle.loads(pickle.dumps(m)) for m in sent)
    file = open_log_file(tmp_path / "log.jsonl")
    root = logging.getLogger()
    root.handlers[:] = [file]
    message.log()
    file.close()
    (entry,) = (json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    assert (entry["video"], entry["stage"], entry["level"], entry["message"]) == ("a", "finish", "ERROR", "failed")
    assert entry["traceback"].endswith("ValueError: no such frame")
