"""What the auditor asks: each rule is one statement over few rows, found by an index."""

# ruff: noqa: S608 - only constants of this module are put together

import json
from collections import defaultdict
from collections.abc import Sequence

from bot.auditor import Known, Limits, Standing
from bot.domain import canon
from bot.domain.effects import Entry
from bot.domain.line import plain
from bot.domain.release import Target
from bot.memory import Heads, Transaction
from bot.violation import PREFIX, Violation
from storage import coding
from storage.chains import new_chains, one_chain
from storage.coding import UNREADABLE
from storage.connection import Connection, Row, first, moment
from storage.leases import were_given_ahead
from storage.seals import unsealed
from storage.transaction import connection_of

_KNOWN = f"""
SELECT h.team, h.thing, j.event, j.body, j.at FROM heads AS h
JOIN journal AS j ON j.team = h.team AND j.thing = h.thing AND j.seq = h.seq
WHERE h.thing LIKE '{PREFIX}%' ORDER BY h.team, h.thing"""

# A fence is only in the state; whoever has none holds nothing. The words are the encoder's.
_FREE = '%"fence":0,%'

_SLOTS = """
SELECT e.team, e.service, e.environment, e.deployment_id AS holder, e.fence, '' AS state
FROM environments AS e WHERE e.deployment_id IS NOT NULL
UNION ALL
SELECT d.team, d.service, d.environment, d.id, NULL, d.state FROM deployments AS d
WHERE d.finished_at IS NULL AND d.state NOT LIKE :free"""

_OVERDUE = """
SELECT team, service, environment, COUNT(*), MIN(id) FROM deployments
WHERE finished_at IS NULL AND (next_due_at IS NULL OR next_due_at < :before)
  AND (lease_until IS NULL OR lease_until < :before)
GROUP BY team, service, environment"""

# However many there are of one environment, they are one alarm, told by the newest.
_PARCELS = """
SELECT g.team, g.service, g.environment, g.many, o.thing, o.lane, o.why FROM (
  SELECT o.team, d.service, d.environment, COUNT(*) AS many, MAX(o.id) AS newest
  FROM outbox AS o LEFT JOIN deployments AS d ON d.team = o.team AND d.id = o.thing
  WHERE {0} GROUP BY o.team, d.service, d.environment) AS g
JOIN outbox AS o ON o.id = g.newest"""

# An answer to a click dies of old age, and an alarm about an alarm would never end.
_DEAD = _PARCELS.format(
    "o.state = 'dead' AND o.done_at > :since"
    f" AND o.lane NOT LIKE '%/reply' AND o.thing NOT LIKE '{PREFIX}%'"
)
_UNSENT = _PARCELS.format("o.done_at IS NULL AND o.state = 'sending' AND o.lease_until < :before")

_ENDED = """
SELECT d.team, d.id, d.service, d.environment, d.phase, d.state, d.finished_at,
  e.lock_reason, e.serving, e.serving_at,
  EXISTS (
    SELECT 1 FROM heads AS h
    JOIN journal AS j ON j.team = h.team AND j.thing = h.thing AND j.seq = h.seq
    WHERE h.team = d.team AND h.thing = d.service || '/' || d.environment
      AND (h.seq <> h.sealed_seq OR j.at >= d.finished_at)) AS was_spoken,
  EXISTS (
    SELECT 1 FROM deployments AS o
    WHERE o.team = d.team AND o.service = d.service AND o.environment = d.environment
      AND o.id <> d.id AND o.journal_seq <> o.sealed_seq
      AND (o.finished_at IS NOT NULL OR o.phase = 'watching'
        OR o.state NOT LIKE :free)) AS was_moved
FROM deployments AS d
LEFT JOIN environments AS e
  ON e.team = d.team AND e.service = d.service AND e.environment = d.environment
WHERE d.phase IN ('rolled_back', 'rollback_failed')"""

_JUST_ENDED = f"{_ENDED} AND d.journal_seq <> d.sealed_seq"
_ENDED_ONCE = f"{_ENDED} AND d.team = :team AND d.id = :id"

_STANDING = """
SELECT team, service, environment, deployment_id, fence, lock_reason, serving
FROM environments WHERE serving IS NOT NULL"""

_SAID = """
SELECT serving_at FROM environments
WHERE team = :team AND service = :service AND environment = :environment"""


class Invariants:
    """The auditor's questions over the tables; nothing here writes."""

    async def unsealed(self, tx: Transaction) -> Heads:
        return await unsealed(connection_of(tx))

    async def clock_went_back(self, tx: Transaction) -> bool:
        return await were_given_ahead(connection_of(tx), tx.now)

    async def known(self, tx: Transaction) -> tuple[Known, ...]:
        rows = await connection_of(tx).rows(_KNOWN)
        return tuple(
            Known(_told(team, thing, body), event == "lifted", moment(at))
            for team, thing, event, body, at in rows
            if event in ("alarmed", "lifted")
        )

    async def violations(
        self, tx: Transaction, limits: Limits, known: Sequence[Known]
    ) -> tuple[Violation, ...]:
        connection = connection_of(tx)
        found = [
            *_slots(await connection.rows(_SLOTS, free=_FREE)),
            *[_overdue(r) for r in await connection.rows(_OVERDUE, before=tx.now - limits.overdue)],
            *[
                _parcels("dead", "given up", row)
                for row in await connection.rows(_DEAD, since=tx.now - limits.told_for)
            ],
            *[
                _parcels("unsent", "begun, and nobody knows how it ended", row)
                for row in await connection.rows(_UNSENT, before=tx.now - limits.unsent)
            ],
            *_ended(await connection.rows(_JUST_ENDED, free=_FREE)),
            *await new_chains(connection),
        ]
        for each in known:
            found += await _again(connection, each)
        return tuple({(v.team, v.thing): v for v in found}.values())

    async def standing(self, tx: Transaction) -> tuple[Standing, ...]:
        return tuple(
            Standing(Target(*where), holder, fence, lock is not None, _name(serving))
            for *where, holder, fence, lock, serving in await connection_of(tx).rows(_STANDING)
        )


