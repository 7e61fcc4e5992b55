"""A disk that fails in the middle of SQLite's commit: nobody knows, and nobody claims to know."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bot.memory import Transaction
from bot.ports import InDoubt, Unavailable
from storage.sqlite import SqliteStore
from storage.transaction import connection_of
from tests.builders import TEAM

Unit = Callable[[Transaction], Awaitable[object]]


class Disk:
    """As this process sees it: what is *broken* takes no byte beyond those that are there."""

    def __init__(self) -> None:
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def breaks(self, file: Path) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, self._limits[1]))

    def works(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.works()


@pytest.fixture
async def store(database: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(database)
    yield opened
    await opened.close()


async def number(tx: Transaction) -> int:
    return await tx.deployments.next_number(TEAM)


async def looks(tx: Transaction) -> object:
    return await tx.deployments.teams()


async def refuses(tx: Transaction) -> None:
    await number(tx)
    raise LookupError("nothing of that name")


def breaking(disk: Disk, database: Path) -> Unit:
    """Writes, and from then on no page can be added to the log."""

    async def unit(tx: Transaction) -> None:
        await number(tx)
        disk.breaks(database.with_name(f"{database.name}-wal"))

    return unit


async def endings(store: SqliteStore, *units: Unit) -> list[object]:
    """Of *units* that share one commit."""
    asked = (store.run(unit) for unit in units)
    return [
        type(found) if isinstance(found, BaseException) else found
        for found in await asyncio.gather(*asked, return_exceptions=True)
    ]


async def test_a_commit_that_the_disk_did_not_confirm_is_in_doubt(
    store: SqliteStore, disk: Disk, database: Path
) -> None:
    with pytest.raises(InDoubt, match="the disk does not work"):
        await store.run(breaking(disk, database))
    disk.works()

    assert await store.run(number) in (1, 2), "it goes on when the disk does"


async def test_only_who_wrote_is_in_doubt_and_the_others_changed_nothing(
    store: SqliteStore, disk: Disk, database: Path
) -> None:
    found = await endings(store, number, looks, refuses, breaking(disk, database))

    assert found == [InDoubt, Unavailable, Unavailable, InDoubt]


async def test_a_disk_that_fails_before_the_commit_leaves_no_doubt(
    store: SqliteStore, disk: Disk, database: Path
) -> None:
    async def unit(tx: Transaction) -> None:
        await breaking(disk, database)(tx)
        # More than the memory holds, so that some of it goes to the disk before the commit.
        await tx.snapshot_policy("digest", "x" * 4_000_000)

    with pytest.raises(Unavailable, match="the disk does not work") as raised:
        await store.run(unit)
    disk.works()

    assert not isinstance(raised.value, InDoubt)
    assert await store.run(number) == 1


async def test_a_commit_that_the_database_refuses_was_none(store: SqliteStore) -> None:
    async def orphaned(tx: Transaction) -> None:
        connection = connection_of(tx)
        await connection.change("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        await connection.change(
            "CREATE TABLE children (of INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
        )
        await connection.change("INSERT INTO children VALUES (7)")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await store.run(orphaned)

    assert await store.run(number) == 1
