"""Opening a SQLite file, and what is wrong with it in words."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from bot.ports import Unavailable
from storage.private import make_private

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -1024",  # KiB, half of what SQLite takes; the rest the system keeps
    "PRAGMA wal_autocheckpoint = 4000",  # pages: 16 MB of log, and a quarter of the copying
    "PRAGMA busy_timeout = 5000",
)

#: What passes by itself or by somebody's hand: the disk, the lock, the mount.
PASSING = {
    sqlite3.SQLITE_BUSY: "the database is busy",
    sqlite3.SQLITE_LOCKED: "the database is busy",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not work",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
}


class Corrupt(Exception):
    """The database file is damaged: nothing is read from it until a person restored it."""


class CannotOpen(Unavailable):
    """The database file is not ours to open, or is none. Has a sentence."""


def connect(path: Path) -> sqlite3.Connection:
    """Raises `Corrupt`, `CannotOpen`, or `Unavailable` for what passes."""
    make_private(path)
    try:
        with ExitStack() as undo:
            connection = undo.enter_context(
                closing(sqlite3.connect(path, isolation_level=None, cached_statements=256))
            )
            for setting in _SETTINGS:
                connection.execute(setting)
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise _corrupt(verdict)
            undo.pop_all()
            return connection
    except sqlite3.DatabaseError as error:
        if code(error) == sqlite3.SQLITE_CANTOPEN:
            why = f"The database file {path.absolute()} cannot be opened ({error})."
            raise CannotOpen(why) from error
        raise in_words(error) from error


def in_words(error: sqlite3.DatabaseError) -> Exception:
    """*error* itself when it is a bug."""
    if code(error) in PASSING:
        return Unavailable(f"{PASSING[code(error)]} ({error})")
    if code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _corrupt(str(error))
    return error


def code(error: sqlite3.DatabaseError) -> int:
    """Without what SQLite adds to it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _corrupt(finding: str) -> Corrupt:
    return Corrupt(
        f"The database file is damaged ({finding}). Stop here, keep the file, and restore the "
        "last good copy."
    )
