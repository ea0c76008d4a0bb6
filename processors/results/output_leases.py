"""Who works on what in an output folder: a lease per video, and one for the summary and the pages.

All lease files lie in the output folder itself, even if the videos' folders lie in subfolders.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.errors import LeaseHeldError, OutputError
from core.lease import Lease, LeaseTaker
from core.lease_file import LeaseRecord, read_record
from processors.results.result_tree import MARK_FILE, folder_name, output_root
from utils.fingerprints import Fingerprint
from utils.processes.process_identity import this_process

LEASE_PREFIX = ".lease-"
_PAGES = f"{LEASE_PREFIX}.pages"
_CALL = f"{LEASE_PREFIX}.call-"
"""never the lease of a video, because the name of a video's folder never begins with a dot"""
_GALLERY = "gallery"

_LONGEST_NAME_BYTES = 200
"""file systems allow 255, minus the prefix and a reserve for those that encrypt names"""
PAGES_WAIT_S = 120.0
_POLL_S = 0.1


class OutputLeases:
    """The leases of one call in one output folder. Thread-safe. A context manager that releases them all at its end."""

    def __init__(self, output_dir: Path, taker: LeaseTaker | None = None) -> None:
        self._output_dir = output_dir
        self._taker = taker or LeaseTaker()

    def __enter__(self) -> OutputLeases:
        return self

    def __exit__(self, *_: object) -> None:
        self._taker.release_all()

    def take_video(self, folder: Path, video: Fingerprint | None = None, work: str = "") -> Lease:
        """The right to write to the video's `folder`, and, with `video`, to process that video anywhere.

        work: what is being done, for people.

        Raises:
            LeaseHeldError: another call works on the folder or on the video.
            OutputError: the output folder cannot be written.
        """
        path, subject = lease_path(folder, self._output_dir), _subject(video)
        with _explained(folder):
            lease = self._taker.take(path, work=work, subject=subject)
        # A copy of the video may have another name elsewhere. The search begins when our own lease exists, so that at
        # least one of two callers sees the other; if both do, both give way and try again.
        for other in self._paths() if video is not None else ():
            record = read_record(other)
            if other != path and record is not None and record.subject == subject and not self._taker.is_free(other):
                lease.release()
                raise LeaseHeldError(record.holder, path=folder)
        return lease

    @contextlib.contextmanager
    def pages(self) -> Iterator[None]:
        """Hold the right to write the summary and the pages; waits until others have written theirs.

        Raises:
            OutputError: the output folder cannot be written, or others take too long.
        """
        path = self._output_dir / _PAGES
        deadline = time.monotonic() + PAGES_WAIT_S
        while True:
            try:
                with _explained(self._output_dir):
                    lease = self._taker.take(path)
                break
            except LeaseHeldError as error:
                if time.monotonic() > deadline:
                    message = f"{error.holder} does not end writing the summary"
                    hint = "main.py index rebuilds it"
                    raise OutputError(message, path=self._output_dir, hint=hint) from error
            time.sleep(_POLL_S)
        with lease:
            yield

    def join(
        self, terms: Mapping[str, str], *, uses_gallery: bool, hint: str = "--no-gallery on all of them"
    ) -> list[LeaseRecord]:
        """Announce this call and its terms until it ends; returns the other calls that have announced theirs.

        terms: what its results depend on; none: it makes none. uses_gallery: whether it uses the gallery in the output
        folder. SQLite keeps changes in memory that the processes of one machine share, so on a network file system
        calls of several machines would damage the file (https://sqlite.org/wal.html, "same host computer"). hint: what
        to do if another machine uses it; if that call may have died, this waits until that is certain.

        Raises:
            OutputError: it uses the gallery, and so does a call of another machine; or the folder cannot be written.
        """
        path = self._output_dir / f"{_CALL}{secrets.token_hex(4)}"
        with _explained(self._output_dir):
            lease = self._taker.take(path, subject=_GALLERY if uses_gallery else "", terms=terms)
        # As in `take_video`, the search begins when our own lease exists.
        found = [(other, read_record(other)) for other in self._output_dir.glob(f"{_CALL}*") if other != path]
        others = {other: record for other, record in found if record is not None and not record.is_dead}
        here = this_process().machine
        for other, record in others.items():
            if not uses_gallery or record.subject != _GALLERY or record.machine == here:
                continue
            try:
                with _explained(self._output_dir):
                    self._taker.take_patiently(other).release()
            except LeaseHeldError as error:
                lease.release()
                message = f"{record.holder} uses the gallery of people here, which machines cannot share"
                raise OutputError(message, path=self._output_dir, hint=hint) from error
        return [record for record in others.values() if record.terms]

    def remove_dead(self) -> list[str]:
        """Remove the leases of processes of this machine that ended abruptly; returns what they were working on."""
        found = []
        for path in self._paths():
            record = read_record(path)
            if record is None or not record.is_dead:
                continue
            with contextlib.suppress(LeaseHeldError), _explained(self._output_dir), self._taker.take(path):
                if record.work:
                    found.append(record.work)
        return found

    def held_by_others(self) -> list[LeaseRecord | None]:
        """The leases in the output folder that may be alive; None for a damaged one."""
        return [read_record(path) for path in self._paths() if not self._taker.is_free(path)]

    def _paths(self) -> list[Path]:
        return sorted(self._output_dir.glob(f"{LEASE_PREFIX}*"))


