"""Deployments: saved by revision, claimed by lease, read with what must count at once."""

# ruff: noqa: S608 - only constants of this module are put together

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.domain.copying import replace
from bot.domain.deployment import Deployment, Phase
from bot.domain.past import Past
from bot.domain.release import Target
from bot.domain.slots import Lock, Slot
from bot.memory import Claim, StaleRevision, Surroundings
from storage import coding, environments, numbers, past, surroundings
from storage.connection import Conflict, Connection, Row, first, moment, padded, wanted
from storage.journal import Head, SqlJournal
from storage.leases import LONGEST
from storage.plans import SqlPlans
from storage.threads import Noted

_COLUMNS = "team, id, revision, plan, state, has_card, journal_seq, journal_hash"

_ADD = """
INSERT INTO deployments (
  team, id, revision, plan, kind, service, environment, version, requested_by, requested_at,
  phase, is_rival, state, next_due_at, live_at, finished_at, has_card,
  journal_seq, journal_hash, sealed_seq, lease_fence)
VALUES (
  :team, :id, :revision, :plan, :kind, :service, :environment, :version, :requested_by,
  :requested_at, :phase, :is_rival, :state, :due_at, :live_at, :finished_at, FALSE,
  :journal_seq, :journal_hash, 0, 0)"""

# Most saves move none of these. To name them would have SQLite take the row out of every index
# that knows them, and put it back in: two pages of twenty in a commit.
_MOVED = """
  phase = :phase, is_rival = :is_rival, live_at = :live_at, finished_at = :finished_at,"""

_SAVE = """
UPDATE deployments SET {moved}
  revision = revision + 1, state = :state, next_due_at = :due_at,
  journal_seq = :journal_seq, journal_hash = :journal_hash, lease_owner = NULL, lease_until = NULL
WHERE team = :team AND id = :id AND revision = :revision {claimed}"""

_CLAIMED = "\n  AND lease_owner = :owner AND lease_fence = :fence AND lease_until > :now"

_PUT_OFF = """
UPDATE deployments SET next_due_at = :due_at, lease_owner = NULL, lease_until = NULL
WHERE team = :team AND id = :id AND lease_owner = :owner AND lease_fence = :fence"""

# The first two conditions stand literally as in the partial index, or it would not be used.
_CLAIM_DUE = """
UPDATE deployments
SET lease_owner = :owner, lease_until = :until, lease_fence = lease_fence + 1
WHERE (team, id) IN (
  SELECT d.team, d.id FROM deployments AS d
  WHERE d.finished_at IS NULL AND d.next_due_at <= :by
    AND (d.lease_until IS NULL OR d.lease_until <= :by)
  ORDER BY d.next_due_at LIMIT :limit
  FOR UPDATE OF d SKIP LOCKED)
RETURNING team, id, lease_fence, next_due_at"""

_ALL_DUE = """
UPDATE deployments SET next_due_at = :now WHERE finished_at IS NULL AND next_due_at > :now"""

_LEASES_AHEAD = """
UPDATE deployments SET lease_until = :far WHERE finished_at IS NULL AND lease_until > :far"""

_GET = f"SELECT {_COLUMNS} FROM deployments WHERE team = :team AND id = :id"

