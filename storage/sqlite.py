"""SQLite: one writer connection, in a thread of its own; a transaction is one hop."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from bot.memory import Transaction
from bot.ports import Unavailable
from storage.connection import Conflict, Row, for_sqlite, stamp
from storage.plans import Known
from storage.transaction import SqlTransaction, settled

T = TypeVar("T")
Clock = Callable[[], datetime]

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 4000",  # pages: 16 MB of log, and a quarter of the copying
    "PRAGMA busy_timeout = 5000",
)

#: What passes by itself or by somebody's hand: the disk, the lock, the mount.
_PASSING = {
    sqlite3.SQLITE_BUSY: "the database is busy",
    sqlite3.SQLITE_LOCKED: "the database is busy",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not work",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
}
_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


class Corrupt(Exception):
    """The database file is damaged: nothing is read from it until a person restored it."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteStore:
    """Opened with `await SqliteStore.open(path)`."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor, clock: Clock):
        self._connection = connection
        self._thread = thread
        self._clock = clock
        self._plans: Known = {}

    @classmethod
    async def open(cls, path: Path, clock: Clock = utc_now) -> "SqliteStore":
        """Raises `Corrupt`, or `Unavailable` when the file cannot be opened."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, _connect, path)
        except BaseException:
            thread.shutdown()
            raise
        return cls(connection, thread, clock)

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, unit)

    async def now(self) -> datetime:
        return self._clock()

    async def schema(self) -> str | None:
        """The schema's revision; None for an empty database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._schema)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _transact(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                tx = SqlTransaction(_SqliteConnection(connection), self._clock(), self._plans)
                result = _drive(settled(unit, tx))
                connection.execute("COMMIT")
            finally:
                # A full disk may have rolled back already; after a commit nothing is open.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            raise _in_words(error) from error
        return result

    def _schema(self) -> str | None:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if self._connection.execute(tables).fetchone() is None:
            return None
        row = self._connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


class _SqliteConnection:
    """Never suspends, which is what lets a unit of work run inside the writer's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        return self._execute(sql, values).fetchall()

    async def change(self, sql: str, **values: Any) -> int:
        return self._execute(sql, values).rowcount

    def _execute(self, sql: str, values: dict[str, Any]) -> sqlite3.Cursor:
        for name, value in values.items():
            if isinstance(value, datetime):
                values[name] = stamp(value)
        try:
            return self._connection.execute(for_sqlite(sql), values)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in _UNIQUE:
                raise Conflict(str(error)) from error
            raise


def _drive(unit: Coroutine[Any, Any, T]) -> T:
    try:
        unit.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    unit.close()
    raise AssertionError("a unit of work may only wait for its transaction")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise _in_words(error) from error
    if verdict != "ok":
        connection.close()
        raise _corrupt(verdict)
    return connection


def _in_words(error: sqlite3.DatabaseError) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _PASSING:
        return Unavailable(f"{_PASSING[code]} ({error})")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _corrupt(str(error))
    return error


def _corrupt(finding: str) -> Corrupt:
    return Corrupt(
        f"The database file is damaged ({finding}). Stop here, keep the file, and restore the "
        "last good copy."
    )
