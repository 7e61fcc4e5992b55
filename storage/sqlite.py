"""SQLite: one writer connection, in a thread of its own; what waits is committed together."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bot.memory import Transaction
from bot.ports import Unavailable
from storage.connection import Conflict, Row, for_sqlite, stamp
from storage.plans import Known
from storage.private import make_private
from storage.transaction import SqlTransaction, settled
from storage.whereabouts import Whereabouts

T = TypeVar("T")
Clock = Callable[[], datetime]
Unit = Callable[[Transaction], Awaitable[Any]]

#: More would keep the first of them waiting for the last.
_TOGETHER = 32

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -1024",  # KiB, half of what SQLite takes; the rest the system keeps
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

    def __init__(
        self,
        connection: sqlite3.Connection,
        thread: ThreadPoolExecutor,
        clock: Clock,
        whereabouts: Whereabouts,
    ) -> None:
        self._connection = connection
        self._whereabouts = whereabouts
        self._thread = thread
        self._clock = clock
        self._plans: Known = {}
        self._turns: list[_Turn] = []
        self._writing: asyncio.Future[list[_Ending]] | None = None
        self._is_about_to = False
        self._is_closed = False

    @classmethod
    async def open(cls, path: Path, clock: Clock = utc_now) -> "SqliteStore":
        """Raises `Corrupt`, or `Unavailable` when the file cannot be opened."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, _connect, path)
        except BaseException:
            thread.shutdown()
            raise
        return cls(connection, thread, clock, Whereabouts(path))

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        if self._is_closed:
            raise Unavailable("the database was closed")
        loop = asyncio.get_running_loop()
        turn = _Turn(unit, loop.create_future())
        self._turns.append(turn)
        if self._writing is None and not self._is_about_to:
            # Not at once: who came in the same round of the loop shares this commit.
            self._is_about_to = True
            loop.call_soon(self._write)
        result: T = await turn.asker
        return result

    async def now(self) -> datetime:
        return self._clock()

    async def schema(self) -> str | None:
        """The schema's revision; None for an empty database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._schema)

    async def close(self) -> None:
        """What was asked for before comes to its end; whoever asks later is refused at once."""
        self._is_closed = True
        while self._turns or self._writing is not None:
            await (asyncio.wait([self._writing]) if self._writing else asyncio.sleep(0))
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _write(self) -> None:
        """Whatever came while the disk was busy shares the next commit, which costs the most."""
        self._is_about_to = False
        turns = [turn for turn in self._turns[:_TOGETHER] if not turn.asker.done()]
        del self._turns[:_TOGETHER]
        loop = asyncio.get_running_loop()
        # A callback is all that waits for it: a task and its wake-ups cost as much as a read.
        self._writing = loop.run_in_executor(self._thread, self._commit, [t.unit for t in turns])
        self._writing.add_done_callback(partial(self._written, turns))

    def _written(self, turns: "Sequence[_Turn]", work: "asyncio.Future[list[_Ending]]") -> None:
        self._writing = None
        if self._turns:
            self._write()
        broken = work.exception()
        for number, turn in enumerate(turns):
            turn.end(_Ending(error=broken) if broken else work.result()[number])

    def _commit(self, units: Sequence[Unit]) -> "list[_Ending]":
        """One transaction for all of them; a unit that raises takes only its own changes back."""
        connection = self._connection
        self._whereabouts.check()
        connection.execute("BEGIN IMMEDIATE")
        try:
            endings = [self._attempt(unit) for unit in units]
            connection.execute("COMMIT")
        finally:
            # A full disk may have rolled back already; after a commit nothing is open.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return endings

    def _attempt(self, unit: Unit) -> "_Ending":
        connection = self._connection
        connection.execute("SAVEPOINT unit")
        try:
            now = self._clock()
            tx = SqlTransaction(_SqliteConnection(connection, now), now, self._plans)
            ending = _Ending(_drive(settled(unit, tx)))
        except BaseException as error:
            if not connection.in_transaction:
                raise  # the database gave up the others' changes with this one's
            connection.execute("ROLLBACK TO unit")
            ending = _Ending(error=error)
        connection.execute("RELEASE unit")
        return ending

    def _schema(self) -> str | None:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if self._connection.execute(tables).fetchone() is None:
            return None
        row = self._connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class _Ending:
    """What a unit returned, or what it raised."""

    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """A unit that waits, and who waits for it."""

    unit: Unit
    asker: asyncio.Future[Any]

    def end(self, ending: _Ending) -> None:
        if self.asker.done():
            return  # nobody waits any more
        error = ending.error
        if error is None:
            self.asker.set_result(ending.result)
        elif isinstance(error, sqlite3.DatabaseError):
            in_words = _in_words(error)
            in_words.__cause__ = None if in_words is error else error
            self.asker.set_exception(in_words)
        else:
            self.asker.set_exception(error)


class _SqliteConnection:
    """Never suspends, which is what lets a unit of work run inside the writer's thread."""

    gathers = False
    is_shared = False

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._stamp = stamp(now)

    async def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        return self._execute(sql, values).fetchall()

    async def change(self, sql: str, **values: Any) -> int:
        return self._execute(sql, values).rowcount

    async def write_one(self, sql: str, **values: Any) -> bool:
        return self._execute(sql, values).rowcount == 1

    async def write_any(self, sql: str, **values: Any) -> None:
        self._execute(sql, values)

    async def change_each(self, sql: str, values: Sequence[dict[str, Any]]) -> None:
        for each in values:
            self._execute(sql, dict(each))

    async def only_if(self, sql: str, **values: Any) -> None:
        raise AssertionError("nobody else writes here")

    async def send(self) -> None:
        """Everything was sent already."""

    def _execute(self, sql: str, values: dict[str, Any]) -> sqlite3.Cursor:
        for name, value in values.items():
            if isinstance(value, datetime):
                # Most moments of a unit are its own.
                values[name] = self._stamp if value is self._now else stamp(value)
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
    make_private(path)
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
