"""Looking: a deployment and what surrounds it, read at once, and still so at the commit."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Deployment, Phase
from bot.domain.refusal import Outcome
from bot.memory import InboxKey, Surroundings, Transaction
from storage.store import OpenStore
from tests.builders import NOW, TEAM, a_deployment, a_target, a_version
from tests.conftest import Databases

KEY = InboxKey(TEAM, "action", "trigger-1", "a" * 64)
TARGET = a_target()
D = a_deployment()

Looked = tuple[Deployment, Surroundings] | None


async def fill(tx: Transaction) -> None:
    """One that is looked at among others, of its own environment and of the next."""
    await tx.deployments.add(D, None)
    await tx.deployments.add(a_deployment(Phase.WATCHING, id="D-141"), None)
    await tx.deployments.add(a_deployment(Phase.SUCCEEDED, id="D-140"), None)
    await tx.deployments.add(replace(D, plan=replace(D.plan, environment="staging"), id="D-7"), NOW)
    await tx.deployments.add(replace(D, team="T0OTHER"), None)
    for name in ("v1", "v2", "v1"):
        await tx.environments.serves(TARGET, a_version(name), NOW)
        await tx.environments.proves(TARGET, name, NOW + timedelta(hours=int(name[1])))
    await tx.environments.serves(TARGET, a_version("v3"), NOW)
    await tx.environments.take(TARGET, D.id, 1)
    await tx.environments.lock(TARGET, "incident", "U0ANA", NOW)


async def looked(store: OpenStore, id: str = D.id, team: str = TEAM) -> Looked:
    return await store.run(lambda tx: tx.deployments.look(team, id))


async def apart(store: OpenStore, id: str = D.id, team: str = TEAM) -> Looked:
    async def unit(tx: Transaction) -> Looked:
        d = await tx.deployments.get(team, id)
        return None if d is None else (d, await tx.deployments.surroundings(d.target, d.id))

    return await store.run(unit)


@pytest.mark.parametrize(
    ("id", "team"), [("D-142", TEAM), ("D-141", TEAM), ("D-140", TEAM), ("D-7", TEAM)]
)
async def test_a_look_says_what_two_questions_say(store: OpenStore, id: str, team: str) -> None:
    await store.run(fill)

    found = await looked(store, id, team)

    assert found is not None
    assert found == await apart(store, id, team)


async def test_a_look_sees_the_slot_the_lock_the_ledger_and_the_others(store: OpenStore) -> None:
    await store.run(fill)

    found = await looked(store)

    assert found is not None
    d, around = found
    assert (d, around.slot.holder, around.ledger.serving) == (D, "D-142", a_version("v3"))
    assert around.lock is not None
    assert around.ledger.proven == (a_version("v2"), a_version("v1"))
    assert [other.id for other in around.others] == ["D-141"]


async def test_where_nothing_is_known_yet_a_look_finds_only_the_deployment(
    store: OpenStore,
) -> None:
    await store.run(lambda tx: tx.deployments.add(D, None))

    found = await looked(store)

    assert found is not None
    assert found == await apart(store)
    assert (found[0], found[1].others, found[1].lock, found[1].slot.fence) == (D, (), None, 0)


@pytest.mark.parametrize(("id", "team"), [("D-1", TEAM), ("D-7", "T0OTHER"), ("", "")])
async def test_what_is_not_there_is_none(store: OpenStore, id: str, team: str) -> None:
    await store.run(fill)

    assert await looked(store, id, team) is None


async def test_what_was_looked_at_can_be_saved_and_told(store: OpenStore) -> None:
    await store.run(fill)

    async def unit(tx: Transaction) -> Deployment:
        found = await tx.deployments.look(TEAM, D.id)
        assert found is not None
        changed = replace(found[0], waits_for="the router")
        await tx.journal.append(changed, "Observed", None, [])
        return await tx.deployments.save(changed, tx.now, None)

    saved = await store.run(unit)

    assert saved == replace(D, waits_for="the router", revision=1)
    assert await store.run(lambda tx: tx.deployments.get(TEAM, D.id)) == saved


class TestOnPostgres:
    """Where others write meanwhile."""

    @pytest.fixture
    async def url(self, postgres_databases: Databases) -> str:
        return await postgres_databases.migrated()

    @pytest.mark.parametrize("is_known", [False, True])
    async def test_what_changed_around_it_meanwhile_is_looked_at_again(
        self, store: OpenStore, other: OpenStore, is_known: bool
    ) -> None:
        async def lock(tx: Transaction) -> None:
            await tx.environments.lock(TARGET, "incident", None, NOW)

        await store.run(lambda tx: tx.deployments.add(D, None))
        if is_known:
            await store.run(lambda tx: tx.environments.serves(TARGET, a_version("v1"), NOW))
        saw: list[bool] = []

        async def unit(tx: Transaction) -> None:
            found = await tx.deployments.look(TEAM, D.id)
            assert found is not None
            saw.append(found[1].lock is not None)
            if len(saw) == 1:
                await other.run(lock)
            await tx.inbox.add(KEY, Outcome(None))

        await store.run(unit)

        assert saw == [False, True]
