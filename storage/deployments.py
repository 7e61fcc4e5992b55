"""Deployments: saved by revision, claimed by lease, read with what must count at once."""

# ruff: noqa: S608 - only constants of this module are put together

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.deployment import Deployment, Phase
from bot.domain.release import Target
from bot.domain.slots import Active, Ledger
from bot.memory import Claim, StaleRevision, Surroundings
from storage import coding, environments
from storage.connection import Conflict, Connection, Row, first, moment, one
from storage.journal import Head, SqlJournal
from storage.plans import SqlPlans
from storage.threads import Carded

_COLUMNS = "team, id, revision, plan, state, has_card, journal_seq, journal_hash"

_NEXT_NUMBER = """
INSERT INTO counters (team, name, value) VALUES (:team, 'deployment', 1)
ON CONFLICT (team, name) DO UPDATE SET value = counters.value + 1
RETURNING value"""

_ADD = """
INSERT INTO deployments (
  team, id, revision, plan, kind, service, environment, version, requested_by, requested_at,
  phase, is_rival, state, next_due_at, live_at, finished_at, has_card,
  journal_seq, journal_hash, sealed_seq, lease_fence)
VALUES (
  :team, :id, :revision, :plan, :kind, :service, :environment, :version, :requested_by,
  :requested_at, :phase, :is_rival, :state, :due_at, :live_at, :finished_at, FALSE,
  :journal_seq, :journal_hash, 0, 0)"""

_SAVE = """
UPDATE deployments SET
  revision = revision + 1, phase = :phase, is_rival = :is_rival, state = :state,
  next_due_at = :due_at, live_at = :live_at, finished_at = :finished_at,
  journal_seq = :journal_seq, journal_hash = :journal_hash, lease_owner = NULL, lease_until = NULL
WHERE team = :team AND id = :id AND revision = :revision"""

_SAVE_CLAIMED = f"""{_SAVE}
  AND lease_owner = :owner AND lease_fence = :fence AND lease_until > :now"""

_PUT_OFF = """
UPDATE deployments SET next_due_at = :due_at, lease_owner = NULL, lease_until = NULL
WHERE team = :team AND id = :id AND lease_owner = :owner AND lease_fence = :fence"""

# The first two conditions stand literally as in the partial index, or it would not be used.
_CLAIM_DUE = """
UPDATE deployments
SET lease_owner = :owner, lease_until = :until, lease_fence = lease_fence + 1
WHERE (team, id) IN (
  SELECT d.team, d.id FROM deployments AS d
  WHERE d.finished_at IS NULL AND d.next_due_at <= :now
    AND (d.lease_until IS NULL OR d.lease_until <= :now)
  ORDER BY d.next_due_at LIMIT :limit
  FOR UPDATE OF d SKIP LOCKED)
RETURNING team, id, lease_fence, next_due_at"""

_GET = f"SELECT {_COLUMNS} FROM deployments WHERE team = :team AND id = :id"

_HERE = "team = :team AND service = :service AND environment = :environment"

_AROUND = f"""
SELECT 0 AS part, id, kind, phase, version, requested_at AS at FROM deployments
WHERE {_HERE} AND finished_at IS NULL
UNION ALL
SELECT 1, version, '', '', body, proven_at FROM proven WHERE {_HERE}"""

_WATCHING = f"""
SELECT {_COLUMNS} FROM deployments
WHERE {_HERE} AND finished_at IS NULL AND phase = 'watching'"""

_LIVED = f"""
SELECT {_COLUMNS} FROM deployments
WHERE {_HERE} AND phase IN ('succeeded', 'superseded') AND version = :version
ORDER BY finished_at DESC LIMIT 1"""

_TEAMS = "SELECT DISTINCT team FROM counters ORDER BY team"

# In the order of the index of open ones: by time, SQLite would walk through all of the past.
_UNFINISHED = f"""
SELECT {_COLUMNS} FROM deployments
WHERE team = :team AND finished_at IS NULL ORDER BY service, environment"""

_NEWEST = "ORDER BY requested_at DESC, length(id) DESC, id DESC LIMIT :limit"
_RECENT = f"SELECT {_COLUMNS} FROM deployments WHERE team = :team {_NEWEST}"
_RECENT_OF = f"""
SELECT {_COLUMNS} FROM deployments WHERE team = :team AND service = :service {_NEWEST}"""

#: Two of these and of one kind cannot be on their way to the same environment.
_RIVALS = frozenset({Phase.RUNNING, Phase.HELD})


