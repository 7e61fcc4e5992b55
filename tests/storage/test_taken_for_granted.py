"""Units on Postgres: what they took for granted is found out before anything is written."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.refusal import Outcome, Refused
from bot.domain.slots import Lock
from bot.memory import InboxKey, Transaction
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment, a_target, a_version
from tests.conftest import Databases

KEY = InboxKey(TEAM, "action", "trigger-1", "a" * 64)
TARGET = a_target()
D = a_deployment()

Unit = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
async def url(postgres_databases: Databases) -> str:
    return await postgres_databases.migrated()


async def serve(tx: Transaction) -> None:
    await tx.environments.serves(TARGET, a_version("v2"), NOW)


async def lock(tx: Transaction) -> None:
    await tx.environments.lock(TARGET, "incident", None, NOW)


async def prove(tx: Transaction) -> None:
    await tx.environments.proves(TARGET, "v0", NOW + timedelta(hours=2))


async def disprove(tx: Transaction) -> None:
    await tx.environments.disproves(TARGET, "v0")


async def join(tx: Transaction) -> None:
    await tx.deployments.surroundings(TARGET, None)
    await tx.deployments.add(replace(D, id="D-7"), NOW)


@pytest.mark.parametrize("change", [serve, lock, prove, disprove, join])
@pytest.mark.parametrize("has_locks", [False, True])
async def test_what_changed_around_it_meanwhile_is_decided_about(
    store: OpenStore, other: OpenStore, change: Unit, has_locks: bool
) -> None:
    async def begin(tx: Transaction) -> None:
        for number in range(2):
            await tx.environments.serves(TARGET, a_version(f"v{number}"), NOW)
            await tx.environments.proves(TARGET, f"v{number}", NOW + timedelta(hours=number))

    async def with_locks(tx: Transaction) -> None:
        await connection_of(tx).change("UPDATE counters SET value = value")
        await change(tx)

    await store.run(begin)
    saw = []

    async def unit(tx: Transaction) -> None:
        saw.append(await tx.deployments.surroundings(TARGET, None))
        if len(saw) == 1:
            await other.run(with_locks if has_locks else change)
        await tx.inbox.add(KEY, Outcome(None))

    await store.run(unit)

    assert len(saw) == 2
    assert saw[1] == await store.run(lambda tx: tx.deployments.surroundings(TARGET, None))
    assert saw[0] != saw[1]


async def test_also_the_first_about_an_environment_counts(
    store: OpenStore, other: OpenStore
) -> None:
    saw: list[Lock | None] = []

    async def unit(tx: Transaction) -> None:
        saw.append((await tx.deployments.surroundings(TARGET, None)).lock)
        if len(saw) == 1:
            await other.run(lock)
        await tx.inbox.add(KEY, Outcome(None))

    await store.run(unit)

    assert saw == [None, Lock("incident", None, NOW)]


async def test_who_writes_nothing_is_not_bound_to_what_they_read(
    store: OpenStore, other: OpenStore
) -> None:
    runs = 0

    async def unit(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.deployments.surroundings(TARGET, None)
        await other.run(lock)

    await store.run(unit)

    assert runs == 1


async def test_what_was_taken_in_before_is_found_although_nobody_asked_first(
    store: OpenStore,
) -> None:
    await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-1")))

    async def unit(tx: Transaction) -> Outcome:
        known = await tx.inbox.find(KEY)
        if known is not None:
            return known
        outcome = Outcome(f"D-{await tx.deployments.next_number(TEAM)}")
        await tx.inbox.add(KEY, outcome)
        return outcome

    assert await store.run(unit) == Outcome("D-1")
    assert await store.run(lambda tx: tx.deployments.next_number(TEAM)) == 1


async def test_a_refusal_of_what_was_taken_in_before_is_none(store: OpenStore) -> None:
    await store.run(lambda tx: tx.inbox.add(KEY, Outcome("D-1")))

    async def unit(tx: Transaction) -> Outcome:
        known = await tx.inbox.find(KEY)
        if known is None:
            raise Refused("role", ("no",), ())
        return known

    assert await store.run(unit) == Outcome("D-1")


async def test_a_refusal_of_something_new_stands(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        assert await tx.inbox.find(KEY) is None
        raise Refused("role", ("no",), ())

    with pytest.raises(Refused):
        await store.run(unit)
