"""The gallery's database file: opened so that several processes can use it, and refused if another program made it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from core.errors import GalleryError

APPLICATION_ID = 0x46414345
"""in the file's header: "FACE"; tells our databases from other programs' """

SCHEMA = 1
WAIT_S = 20.0
"""how long a process waits for another one's change; changes take milliseconds"""

_READ_ONLY = (
    "cannot be written: the file or its folder is read-only",
    "make both writable, or name another file with --gallery",
)
"""message and hint"""

_TABLES = """
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    digest TEXT NOT NULL
);
INSERT INTO state VALUES (1, '');
CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL DEFAULT '',
    folded TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX people_by_name ON people (folded) WHERE folded <> '';
CREATE TABLE videos (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    folder TEXT NOT NULL,
    analysis TEXT NOT NULL
);
CREATE TABLE appearances (
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    label TEXT NOT NULL,
    tracklets TEXT NOT NULL,
    person INTEGER REFERENCES people ON DELETE CASCADE,
    decided TEXT NOT NULL,
    on_screen_s REAL NOT NULL,
    clips INTEGER NOT NULL,
    PRIMARY KEY (video, label)
) WITHOUT ROWID;
CREATE INDEX appearances_by_person ON appearances (person);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    embedder TEXT NOT NULL,
    weights TEXT NOT NULL,
    vector BLOB NOT NULL,
    quality REAL NOT NULL,
    source TEXT NOT NULL,
    origin TEXT NOT NULL,
    place TEXT NOT NULL DEFAULT '',
    thumbnail BLOB NOT NULL
);
CREATE INDEX faces_by_person ON faces (person);
CREATE INDEX faces_by_origin ON faces (origin);
CREATE TABLE together (
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    PRIMARY KEY (video, a, b),
    CHECK (a < b)
) WITHOUT ROWID;
CREATE TABLE photo_folders (
    place TEXT PRIMARY KEY,
    digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE not_same (
    a INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    b INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    PRIMARY KEY (a, b),
    CHECK (a < b)
) WITHOUT ROWID;
"""

_LATER_TABLES = """
CREATE TABLE IF NOT EXISTS edits (
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    edit INTEGER NOT NULL,
    timeline TEXT NOT NULL,
    label TEXT NOT NULL,
    tracklets TEXT NOT NULL,
    person INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (video, edit, label)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS given_up (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE
);
"""
"""tables that galleries of earlier versions lack, and that earlier versions ignore"""


