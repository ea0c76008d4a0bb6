"""Leases: the right of one process to work on something in a folder that several machines may share.

A lease is a file that its holder creates exclusively and rewrites every few seconds. Nothing else is asked of the file
system: no locks, and no clock. Whether a holder is alive is judged by the observer's own clock, from how long the file
has not changed; on the holder's machine also by whether its process still runs. So a node's clock may be wrong, and a
killed process is no obstacle.

A holder that was suspended may lose its lease without noticing. Therefore it calls `LeaseTicket.require_held` before it
changes anything that others see.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import LeaseHeldError, LeaseLostError
from core.lease_file import (
    MAX_BYTES,
    LeaseRecord,
    create_lease,
    parse_record,
    read_lease,
    read_record,
    remove_dead_lease,
)
from utils.console.printable_text import ascii_safe
from utils.processes.process_identity import this_process

logger = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
STALE_AFTER_S = 60.0
"""a lease that has not changed for so long is nobody's: twelve missed heartbeats, and longer than a file server's
restart or a busy disk usually delays one"""

_WORK_SHOWN = 200
_ATTEMPTS = 5
_WATCH_STEP_S = 0.2


@dataclass(frozen=True, slots=True)
class LeaseTicket:
    """Proof of a lease; a plain value that may be sent to other processes and machines that see the same folder."""

    path: Path
    token: str

    def require_held(self) -> None:
        """Return if the lease is still held; that counts as a heartbeat.

        Raises:
            LeaseLostError: it was taken over.
            OSError: the file system does not answer.
        """
        self.beat()
        # Read by name once more: a process that wanted to take the lease over has seen the heartbeat, or was faster.
        record = read_record(self.path)
        if record is None or record.token != self.token:
            raise self._lost()

    def beat(self) -> None:
        """Write a heartbeat.

        Raises:
            LeaseLostError: the lease was taken over; nothing was written.
            OSError: the file system does not answer.
        """
        try:
            file = os.open(self.path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            raise self._lost() from None
        try:
            record = parse_record(os.read(file, MAX_BYTES))
            if record is None or record.token != self.token:
                raise self._lost()
            # Of the same length, so that nobody reads half of it. Into the file that was opened: if it is moved away
            # meanwhile, the new holder's is not touched.
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, record.next_beat.content)
            os.fsync(file)
        finally:
            os.close(file)

    def _lost(self) -> LeaseLostError:
        return LeaseLostError("another run has taken this over, because this one did not answer", path=self.path)


class Lease:
    """A lease that this process holds, with the thread that keeps it alive. A context manager: leaving releases it.

    Attributes:
        ticket: proof of it.
    """

    def __init__(self, ticket: LeaseTicket, heartbeat_s: float, released: Callable[[Lease], None]) -> None:
        """released: called once, by the first `release`, whether or not the lease was lost before."""
        self.ticket = ticket
        self._heartbeat_s = heartbeat_s
        self._on_release = released
        self._ended = threading.Event()
        self._release_lock = threading.Lock()
        threading.Thread(target=self._keep_alive, name="lease", daemon=True).start()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the lease back; again, or after it was lost, it does nothing."""
        with self._release_lock:
            if self._ended.is_set():
                return
            self._ended.set()
            # After the heartbeat nobody takes the file over, so the one that is removed is ours.
            with contextlib.suppress(LeaseLostError, OSError):
                self.ticket.require_held()
                self.ticket.path.unlink()
            self._on_release(self)

    def _keep_alive(self) -> None:
        while not self._ended.wait(self._heartbeat_s):
            try:
                self.ticket.beat()
            except LeaseLostError as error:
                if not self._ended.is_set():
                    logger.warning("%s", error)
                return
            except OSError as error:
                logger.debug("no heartbeat for %s: %s", self.ticket.path, error)


class LeaseTaker:
    """Takes leases, and remembers how long those of others have not changed. For any thread."""

    def __init__(
        self,
        heartbeat_s: float = HEARTBEAT_S,
        stale_after_s: float = STALE_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """clock: seconds on this machine, from any origin."""
        self._heartbeat_s = heartbeat_s
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[Path, tuple[bytes, float]] = {}
        self._held: set[Lease] = set()

    def take(self, path: Path, *, work: str = "", subject: str = "", terms: Mapping[str, str] | None = None) -> Lease:
        """Create the lease file `path`, whose folder exists. work, subject, terms: see `LeaseRecord`.

        Raises:
            LeaseHeldError: somebody else holds it, or may do so: the file has not been watched for long enough.
            OSError: the file cannot be written.
        """
        me = this_process()
        token, work = secrets.token_hex(16), ascii_safe(work)[:_WORK_SHOWN]
        record = LeaseRecord(
            token, ascii_safe(me.host), me.machine, me.pid, me.started, work, subject, dict(terms or {})
        )
        for _ in range(_ATTEMPTS):
            if create_lease(path, record.content):
                lease = Lease(LeaseTicket(path, record.token), self._heartbeat_s, self._forget)
                with self._lock:
                    self._held.add(lease)
                return lease
            content = read_lease(path)
            if content is None:
                continue
            if not self._is_abandoned(path, content):
                raise _held(path, content)
            remove_dead_lease(path, content)
        raise _held(path, read_lease(path) or b"")

    def take_patiently(self, path: Path, *, work: str = "") -> Lease:
        """As `take`, but watch a lease of another machine until it is certain whether its holder is alive.

        Raises:
            LeaseHeldError: somebody holds it. OSError: the file cannot be written.
        """
        first = read_lease(path)
        is_waiting = False
        while True:
            try:
                return self.take(path, work=work)
            except LeaseHeldError as error:
                record = parse_record(first or b"")
                # A process of this machine that is not dead is alive.
                if read_lease(path) != first or (record is not None and record.machine == this_process().machine != ""):
                    raise
                if not is_waiting:
                    is_waiting = True
                    logger.info("%s is working there or has died; waiting up to a minute to find out", error.holder)
            time.sleep(min(_WATCH_STEP_S, self._heartbeat_s))

    def is_free(self, path: Path) -> bool:
        """Whether nobody holds the lease `path`, as far as is known by now."""
        content = read_lease(path)
        return content is None or self._is_abandoned(path, content)

    def release_all(self) -> None:
        """Release every lease that was taken here and is still held."""
        with self._lock:
            held = tuple(self._held)
        for lease in held:
            lease.release()

    def _forget(self, lease: Lease) -> None:
        with self._lock:
            self._held.discard(lease)

    def _is_abandoned(self, path: Path, content: bytes) -> bool:
        record = parse_record(content)
        if record is not None and record.is_dead:
            return True
        now = self._clock()
        with self._lock:
            before, since = self._seen.get(path, (None, now))
            if before != content:
                self._seen[path] = (content, now)
                return False
            return now - since >= self._stale_after_s


def _held(path: Path, content: bytes) -> LeaseHeldError:
    record = parse_record(content)
    return LeaseHeldError("another process" if record is None else record.holder, path=path)
