"""How a stage says how far it is, and learns that it has to stop."""

from __future__ import annotations

import threading


class StageMonitor:
    """What every long stage is handed. This base shows nothing; `main.py` hands in one with bars.

    `update` may be called from any thread, at any rate. A stage looks at `stop` at least every
    0.2 s and, once it is set, leaves in order (files closed, partial files removed, threads joined,
    child processes ended) by raising `core.errors.InterruptedRunError`.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()

    def update(self, stage: str, done: float, total: float) -> None:
        """Stage `stage` ("analyse", "render") has done `done` of about `total` units (0: unknown)."""
