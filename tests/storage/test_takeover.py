"""Whoever is alone takes over at once; what was being sent is in doubt."""

from bot.memory import Claim, Transaction
from storage.store import OpenStore
from storage.takeover import end_leases
from tests.builders import a_deployment
from tests.storage.parcels import LEASE, claim, put, said


async def due(tx: Transaction) -> tuple[Claim, ...]:
    return await tx.deployments.claim_due("one", LEASE, 10)


async def test_what_a_dead_process_held_is_free_at_once(store: OpenStore) -> None:
    d = a_deployment()

    async def begin(tx: Transaction) -> None:
        await tx.journal.append(d, "Requested", d.requested_by, ())
        await tx.deployments.add(d, tx.now)
        assert await tx.acquire("sealer", "one", LEASE)

    await store.run(begin)
    await put(store, said("hello"))
    [held] = await store.run(due)
    assert await claim(store)
    assert not await claim(store)

    await end_leases(store)

    [again] = await claim(store)
    assert again.is_in_doubt
    [taken] = await store.run(due)
    assert taken.fence > held.fence
    assert await store.run(lambda tx: tx.acquire("sealer", "two", LEASE))
