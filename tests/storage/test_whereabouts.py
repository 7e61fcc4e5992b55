"""A database file that was taken away from under the bot takes nothing in any more."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.memory import Transaction
from bot.ports import Unavailable
from storage.sqlite import SqliteStore
from tests.builders import TEAM


@pytest.fixture
async def store(database: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(database)
    yield opened
    await opened.close()


def move(path: Path, name: str) -> Path:
    return path.rename(path.with_name(name))


def replace(path: Path) -> None:
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


async def number(store: SqliteStore) -> int:
    return await store.run(lambda tx: tx.deployments.next_number(TEAM))


async def test_what_would_be_written_into_a_file_that_is_gone_is_refused(
    store: SqliteStore, database: Path
) -> None:
    move(database, "aside.db")

    with pytest.raises(Unavailable, match="is gone, or another file is in its place"):
        await number(store)


async def test_nothing_is_written_beside_a_copy_that_was_put_in_its_place(
    store: SqliteStore, database: Path
) -> None:
    replace(database)

    with pytest.raises(Unavailable, match="put it back, or restart"):
        await number(store)


async def test_once_it_is_back_it_goes_on_without_a_restart(
    store: SqliteStore, database: Path
) -> None:
    assert await number(store) == 1
    aside = move(database, "aside.db")
    with pytest.raises(Unavailable):
        await number(store)

    move(aside, database.name)

    assert await number(store) == 2


async def test_a_database_in_memory_is_where_it_is() -> None:
    store = await SqliteStore.open(Path(":memory:"))

    async def unit(tx: Transaction) -> datetime:
        return tx.now

    assert await store.run(unit) <= await store.now()
    await store.close()