def _name(serving: str) -> str:
    try:
        return coding.read_version(serving).name
    except ValueError:
        return "a version that cannot be read"


async def _again(connection: Connection, known: Known) -> list[Violation]:
    """What is only looked at when it changes is looked at once more while it is told."""
    told = known.violation
    match told.rule:
        case "rollback":
            facts = {"team": told.team, "id": told.subject, "free": _FREE}
            rows = await connection.rows(_ENDED_ONCE, **facts)
            # What was held because of it has moved since, and that mends nothing.
            return _ended([(*row[:-1], False) for row in rows])
        case "journal":
            return await one_chain(connection, told.team, told.subject)
        case "ahead" if told.target is not None and not known.is_lifted:
            here = {"service": told.target.service, "environment": told.target.environment}
            row = await first(connection, _SAID, team=told.team, **here)
            is_said = row is not None and row[0] is not None and moment(row[0]) > known.at
            return [] if is_said else [told]
    return []


def _told(team: str, thing: str, body: str) -> Violation:
    service, environment, rule, subject = thing.removeprefix(PREFIX).split("/", 3)
    target = None if service == "-" else Target(team, service, environment)
    try:
        entry: Entry = canon.decoder(Entry)(json.loads(body)["entries"][-1])
        what = plain(entry.line)
    except UNREADABLE:
        what = "what it was cannot be read any more"
    return Violation(rule, team, subject, what, target)


def _slots(rows: Sequence[Row]) -> list[Violation]:
    slots: dict[Target, tuple[str, int]] = {}
    holders: dict[Target, dict[str, int]] = defaultdict(dict)
    for team, service, environment, id, fence, state in rows:
        target = Target(team, service, environment)
        if fence is not None:
            slots[target] = (id, fence)
        elif held := _fence(state):
            holders[target][id] = held
    every = dict.fromkeys((*slots, *holders))
    return [v for target in every if (v := _slot(target, slots.get(target), holders[target]))]


def _slot(target: Target, slot: tuple[str, int] | None, held: dict[str, int]) -> Violation | None:
    if held == (dict([slot]) if slot else {}):
        return None
    things = tuple(held)
    changing = " and ".join(things) or "nobody"
    given = f"is given to {slot[0]} under {slot[1]}" if slot else "is free"
    fences = ", ".join(str(fence) for fence in held.values())
    what = f"the slot {given}, and {changing} is changing it{f' under {fences}' if held else ''}"
    return Violation("slot", target.team, "slot", what, target, things)


def _fence(state: str) -> int:
    try:
        found = json.loads(state)
    except ValueError:
        return 0  # nobody can read it, and who tries says so
    fence = found.get("fence", 0) if isinstance(found, dict) else 0
    return fence if isinstance(fence, int) else 0


def _overdue(row: Row) -> Violation:
    team, service, environment, many, id = row
    others = f" and {many - 1} more" if many > 1 else ""
    what = f"{id}{others} not looked at for a long time"
    return Violation("overdue", team, "looks", what, Target(team, service, environment))


def _parcels(rule: str, fate: str, row: Row) -> Violation:
    team, service, environment, many, thing, lane, why = row
    count = f"{many} messages were" if many > 1 else "a message was"
    newest = "the newest" if many > 1 else "it"
    what = f"{count} {fate}; {newest} is of the kind {lane.rsplit('/', 1)[-1]} about {thing}"
    target = Target(team, service, environment) if service is not None else None
    return Violation(rule, team, "messages", f"{what} ({why})" if why else what, target)


def _ended(rows: Sequence[Row]) -> list[Violation]:
    found = []
    for row in rows:
        team, id, service, environment, *_ = row
        what = _ending(row)
        if what:
            target = Target(team, service, environment)
            found.append(Violation("rollback", team, id, what, target))
    return found


def _ending(row: Row) -> str:
    """What is wrong with how a rollback ended; empty when a person has spoken since, or another
    deployment has moved the environment on."""
    _, id, _, _, phase, state, finished_at, lock, serving, serving_at, was_spoken, was_moved = row
    if was_spoken:
        return ""
    if phase == "rollback_failed":
        return "" if lock is not None else f"{id} failed to roll back, and nothing is locked"
    if was_moved or (serving_at is not None and moment(serving_at) > moment(finished_at)):
        return ""
    try:
        target = json.loads(state)["rollback"]["target"]["name"]
    except UNREADABLE:
        return f"{id} went back, and to what cannot be read"
    known = _name(serving) if serving is not None else "nothing"
    if known == target:
        return ""
    return f"{id} went back to {target}, and {known} is kept as what serves"
