"""Saving: the columns that queries look at say what the state says, and are left alone if not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.deployment import Deployment, Phase
from bot.memory import Claim, StaleRevision, Transaction
from storage.connection import first, moment_or_none
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment

_LOOK = """
SELECT phase, is_rival, live_at, finished_at, revision FROM deployments
WHERE team = :team AND id = 'D-142'"""

_ELSEWHERE = "UPDATE deployments SET live_at = :at WHERE team = :team"


async def looked_up(store: OpenStore) -> tuple[object, ...]:
    async def unit(tx: Transaction) -> tuple[object, ...]:
        row = await first(connection_of(tx), _LOOK, team=TEAM)
        assert row is not None
        return row[0], bool(row[1]), moment_or_none(row[2]), moment_or_none(row[3]), row[4]

    return await store.run(unit)


async def changed(
    store: OpenStore, claim: Claim | None = None, *, by_hand: bool = False, **changes: Any
) -> None:
    """Read and saved in one unit, as a decision is; *by_hand*: the row is changed in between."""

    async def unit(tx: Transaction) -> None:
        d = await tx.deployments.get(TEAM, "D-142")
        assert d is not None
        if by_hand:
            await connection_of(tx).change(_ELSEWHERE, team=TEAM, at=NOW)
        await tx.deployments.save(replace(d, **changes), tx.now, claim)

    await store.run(unit)


async def added(store: OpenStore, d: Deployment) -> None:
    await store.run(lambda tx: tx.deployments.add(d, tx.now))


async def claimed(store: OpenStore) -> Claim:
    lease = timedelta(seconds=15)
    (claim,) = await store.run(lambda tx: tx.deployments.claim_due("one", lease, 10))
    return claim


LATER = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"waits_for": "the router"}, ("running", True, None, None, 1)),
        ({"phase": Phase.HELD}, ("held", True, None, None, 1)),
        ({"phase": Phase.WATCHING, "live_at": NOW}, ("watching", False, NOW, None, 1)),
        ({"live_at": NOW}, ("running", True, NOW, None, 1)),
        ({"finished_at": LATER}, ("running", True, None, LATER, 1)),
        ({"phase": Phase.FAILED, "finished_at": NOW}, ("failed", False, None, NOW, 1)),
    ],
)
@pytest.mark.parametrize("is_claimed", [False, True])
async def test_what_moved_is_found_where_queries_look(
    store: OpenStore, changes: dict[str, Any], found: tuple[object, ...], is_claimed: bool
) -> None:
    await added(store, a_deployment())

    await changed(store, await claimed(store) if is_claimed else None, **changes)

    assert await looked_up(store) == found


@pytest.mark.parametrize("is_claimed", [False, True])
async def test_a_save_that_moves_nothing_leaves_the_indexed_columns_alone(
    store: OpenStore, is_claimed: bool
) -> None:
    await added(store, a_deployment())
    claim = await claimed(store) if is_claimed else None

    await changed(store, claim, by_hand=True, waits_for="the router")

    assert await looked_up(store) == ("running", True, NOW, None, 1)


async def test_a_second_save_in_one_unit_goes_by_its_own_state(store: OpenStore) -> None:
    await added(store, a_deployment())

    async def unit(tx: Transaction) -> None:
        d = await tx.deployments.get(TEAM, "D-142")
        assert d is not None
        held = await tx.deployments.save(replace(d, phase=Phase.HELD), tx.now, None)
        await tx.deployments.save(replace(held, phase=Phase.RUNNING), tx.now, None)

    await store.run(unit)

    assert await looked_up(store) == ("running", True, None, None, 2)


async def test_a_save_that_moves_nothing_needs_the_newest_revision_too(store: OpenStore) -> None:
    await added(store, a_deployment())

    async def unit(tx: Transaction) -> None:
        d = await tx.deployments.get(TEAM, "D-142")
        assert d is not None
        await tx.deployments.save(replace(d, waits_for="first"), tx.now, None)
        await tx.deployments.save(replace(d, waits_for="second"), tx.now, None)

    with pytest.raises(StaleRevision):
        await store.run(unit)

    assert await looked_up(store) == ("running", True, None, None, 0)


@pytest.mark.parametrize("lost", [{"owner": "another"}, {"fence": 99}])
async def test_a_save_that_moves_nothing_needs_its_claim_too(
    store: OpenStore, lost: dict[str, Any]
) -> None:
    await added(store, a_deployment())
    claim = replace(await claimed(store), **lost)

    with pytest.raises(StaleRevision):
        await changed(store, claim, waits_for="the router")

    assert await looked_up(store) == ("running", True, None, None, 0)
