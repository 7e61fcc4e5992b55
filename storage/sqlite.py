"""SQLite: one writer connection, in a thread of its own; what waits is committed together."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bot.memory import Transaction
from bot.ports import InDoubt, Unavailable
from storage.connection import Conflict, Row, for_sqlite, stamp
from storage.opening import PASSING, code, connect, in_words
from storage.plans import Known
from storage.transaction import SqlTransaction, settled
from storage.whereabouts import Whereabouts

T = TypeVar("T")
Clock = Callable[[], datetime]
Unit = Callable[[Transaction], Awaitable[Any]]

#: More would keep the first of them waiting for the last.
_TOGETHER = 32

_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


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
        """Raises `Corrupt`, `CannotOpen`, or `Unavailable` for what passes."""
        with ExitStack() as undo:
            thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
            undo.callback(thread.shutdown)
            connection = await asyncio.get_running_loop().run_in_executor(thread, connect, path)
            undo.pop_all()
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
            return self._end(endings)
        finally:
            # A full disk may have rolled back already; after a commit nothing is open.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _attempt(self, unit: Unit) -> "_Ending":
        connection = self._connection
        changes = connection.total_changes
        result = None
        with _Savepoint(connection) as savepoint:
            now = self._clock()
            tx = SqlTransaction(_SqliteConnection(connection, now), now, self._plans)
            result = _drive(settled(unit, tx))
        has_changed = savepoint.error is None and connection.total_changes != changes
        return _Ending(result, savepoint.error, has_changed)

    def _end(self, endings: "list[_Ending]") -> "list[_Ending]":
        try:
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            # Refused, or there was no room for the last page, without which none of it counts.
            if self._connection.in_transaction or code(error) == sqlite3.SQLITE_FULL:
                raise
            return [ending.unconfirmed(error) for ending in endings]
        return endings

    def _schema(self) -> str | None:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if self._connection.execute(tables).fetchone() is None:
            return None
        row = self._connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class _Ending:
    """What a unit returned, or what it raised; and whether the commit holds changes of it."""

    result: Any = None
    error: BaseException | None = None
    has_changed: bool = False

    def unconfirmed(self, error: sqlite3.OperationalError) -> "_Ending":
        """After a commit that failed as *error*. What the others decided may rest on changes
        that are in it, so no answer of theirs stands, either."""
        why = f"{PASSING.get(code(error), 'the database failed')} ({error})"
        lost = InDoubt(why) if self.has_changed else Unavailable(why)
        lost.__cause__ = error
        return _Ending(error=lost)


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
            told = in_words(error)
            told.__cause__ = None if told is error else error
            self.asker.set_exception(told)
        else:
            self.asker.set_exception(error)


class _Savepoint:
    """Takes back what is changed under it when *error* is raised there, whatever it is, and goes
    on; unless the database gave up the changes of the whole transaction with it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.error: BaseException | None = None

    def __enter__(self) -> "_Savepoint":
        self._connection.execute("SAVEPOINT unit")
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        self.error = error
        if error is not None:
            if not self._connection.in_transaction:
                return False
            self._connection.execute("ROLLBACK TO unit")
        self._connection.execute("RELEASE unit")
        return True


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
