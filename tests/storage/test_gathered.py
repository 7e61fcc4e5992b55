"""Units on Postgres: few trips to the database, and all of what they write or nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from bot.domain.refusal import Outcome
from bot.memory import Duplicate, InboxKey, StaleRevision, Transaction
from storage.connection import NotAsHoped
from storage.gathered import PostgresConnection
from storage.plans import Known
from storage.store import OpenStore
from storage.transaction import SqlTransaction, connection_of, settled
from tests.builders import NOW, TEAM, a_deployment, a_plan, a_target
from tests.conftest import Databases
from tests.storage.parcels import CARD, card, claim, done, put, said, traffic

KEY = InboxKey(TEAM, "action", "trigger-1", "a" * 64)
TARGET = a_target()
D = a_deployment()

Unit = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
async def url(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


class Overheard:
    """A connection that notes the first word of everything it sends."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.words: list[str] = []

    async def fetch(self, sql: str, *values: object) -> Any:
        self.words.append(sql.split()[0])
        return await self._inner.fetch(sql, *values)

    async def execute(self, sql: str, *values: object) -> Any:
        self.words.append(sql.split()[0])
        return await self._inner.execute(sql, *values)

    async def executemany(self, sql: str, rows: object) -> None:
        self.words.append(sql.split()[0])
        await self._inner.executemany(sql, rows)


async def trips(
    url: str, unit: Unit, gathers: bool = True, known: Known | None = None
) -> list[str]:
    connection = await asyncpg.connect(url)
    overheard = Overheard(connection)
    work = PostgresConnection(overheard, gathers)
    try:
        await settled(unit, SqlTransaction(work, NOW, {} if known is None else known))
        await work.finish()
    finally:
        await connection.close()
    return overheard.words


async def decided(tx: Transaction) -> None:
    """All that one click writes."""
    assert await tx.inbox.find(KEY) is None
    d = await tx.deployments.get(TEAM, D.id)
    assert d is not None
    await tx.deployments.surroundings(TARGET, d.id)
    await tx.journal.append(d, "Approved", "U0ANA", [])
    await tx.deployments.save(d, NOW, None)
    await tx.outbox.put(TEAM, d.id, [said("signed"), card()])
    await tx.inbox.add(KEY, Outcome(d.id))


async def test_a_click_is_two_questions_and_one_answer(url: str, store: OpenStore) -> None:
    await store.run(lambda tx: tx.deployments.add(D, NOW))
    await store.run(lambda tx: tx.threads.remember(TEAM, D.id, "card", CARD))

    known: Known = {}
    await trips(url, lambda tx: tx.deployments.get(TEAM, D.id), known=known)

    assert await trips(url, decided, known=known) == ["SELECT", "WITH", "WITH"]

    assert (await found(store)).revision == 1
    assert await store.run(lambda tx: tx.inbox.find(KEY)) == Outcome(D.id)
    assert len(await claim(store)) == 2


async def test_who_only_reads_begins_nothing(url: str) -> None:
    assert await trips(url, lambda tx: tx.deployments.get(TEAM, D.id)) == ["SELECT"]


async def test_what_is_asked_after_a_write_finds_it(url: str) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(D, NOW)
        assert await tx.deployments.get(TEAM, D.id) == D

    words = await trips(url, unit)

    assert (words[0], words[-1]) == ("BEGIN", "COMMIT")


async def test_without_gathering_every_write_is_sent_at_once(url: str, store: OpenStore) -> None:
    await store.run(lambda tx: tx.deployments.add(D, NOW))

    words = await trips(url, decided, gathers=False)

    assert words.count("INSERT") >= 3
    assert (await found(store)).revision == 1


@pytest.mark.parametrize("wrong", ["revision", "inbox", "journal"])
async def test_if_one_row_is_missing_nothing_is_written(
    url: str, store: OpenStore, wrong: str
) -> None:
    await store.run(lambda tx: tx.deployments.add(D, NOW))
    if wrong == "inbox":
        await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-1")))

    async def unit(tx: Transaction) -> None:
        await tx.outbox.put(TEAM, D.id, [said("never")])
        await tx.journal.append(D, "Approved", "U0ANA", [])
        await tx.deployments.save(replace(D, revision=int(wrong == "revision")), NOW, None)
        await tx.inbox.add(KEY, Outcome(D.id))
        if wrong == "journal":
            connection = connection_of(tx)
            for _ in range(2):
                await connection.write_one(
                    "INSERT INTO plans (team, digest, body) VALUES ('', '', '')"
                )

    with pytest.raises(NotAsHoped):
        await trips(url, unit)

    assert (await found(store)).revision == 0
    assert await claim(store) == ()
    assert await store.run(lambda tx: tx.journal.head(TEAM, D.id)) == (0, "")


async def test_the_exception_is_the_one_that_asking_step_by_step_raises(store: OpenStore) -> None:
    await store.run(lambda tx: tx.deployments.add(D, NOW))
    await store.run(lambda tx: tx.inbox.add(KEY, Outcome(D.id)))

    with pytest.raises(StaleRevision):
        await store.run(lambda tx: tx.deployments.save(replace(D, revision=5), NOW, None))
    with pytest.raises(Duplicate):
        await store.run(lambda tx: tx.inbox.add(KEY, Outcome(D.id)))


async def test_numbers_asked_for_at_once_are_all_different(
    store: OpenStore, other: OpenStore
) -> None:
    asked = [s.run(lambda tx: tx.deployments.next_number(TEAM)) for s in (store, other) * 20]

    assert sorted(await asyncio.gather(*asked)) == list(range(1, 41))


async def test_of_two_wishes_in_one_unit_the_newer_one_is_sent(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.outbox.put(TEAM, "D-1", [traffic(25)])
        await tx.outbox.put(TEAM, "D-1", [traffic(0)])

    await store.run(unit)

    (row,) = await claim(store)
    await done(store, row)
    assert row.effect == traffic(0).effect
    assert await claim(store) == ()


async def test_a_wish_is_as_urgent_as_the_one_that_gave_way_to_it(store: OpenStore) -> None:
    await put(store, card(1))
    await put(store, card(4), said("beside"))

    rows = await claim(store)

    assert [(row.lane, row.priority) for row in rows] == [("D-1/card", 1), ("D-1/thread", 3)]


async def test_the_card_of_something_new_is_as_urgent_as_what_waits_for_it(
    store: OpenStore,
) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(replace(D, plan=a_plan(service="search")), NOW)
        await tx.outbox.put(TEAM, D.id, [card(4), said("ask", priority=2, needs_card=True)])

    await store.run(unit)

    (row,) = await claim(store)
    assert (row.lane, row.priority) == ("D-1/card", 2)


async def found(store: OpenStore) -> Any:
    return await store.run(lambda tx: tx.deployments.get(TEAM, D.id))
