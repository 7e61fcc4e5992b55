"""What is due is read together and put off together, each by its own claim."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Deployment, Phase
from bot.memory import Claim, Surroundings, Transaction
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment, a_plan, a_target, a_version

LEASE = timedelta(seconds=15)


def numbered(number: int) -> Deployment:
    return a_deployment(id=f"D-{number}", plan=a_plan(service=f"service-{number}"))


async def claimed(store: OpenStore, many: int, owner: str = "one") -> tuple[Claim, ...]:
    """As many as there are, each with an environment of its own."""

    async def unit(tx: Transaction) -> tuple[Claim, ...]:
        for number in range(many):
            await tx.deployments.add(numbered(number), tx.now - timedelta(hours=number))
        return await tx.deployments.claim_due(owner, LEASE, many)

    return await store.run(unit)


async def due(store: OpenStore) -> set[str]:
    """Claims them."""
    claims = await store.run(lambda tx: tx.deployments.claim_due("two", LEASE, 100))
    return {claim.thing for claim in claims}


async def alone(store: OpenStore, d: Deployment) -> Surroundings:
    return await store.run(lambda tx: tx.deployments.surroundings(d.target, d.id))


async def test_each_claim_is_read_with_what_surrounds_it(store: OpenStore) -> None:
    claims = await claimed(store, 5)
    place = a_target("service-3")

    async def surround(tx: Transaction) -> None:
        await tx.environments.serves(place, a_version("v1"), NOW)
        await tx.environments.lock(place, "incident", "U0ANA", NOW)
        watching = replace(numbered(3), id="D-30", phase=Phase.WATCHING)
        await tx.deployments.add(watching, None)

    await store.run(surround)

    surveyed = await store.run(lambda tx: tx.deployments.survey(claims))

    assert tuple(claim for claim, _, _ in surveyed) == claims
    for claim, d, around in surveyed:
        assert d == numbered(int(claim.thing.removeprefix("D-")))
        assert around == await alone(store, d)


async def test_two_of_one_environment_surround_each_other(store: OpenStore) -> None:
    first = a_deployment(Phase.WATCHING, id="D-1")

    async def unit(tx: Transaction) -> tuple[Claim, ...]:
        for d in (first, a_deployment(id="D-2")):
            await tx.deployments.add(d, tx.now)
        return await tx.deployments.claim_due("one", LEASE, 10)

    claims = await store.run(unit)

    surveyed = await store.run(lambda tx: tx.deployments.survey(claims))

    others = {d.id: [other.id for other in around.others] for _, d, around in surveyed}
    assert others == {"D-1": ["D-2"], "D-2": ["D-1"]}


async def test_what_cannot_be_read_is_left_out(store: OpenStore) -> None:
    claims = await claimed(store, 3)
    broken = "UPDATE deployments SET state = '{}' WHERE id = 'D-1'"
    await store.run(lambda tx: connection_of(tx).change(broken))

    surveyed = await store.run(lambda tx: tx.deployments.survey(claims))

    assert {d.id for _, d, _ in surveyed} == {"D-0", "D-2"}


GARBLED = {
    "what serves": "UPDATE environments SET serving = '{}' WHERE service = 'service-1'",
    "what is proven": "UPDATE proven SET body = 'v1' WHERE service = 'service-1'",
}


@pytest.mark.parametrize("garbled", GARBLED)
async def test_a_place_that_cannot_be_read_leaves_out_its_own_and_nobody_elses(
    store: OpenStore, garbled: str
) -> None:
    claims = await claimed(store, 3)

    async def unit(tx: Transaction) -> None:
        for number in range(3):
            place = a_target(f"service-{number}")
            await tx.environments.serves(place, a_version("v1"), NOW)
            await tx.environments.proves(place, "v1", NOW)
        await connection_of(tx).change(GARBLED[garbled])

    await store.run(unit)

    surveyed = await store.run(lambda tx: tx.deployments.survey(claims))

    assert {d.id for _, d, _ in surveyed} == {"D-0", "D-2"}
    assert all(around.ledger.proven == (a_version("v1"),) for _, _, around in surveyed)
    with pytest.raises(ValueError, match="the version on record cannot be read"):
        await store.run(lambda tx: tx.deployments.look(TEAM, "D-1"))


async def test_nothing_claimed_is_nothing_surveyed(store: OpenStore) -> None:
    gone = Claim(TEAM, "D-1", "one", 1)

    assert await store.run(lambda tx: tx.deployments.survey([])) == ()
    assert await store.run(lambda tx: tx.deployments.survey([gone])) == ()


async def test_each_is_put_off_to_its_own_moment(store: OpenStore) -> None:
    claims = await claimed(store, 4)

    async def unit(tx: Transaction) -> None:
        later = timedelta(hours=1)
        await tx.deployments.put_off(
            [(c, tx.now + (later if c.thing in ("D-1", "D-3") else timedelta())) for c in claims]
        )

    await store.run(unit)

    assert await due(store) == {"D-0", "D-2"}


async def test_whose_claim_was_lost_stays_as_it_is_and_the_others_are_put_off(
    store: OpenStore,
) -> None:
    claims = await claimed(store, 3)
    stale = [replace(c, fence=c.fence - 1) if c.thing == "D-1" else c for c in claims]

    async def unit(tx: Transaction) -> None:
        await tx.deployments.put_off([(c, tx.now + timedelta(hours=1)) for c in stale])
        await connection_of(tx).change("UPDATE deployments SET lease_until = NULL")

    await store.run(unit)

    assert await due(store) == {"D-1"}


async def test_putting_nothing_off_is_nothing(store: OpenStore) -> None:
    await claimed(store, 2)

    await store.run(lambda tx: tx.deployments.put_off([]))

    assert await due(store) == set(), "no claim has ended"
