"""A replica that freezes in the middle of a transaction keeps the others waiting for seconds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from bot.memory import Transaction
from storage.store import OpenStore, open_store
from storage.transaction import connection_of
from tests.builders import NOW, a_target, a_version
from tests.conftest import Databases

LOCK = "UPDATE environments SET fence = fence"


@pytest.fixture
async def url(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


@pytest.fixture
async def other(url: str) -> AsyncIterator[OpenStore]:
    opened = await open_store(url)
    yield opened
    await opened.close()


async def test_the_server_ends_what_stands_still_before_anybody_gives_up(
    store: OpenStore,
) -> None:
    show = "SELECT current_setting('idle_in_transaction_session_timeout')"

    ((lasts,),) = await store.run(lambda tx: connection_of(tx).rows(show))

    assert lasts == "10s"


async def test_whoever_froze_holding_a_lock_begins_again_and_nobody_waits_for_them(
    store: OpenStore, other: OpenStore
) -> None:
    await store.run(lambda tx: tx.environments.serves(a_target(), a_version(), NOW))
    attempts: list[datetime] = []

    async def go_on(tx: Transaction) -> None:
        await connection_of(tx).change(LOCK)

    async def freeze(tx: Transaction) -> None:
        attempts.append(tx.now)
        await connection_of(tx).change(LOCK)
        if len(attempts) == 1:
            await connection_of(tx).rows("SET LOCAL idle_in_transaction_session_timeout = 50")
            async with asyncio.timeout(20):
                await other.run(go_on)
        await connection_of(tx).change(LOCK)

    await store.run(freeze)

    assert len(attempts) == 2
