"""Races on the real database: whoever clicks how often, one transition is one effect."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.effects import Announce
from bot.memory import Claim, Parcel, StaleRevision, Transaction
from storage.connection import Conflict
from storage.store import OpenStore, open_store
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment, a_plan, a_target, a_version

PAIRS = 1000
TASKS = 8


async def test_a_thousand_double_clicks_are_a_thousand_effects(store: OpenStore) -> None:
    await store.run(lambda tx: tx.deployments.add(a_deployment(), None))

    async def click(offer: int) -> bool:
        async def unit(tx: Transaction) -> None:
            d = await tx.deployments.get(TEAM, "D-142")
            assert d is not None
            if d.offer != offer:
                raise StaleRevision
            await tx.deployments.surroundings(a_target(), d.id)
            await tx.deployments.save(replace(d, offer=offer + 1), None, None)
            said = Parcel(f"lane {offer}", 1, Announce((str(offer),), NOW))
            await tx.outbox.put(TEAM, d.id, [said])

        try:
            await store.run(unit)
        except StaleRevision:
            return False
        return True

    async with asyncio.timeout(100):
        for offer in range(PAIRS // (TASKS // 2)):
            assert sum(await asyncio.gather(*(click(offer) for _ in range(TASKS)))) == 1

    count = "SELECT COUNT(*), COUNT(DISTINCT lane) FROM outbox"
    rows = await store.run(lambda tx: connection_of(tx).rows(count))
    assert tuple(rows[0]) == (PAIRS // (TASKS // 2),) * 2


async def test_reading_then_saving_without_the_lock_loses_nothing_either(
    store: OpenStore,
) -> None:
    await store.run(lambda tx: tx.deployments.add(a_deployment(), None))

    async def add_one() -> None:
        async def unit(tx: Transaction) -> None:
            d = await tx.deployments.get(TEAM, "D-142")
            assert d is not None
            await tx.deployments.save(replace(d, offer=d.offer + 1), None, None)

        while True:
            try:
                return await store.run(unit)
            except StaleRevision:
                continue

    async def add_many() -> None:
        for _ in range(125):
            await add_one()

    async with asyncio.timeout(100):
        await asyncio.gather(*(add_many() for _ in range(TASKS)))

    d = await store.run(lambda tx: tx.deployments.get(TEAM, "D-142"))
    assert d is not None
    assert (d.offer, d.revision) == (125 * TASKS, 125 * TASKS)


async def test_of_requests_at_once_exactly_one_starts(store: OpenStore) -> None:
    async def request() -> bool:
        async def unit(tx: Transaction) -> None:
            number = await tx.deployments.next_number(TEAM)
            await tx.deployments.add(a_deployment(id=f"D-{number}"), tx.now)

        try:
            await store.run(unit)
        except StaleRevision:
            return False
        return True

    assert sum(await asyncio.gather(*(request() for _ in range(40)))) == 1
    assert len(await store.run(lambda tx: tx.deployments.unfinished(TEAM))) == 1


async def test_two_replicas_never_claim_the_same_thing(url: str, store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        for i in range(100):
            d = a_deployment(id=f"D-{i}", plan=a_plan(service=f"service-{i}"))
            await tx.deployments.add(d, tx.now)

    await store.run(unit)
    other = await open_store(url)

    async def claim_all(replica: OpenStore, owner: str) -> list[Claim]:
        mine: list[Claim] = []
        while claims := await replica.run(
            lambda tx: tx.deployments.claim_due(owner, timedelta(minutes=5), 3)
        ):
            mine.extend(claims)
        return mine

    async with asyncio.timeout(60):
        one, two, three = await asyncio.gather(
            claim_all(store, "one"), claim_all(other, "two"), claim_all(store, "three")
        )
    await other.close()

    things = [claim.thing for claim in (*one, *two, *three)]
    assert sorted(things) == sorted(f"D-{i}" for i in range(100))


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_lock_set_meanwhile_counts(store: OpenStore, is_first: bool) -> None:
    """Whoever decides is bound to the environment as it was read, first row or later one."""
    target = a_target()
    if not is_first:
        await store.run(lambda tx: tx.environments.serves(target, a_version("v1"), NOW))

    async def decide(tx: Transaction) -> bool:
        around = await tx.deployments.surroundings(target, None)
        for _ in range(20):
            await tx.deployments.teams()
        await tx.deployments.next_number(TEAM)
        return around.lock is not None

    async def lock(tx: Transaction) -> int:
        await tx.environments.lock(target, "incident", None, tx.now)
        return await tx.deployments.next_number(TEAM)

    saw_the_lock, number = await asyncio.gather(store.run(decide), store.run(lock))

    assert (saw_the_lock, number) in ((False, 2), (True, 1))


async def test_a_unit_may_only_wait_for_its_transaction() -> None:
    store = await open_store("sqlite:///:memory:")

    async def unit(tx: Transaction) -> None:
        await asyncio.sleep(0)

    with pytest.raises(AssertionError, match="only wait for its transaction"):
        await store.run(unit)
    await store.close()


async def test_what_a_unique_index_refused_rolls_everything_back(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.next_number(TEAM)
        for _ in range(2):
            await connection_of(tx).change(
                "INSERT INTO plans (team, digest, body) VALUES ('T', 'd', '')"
            )

    with pytest.raises(Conflict):
        await store.run(unit)

    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == 1
