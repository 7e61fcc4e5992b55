"""Units that wait for the same commit: each gets its own ending, and none another's changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.domain.release import Target, Version
from bot.memory import Transaction
from bot.ports import Unavailable
from storage.sqlite import SqliteStore
from tests.builders import a_target, a_version

MANY = 100


@pytest.fixture
def path(sqlite_file: Path) -> Path:
    return sqlite_file


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(path)
    yield opened
    await opened.close()


def serves(number: int) -> Callable[[Transaction], Awaitable[int]]:
    async def unit(tx: Transaction) -> int:
        await tx.environments.serves(place(number), version(number), tx.now)
        return number

    return unit


def place(number: int) -> Target:
    return a_target(f"service-{number}")


def version(number: int) -> Version:
    return a_version(f"v{number}")


async def serving(store: SqliteStore, number: int) -> Version | None:
    around = await store.run(lambda tx: tx.deployments.surroundings(place(number), None))
    return around.ledger.serving


async def test_everybody_gets_the_answer_to_their_own_unit(store: SqliteStore) -> None:
    answers = await asyncio.gather(*(store.run(serves(n)) for n in range(MANY)))

    assert answers == list(range(MANY))
    assert [await serving(store, n) for n in (0, MANY - 1)] == [version(0), version(MANY - 1)]


async def test_who_raises_takes_back_only_their_own_changes(store: SqliteStore) -> None:
    def choosy(number: int) -> Callable[[Transaction], Awaitable[int]]:
        async def unit(tx: Transaction) -> int:
            await serves(number)(tx)
            if number % 3 == 0:
                raise LookupError(f"{number} is not wanted")
            return number

        return unit

    endings = await asyncio.gather(
        *(store.run(choosy(n)) for n in range(12)), return_exceptions=True
    )

    assert [str(e) for e in endings if isinstance(e, LookupError)] == [
        f"{n} is not wanted" for n in range(0, 12, 3)
    ]
    found = [await serving(store, n) for n in range(12)]
    assert [n for n in range(12) if found[n] is not None] == [n for n in range(12) if n % 3]


async def test_who_stopped_waiting_does_not_stop_the_others(store: SqliteStore) -> None:
    tasks = [asyncio.create_task(store.run(serves(n))) for n in range(8)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[5].cancel()

    endings = await asyncio.gather(*tasks, return_exceptions=True)

    assert [e for e in endings if isinstance(e, int)] == [1, 2, 3, 4, 6, 7]
    assert await serving(store, 7) == version(7)


async def test_an_answer_means_that_another_connection_sees_it(
    store: SqliteStore, path: Path
) -> None:
    other = await SqliteStore.open(path)

    async def write_and_look(number: int) -> Version | None:
        await store.run(serves(number))
        return await serving(other, number)

    seen = await asyncio.gather(*(write_and_look(number) for number in range(8)))
    await other.close()

    assert seen == [version(number) for number in range(8)]


async def test_closing_waits_for_what_was_given_before(path: Path) -> None:
    store = await SqliteStore.open(path)
    tasks = [asyncio.create_task(store.run(serves(n))) for n in range(40)]
    await asyncio.sleep(0)

    await store.close()

    assert await asyncio.gather(*tasks) == list(range(40))


async def test_a_closed_store_refuses_at_once_instead_of_letting_people_wait(
    tmp_path: Path,
) -> None:
    store = await SqliteStore.open(tmp_path / "closed.db")
    await store.close()

    with pytest.raises(Unavailable, match="closed"):
        async with asyncio.timeout(60):
            await store.run(lambda tx: tx.deployments.teams())
