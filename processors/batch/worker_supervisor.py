"""Runs a command in a worker process, so that a crash in foreign code costs one input and not the batch.

The supervisor does nothing but wait, pass signals on and listen to the worker's journal. When the worker dies by a
signal, another one is started with what the first had done; it tries the inputs that were being worked on once more,
each alone, and leaves out the one that crashes again.
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

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from processors.batch.input_result import InputResult

_START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""a fork is made before anything heavy is loaded or a thread begun, and takes milliseconds; elsewhere it is not safe"""
_PASSED_ON = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1

Work = Callable[[RunJournal], int]
"""a command: takes the journal it has to keep, returns its exit code"""


def supervise(work: Work) -> int:
    """Run `work` in a worker process, and again in a new one each time that it crashes; returns its exit code.

    `work` must be picklable where processes are spawned (outside Linux).

    Raises:
        WorkerCrashError: it crashed while no input was being worked on, so that nothing can be left out.
    """
    history = RunHistory()
    while True:
        worker = _run_worker(work, history)
        if worker.exit_code is not None:
            return worker.exit_code
        if not worker.stages:
            raise WorkerCrashError(f"the program crashed ({worker.cause}) while no input was being worked on")
        history = history.after_crash(worker.results, worker.stages, worker.cause)


@dataclass(slots=True)
class _Worker:
    """What is known of a worker process.

    exit_code: what its work returned, or None where it crashed. cause: of the crash, as text.
    stages: what was being done when it ended, by input, or what it broke at. results: of the inputs that it finished.
    """

    exit_code: int | None = None
    cause: str = ""
    stages: dict[str, str] = field(default_factory=dict)
    results: dict[str, InputResult] = field(default_factory=dict)
    blamed: set[str] = field(default_factory=set)

    def hear(self, event: str, name: str, detail: Any) -> None:
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
    context: Any = multiprocessing.get_context(_START_METHOD)  # the base class that is declared has no Process
    ours, theirs = context.Pipe(duplex=True)
    # A signal between the start and the handlers would end the one process and leave the other.
    with _blocked(_PASSED_ON):
        process = context.Process(target=_work, args=(work, history, ours, theirs, os.getpid()), name="worker")
        process.start()
        handlers = _passing_on(process)
    theirs.close()
    worker = _Worker()
    try:
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                worker.hear(*ours.recv())
        process.join()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        ours.close()
    code = process.exitcode or 0
    if code < 0:
        worker.cause = _signal_name(-code)
    elif code == EXIT_RESTART:
        worker.exit_code, worker.cause = None, "the GPU stopped working"
    elif worker.exit_code is None:
        worker.exit_code = code  # it left by os._exit, which is how an interrupted run may end
    return worker


def _work(work: Work, history: RunHistory, ours: Connection, theirs: Connection, supervisor: int) -> None:
    """The worker process."""
    # A process group of its own: the terminal's Ctrl-C reaches it once, by way of the supervisor.
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    for number in _PASSED_ON:
        signal.signal(number, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    ours.close()
    _die_with(supervisor, theirs)
    journal = _PipeJournal(theirs, history)
    code = work(journal)
    journal.tell("exit", "", code)
    sys.exit(code)


class _PipeJournal(RunJournal):
    """Tells the supervisor."""

    def __init__(self, connection: Connection, history: RunHistory) -> None:
        super().__init__(history)
        self._connection = connection
        self._lock = threading.Lock()

    @property
    def can_restart(self) -> bool:
        return True

    def tell(self, event: str, name: str, detail: Any) -> None:
        # Without a supervisor there is nobody to go on after a crash, and the work is about to be ended anyway.
        with self._lock, contextlib.suppress(OSError):
            self._connection.send((event, name, detail))


def _passing_on(process: BaseProcess) -> dict[int, Any]:
    """Hand signals that mean this process to the worker; returns the handlers before."""

    def pass_on(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid or 0, number)

    def pause(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid or 0, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)  # until somebody sends SIGCONT
            os.kill(process.pid or 0, signal.SIGCONT)

    wanted = {**dict.fromkeys(_PASSED_ON, pass_on), signal.SIGTSTP: pause}
    return {number: signal.signal(number, handler) for number, handler in wanted.items()}


@contextlib.contextmanager
def _blocked(numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with(supervisor: int, connection: Connection) -> None:
    """End this process when its supervisor is gone, however that came. supervisor: its process id."""

    def wait() -> None:
        with contextlib.suppress(OSError, EOFError):
            connection.poll(None)
        os._exit(128 + signal.SIGKILL)

    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(128 + signal.SIGKILL)  # it had died before that
    else:
        threading.Thread(target=wait, name="supervisor", daemon=True).start()


def _signal_name(number: int) -> str:
    if number == signal.SIGKILL:
        return "killed; out of memory?"
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
