"""Leases: who does a named piece of work now, by the database's clock."""

from datetime import datetime, timedelta

from storage.connection import Connection, first

# The fence goes up whenever the lease lapsed or changed hands, and never otherwise.
_ACQUIRE = """
INSERT INTO leases (name, owner, until, fence) VALUES (:name, :owner, :until, 1)
ON CONFLICT (name) DO UPDATE SET
  fence = CASE
    WHEN leases.owner = excluded.owner AND leases.until > :now THEN leases.fence
    ELSE leases.fence + 1 END,
  owner = excluded.owner,
  until = excluded.until
WHERE leases.owner = excluded.owner OR leases.until <= :now
RETURNING fence"""


async def acquire(
    connection: Connection, name: str, owner: str, lease: timedelta, now: datetime
) -> int | None:
    """The fence when *owner* has the lease now, else None."""
    row = await first(connection, _ACQUIRE, name=name, owner=owner, until=now + lease, now=now)
    return None if row is None else row[0]
