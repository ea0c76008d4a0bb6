"""How a stage reports its progress and learns that it has to stop."""

from __future__ import annotations

import threading


class StageMonitor:
    """Passed to every long stage. This base class shows nothing; see `batch_monitor.py` for those that do.

    `update` may be called from any thread at any rate. A stage checks `stop` at least every 0.2 s. Once it is set, the
    stage closes its files, removes partial ones, joins its threads, ends its child processes, and raises
    `core.errors.InterruptedRunError`.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()

    def update(self, stage: str, done: float, total: float) -> None:
        """Report that `stage` ("analyse", "render") has done `done` of about `total` units (0: unknown)."""
