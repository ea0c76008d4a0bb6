"""Leases with real processes: one holder at a time, dead holders are no obstacle, and a lost lease is noticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.errors import LeaseHeldError, LeaseLostError
from core.lease import Lease, LeaseTaker
from core.lease_file import ASIDE_PREFIX, LeaseRecord, read_record
from tests.material.other_machine import of_another_machine

HOLDER = """
import sys
from pathlib import Path
from core.lease import LeaseTaker
lease = LeaseTaker(heartbeat_s=0.05).take(Path(sys.argv[1]), work="a.mp4")
print("ready", flush=True)
sys.stdin.read()
"""

# Takes the lease, adds one to a counter, gives the lease back; so many times.
COUNTER = """
import sys, time
from pathlib import Path
from core.errors import LeaseHeldError
from core.lease import LeaseTaker
taker, path, count = LeaseTaker(), Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(int(sys.argv[3])):
    while True:
        try:
            lease = taker.take(path)
            break
        except LeaseHeldError:
            time.sleep(0.001)
    number = int(count.read_text())
    time.sleep(0.002)
    lease.ticket.require_held()
    count.write_text(str(number + 1))
    lease.release()
"""


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lease-a"


@pytest.fixture
def holder(path: Path, project: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lease."""
    argv = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(argv, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_one_holder_at_a_time_and_nothing_is_left(path: Path) -> None:
    taker = LeaseTaker()
    with taker.take(path, work="a.mp4", subject="ab") as lease:
        record = read_record(path)
        assert record is not None
        assert (record.pid, record.work, record.subject) == (os.getpid(), "a.mp4", "ab")
        lease.ticket.require_held()
        with pytest.raises(LeaseHeldError, match=f"another run is working on this .process {os.getpid()} on "):
            LeaseTaker().take(path)
        assert not taker.is_free(path)
    assert list(path.parent.iterdir()) == []
    lease.release()
    with pytest.raises(LeaseLostError):
        lease.ticket.require_held()
    taker.take(path)
    taker.release_all()
    assert list(path.parent.iterdir()) == []


def test_a_killed_holder_of_this_machine_is_no_obstacle(path: Path, holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(LeaseHeldError, match=f"process {holder.pid} on"):
        LeaseTaker().take(path)
    # Nobody has asked for its exit code yet: it is a zombie.
    os.kill(holder.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not (record := read_record(path)) or not record.is_dead:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert LeaseTaker().is_free(path)
    with LeaseTaker().take(path) as lease:
        lease.ticket.require_held()
    holder.wait()
    assert list(path.parent.iterdir()) == []


def test_another_process_with_the_number_of_a_dead_one_is_not_taken_for_it(path: Path) -> None:
    with LeaseTaker(heartbeat_s=60).take(path):
        record = read_record(path)
        assert record is not None
        path.write_bytes(msgspec.json.encode(msgspec.structs.replace(record, started="1")))
        with LeaseTaker().take(path) as lease:
            lease.ticket.require_held()


def test_a_holder_elsewhere_is_dead_when_its_lease_has_not_changed_for_long_enough(path: Path) -> None:
    clock = Clock()
    taker = LeaseTaker(heartbeat_s=60, stale_after_s=60, clock=clock)
    lease = LeaseTaker(heartbeat_s=60).take(path)
    of_another_machine(path)
    for _ in range(3):
        with pytest.raises(LeaseHeldError, match="node3"):
            taker.take(path)
        clock.now += 59
        with pytest.raises(LeaseHeldError):
            taker.take(path)
        lease.ticket.beat()
    with pytest.raises(LeaseHeldError):
        taker.take(path)
    clock.now += 60
    taken = taker.take(path)
    # Whoever lost it notices, and does not remove the new holder's.
    with pytest.raises(LeaseLostError, match="did not answer"):
        lease.ticket.require_held()
    lease.release()
    taken.ticket.require_held()
    taken.release()


def test_no_clock_of_a_node_is_asked(path: Path) -> None:
    """Times of files and of other nodes may be an hour off in either direction."""
    with LeaseTaker(heartbeat_s=60).take(path) as lease:
        of_another_machine(path)
        clock = Clock()
        taker = LeaseTaker(stale_after_s=60, clock=clock)
        for hour in (-3600, 3600):
            os.utime(path, (time.time() + hour, time.time() + hour))
            with pytest.raises(LeaseHeldError):
                taker.take(path)
            clock.now += 30
            lease.ticket.beat()
        lease.ticket.require_held()


def test_a_suspended_holder_keeps_its_lease_until_somebody_takes_it(
    path: Path, holder: subprocess.Popen[bytes]
) -> None:
    taker = LeaseTaker(stale_after_s=0.4)
    os.kill(holder.pid, signal.SIGSTOP)
    deadline = time.monotonic() + 10
    lease = None
    while lease is None:
        assert time.monotonic() < deadline
        try:
            lease = taker.take(path)
        except LeaseHeldError:
            time.sleep(0.02)
    os.kill(holder.pid, signal.SIGCONT)
    time.sleep(0.3)
    lease.ticket.require_held()
    lease.release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"token": 3}', b"\xff" * 5000])
def test_a_damaged_lease_is_somebodys_until_it_has_been_watched(path: Path, content: bytes) -> None:
    """Its holder may be about to write it, or may have died before it could."""
    path.write_bytes(content)
    clock = Clock()
    taker = LeaseTaker(stale_after_s=60, clock=clock)
    with pytest.raises(LeaseHeldError, match="another process"):
        taker.take(path)
    clock.now += 60
    with taker.take(path) as lease:
        lease.ticket.require_held()


def test_patience_tells_dead_holders_elsewhere_from_living_ones(path: Path) -> None:
    lease = LeaseTaker(heartbeat_s=60).take(path)
    of_another_machine(path)
    taken = LeaseTaker(heartbeat_s=0.05, stale_after_s=0.3).take_patiently(path)
    with pytest.raises(LeaseLostError):
        lease.ticket.require_held()
    started = time.monotonic()
    # Alive here, which is known at once; alive elsewhere, which is known with the next heartbeat.
    for _ in range(2):
        with pytest.raises(LeaseHeldError):
            LeaseTaker(stale_after_s=60).take_patiently(path)
        of_another_machine(path)
    assert time.monotonic() - started < 5
    taken.release()
    lease.release()


def test_no_link_is_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(LeaseHeldError):
        LeaseTaker().take(path)
    assert (tmp_path / "precious").read_text() == "mine"


def test_many_processes_never_hold_it_together(path: Path, tmp_path: Path, project: Path) -> None:
    """Some begin with a dead holder's lease, so that several take it over at once."""
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    with LeaseTaker().take(path):
        record = read_record(path)
    assert record is not None
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(record, pid=int(dead.stdout))))
    count = tmp_path / "count"
    count.write_text("0")
    argv = [sys.executable, "-c", COUNTER, str(path), str(count), "40"]
    processes = [subprocess.Popen(argv, cwd=project) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert count.read_text() == "160"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["count"]


def test_a_file_system_without_locks_and_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise OSError(38, "Function not implemented")

    fcntl = pytest.importorskip("fcntl")
    for module, name in ((fcntl, "flock"), (fcntl, "lockf"), (fcntl, "fcntl"), (os, "link")):
        monkeypatch.setattr(module, name, missing)
    with LeaseTaker().take(path) as lease:
        lease.ticket.require_held()
        with pytest.raises(LeaseHeldError):
            LeaseTaker().take(path)


def test_a_lease_that_was_taken_in_between_is_put_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two observers see one dead holder; the slower one finds the new lease of the quicker one in its hands."""
    dead = LeaseRecord("0" * 32, "node3", "another boot", 7, "1")
    path.write_bytes(msgspec.json.encode(dead))
    clock = Clock()
    slow = LeaseTaker(stale_after_s=60, clock=clock)
    with pytest.raises(LeaseHeldError):
        slow.take(path)
    clock.now += 60
    rename = Path.rename
    quick: list[Lease] = []

    def late(self: Path, target: Path) -> Path:
        if not quick and target.name.startswith(ASIDE_PREFIX):
            path.unlink()
            quick.append(LeaseTaker().take(path))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    with pytest.raises(LeaseHeldError, match=str(os.getpid())):
        slow.take(path)
    quick[0].ticket.require_held()
    quick[0].release()
    assert list(path.parent.iterdir()) == []
