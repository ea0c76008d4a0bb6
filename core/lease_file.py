"""The file of a lease: what it says, and how it is made, read and removed so that of several processes one succeeds.

Nothing is asked of the file system but exclusive creation and renaming: no locks and no clock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import msgspec

from utils.console.printable_text import ascii_safe
from utils.processes.process_identity import ProcessIdentity

ASIDE_PREFIX = ".stale-lease-"
"""of the file that a dead holder's lease is moved to before it is removed"""
MAX_BYTES = 4096
"""largest lease file that is read"""

_BEAT_DIGITS = 10


class LeaseRecord(msgspec.Struct, frozen=True):
    """The content of a lease file.

    token: of this lease, unique. work: what is being done, for people. subject: what it is done to; two leases on
    different names may have the same. terms: how the holder works, for others to compare. beat: number of the
    heartbeat, with leading zeros.
    """

    token: str
    host: str
    machine: str
    pid: int
    started: str
    work: str = ""
    subject: str = ""
    terms: dict[str, str] = {}
    beat: str = "0" * _BEAT_DIGITS

    @property
    def is_dead(self) -> bool:
        """True only if the holder certainly no longer runs."""
        return ProcessIdentity(self.host, self.machine, self.pid, self.started).is_gone

    @property
    def holder(self) -> str:
        """The holder in words."""
        return ascii_safe(f"process {self.pid} on {self.host}")

    @property
    def next_beat(self) -> LeaseRecord:
        """The record of the next heartbeat; encoded, it is as long as this one."""
        return msgspec.structs.replace(self, beat=f"{int(self.beat) + 1:0{_BEAT_DIGITS}}")

    @property
    def content(self) -> bytes:
        """What the file of this lease holds."""
        return msgspec.json.encode(self)


def read_record(path: Path) -> LeaseRecord | None:
    """What the lease file `path` says; None if there is none, or it is damaged."""
    return parse_record(read_lease(path) or b"")


def create_lease(path: Path, content: bytes) -> bool:
    """Make the file `path`; False if it is there already.

    Raises:
        OSError: it cannot be written.
    """
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    try:
        try:
            os.write(file, content)
            os.fsync(file)
        finally:
            os.close(file)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def remove_dead_lease(path: Path, content: bytes) -> None:
    """Remove the lease whose holder is dead. content: what it was when that was judged."""
    aside = path.with_name(f"{ASIDE_PREFIX}{secrets.token_hex(8)}")
    if read_lease(path) != content:
        return
    # Of several observers one succeeds.
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        if read_lease(aside) != content:
            # Another observer was faster, and this is its new lease. If it cannot be put back, its holder notices
            # before it changes anything.
            with contextlib.suppress(OSError):
                os.link(aside, path)
        aside.unlink()


def read_lease(path: Path) -> bytes | None:
    """The content of a lease file; None if there is none, b"" if it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    except OSError:
        return b""
    try:
        return os.read(file, MAX_BYTES)
    except OSError:
        return b""
    finally:
        os.close(file)


def parse_record(content: bytes) -> LeaseRecord | None:
    """What the content of a lease file says; None if it is damaged."""
    try:
        record = msgspec.json.decode(content, type=LeaseRecord)
        return record if record.beat.isdecimal() else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