class GalleryFile:
    """One connection. For one thread; a context manager. Other processes may have the file open too."""

    def __init__(self, path: Path, *, for_reading: bool = False) -> None:
        """Open the database at `path`, or make it; readable by its owner only.

        for_reading: it is not made, and may lie where nothing can be written.

        Raises:
            GalleryError: not writable, locked, damaged, another program's, or made by a newer version.
        """
        self.path = path
        with self._explained():
            if for_reading:
                self._connection = self._open_for_reading()
            else:
                self._create_private()
                self._connection = self._connect()
        try:
            self._prepare(may_make_tables=not for_reading)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> GalleryFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; calling it again does nothing."""
        self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database for the whole block.

        Raises:
            GalleryError: it cannot be read.
        """
        with self._explained(), self._transaction("BEGIN"):
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection for changes, which take effect together at the end of the block, or not at all.

        Raises:
            GalleryError: it cannot be written; nothing was changed.
        """
        # IMMEDIATE: what is read in the block is still so when it is written, whatever other processes do.
        with self._explained(), self._transaction("BEGIN IMMEDIATE"):
            yield self._connection

    def scrub(self) -> None:
        """Remove what was deleted from the files too: nothing of it stays in free pages or in the log.

        Raises:
            GalleryError: another process keeps the log busy; what was deleted is still in it.
        """
        with self._explained():
            self._connection.execute("VACUUM")
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise GalleryError(
                "another process is reading the gallery: what was deleted is still in its log",
                path=self.path,
                stage="gallery",
                hint="run the command again when the other run has ended",
            )

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _create_private(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Made by us, because sqlite would make it with the user's usual permissions; its log inherits ours.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if not self._is_writable():
            raise self._error(*_READ_ONLY)

    def _connect(self, parameters: str = "") -> sqlite3.Connection:
        """A connection; parameters: of an SQLite URI (https://sqlite.org/uri.html)."""
        place = f"{self.path.absolute().as_uri()}?{parameters}" if parameters else self.path
        return sqlite3.connect(place, timeout=WAIT_S, isolation_level=None, uri=bool(parameters))

    def _open_for_reading(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise self._error("is not there", "name another file with --gallery")
        if self._is_writable():
            return self._connect("mode=rw")
        log = self.path.with_name(f"{self.path.name}-wal")
        if not log.exists() or not log.stat().st_size:
            # Nobody has it open. A connection that is not told so needs a log beside the file: where it cannot be made,
            # SQLite gives up, and where it can, it stays behind, as read-only as the file.
            return self._connect("mode=ro&immutable=1")
        connection = self._connect("mode=ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if not _is_refused_write(error):
                raise
            message = "cannot be read here: its last changes are in its log, and the file or its folder is read-only"
            hint = f"copy {self.path.name} and {log.name} to a folder that can be written"
            raise self._error(message, hint) from error
        return connection

    def _is_writable(self) -> bool:
        return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)

    def _prepare(self, *, may_make_tables: bool) -> None:
        with self._explained():
            run = self._connection.execute
            for pragma in ("trusted_schema = OFF", "foreign_keys = ON", "secure_delete = ON", "cell_size_check = ON"):
                run(f"PRAGMA {pragma}")
            application, version = self._header()
            if application == 0 and version == 0 and self._is_empty():
                if not may_make_tables:
                    raise self._error("is empty", "run videos first")
                run("PRAGMA journal_mode = WAL")
                self._make_tables()
                application, version = self._header()
        if application != APPLICATION_ID:
            raise self._error("is another program's database", "name another file with --gallery")
        if version > SCHEMA:
            raise self._error(
                f"was made by a newer version of this program (schema {version}; this one knows {SCHEMA})",
                "update the program, or name another file with --gallery",
            )
        with self._explained():
            run("PRAGMA synchronous = FULL")
            run("SELECT digest FROM state").fetchone()
            if may_make_tables:
                for statement in filter(None, map(str.strip, _LATER_TABLES.split(";"))):
                    run(statement)
        with contextlib.suppress(OSError):
            # Permissions are never widened: a file that somebody made read-only stays so.
            self.path.chmod(stat.S_IMODE(self.path.stat().st_mode) & 0o600)

    def _make_tables(self) -> None:
        with self._transaction("BEGIN IMMEDIATE"):
            if self._is_empty():  # another process may have been quicker
                for statement in filter(None, map(str.strip, _TABLES.split(";"))):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                self._connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def _header(self) -> tuple[int, int]:
        run = self._connection.execute
        return run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]

    def _is_empty(self) -> bool:
        return bool(self._connection.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn errors of SQLite or the disk into `GalleryError`s with a one-line message."""
        try:
            yield
        except OSError as error:
            raise self._error(f"cannot be written: {error.strerror}", "name another file with --gallery") from error
        except sqlite3.Error as error:
            message, hint = _explanation(error)
            raise self._error(message, hint) from error

    def _error(self, message: str, hint: str) -> GalleryError:
        return GalleryError(f"the gallery {message}", path=self.path, stage="gallery", hint=hint)


def _is_refused_write(error: sqlite3.Error) -> bool:
    text = str(error).lower()
    return "readonly" in text or "read-only" in text or "unable to open" in text


def _explanation(error: sqlite3.Error) -> tuple[str, str]:
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return "is locked by another process", "wait until the other run has ended"
    if "not a database" in text or "malformed" in text or "corrupt" in text:
        return "is damaged or no database", "name another file with --gallery, or move it away"
    if _is_refused_write(error):
        return _READ_ONLY
    if "full" in text:
        return "cannot be written: the disk is full", "make room"
    if "no such table" in text or "no such column" in text:
        return "is damaged: a part of it is missing", "name another file with --gallery, or move it away"
    return f"cannot be used: {error}", "name another file with --gallery"
