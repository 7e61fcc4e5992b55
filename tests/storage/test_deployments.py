"""Deployments: what is stored comes back, only the newest revision is saved over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Deployment, Phase
from bot.domain.slots import Active
from bot.memory import Claim, StaleRevision, Transaction
from storage.store import OpenStore, open_store
from tests.builders import NOW, TEAM, a_deployment, a_plan, a_target, a_version

LEASE = timedelta(seconds=15)


async def added(store: OpenStore, *many: Deployment) -> None:
    async def unit(tx: Transaction) -> None:
        for d in many:
            await tx.deployments.add(d, tx.now)

    await store.run(unit)


async def got(store: OpenStore, id: str = "D-142") -> Deployment:
    found = await store.run(lambda tx: tx.deployments.get(TEAM, id))
    assert found is not None
    return found


async def claims(store: OpenStore, owner: str = "one", lease: timedelta = LEASE) -> list[Claim]:
    return list(await store.run(lambda tx: tx.deployments.claim_due(owner, lease, 10)))


async def saved(store: OpenStore, d: Deployment, claim: Claim | None = None) -> Deployment:
    return await store.run(lambda tx: tx.deployments.save(d, NOW, claim))


async def test_what_was_stored_comes_back_exactly(store: OpenStore) -> None:
    d = a_deployment(update_due_at=NOW, watched=timedelta(minutes=3), weights=(("v1.8.3", 10),))

    await added(store, d)

    assert await got(store) == d


async def test_an_unknown_deployment_is_none(store: OpenStore) -> None:
    assert await store.run(lambda tx: tx.deployments.get(TEAM, "D-1")) is None


async def test_numbers_count_up_for_each_team(store: OpenStore) -> None:
    async def number(team: str) -> int:
        return await store.run(lambda tx: tx.deployments.next_number(team))

    assert [await number(TEAM), await number(TEAM), await number("T0OTHER")] == [1, 2, 1]


async def test_saving_returns_the_next_revision(store: OpenStore) -> None:
    await added(store, a_deployment())

    result = await saved(store, a_deployment(waits_for="the router"))

    assert result == a_deployment(waits_for="the router", revision=1)
    assert await got(store) == result


async def test_an_old_revision_is_not_saved(store: OpenStore) -> None:
    await added(store, a_deployment())
    await saved(store, a_deployment(waits_for="first"))

    with pytest.raises(StaleRevision):
        await saved(store, a_deployment(waits_for="second"))

    assert (await got(store)).waits_for == "first"


async def test_whatever_a_unit_raises_rolls_everything_back(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(a_deployment(), None)
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await store.run(unit)

    assert await store.run(lambda tx: tx.deployments.get(TEAM, "D-142")) is None


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.HELD])
async def test_a_second_one_of_the_same_kind_is_not_added(store: OpenStore, phase: Phase) -> None:
    await added(store, a_deployment(phase))

    with pytest.raises(StaleRevision):
        await added(store, a_deployment(id="D-143"))


@pytest.mark.parametrize("phase", [Phase.WATCHING, Phase.ROLLING_BACK, Phase.SUCCEEDED])
async def test_one_that_no_longer_competes_lets_the_next_one_start(
    store: OpenStore, phase: Phase
) -> None:
    await added(store, a_deployment(phase))

    await added(store, a_deployment(id="D-143"))

    assert (await got(store, "D-143")).id == "D-143"


async def test_another_kind_or_environment_may_run_beside(store: OpenStore) -> None:
    hotfix = a_deployment(id="D-143", plan=a_plan(kind="hotfix"))
    staging = a_deployment(id="D-144", plan=a_plan(environment="staging"))

    await added(store, a_deployment(), hotfix, staging)

    assert len(await store.run(lambda tx: tx.deployments.unfinished(TEAM))) == 3


async def test_what_is_due_is_claimed_once_and_the_longest_overdue_first(store: OpenStore) -> None:
    plans = [a_plan(service=name) for name in ("a", "b", "c")]
    late = {"D-0": 3, "D-1": 9, "D-2": 6}

    async def unit(tx: Transaction) -> None:
        for i, plan in enumerate(plans):
            d = a_deployment(id=f"D-{i}", plan=plan)
            await tx.deployments.add(d, tx.now - timedelta(seconds=late[d.id]))

    await store.run(unit)

    assert [claim.thing for claim in await claims(store)] == ["D-1", "D-2", "D-0"]
    assert await claims(store, "two") == []


async def test_what_is_not_due_or_over_is_not_claimed(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(a_deployment(), tx.now + timedelta(hours=1))
        await tx.deployments.add(a_deployment(Phase.SUCCEEDED, id="D-1"), tx.now)

    await store.run(unit)

    assert await claims(store) == []


async def test_a_lease_that_ran_out_goes_to_another_with_a_higher_fence(store: OpenStore) -> None:
    await added(store, a_deployment())
    (first,) = await claims(store, "one", timedelta(seconds=-1))

    (second,) = await claims(store, "two")

    assert second.fence > first.fence
    with pytest.raises(StaleRevision):
        await saved(store, a_deployment(), first)
    assert (await saved(store, a_deployment(), second)).revision == 1


async def test_a_lease_that_ran_out_saves_nothing_even_if_nobody_took_over(
    store: OpenStore,
) -> None:
    await added(store, a_deployment())
    (claim,) = await claims(store, "one", timedelta(seconds=-1))

    with pytest.raises(StaleRevision):
        await saved(store, a_deployment(), claim)


async def test_a_claim_ends_with_its_save(store: OpenStore) -> None:
    await added(store, a_deployment())
    (claim,) = await claims(store)

    d = await saved(store, a_deployment(), claim)

    with pytest.raises(StaleRevision):
        await saved(store, d, claim)


async def test_putting_off_changes_only_the_due_time_and_ends_the_claim(store: OpenStore) -> None:
    await added(store, a_deployment())
    (claim,) = await claims(store)

    await store.run(lambda tx: tx.deployments.put_off([(claim, tx.now)]))

    assert [c.fence for c in await claims(store, "two")] == [claim.fence + 1]
    assert (await got(store)).revision == 0


async def test_putting_off_what_was_saved_meanwhile_changes_nothing(store: OpenStore) -> None:
    await added(store, a_deployment())
    (claim,) = await claims(store)
    await saved(store, a_deployment())

    async def unit(tx: Transaction) -> None:
        await tx.deployments.put_off([(claim, tx.now + timedelta(hours=1))])

    await store.run(unit)

    assert [c.thing for c in await claims(store, "two")] == ["D-142"]


async def test_surroundings_are_the_slot_the_lock_the_ledger_and_the_others(
    store: OpenStore,
) -> None:
    target = a_target()

    async def unit(tx: Transaction) -> None:
        await tx.deployments.add(a_deployment(), None)
        await tx.deployments.add(a_deployment(Phase.WATCHING, id="D-141"), None)
        await tx.deployments.add(a_deployment(Phase.SUCCEEDED, id="D-140"), None)
        for name in ("v1", "v2", "v1"):
            await tx.environments.serves(target, a_version(name), NOW)
            await tx.environments.proves(target, name, NOW + timedelta(hours=int(name[1])))
        await tx.environments.serves(target, a_version("v3"), NOW)
        await tx.environments.take(target, "D-142", 1)
        await tx.environments.lock(target, "incident", "U0ANA", NOW)

    await store.run(unit)
    around = await store.run(lambda tx: tx.deployments.surroundings(target, "D-142"))

    assert (around.slot.holder, around.slot.fence) == ("D-142", 1)
    assert around.lock is not None
    assert (around.lock.reason, around.lock.by, around.lock.since) == ("incident", "U0ANA", NOW)
    assert around.ledger.serving == a_version("v3")
    assert around.ledger.proven == (a_version("v2"), a_version("v1"))
    assert around.others == (Active("D-141", "normal", "watching", "v1.8.3"),)


async def test_an_environment_nobody_knows_is_free_and_empty(store: OpenStore) -> None:
    around = await store.run(lambda tx: tx.deployments.surroundings(a_target(), None))

    assert (around.slot.holder, around.slot.fence, around.lock) == (None, 0, None)
    assert (around.ledger.serving, around.ledger.proven, around.others) == (None, (), ())


async def test_the_current_one_changes_the_environment_or_watches_it_or_brought_what_serves(
    store: OpenStore,
) -> None:
    target = a_target()
    brought = a_deployment(Phase.SUPERSEDED, id="D-2", finished_at=NOW + timedelta(hours=1))
    before = a_deployment(Phase.SUCCEEDED, id="D-1", finished_at=NOW)
    other = a_deployment(
        Phase.SUCCEEDED,
        id="D-5",
        version=a_version("v1.9.0"),
        finished_at=NOW + timedelta(hours=2),
    )
    await added(store, brought, before, other)
    seen = [await store.run(lambda tx: tx.deployments.current(target))]
    assert seen.pop() is None, "nobody knows what serves"
    await store.run(lambda tx: tx.environments.serves(target, brought.version, NOW))
    seen.append(await store.run(lambda tx: tx.deployments.current(target)))
    await added(store, a_deployment(Phase.WATCHING, id="D-3"), a_deployment(id="D-4"))
    seen.append(await store.run(lambda tx: tx.deployments.current(target)))
    await store.run(lambda tx: tx.environments.take(target, "D-4", 1))
    seen.append(await store.run(lambda tx: tx.deployments.current(target)))

    assert [d.id for d in seen if d is not None] == ["D-2", "D-3", "D-4"]


async def test_the_recent_ones_are_the_newest_of_a_service_or_of_all(store: OpenStore) -> None:
    other = a_plan(service="search")
    moments = [NOW + timedelta(minutes=i) for i in range(4)]
    await added(
        store,
        *(
            a_deployment(Phase.SUCCEEDED, id=f"D-{i}", requested_at=at)
            for i, at in enumerate(moments[:3])
        ),
        a_deployment(id="D-3", plan=other, requested_at=moments[3]),
    )

    everything = await store.run(lambda tx: tx.deployments.recent(TEAM, None, 2))
    of_checkout = await store.run(lambda tx: tx.deployments.recent(TEAM, "checkout", 2))

    assert [d.id for d in everything] == ["D-3", "D-2"]
    assert [d.id for d in of_checkout] == ["D-2", "D-1"]


async def test_a_store_that_was_opened_again_reads_the_same(url: str, store: OpenStore) -> None:
    d = replace(a_deployment(), waits_for="gates")
    await added(store, d)

    other = await open_store(url)
    found = await other.run(lambda tx: tx.deployments.get(TEAM, "D-142"))
    await other.close()

    assert found == d
