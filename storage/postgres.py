"""Postgres: a small pool, short transactions, and the whole unit again when one is lost."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

import asyncpg
import structlog

from bot.memory import Transaction
from bot.ports import InDoubt, Unavailable
from storage.connection import NotAsHoped
from storage.gathered import PASSING, CommitLost, PostgresConnection, roll_back, throw_away
from storage.plans import Known
from storage.transaction import SqlTransaction, settled

_log = structlog.get_logger()

T = TypeVar("T")
Clock = Callable[[], datetime]

_ATTEMPTS = 5
_DIAL_LASTS = 2.0  # seconds
_LONGEST_WAIT = 10.0  # seconds

#: Whoever waits gave up, or the statement's time is over.
_SILENT = (asyncio.CancelledError, TimeoutError)

_SETTINGS = {
    "application_name": "pilothouse",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "lock_timeout": "5000",
    # A replica that froze, or is gone with its host, keeps its locks no longer than that.
    "idle_in_transaction_session_timeout": "10000",
    "jit": "off",
}


class Dial:
    """The server's clock, asked every few seconds and carried on by a clock that never jumps.

    It lags by the time one answer takes, never more: also the clock read by a statement of the
    transaction itself would.
    """

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._set_at = 0.0

    async def read(self, connection: Any) -> datetime:
        elapsed = time.monotonic() - self._set_at
        if self._at is None or elapsed > _DIAL_LASTS:
            return await self.set(connection)
        return self._at + timedelta(seconds=elapsed)

    async def set(self, connection: Any) -> datetime:
        at: datetime = await connection.fetchval("SELECT clock_timestamp()")
        self._at, self._set_at = at, time.monotonic()
        return at


class PostgresStore:
    """Opened with `await PostgresStore.open(url)`."""

    def __init__(
        self, pool: asyncpg.Pool, clock: Clock | None, patience: float = _LONGEST_WAIT
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._patience = patience
        self._plans: Known = {}
        self._dial = Dial()

    @classmethod
    async def open(
        cls,
        url: str,
        clock: Clock | None = None,
        connections: int = 5,
        patience: float = _LONGEST_WAIT,
    ) -> "PostgresStore":
        """*patience*: seconds, for one statement or for a connection. Raises `Unavailable` when
        nobody answers, or only a standby."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections,
                timeout=patience,
                command_timeout=patience,
                statement_cache_size=256,
                max_cached_statement_lifetime=0,
                server_settings=_SETTINGS,
                init=_refuse_standby,
                reset=_reset,
            )
        except (*PASSING, asyncpg.PostgresError) as error:
            raise Unavailable(f"the database does not answer ({error})") from error
        return cls(pool, clock, patience)

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        kind: Callable[[str], Unavailable] = Unavailable
        hopes = True
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._transact(unit, hopes)
            except PASSING as error:
                if isinstance(error, ValueError):
                    raise  # a value that does not fit: no other try would end differently
                if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                    await self._pool.expire_connections()  # they lead to a standby now
                if isinstance(error, CommitLost):
                    kind = InDoubt  # and stays so, whatever the other attempts come to
                hopes = False
                if attempt == _ATTEMPTS:
                    raise kind(f"the database does not answer ({error})") from error
            await asyncio.sleep(random.uniform(0, 0.02 * 4**attempt))  # noqa: S311 - jitter
        raise AssertionError("the last attempt either returns or raises")

    async def now(self) -> datetime:
        async with self._connection() as connection:
            return self._clock() if self._clock else await self._dial.set(connection)

    async def schema(self) -> str | None:
        """The schema's revision; None for an empty database."""
        async with self._connection() as connection:
            if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
                return None
            found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
            return found

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), _LONGEST_WAIT / 2)
        except TimeoutError:
            self._pool.terminate()

    async def _transact(self, unit: Callable[[Transaction], Awaitable[T]], hopes: bool) -> T:
        async with self._lent() as connection:
            if hopes:
                # If somebody was faster, or it came before: again with locks, and step by step.
                with suppress(NotAsHoped):
                    return await self._attempt(connection, unit, gathers=True)
            return await self._attempt(connection, unit, gathers=False)

    async def _attempt(
        self, connection: Any, unit: Callable[[Transaction], Awaitable[T]], gathers: bool
    ) -> T:
        now = self._clock() if self._clock else await self._dial.read(connection)
        work = PostgresConnection(connection, gathers)
        tx = SqlTransaction(work, now, self._plans)
        async with _Undoing(work, tx):
            result = await settled(unit, tx)
            await work.finish()
        return result

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Any]:
        connection = await self._pool.acquire(timeout=self._patience)
        try:
            yield connection
        except (asyncpg.InternalClientError, *_SILENT):
            # The server has ended it and its hang-up is still on the way, perhaps for ever:
            # asyncpg would hand it out again. Or it says nothing, and asyncpg would wait
            # for it, longer than whoever asked.
            throw_away(connection)
            raise
        finally:
            await self._give_back(connection)

    async def _give_back(self, connection: Any) -> None:
        """How the unit ended is settled by now, and nothing that happens here changes it."""
        try:
            await self._pool.release(connection)
        except (*PASSING, asyncpg.PostgresError) as error:
            _log.warning("a connection to the database was thrown away", why=str(error))
            throw_away(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with self._lent() as connection:
                yield connection
        except PASSING as error:
            raise Unavailable(f"the database does not answer ({error})") from error


class _Undoing:
    """Takes back what a unit did before it raised."""

    def __init__(self, work: PostgresConnection, tx: SqlTransaction) -> None:
        self._work = work
        self._tx = tx

    async def __aenter__(self) -> None:
        """Nothing was done yet."""

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, _SILENT):
            return  # nobody waits for a polite end: the connection is thrown away, see `_lent`
        await self._work.undo()
        if self._tx.inbox.hopes and isinstance(error, Exception):
            # What was decided may be about something that was taken in long ago.
            raise NotAsHoped("the inbox was not asked") from error


async def _refuse_standby(connection: Any) -> None:
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise asyncpg.ReadOnlySQLTransactionError("this server is a standby, it takes no writes")


async def _reset(connection: Any) -> None:
    """Nothing of a session is ever changed, so only an open transaction needs to go."""
    if connection.is_in_transaction():
        await roll_back(connection)
