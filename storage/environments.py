"""Environments: one row per target with its slot, its lock and what serves; and the proofs."""

# ruff: noqa: S608 - only constants of this module are put together

from datetime import datetime

from bot.domain.release import Target, Version
from bot.domain.slots import Lock, Slot
from bot.memory import StaleRevision
from storage import coding
from storage.connection import Connection, Row, first, moment, one

_HERE = "team = :team AND service = :service AND environment = :environment"

_LOOK = f"""
SELECT deployment_id, fence, lock_reason, locked_by, locked_at, serving
FROM environments WHERE {_HERE}"""

# Written, so that whoever read the row before sees that something may have changed.
_HOLD = f"""
UPDATE environments SET fence = fence WHERE {_HERE}
RETURNING deployment_id, fence, lock_reason, locked_by, locked_at, serving"""

_UNCHANGED = f"""
UPDATE environments SET fence = fence WHERE {_HERE} AND CAST(xmin AS TEXT) = :mark"""

_KEEP = """
INSERT INTO environments (team, service, environment, fence)
VALUES (:team, :service, :environment, 0)
ON CONFLICT (team, service, environment) DO NOTHING"""

_TAKE = f"""
UPDATE environments SET deployment_id = :deployment, fence = :fence
WHERE {_HERE} AND deployment_id IS NULL AND fence = :fence - 1"""

_RAISE = f"UPDATE environments SET fence = :fence WHERE {_HERE} AND fence < :fence"

_FREE = f"""
UPDATE environments SET deployment_id = NULL WHERE {_HERE} AND deployment_id = :deployment"""

_SERVES = f"UPDATE environments SET serving = :body, serving_at = :at WHERE {_HERE}"

_PROVES = """
INSERT INTO proven (team, service, environment, version, body, proven_at)
VALUES (:team, :service, :environment, :version, :body, :at)
ON CONFLICT (team, service, environment, version)
DO UPDATE SET body = excluded.body, proven_at = excluded.proven_at"""

_PROVES_AGAIN = f"UPDATE proven SET proven_at = :at WHERE {_HERE} AND version = :version"

_DISPROVES = f"DELETE FROM proven WHERE {_HERE} AND version = :version"

_LOCK = f"""
UPDATE environments SET lock_reason = :reason, locked_by = :by, locked_at = :at WHERE {_HERE}"""

_LOCKS = """
SELECT service, environment, lock_reason, locked_by, locked_at FROM environments
WHERE team = :team AND lock_reason IS NOT NULL ORDER BY locked_at, service, environment"""

_UNLOCK = f"""
UPDATE environments SET lock_reason = NULL, locked_by = NULL, locked_at = NULL
WHERE {_HERE} AND lock_reason IS NOT NULL"""


def where(target: Target) -> dict[str, str]:
    return {
        "team": target.team,
        "service": target.service,
        "environment": target.environment,
    }


async def look(connection: Connection, target: Target) -> tuple[Slot, Version | None]:
    """The slot and what serves."""
    row = await first(connection, _LOOK, **where(target))
    return (Slot(), None) if row is None else (held(row)[0], serving(row))


async def hold(connection: Connection, target: Target) -> Row:
    """The row, and nobody else writes it until the transaction ends. It is there for ever
    afterwards, because a row that does not exist cannot be held."""
    sql = _HOLD if connection.is_shared else _LOOK
    row = await first(connection, sql, **where(target))
    if row is None:
        await connection.change(_KEEP, **where(target))
        row = await one(connection, sql, **where(target))
    return row


async def only_if_unchanged(connection: Connection, target: Target, mark: str | None) -> None:
    """Bind what a gathering connection writes to the row as it was read: all who write about an
    environment write its row, so nothing else about it has changed either."""
    if mark is None:
        await connection.only_if(_KEEP, **where(target))
    else:
        await connection.only_if(_UNCHANGED, **where(target), mark=mark)


def held(row: Row) -> tuple[Slot, Lock | None]:
    holder, fence, reason, locked_by, locked_at, _ = row
    lock = None if reason is None else Lock(reason, locked_by, moment(locked_at))
    return Slot(holder, fence), lock


def serving(row: Row) -> Version | None:
    *_, body = row
    return None if body is None else coding.read_version(body)


class SqlEnvironments:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take(self, target: Target, deployment: str, fence: int) -> None:
        await hold(self._connection, target)
        taken = await self._connection.change(
            _TAKE, **where(target), deployment=deployment, fence=fence
        )
        if taken != 1:
            raise StaleRevision(f"the slot of {target.service} was not free for {deployment}")

    async def raise_fence(self, target: Target, fence: int) -> None:
        await hold(self._connection, target)
        await self._connection.change(_RAISE, **where(target), fence=fence)

    async def free(self, target: Target, deployment: str) -> None:
        await self._connection.change(_FREE, **where(target), deployment=deployment)

    async def serves(self, target: Target, version: Version, at: datetime) -> None:
        await hold(self._connection, target)
        body = coding.dump(version)
        await self._connection.change(_SERVES, **where(target), body=body, at=at)

    async def proves(self, target: Target, version: str, at: datetime) -> None:
        """Raises `LookupError` for a version that neither serves nor was ever proven."""
        serves = serving(await hold(self._connection, target))
        facts = {**where(target), "version": version, "at": at}
        if serves is not None and serves.name == version:
            await self._connection.change(_PROVES, body=coding.dump(serves), **facts)
        elif not await self._connection.change(_PROVES_AGAIN, **facts):
            raise LookupError(f"{version} never served {target.service}")

    async def disproves(self, target: Target, version: str) -> None:
        await hold(self._connection, target)
        await self._connection.change(_DISPROVES, **where(target), version=version)

    async def lock(self, target: Target, reason: str, by: str | None, at: datetime) -> None:
        await hold(self._connection, target)
        await self._connection.change(_LOCK, **where(target), reason=reason, by=by, at=at)

    async def locks(self, team: str) -> tuple[tuple[Target, Lock], ...]:
        rows = await self._connection.rows(_LOCKS, team=team)
        return tuple(
            (Target(team, service, environment), Lock(reason, by, moment(at)))
            for service, environment, reason, by, at in rows
        )

    async def unlock(self, target: Target) -> bool:
        return bool(await self._connection.change(_UNLOCK, **where(target)))
