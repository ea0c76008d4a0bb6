"""Runs a command in a worker process, so that a crash in foreign code costs one input and not the batch.

The supervisor only waits, forwards signals and reads the worker's journal. When the worker dies by a signal, a new one
starts with the history of the first: it retries each input that was in progress once, alone, and leaves out the one
that crashes again. A worker that exits with `EXIT_RESTART` is followed by a new one in the same way.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from core.errors import WorkerCrashError
from processors.batch.exit_codes import EXIT_RESTART
from processors.batch.run_journal import RunHistory, RunJournal
from utils.processes.child_processes import DIED_WITH_PARENT, cause_of_death, die_with_parent

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from processors.batch.input_result import InputResult

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""forking takes milliseconds and is safe before anything heavy is loaded or a thread runs; not on other systems"""
_FORWARDED_SIGNALS = (signal.SIGINT, signal.SIGTERM)

Work = Callable[[RunJournal], int]
"""a command: reports its progress to the journal, returns its exit code"""


def supervise(work: Work) -> int:
    """Run `work` in a worker process, and again in a new one each time it crashes; returns its exit code.

    work: must be picklable on systems where processes are spawned (all but Linux).

    Raises:
        WorkerCrashError: it crashed while no input was in progress, so there is none to leave out.
    """
    history = RunHistory()
    while True:
        worker = _run_worker(work, history)
        if worker.exit_code is not None:
            return worker.exit_code
        if not worker.stages:
            raise WorkerCrashError(f"the program crashed ({worker.cause}) while no input was in progress")
        history = history.after_crash(worker.results, worker.stages, worker.cause)


@dataclass(slots=True)
class _Worker:
    """What a worker process has reported.

    exit_code: returned by its work; None if it crashed or asked for a restart. cause: of that, as text.
    stages: of the inputs in progress, and of those that were blamed. results: of the inputs that it finished.
    """

    exit_code: int | None = None
    cause: str = ""
    stages: dict[str, str] = field(default_factory=dict)
    results: dict[str, InputResult] = field(default_factory=dict)
    blamed: set[str] = field(default_factory=set)

    def receive(self, event: str, name: str, detail: Any) -> None:
        if event in ("begin", "blame"):
            self.stages[name] = detail
            if event == "blame":
                self.blamed.add(name)
        elif event == "end" and name not in self.blamed:
            self.stages.pop(name, None)
        elif event == "result":
            self.results[name] = detail
        elif event == "exit":
            self.exit_code = detail


def _run_worker(work: Work, history: RunHistory) -> _Worker:
    context: Any = multiprocessing.get_context(START_METHOD)  # the base class that is declared has no Process
    ours, theirs = context.Pipe(duplex=True)
    # A signal between the start of the process and the installation of the handlers would end only one of the two.
    with _blocked(_FORWARDED_SIGNALS):
        process = context.Process(target=_worker_main, args=(work, history, ours, theirs, os.getpid()), name="worker")
        process.start()
        handlers = _forward_signals(process)
    theirs.close()
    worker = _Worker()
    try:
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                worker.receive(*ours.recv())
        process.join()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        ours.close()
    code = process.exitcode or 0
    if code < 0:
        worker.cause = cause_of_death(code)
    elif code == EXIT_RESTART:
        worker.exit_code, worker.cause = None, "the GPU stopped working"
    elif worker.exit_code is None:
        worker.exit_code = code  # it called os._exit, as an interrupted run may do
    return worker


def _worker_main(work: Work, history: RunHistory, ours: Connection, theirs: Connection, supervisor: int) -> None:
    """Main function of the worker process."""
    # In a process group of its own, the worker gets the terminal's Ctrl-C once, through the supervisor.
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    for number in _FORWARDED_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED_SIGNALS)
    ours.close()
    _die_with(supervisor, theirs)
    journal = _PipeJournal(theirs, history)
    code = work(journal)
    journal.tell("exit", "", code)
    sys.exit(code)


class _PipeJournal(RunJournal):
    """Sends each event to the supervisor."""

    def __init__(self, connection: Connection, history: RunHistory) -> None:
        super().__init__(history)
        self._connection = connection
        self._lock = threading.Lock()

    @property
    def can_restart(self) -> bool:
        return True

    def tell(self, event: str, name: str, detail: Any) -> None:
        # If the supervisor is gone, `_die_with` is about to end this process.
        with self._lock, contextlib.suppress(OSError):
            self._connection.send((event, name, detail))


def _forward_signals(process: BaseProcess) -> dict[int, Any]:
    """Forward this process's signals to the worker; returns the previous handlers."""

    def forward(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid or 0, number)

    def pause(number: int, _: object) -> None:
        # The worker's group: processes that it has started would go on.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)  # until SIGCONT
            os.killpg(process.pid or 0, signal.SIGCONT)

    wanted = {**dict.fromkeys(_FORWARDED_SIGNALS, forward), signal.SIGTSTP: pause}
    return {number: signal.signal(number, handler) for number, handler in wanted.items()}


@contextlib.contextmanager
def _blocked(numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with(supervisor: int, connection: Connection) -> None:
    """End this process when its supervisor has died. supervisor: its process id."""

    def wait() -> None:
        with contextlib.suppress(OSError, EOFError):
            connection.poll(None)
        os._exit(DIED_WITH_PARENT)

    if not die_with_parent(supervisor):
        threading.Thread(target=wait, name="supervisor", daemon=True).start()
