"""One unit of work on Postgres: reads go at once, writes together, as few trips as there can be."""

import re
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg

from storage.connection import Conflict, NotAsHoped, Row, for_postgres, only_reads

T = TypeVar("T")

#: The unit was rolled back, or nobody knows; running it again is safe either way, because it
#: finds itself by its inbox key or by the revision.
PASSING = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

#: After these nobody knows whether a COMMIT that was sent was carried out.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

_PLACE = re.compile(r"\$(\d+)")
_RETURNING = re.compile(r"\bRETURNING\b")


class CommitLost(OSError):
    """The answer to what commits never came."""


@dataclass(frozen=True, slots=True)
class _Write:
    sql: str
    values: dict[str, Any]
    is_one: bool


class PostgresConnection:
    """A unit's statements on one connection, until `finish` or `undo`.

    A transaction is begun by the first statement that writes or locks: what only reads sees the
    same without one. Writes that were *gathered* until the end are one statement, which is a
    transaction by itself.
    """

    is_shared = True

    def __init__(self, connection: Any, gathers: bool) -> None:
        self.gathers = gathers
        self._connection = connection
        self._conditions: list[_Write] = []
        self._writes: list[_Write] = []
        self._batches: list[tuple[str, Sequence[dict[str, Any]]]] = []
        self._is_open = False
        self._has_failed = False

    async def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        await self._make_way(sql)
        text, names = for_postgres(sql)
        found: Sequence[Row] = await self._ask(
            self._connection.fetch(text, *[values[n] for n in names])
        )
        return found

    async def change(self, sql: str, **values: Any) -> int:
        await self._make_way(sql)
        text, names = for_postgres(sql)
        status: str = await self._ask(self._connection.execute(text, *[values[n] for n in names]))
        return int(status.rsplit(" ", 1)[1])

    async def change_each(self, sql: str, values: Sequence[dict[str, Any]]) -> None:
        self._batches.append((sql, values))
        if not self.gathers:
            await self.send()

    async def write_one(self, sql: str, **values: Any) -> bool:
        if not self.gathers:
            return await self.change(sql, **values) == 1
        self._writes.append(_Write(sql, values, True))
        return True

    async def write_any(self, sql: str, **values: Any) -> None:
        if not self.gathers:
            await self.change(sql, **values)
            return
        self._writes.append(_Write(sql, values, False))

    async def only_if(self, sql: str, **values: Any) -> None:
        condition = _Write(sql, values, True)
        if condition not in self._conditions:
            self._conditions.append(condition)

    async def send(self) -> None:
        if self._trips():
            await self._begin()
            await self._send()

    async def finish(self) -> None:
        """Commit. Raises `CommitLost`, or `NotAsHoped`."""
        if self._has_failed:
            # Somebody caught a database error inside the unit and went on.
            raise AssertionError("the transaction had failed and could not be committed")
        if not self._is_open and self._trips() == 1:
            await _commit(self._send())
            return
        await self.send()
        if self._is_open and await _commit(self._connection.execute("COMMIT")) != "COMMIT":
            raise AssertionError("the transaction had failed and could not be committed")

    async def undo(self) -> None:
        if self._is_open:
            await roll_back(self._connection)

    def _trips(self) -> int:
        """How many statements the writes are that wait."""
        return bool(self._writes) + len(self._batches)

    async def _make_way(self, sql: str) -> None:
        """What was gathered comes first, and what writes or locks needs a transaction."""
        if only_reads(sql) and not self._trips():
            return
        await self._begin()
        await self._send()

    async def _begin(self) -> None:
        if not self._is_open:
            await self._ask(self._connection.execute("BEGIN"))
            self._is_open = True

    async def _send(self) -> None:
        """What was gathered as one statement: all of it is written, or it raises `NotAsHoped`."""
        writes, batches = (*self._conditions, *self._writes), self._batches
        self._conditions, self._writes, self._batches = [], [], []
        if writes:
            texts = tuple((write.sql, write.is_one) for write in writes)
            text, names = _together(texts)
            pairs = zip(writes, names, strict=True)
            values = [write.values[name] for write, own in pairs for name in own]
            try:
                await self._ask(self._connection.fetch(text, *values))
            except (Conflict, asyncpg.DivisionByZeroError) as error:
                raise NotAsHoped(str(error)) from error
        for sql, rows in batches:
            text, own = for_postgres(sql)
            # One trip, and a transaction by itself.
            await self._ask(
                self._connection.executemany(text, [[row[n] for n in own] for row in rows])
            )

    async def _ask(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except asyncpg.UniqueViolationError as error:
            self._has_failed = True
            raise Conflict(str(error)) from error
        except asyncpg.PostgresError:
            self._has_failed = True
            raise


async def roll_back(connection: Any) -> None:
    try:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
    except (*PASSING, asyncpg.PostgresError):
        throw_away(connection)  # the server rolls back by itself when it notices


def throw_away(connection: Any) -> None:
    # A pool that has noticed first has taken it back, and what is asked of it then is refused.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _commit(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except _LOST as error:
        raise CommitLost(str(error)) from error


@lru_cache(maxsize=512)
def _together(writes: tuple[tuple[str, bool], ...]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """One statement of all of them, and each one's names in the order of its values.

    It divides by the number of rows of each that must write one: if there is none, the division
    fails, and with it the statement.
    """
    parts, must, names_of = [], [], []
    before = 0
    for number, (sql, is_one) in enumerate(writes):
        text, names = for_postgres(sql)
        returning = "" if _RETURNING.search(text) else "\nRETURNING 1"
        parts.append(f"write_{number} AS ({_shifted(text, before)}{returning})")
        if is_one:
            must.append(f"(SELECT count(*) FROM write_{number})")  # noqa: S608
        names_of.append(names)
        before += len(names)
    divisor = " * ".join(must) or "1"
    return f"WITH {', '.join(parts)}\nSELECT 1 / ({divisor})", tuple(names_of)


def _shifted(text: str, places: int) -> str:
    return _PLACE.sub(lambda found: f"${int(found[1]) + places}", text)
