"""The failure of a call of Ray, as one line."""

from __future__ import annotations

import re
from concurrent.futures import Future
from typing import Any

from core.errors import WorkerGoneError
from utils.console.printable_text import ascii_safe


def watched(call: Future[Any]) -> Future[Any]:
    """A future like `call` whose error is a `WorkerGoneError` in one line."""
    watched: Future[Any] = Future()

    def take(done: Future[Any]) -> None:
        error = done.exception()
        if error is None:
            watched.set_result(done.result())
        else:
            watched.set_exception(WorkerGoneError(cause_of_death(error)))

    call.add_done_callback(take)
    return watched


def cause_of_death(error: BaseException) -> str:
    """The one line that counts of what Ray tells of a failed call."""
    text = str(error)
    if "No module named" in text or "failed to import" in text:
        missing = re.search(r"No module named '?([\w.]+)", text)
        what = f" (no module {missing[1]})" if missing else ""
        return f"the program cannot be imported there{what}; it and its packages have to be where they are here"
    if "out of memory" in text.lower() or "OutOfMemory" in type(error).__name__:
        return "killed because the node's memory was full"
    for pattern, cause in _CAUSES.items():
        if pattern in text:
            return cause
    return ascii_safe(f"{type(error).__name__}: {text.strip().splitlines()[-1] if text.strip() else ''}")


_CAUSES = {
    "node has died": "its node is gone",
    "node was terminated": "its node is gone",
    "Worker unexpectedly exits": "killed or crashed",
    "worker process has died": "killed or crashed",
    "worker died": "killed or crashed",
    "ray.kill": "ended by the run",
}
"""parts of Ray's messages (2.60); without a match, its last line is shown"""
