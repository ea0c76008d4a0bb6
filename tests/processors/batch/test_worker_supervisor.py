"""Real worker processes that crash, are signalled, and lose their supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

from core.errors import WorkerCrashError
from processors.batch import worker_supervisor
from processors.batch.exit_codes import EXIT_RESTART
from processors.batch.input_result import InputResult
from processors.batch.run_journal import RunJournal
from processors.batch.worker_supervisor import supervise

WORKER = """\
import sys, time, signal
from pathlib import Path
from processors.batch.worker_supervisor import supervise

def work(journal):
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    Path(sys.argv[1]).write_text(str(__import__("os").getpid()))
    time.sleep(60)
    return 0

if __name__ == "__main__":
    sys.exit(supervise(work))
"""


@pytest.fixture(autouse=True)
def _spawned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The tests' own process has threads and loaded libraries by now, which a fork would not survive.
    monkeypatch.setattr(worker_supervisor, "START_METHOD", "spawn")
    yield
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # a process that spawning starts and keeps


def die(number: int = signal.SIGABRT) -> None:
    os.kill(os.getpid(), number)


def returning(code: int, _: RunJournal) -> int:
    return code


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_the_exit_code_comes_from_the_worker(code: int) -> None:
    assert supervise(partial(returning, code)) == code


def crash_at_once(_: RunJournal) -> int:
    die(signal.SIGSEGV)
    return 0


def test_a_crash_that_no_input_is_to_blame_for_ends_the_run() -> None:
    with pytest.raises(WorkerCrashError, match="SIGSEGV"):
        supervise(crash_at_once)


def crash_on(bad: str, log: Path, journal: RunJournal, leave: Callable[[], None] = die) -> int:
    """Work on a, b, c; `bad` crashes."""
    for name in journal.history.suspects or "abc":
        if name in journal.history.results or journal.history.left_out(name):
            continue
        with journal.working_on(name, "analyse"), log.open("a") as file:
            file.write(name)
            file.flush()
            if name == bad:
                leave()
            journal.record(InputResult(name, name, "done"))
    return 10 * len(journal.history.crashes) + len(journal.history.results)


@pytest.mark.slow
def test_the_next_worker_knows_what_was_done_and_what_crashed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # a is done by the first process, b crashes the first and the second, c is done by the third.
    assert supervise(partial(crash_on, "b", log)) == 11
    assert log.read_text() == "abbc"


def ask_for_restart(tmp_path: Path, journal: RunJournal) -> int:
    if not journal.history.crashes:
        assert journal.can_restart
        journal.blame("a", "analyse")
        return EXIT_RESTART
    (tmp_path / "cause").write_text(journal.history.crashes["a"].cause)
    return 0


@pytest.mark.slow
def test_a_worker_may_ask_for_a_new_process(tmp_path: Path) -> None:
    assert supervise(partial(ask_for_restart, tmp_path)) == 0
    assert "GPU" in (tmp_path / "cause").read_text()


def crash_after_the_end(journal: RunJournal) -> int:
    journal.tell("exit", "", 0)
    die()
    return 1


def test_a_crash_after_the_work_is_done_changes_nothing() -> None:
    assert supervise(crash_after_the_end) == 0


@pytest.fixture
def worker(tmp_path: Path, project: Path):
    """A supervisor with its worker; yields (supervisor, the worker's id)."""
    script, told = tmp_path / "work.py", tmp_path / "pid"
    script.write_text(WORKER)
    environment = {**os.environ, "PYTHONPATH": str(project)}
    with subprocess.Popen([sys.executable, str(script), str(told)], env=environment, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while not (told.exists() and told.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process, int(told.read_text())
        process.kill()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_dead(pid: int) -> None:
    deadline = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_signal_reaches_the_worker_once(worker: tuple[subprocess.Popen[bytes], int]) -> None:
    supervisor, pid = worker
    assert os.getpgid(pid) != os.getpgid(supervisor.pid), "the terminal's Ctrl-C would reach it twice"
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(5) == 130
    wait_until_dead(pid)


def test_a_killed_supervisor_takes_its_worker_along(worker: tuple[subprocess.Popen[bytes], int]) -> None:
    supervisor, pid = worker
    supervisor.kill()
    wait_until_dead(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_z_pauses_both(worker: tuple[subprocess.Popen[bytes], int]) -> None:
    supervisor, pid = worker

    def state(process: int) -> str:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]

    def wait_for(wanted: str) -> None:
        deadline = time.monotonic() + 5
        while (state(pid), state(supervisor.pid)) != (wanted, wanted):
            assert time.monotonic() < deadline, (state(pid), state(supervisor.pid))
            time.sleep(0.01)

    supervisor.send_signal(signal.SIGTSTP)
    wait_for("T")
    supervisor.send_signal(signal.SIGCONT)
    wait_for("S")
