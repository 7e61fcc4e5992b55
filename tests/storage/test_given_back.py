"""What becomes of a Postgres connection after the unit changes nothing about how the unit ended."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import structlog

from bot.memory import Transaction
from storage.postgres import PostgresStore
from storage.transaction import connection_of
from tests.builders import TEAM
from tests.conftest import Databases

BROKEN = [
    ConnectionResetError("reset by peer"),
    TimeoutError(),
    asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("got result for unknown protocol state"),
    asyncpg.AdminShutdownError("terminating connection"),
]


@pytest.fixture
async def url(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


@asynccontextmanager
async def breaking(url: str, error: Exception) -> AsyncIterator[PostgresStore]:
    """A store whose connections all break with *error* when they are given back."""

    async def broken(_: Any) -> None:
        raise error

    pool = await asyncpg.create_pool(url, min_size=1, max_size=1, reset=broken)
    store = PostgresStore(pool, None)
    yield store
    await store.close()


class Unit:
    """Counts how often it ran; *then* is how it ends."""

    def __init__(self, then: Callable[[], Awaitable[None]] | None = None) -> None:
        self.runs = 0
        self._then = then

    async def __call__(self, tx: Transaction) -> int:
        self.runs += 1
        number = await tx.deployments.next_number(TEAM)
        if self._then is not None:
            await self._then()
        return number


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
async def test_what_was_committed_is_returned_although_its_connection_broke_then(
    url: str, error: Exception
) -> None:
    unit = Unit()

    async with breaking(url, error) as store:
        with structlog.testing.capture_logs() as logs:
            numbers = [await store.run(unit) for _ in range(3)]

    assert (numbers, unit.runs) == ([1, 2, 3], 3)
    assert [log["event"] for log in logs] == ["a connection to the database was thrown away"] * 3


async def test_what_the_unit_raised_is_raised_although_its_connection_broke_then(url: str) -> None:
    async def refuse() -> None:
        raise LookupError("nothing of that name")

    unit = Unit(refuse)

    async with breaking(url, ConnectionResetError()) as store:
        with pytest.raises(LookupError, match="nothing of that name"):
            await store.run(unit)

        assert (unit.runs, await store.run(Unit())) == (1, 1)


async def test_the_clock_and_the_schema_are_told_although_their_connection_broke_then(
    url: str,
) -> None:
    async with breaking(url, ConnectionResetError()) as store:
        assert await store.schema() is not None
        assert (await store.now()).tzinfo is not None


async def test_a_connection_that_broke_is_never_lent_again(url: str) -> None:
    lent = set()

    async with breaking(url, TimeoutError()) as store:
        for _ in range(3):
            lent.add(await store.run(backend))

    assert len(lent) == 3


async def backend(tx: Transaction) -> int:
    found: int = (await connection_of(tx).rows("SELECT pg_backend_pid()"))[0][0]
    return found
