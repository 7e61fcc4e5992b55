"""Whoever stops waiting for a Postgres that says nothing any more is let go at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from bot.domain.refusal import Outcome
from bot.memory import InboxKey, Transaction
from storage.postgres import PostgresStore
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import TEAM
from tests.conftest import Databases
from tests.storage.test_lost_connections import Cable

#: Seconds that the store would wait for a statement, a rollback or a connection by itself. It
#: never comes to that: whoever is let go before the bound was not kept waiting by any of them.
PATIENCE = 3600
BOUND = 60


class Stalling(Cable):
    """Hands nothing over any more from a moment on, and hangs up on nobody."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url
        self.is_stalled = False
        self.holds = asyncio.Event()
        self.held = 0
        self.goes_on = asyncio.Event()

    async def _there(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if self.is_stalled:
                self.held += 1
                self.holds.set()
                await self.goes_on.wait()
            writer.write(data)
            await writer.drain()


@pytest.fixture
async def cable(postgres_databases: Databases) -> Stalling:
    return Stalling(await postgres_databases.migrated())


@pytest.fixture
async def store(cable: Stalling) -> AsyncIterator[OpenStore]:
    async with cable.listening() as port:
        far = urlsplit(cable.url)
        user = f"{far.username}:{far.password or ''}@" if far.username else ""
        url = f"postgresql://{user}127.0.0.1:{port}{far.path}"
        store = await PostgresStore.open(url, patience=PATIENCE)
        yield store
        cable.goes_on.set()
        await store.close()


async def reads(tx: Transaction) -> None:
    await connection_of(tx).rows("SELECT 1")


async def locks(tx: Transaction) -> None:
    await connection_of(tx).change("UPDATE counters SET value = value")


async def takes_in(tx: Transaction) -> None:
    await tx.inbox.add(InboxKey(TEAM, "action", "click", ""), Outcome(None))


@pytest.mark.parametrize("last", [reads, locks, takes_in])
@pytest.mark.parametrize("first", [reads, locks])
async def test_who_stops_waiting_is_let_go_wherever_the_server_fell_silent(
    store: OpenStore,
    cable: Stalling,
    first: Callable[[Transaction], Awaitable[None]],
    last: Callable[[Transaction], Awaitable[None]],
) -> None:
    async def unit(tx: Transaction) -> None:
        await first(tx)
        cable.is_stalled = True
        await last(tx)

    asking = asyncio.create_task(store.run(unit))
    async with asyncio.timeout(BOUND):
        await cable.holds.wait()
    asking.cancel()
    await asyncio.wait({asking}, timeout=BOUND)

    assert asking.cancelled()
    cable.is_stalled = False
    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == 1


async def test_who_waits_for_a_connection_is_let_go_too(store: OpenStore, cable: Stalling) -> None:
    cable.is_stalled = True
    everybody = {asyncio.create_task(store.run(reads)) for _ in range(7)}
    async with asyncio.timeout(BOUND):
        while cable.held < 5:
            await cable.holds.wait()
            cable.holds.clear()

    for asking in everybody:
        asking.cancel()
    await asyncio.wait(everybody, timeout=BOUND)

    assert all(asking.cancelled() for asking in everybody)
