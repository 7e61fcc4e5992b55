"""One unit of work: every repository over the same open transaction."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from bot.memory import Heads, Transaction
from storage import leases
from storage.connection import Connection
from storage.deployments import SqlDeployments
from storage.drafts import SqlDrafts
from storage.environments import SqlEnvironments
from storage.inbox import SqlInbox
from storage.journal import SqlJournal
from storage.outbox import SqlOutbox
from storage.plans import Known, SqlPlans
from storage.seals import seal, unsealed
from storage.threads import Noted, SqlThreads

T = TypeVar("T")

_SNAPSHOT = """
INSERT INTO policies (digest, body, at) VALUES (:digest, :text, :at)
ON CONFLICT (digest) DO NOTHING"""


class SqlTransaction:
    def __init__(self, connection: Connection, now: datetime, plans: Known) -> None:
        self.connection = connection
        self.now = now
        self.journal = SqlJournal(connection, now)
        noted = Noted()
        self.deployments = SqlDeployments(
            connection, self.journal, SqlPlans(connection, plans), noted, now
        )
        self.outbox = SqlOutbox(connection, noted, now)
        self.inbox = SqlInbox(connection, now)
        self.environments = SqlEnvironments(connection)
        self.threads = SqlThreads(connection, now)
        self.drafts = SqlDrafts(connection)

    async def snapshot_policy(self, digest: str, text: str) -> None:
        await self.connection.write_any(_SNAPSHOT, digest=digest, text=text, at=self.now)

    async def acquire(self, name: str, owner: str, lease: timedelta) -> int | None:
        return await leases.acquire(self.connection, name, owner, lease, self.now)

    async def seal(self, heads: Heads | None = None) -> tuple[str, ...]:
        if heads is None:
            heads = await unsealed(self.connection)
        return await seal(self.connection, heads, self.now)


def connection_of(tx: Transaction) -> Connection:
    """For what reads tables as they are, such as the audit."""
    if not isinstance(tx, SqlTransaction):
        raise TypeError("this transaction is none of storage's")
    return tx.connection


async def settled(unit: Callable[[Transaction], Awaitable[T]], tx: SqlTransaction) -> T:
    """Run *unit* to its end, ready to commit."""
    result = await unit(tx)
    tx.inbox.settle()
    await tx.journal.settle()
    return result
