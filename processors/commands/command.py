"""What `main.py` knows about each of its commands, and how a command reports an error."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processors.batch.run_journal import RunJournal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of `main.py`. A plain value: the supervisor sends it to the worker process.

    parser: creates the parser of the command's arguments.
    run: takes the arguments after the command's name and the journal of this process; returns the exit code.
    opens_media: the command passes files to codecs, which may crash the process, so it runs in a worker process.
    """

    parser: Callable[[], argparse.ArgumentParser]
    run: Callable[[Sequence[str], RunJournal], int]
    opens_media: bool = False


def print_error(message: str, exit_code: int) -> int:
    """Print `message` as one line on stderr and return `exit_code`.

    Within an exception handler, the traceback goes to the log at debug level.
    """
    logger.debug("details", exc_info=sys.exc_info()[0] is not None)
    print("main.py: " + " ".join(message.split()), file=sys.stderr)  # noqa: T201 - stderr is not for the program's data
    return exit_code
