"""Leases: who does a named piece of work now, by the database's clock."""

from datetime import datetime, timedelta

from storage.connection import Connection, first

#: Nobody is given one for so long: one that seems to be was given by a clock that was ahead.
LONGEST = timedelta(minutes=2)

# The fence goes up whenever the lease lapsed or changed hands, and never otherwise.
_ACQUIRE = """
INSERT INTO leases (name, owner, until, fence) VALUES (:name, :owner, :until, 1)
ON CONFLICT (name) DO UPDATE SET
  fence = CASE
    WHEN leases.owner = excluded.owner AND leases.until > :now THEN leases.fence
    ELSE leases.fence + 1 END,
  owner = excluded.owner,
  until = excluded.until
WHERE leases.owner = excluded.owner OR leases.until <= :now OR leases.until > :far
RETURNING fence"""

_AHEAD = "SELECT 1 FROM leases WHERE until > :far"


async def acquire(
    connection: Connection, name: str, owner: str, lease: timedelta, now: datetime
) -> int | None:
    """The fence when *owner* has the lease now, else None."""
    facts = {"name": name, "owner": owner, "until": now + lease, "now": now, "far": now + LONGEST}
    row = await first(connection, _ACQUIRE, **facts)
    return None if row is None else row[0]


async def were_given_ahead(connection: Connection, now: datetime) -> bool:
    """Whether the database's clock went back since the last lease: also while nobody ran."""
    return await first(connection, _AHEAD, far=now + LONGEST) is not None
