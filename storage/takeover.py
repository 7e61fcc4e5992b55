"""Taking over at once what a dead process held, where it is certain that it is dead."""

from bot.memory import Store, Transaction
from storage.leases import were_given_ahead
from storage.transaction import connection_of

_END = (
    "UPDATE outbox SET lease_until = :now WHERE done_at IS NULL AND lease_until > :now",
    "UPDATE deployments SET lease_until = :now WHERE finished_at IS NULL AND lease_until > :now",
    "UPDATE leases SET until = :now WHERE until > :now",
)


async def end_leases(store: Store) -> None:
    """Only for whoever knows that nobody else works here, as the holder of the file lock does.

    What was being sent is in doubt from now on, just as after a lease that ran out. What waits
    for a time that was ahead, because the clock was, waits no longer.
    """

    async def unit(tx: Transaction) -> None:
        if await were_given_ahead(connection_of(tx), tx.now):
            await tx.deployments.all_due()
            await tx.outbox.all_sendable()
        for sql in _END:
            await connection_of(tx).change(sql, now=tx.now)

    await store.run(unit)
