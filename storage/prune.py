"""Forgetting what nobody asks for any more: delivered parcels, old deliveries, old drafts."""

from datetime import timedelta
from functools import partial

from bot.memory import Store, Transaction
from storage.transaction import connection_of

_OLD = (
    """
DELETE FROM outbox WHERE id IN (
  SELECT id FROM outbox WHERE state = 'done' AND done_at < :before LIMIT :limit)""",
    """
DELETE FROM inbox WHERE (team, kind, key) IN (
  SELECT team, kind, key FROM inbox WHERE at < :before LIMIT :limit)""",
    """
DELETE FROM drafts WHERE (team, id) IN (
  SELECT team, id FROM drafts WHERE created_at < :before LIMIT :limit)""",
)


async def prune(store: Store, older_than: timedelta = timedelta(days=7), limit: int = 500) -> int:
    """Delete in transactions of at most *limit* rows, so that nobody waits for it; how many
    rows that were. What was buried stays, and so does everything about deployments."""
    gone = 0
    for sql in _OLD:
        while batch := await store.run(
            partial(_batch, sql=sql, older_than=older_than, limit=limit)
        ):
            gone += batch
            if batch < limit:
                break
    return gone


async def _batch(tx: Transaction, sql: str, older_than: timedelta, limit: int) -> int:
    return await connection_of(tx).change(sql, before=tx.now - older_than, limit=limit)