def lease_path(folder: Path, output_dir: Path) -> Path:
    """The lease file of the video's `folder`, which lies somewhere below `output_dir`."""
    name = folder_name(folder, output_dir).replace("%", "%25").replace("/", "%2F")
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        name = hashlib.sha256(name.encode()).hexdigest()
    return output_dir / f"{LEASE_PREFIX}{name}"


@contextlib.contextmanager
def folder_lease(folder: Path) -> Iterator[Lease]:
    """Hold the lease of a video's `folder`, for a command about this one.

    Raises:
        LeaseHeldError: a run works on it. OutputError: the output folder cannot be written.
    """
    output_dir = mark_output_folder(output_root(folder))
    with _explained(folder):
        lease = LeaseTaker().take_patiently(lease_path(folder, output_dir), work=folder.name)
    with lease:
        yield lease


def lies_in(gallery: Path | None, output_dir: Path) -> bool:
    """Whether `gallery` is a file of `output_dir`, however the two paths are written. None: there is no gallery."""
    return gallery is not None and gallery.resolve().parent == output_dir.resolve()


@contextlib.contextmanager
def gallery_lease(gallery: Path | None, output_dir: Path) -> Iterator[None]:
    """Hold, for a command, the right of this machine to use the `gallery`, if that lies in `output_dir`.

    Nothing is held if `output_dir` cannot be written: reading does the gallery no harm.

    Raises:
        OutputError: a call of another machine uses it.
    """
    if not lies_in(gallery, output_dir) or not os.access(output_dir, os.W_OK):
        yield
        return
    with OutputLeases(output_dir) as leases:
        leases.join({}, uses_gallery=True, hint="wait until it has ended")
        yield


def mark_output_folder(output_dir: Path) -> Path:
    """Make `output_dir` if it is missing, and the file that marks output folders; returns the folder.

    Raises:
        OutputError: it cannot be written.
    """
    with _explained(output_dir):
        output_dir.mkdir(parents=True, exist_ok=True)
        (output_dir / MARK_FILE).touch()
    return output_dir


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except LeaseHeldError as error:
        raise LeaseHeldError(error.holder, path=folder) from error
    except OSError as error:
        reason = "a file has its name" if isinstance(error, FileExistsError) else error.strerror
        hint = "make it writable, or name another one with -o"
        raise OutputError(f"cannot write to the output folder: {reason}", path=folder, hint=hint) from error


def _subject(video: Fingerprint | None) -> str:
    return "" if video is None else f"{video.sha256}-{video.size_bytes}"
