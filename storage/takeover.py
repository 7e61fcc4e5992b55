"""Taking over at once what a dead process held, where it is certain that it is dead."""

from bot.memory import Store, Transaction
from storage.transaction import connection_of

_END = (
    "UPDATE outbox SET lease_until = :now WHERE done_at IS NULL AND lease_until > :now",
    "UPDATE deployments SET lease_until = :now WHERE finished_at IS NULL AND lease_until > :now",
    "UPDATE leases SET until = :now WHERE until > :now",
)


async def end_leases(store: Store) -> None:
    """Only for whoever knows that nobody else works here, as the holder of the file lock does.

    What was being sent is in doubt from now on, just as after a lease that ran out.
    """

    async def unit(tx: Transaction) -> None:
        for sql in _END:
            await connection_of(tx).change(sql, now=tx.now)

    await store.run(unit)
