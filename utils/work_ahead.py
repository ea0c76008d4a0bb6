"""Work that is done before somebody has to wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from utils.helper_threads import helper_thread


def do_ahead(work: Callable[[], object], *, name: str) -> None:
    """Do `work`, whose result is kept somewhere, on a helper thread of this `name`; does not wait."""

    def attempt() -> None:
        # Errors are reported where the result is needed.
        with contextlib.suppress(Exception):
            work()

    helper_thread(attempt, name=name).start()
