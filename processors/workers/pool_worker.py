"""The driver's end of a worker process of the pool: starts the process and exchanges messages with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processors.workers.worker_contact import WorkerContact
from processors.workers.worker_process import PROGRAM_TEXT, Answered, MakeHost, Start, Stop, real_host
from processors.workers.worker_source import JOBS_PER_WORKER, Inbox, Worker, WorkerKind
from utils.processes.child_processes import cause_of_death

if TYPE_CHECKING:
    from processors.workers.job_link import HostSetup
    from processors.workers.render_work import Work

_DEATH_WAIT_S = 5.0


class ProcessSource:
    """A `WorkerSource` of processes of this machine, which make whole videos."""

    def __init__(self, count: int, setup: HostSetup, make_host: MakeHost = real_host) -> None:
        """count: how many there may be at a time. make_host: called in each process."""
        self._counts = {WorkerKind.VIDEOS: count, WorkerKind.CLIPS: 0}
        self._setup = setup
        self._make_host = make_host

    def count(self, kind: WorkerKind) -> int:
        """See `WorkerSource.count`."""
        return self._counts[kind]

    def open(self) -> None:
        """See `WorkerSource.open`."""

    def start(self, kind: WorkerKind, inbox: Inbox) -> Worker:
        """See `WorkerSource.start`."""
        return PoolWorker(self._setup, self._make_host, inbox)

    def drop(self, key: str) -> None:
        """See `WorkerSource.drop`."""

    def end(self, worker: Worker) -> None:
        """See `WorkerSource.end`."""
        worker.kill()

    def is_to_blame(self, worker: Worker) -> bool:
        """See `WorkerSource.is_to_blame`."""
        # On one machine, whatever keeps one process from starting affects all, so the job has to fail.
        return False

    def avoid(self, place: str, trouble: str) -> bool:
        """See `WorkerSource.avoid`."""
        return False

    def close(self) -> None:
        """See `WorkerSource.close`."""


class PoolWorker(WorkerContact):
    """A worker process. All methods must be called by the thread that started it, which must outlive the process.

    Attributes:
        is_started: it has said that it is ready for its first job.
        place: this machine.
    """

    def __init__(
        self,
        setup: HostSetup,
        make_host: MakeHost,
        inbox: Inbox,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """inbox: receives what the worker says, with the worker; None instead when it is gone.

        clock: seconds from any origin.

        Raises:
            OSError: no process can be started.
        """
        super().__init__(clock)
        self.is_started = False
        self.place = ""
        self._jobs = 0
        self._inbox = inbox
        ours, theirs = multiprocessing.Pipe(duplex=True)
        self._pipe = ours
        self._sending = threading.Lock()
        try:
            # Not by `multiprocessing`, whose helper process would stay, and which imports the main module anew.
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM_TEXT, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # For PyTorch, if it runs the networks; OpenVINO and the decoders get the number from the settings.
                env={"OMP_NUM_THREADS": str(setup.threads), **os.environ},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._post(sys.path)
        self._post(Start(os.getpid(), setup, make_host))
        threading.Thread(target=self._listen, name="worker", daemon=True).start()

    @property
    def is_wanted(self) -> bool:
        """See `Worker.is_wanted`."""
        return self._jobs < JOBS_PER_WORKER

    def give(self, work: Work) -> None:
        """See `Worker.give`."""
        self._jobs += 1
        self.heard()
        self._post(work)

    def stop(self) -> None:
        """Ask it to end its job."""
        self._post(Stop())

    def kill(self) -> None:
        """End the process at once, with whatever it does."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel: a dead file server
            self._process.wait(_DEATH_WAIT_S)

    def cause_of_death(self) -> str:
        """Why a process that is gone has ended."""
        try:
            return cause_of_death(self._process.wait(_DEATH_WAIT_S))
        except subprocess.TimeoutExpired:
            return "it closed its pipe"

    def _send_answer(self, message: Answered) -> None:
        self._post(message)

    def _post(self, message: Any) -> None:
        # If the process is gone, `_listen` reports it.
        with self._sending, contextlib.suppress(OSError):
            self._pipe.send(message)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._inbox.put((self, self._pipe.recv()))
        with self._sending:
            self._pipe.close()
        self._inbox.put((self, None))