_HERE = "team = :team AND service = :service AND environment = :environment"

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
        noted: Noted,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._plans = plans
        self._noted = noted
        self._now = now
        self._read_as: dict[tuple[str, str], Deployment] = {}

    async def next_number(self, team: str) -> int:
        return await numbers.following(self._connection, team)

    async def add(self, d: Deployment, due_at: datetime | None) -> None:
        digest = await self._plans.keep(d.team, d.plan)
        head = self._journal.known_head(d.team, d.id)
        try:
            await self._connection.write_one(
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
        self._noted.new.add((d.team, d.id))
        self._journal.head_is_stored(d.team, d.id, head)

    async def get(self, team: str, id: str) -> Deployment | None:
        row = await first(self._connection, _GET, team=team, id=id)
        return None if row is None else await self._read(row)

    async def look(self, team: str, id: str) -> tuple[Deployment, Surroundings] | None:
        """`get`, and `surroundings` without itself, in one trip where no lock comes first."""
        if self._connection.is_shared and not self._connection.gathers:
            d = await self.get(team, id)
            return None if d is None else (d, await self.surroundings(d.target, id))
        found = await surroundings.read_with(self._connection, team, id)
        return None if found is None else (await self._read(found[0]), found[1].without(id))

    async def save(self, d: Deployment, due_at: datetime | None, claim: Claim | None) -> Deployment:
        head = await self._journal.head(d.team, d.id)
        lease: dict[str, Any] = {}
        if claim is not None:
            lease = {"owner": claim.owner, "fence": claim.fence, "now": self._now}
        try:
            is_written = await self._connection.write_one(
                _save(self._is_moved(d), claim is not None),
                team=d.team,
                id=d.id,
                revision=d.revision,
                **self._facts(d, due_at, head),
                **lease,
            )
        except Conflict as conflict:
            raise StaleRevision(f"another like {d.id} was first") from conflict
        if not is_written:
            raise StaleRevision(f"{d.id} is no longer at revision {d.revision}, or the lease ended")
        self._journal.head_is_stored(d.team, d.id, head)
        return replace(d, revision=d.revision + 1)

    async def put_off(self, rests: Sequence[tuple[Claim, datetime | None]]) -> None:
        values = [
            {"team": c.team, "id": c.thing, "owner": c.owner, "fence": c.fence, "due_at": due_at}
            for c, due_at in rests
        ]
        if values:
            await self._connection.change_each(_PUT_OFF, values)

    async def all_due(self) -> None:
        await self._connection.change(_ALL_DUE, now=self._now)
        await self._connection.change(_LEASES_AHEAD, far=self._now + LONGEST)

    async def claim_due(
        self, owner: str, lease: timedelta, limit: int, by: datetime | None = None
    ) -> tuple[Claim, ...]:
        until = self._now + lease
        by = self._now if by is None else min(by, self._now)
        rows = await self._connection.rows(_CLAIM_DUE, owner=owner, until=until, by=by, limit=limit)
        in_order = sorted(rows, key=lambda row: moment(row[3]))
        return tuple(Claim(team, id, owner, fence) for team, id, fence, _ in in_order)

    async def survey(
        self, claims: Sequence[Claim]
    ) -> tuple[tuple[Claim, Deployment, Surroundings], ...]:
        size, values = padded([(claim.team, claim.thing) for claim in claims], "team", "id")
        rows = await self._connection.rows(_of_all(size), **values)
        found = {}
        for row in rows:
            with suppress(*coding.UNREADABLE):  # the others of this survey go on
                found[row[0], row[1]] = await self._read(row)
        targets = {d.target for d in found.values()}
        around = await surroundings.read(self._connection, targets) if targets else {}
        surveyed = []
        for claim, d in [(c, found.get((c.team, c.thing))) for c in claims]:
            with suppress(*coding.UNREADABLE):
                if d is not None:
                    surveyed.append((claim, d, around[d.target].without(d.id)))
        return tuple(surveyed)

    async def surroundings(self, target: Target, without: str | None) -> Surroundings:
        return (await surroundings.read_held(self._connection, target)).without(without)

    async def held(self, target: Target) -> tuple[Slot, Lock | None]:
        return (await surroundings.read_held(self._connection, target)).held()

    async def current(self, target: Target) -> Deployment | None:
        slot, serving = await environments.look(self._connection, target)
        if slot.holder is not None:
            return await self.get(target.team, slot.holder)
        where = environments.where(target)
        watching = await self._read_all(await self._connection.rows(_WATCHING, **where))
        if watching:
            return max(watching, key=_asked_at)
        if serving is None:
            return None
        row = await first(self._connection, _LIVED, version=serving.name, **where)
        return None if row is None else await self._read(row)

    async def past(self, target: Target, kind: str) -> Past:
        return await past.read(self._connection, target, kind)

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

    def _is_moved(self, d: Deployment) -> bool:
        """Whether the columns that indexes look at are other than those its row was read with."""
        before = self._read_as.get((d.team, d.id))
        return before is None or before.revision != d.revision or _place(before) != _place(d)

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
            self._noted.carded.add((team, id))
        self._journal.head_is_stored(team, id, (seq, hash))
        d = coding.read_state(state, await self._plans.get(team, plan), revision)
        self._read_as[team, id] = d
        return d


@lru_cache(maxsize=4)
def _save(is_moved: bool, is_claimed: bool) -> str:
    return _SAVE.format(moved=_MOVED if is_moved else "", claimed=_CLAIMED if is_claimed else "")


def _place(d: Deployment) -> tuple[object, ...]:
    return d.phase, d.live_at, d.finished_at


def _asked_at(d: Deployment) -> datetime:
    return d.requested_at


@lru_cache(maxsize=16)
def _of_all(size: int) -> str:
    columns = ", ".join(f"d.{name}" for name in _COLUMNS.split(", "))
    return f"""
{wanted(size, "team", "id")}
SELECT {columns} FROM wanted AS w CROSS JOIN deployments AS d
WHERE d.team = w.team AND d.id = w.id"""
