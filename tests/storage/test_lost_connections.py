"""Postgres goes away in the middle: the unit runs again, and what it did counts once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bot.domain.refusal import Outcome
from bot.memory import InboxKey, Transaction
from bot.ports import InDoubt, Unavailable
from storage.store import OpenStore, open_store
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment
from tests.conftest import Databases

CUTS = 40
#: What ends a unit: the word itself, or what was gathered and is written at once.
COMMITS = (b"COMMIT", b'{"$":"Outcome"')


class Cable:
    """Between the store and its server; can be cut at a commit, on its way there or back.

    One that *holds on* hands over the server's last word, but not that it hung up.
    """

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url)
        self._served: set[asyncio.Task[None]] = set()
        self.cut = ""
        self.holds_on = False

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Yields its port; at the end nothing of it is open any more."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()
        self.holds_on = False
        async with asyncio.timeout(60):
            await asyncio.gather(*self._served)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        cut = asyncio.Event()
        there = asyncio.create_task(self._there(reader, far_writer, cut))
        back = asyncio.create_task(self._back(far_reader, writer, cut))
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        if self.holds_on:
            await asyncio.wait({there})
        for task in (there, back):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task
        for end in (writer, far_writer):
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._far.query).get("host", [""])[0]
        port = self._far.port or 5432
        if folder.startswith("/"):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(self._far.hostname, port)

    async def _there(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if self.cut and any(word in data for word in COMMITS):
                where, self.cut = self.cut, ""
                if where == "on the way there":
                    return
                cut.set()
            writer.write(data)
            await writer.drain()

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if cut.is_set():
                return
            writer.write(data)
            await writer.drain()


@pytest.fixture
async def url(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


@pytest.fixture
async def cable(url: str) -> Cable:
    return Cable(url)


@pytest.fixture
async def store(url: str, cable: Cable) -> AsyncIterator[OpenStore]:
    far = urlsplit(url)
    user = f"{far.username}:{far.password or ''}@" if far.username else ""
    async with cable.listening() as port:
        store = await open_store(f"postgresql://{user}127.0.0.1:{port}{far.path}")
        yield store
        await store.close()


@pytest.mark.parametrize("where", ["on the way there", "on the way back"])
async def test_a_commit_that_was_cut_counts_once(
    store: OpenStore, cable: Cable, where: str
) -> None:
    runs = 0

    async def unit(tx: Transaction, number: int) -> Outcome:
        nonlocal runs
        runs += 1
        key = InboxKey(TEAM, "action", f"click {number}", "a" * 64)
        known = await tx.inbox.find(key)
        if known is not None:
            return known
        outcome = Outcome(f"D-{await tx.deployments.next_number(TEAM)}")
        await tx.inbox.add(key, outcome)
        return outcome

    for number in range(CUTS):
        cable.cut = where
        outcome = await store.run(partial(unit, number=number))
        assert outcome == Outcome(f"D-{number + 1}")

    assert runs == 2 * CUTS
    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == CUTS + 1


@pytest.mark.parametrize("holds_on", [False, True])
async def test_a_connection_the_server_ends_is_replaced(
    url: str, store: OpenStore, cable: Cable, holds_on: bool
) -> None:
    cable.holds_on = holds_on
    await store.run(lambda tx: tx.deployments.add(a_deployment(), NOW))
    server = await asyncpg.connect(url)
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await server.close()

    found = await store.run(lambda tx: tx.deployments.get(TEAM, "D-142"))

    assert found == a_deployment()


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_unit_the_database_asks_to_run_again_runs_again(
    store: OpenStore, code: str
) -> None:
    asked = 0

    async def unit(tx: Transaction) -> int:
        nonlocal asked
        asked += 1
        number = await tx.deployments.next_number(TEAM)
        if asked < 3:
            raising = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"
            await connection_of(tx).rows(raising)
        return number

    assert await store.run(unit) == 1
    assert asked == 3


async def test_what_keeps_failing_is_unavailable_in_the_end(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        raising = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"
        await connection_of(tx).rows(raising)

    with pytest.raises(Unavailable) as raised:
        await store.run(unit)

    assert not isinstance(raised.value, InDoubt)


async def test_what_may_have_been_committed_is_not_called_undone(
    store: OpenStore, cable: Cable
) -> None:
    async def unit(tx: Transaction) -> int:
        cable.cut = "on the way back"
        number = await tx.deployments.next_number(TEAM)
        await tx.inbox.add(InboxKey(TEAM, "action", f"click {number}", ""), Outcome(None))
        return number

    with pytest.raises(InDoubt):
        await store.run(unit)

    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) > 1


async def test_a_lost_answer_to_a_commit_is_no_less_in_doubt(
    store: OpenStore, cable: Cable
) -> None:
    async def unit(tx: Transaction) -> None:
        await connection_of(tx).change("UPDATE deployments SET revision = revision WHERE false")
        cable.cut = "on the way back"

    with pytest.raises(InDoubt):
        await store.run(unit)


async def test_a_swallowed_database_error_is_never_committed(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.next_number(TEAM)
        with contextlib.suppress(asyncpg.PostgresError):
            await connection_of(tx).rows("SELECT * FROM nowhere")

    with pytest.raises(AssertionError, match="could not be committed"):
        await store.run(unit)

    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == 1