class SqlDeployments:
    def __init__(
        self,
        connection: Connection,
        journal: SqlJournal,
        plans: SqlPlans,
        carded: Carded,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._plans = plans
        self._carded = carded
        self._now = now

    async def next_number(self, team: str) -> int:
        number: int = (await one(self._connection, _NEXT_NUMBER, team=team))[0]
        return number

    async def add(self, d: Deployment, due_at: datetime | None) -> None:
        digest = await self._plans.keep(d.team, d.plan)
        head = self._journal.known_head(d.team, d.id)
        try:
            await self._connection.change(
                _ADD,
                team=d.team,
                id=d.id,
                revision=d.revision,
                plan=digest,
                kind=d.kind,
                service=d.plan.service,
                environment=d.plan.environment,
                version=d.version.name,
                requested_by=d.requested_by,
                requested_at=d.requested_at,
                **self._facts(d, due_at, head),
            )
        except Conflict as conflict:
            raise StaleRevision(f"another like {d.id} was first") from conflict
        self._journal.head_is_stored(d.team, d.id, head)

    async def get(self, team: str, id: str) -> Deployment | None:
        row = await first(self._connection, _GET, team=team, id=id)
        return None if row is None else await self._read(row)

    async def save(self, d: Deployment, due_at: datetime | None, claim: Claim | None) -> Deployment:
        head = await self._journal.head(d.team, d.id)
        lease: dict[str, Any] = {}
        if claim is not None:
            lease = {"owner": claim.owner, "fence": claim.fence, "now": self._now}
        try:
            written = await self._connection.change(
                _SAVE if claim is None else _SAVE_CLAIMED,
                team=d.team,
                id=d.id,
                revision=d.revision,
                **self._facts(d, due_at, head),
                **lease,
            )
        except Conflict as conflict:
            raise StaleRevision(f"another like {d.id} was first") from conflict
        if written != 1:
            raise StaleRevision(f"{d.id} is no longer at revision {d.revision}, or the lease ended")
        self._journal.head_is_stored(d.team, d.id, head)
        return replace(d, revision=d.revision + 1)

    async def put_off(self, claim: Claim, due_at: datetime | None) -> None:
        await self._connection.change(
            _PUT_OFF,
            team=claim.team,
            id=claim.thing,
            owner=claim.owner,
            fence=claim.fence,
            due_at=due_at,
        )

    async def claim_due(self, owner: str, lease: timedelta, limit: int) -> tuple[Claim, ...]:
        until = self._now + lease
        rows = await self._connection.rows(
            _CLAIM_DUE, owner=owner, until=until, now=self._now, limit=limit
        )
        in_order = sorted(rows, key=lambda row: moment(row[3]))
        return tuple(Claim(team, id, owner, fence) for team, id, fence, _ in in_order)

    async def surroundings(self, target: Target, without: str | None) -> Surroundings:
        # The row is locked by a statement of its own: what is read after it cannot be older.
        here = await environments.hold(self._connection, target)
        rows = await self._connection.rows(_AROUND, **environments.where(target))
        in_order = sorted(rows, key=lambda row: moment(row[5]))
        others = tuple(
            Active(id, kind, phase, version)
            for part, id, kind, phase, version, _ in in_order
            if part == 0 and id != without
        )
        proofs = (row[4] for row in reversed(in_order) if row[0] == 1)
        proven = tuple(coding.read_version(body) for body in proofs)
        return Surroundings(here.slot, here.lock, Ledger(here.serving, proven), others)

    async def current(self, target: Target) -> Deployment | None:
        here = await environments.look(self._connection, target)
        if here.slot.holder is not None:
            return await self.get(target.team, here.slot.holder)
        where = environments.where(target)
        watching = await self._read_all(await self._connection.rows(_WATCHING, **where))
        if watching:
            return max(watching, key=_asked_at)
        if here.serving is None:
            return None
        row = await first(self._connection, _LIVED, version=here.serving.name, **where)
        return None if row is None else await self._read(row)

    async def teams(self) -> tuple[str, ...]:
        # Whoever deploys is numbered, so the counters know every team without a look at history.
        return tuple(row[0] for row in await self._connection.rows(_TEAMS))

    async def unfinished(self, team: str) -> tuple[Deployment, ...]:
        found = await self._read_all(await self._connection.rows(_UNFINISHED, team=team))
        return tuple(sorted(found, key=_asked_at))

    async def recent(self, team: str, service: str | None, limit: int) -> tuple[Deployment, ...]:
        if service is None:
            rows = await self._connection.rows(_RECENT, team=team, limit=limit)
        else:
            rows = await self._connection.rows(_RECENT_OF, team=team, service=service, limit=limit)
        return await self._read_all(rows)

    def _facts(self, d: Deployment, due_at: datetime | None, head: Head) -> dict[str, Any]:
        return {
            "phase": d.phase.value,
            "is_rival": d.phase in _RIVALS,
            "state": self._journal.state_text(d),
            "due_at": due_at,
            "live_at": d.live_at,
            "finished_at": d.finished_at,
            "journal_seq": head[0],
            "journal_hash": head[1],
        }

    async def _read_all(self, rows: Sequence[Row]) -> tuple[Deployment, ...]:
        return tuple([await self._read(row) for row in rows])

    async def _read(self, row: Row) -> Deployment:
        team, id, revision, plan, state, has_card, seq, hash = row
        if has_card:
            self._carded.add((team, id))
        self._journal.head_is_stored(team, id, (seq, hash))
        return coding.read_state(state, await self._plans.get(team, plan), revision)


def _asked_at(d: Deployment) -> datetime:
    return d.requested_at
