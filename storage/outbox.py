"""The outbox: effects on their way, at least once, in order per lane."""

# ruff: noqa: S608 - only constants of this module are put together

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.domain.effects import Effect, RefreshCard
from bot.memory import Parcel, Sending
from bot.ports import Unreadable
from storage import coding
from storage.connection import Connection, Row, first, moment, moment_or_none
from storage.leases import LONGEST
from storage.threads import Noted

# What waits for a card stands aside: the card itself may come later in the same lane.
_WAITS = """({0}.needs_card AND NOT EXISTS (
  SELECT 1 FROM threads AS t
  WHERE t.team = {0}.team AND t.thing = {0}.thing AND t.role = 'card'))"""

_IS_BLOCKED = f"""EXISTS (
  SELECT 1 FROM outbox AS e
  WHERE e.done_at IS NULL AND e.team = o.team AND e.lane = o.lane AND e.id <> o.id
    AND ((e.id < o.id AND NOT {_WAITS.format("e")})
      OR (e.state = 'sending' AND e.lease_until > :now)))"""

_NEXT_AT = f"""
SELECT MIN(CASE WHEN o.state = 'sending' THEN o.lease_until ELSE o.next_at END)
FROM outbox AS o
WHERE o.done_at IS NULL AND NOT {_WAITS.format("o")} AND NOT {_IS_BLOCKED}"""

_MINE = "id = :id AND owner = :owner AND epoch = :epoch AND state = 'sending'"

_END = f"UPDATE outbox SET state = :state, done_at = :now, why = :why WHERE {_MINE}"

_AGAIN = f"""
UPDATE outbox SET
  state = 'ready', next_at = :at, why = :why, is_in_doubt = (is_in_doubt OR :is_in_doubt)
WHERE {_MINE}"""

_ALL_SENDABLE = """
UPDATE outbox SET next_at = :now
WHERE done_at IS NULL AND state = 'ready' AND next_at > :now"""

# Given by a clock that was ahead. Not ended at once: its holder may be at it this very moment.
_LEASES_AHEAD = """
UPDATE outbox SET lease_until = :far
WHERE done_at IS NULL AND state = 'sending' AND lease_until > :far"""

# Traffic is fenced and can be asked for twice: a doubt about an older wish is nobody's concern.
_MAY_GO = "(NOT {0} OR wish = 'traffic')"

_DROP_IF_SUPERSEDED = f"""
DELETE FROM outbox
WHERE {_MINE} AND wish IS NOT NULL AND {_MAY_GO.format("(is_in_doubt OR :is_in_doubt)")}
  AND EXISTS (
  SELECT 1 FROM outbox AS n
  WHERE n.done_at IS NULL AND n.team = outbox.team AND n.lane = outbox.lane
    AND n.wish = outbox.wish AND n.id > outbox.id)"""

# In the statement that deletes the older one, which sees it still.
_INHERITED = f"""LEAST(:priority{{i}}, (
  SELECT MIN(priority) FROM outbox
  WHERE done_at IS NULL AND team = :team AND lane = :lane{{i}} AND wish = :wish{{i}}
    AND state = 'ready' AND {_MAY_GO.format("is_in_doubt")}))"""

_LEND = """
UPDATE outbox SET priority = (
  SELECT MIN(w.priority) FROM outbox AS w
  WHERE w.done_at IS NULL AND w.team = :team AND w.thing = :thing AND w.needs_card)
WHERE done_at IS NULL AND team = :team AND thing = :thing AND is_card AND state = 'ready'
  AND priority > (
    SELECT MIN(w.priority) FROM outbox AS w
    WHERE w.done_at IS NULL AND w.team = :team AND w.thing = :thing AND w.needs_card)
  AND NOT EXISTS (
    SELECT 1 FROM threads AS t WHERE t.team = :team AND t.thing = :thing AND t.role = 'card')"""

_LEAST = 99


class SqlOutbox:
    def __init__(self, connection: Connection, noted: Noted, now: datetime) -> None:
        self._connection = connection
        self._noted = noted
        self._now = now
        self._put: set[tuple[str, str]] = set()

    async def put(self, team: str, thing: str, parcels: Sequence[Parcel]) -> None:
        newest = _newest_wishes(parcels)
        if not newest:
            return
        lends = (team, thing) not in self._noted.carded and any(_lends(p) for p in newest)
        if lends and (team, thing) in self._noted.new:
            newest, lends = _lent(newest), False
        self._noted.new.discard((team, thing))
        inherits, newest = await self._make_way(team, newest)
        values: dict[str, Any] = {}
        for i, parcel in enumerate(newest):
            values |= _columns(i, parcel)
        sql = _insert(inherits)
        await self._connection.write_any(sql, team=team, thing=thing, now=self._now, **values)
        if lends:
            await self._connection.change(_LEND, team=team, thing=thing)

    async def _make_way(
        self, team: str, parcels: list[Parcel]
    ) -> tuple[tuple[bool, ...], list[Parcel]]:
        """Delete the unsent wishes that give way. The new ones are as urgent: their rows are to
        inherit it, or they come back with it."""
        wishes = [(p.lane, p.wish) for p in parcels if p.wish is not None]
        nobody = (False,) * len(parcels)
        if not wishes:
            return nobody, parcels
        sql = _give_way(len(wishes))
        values = {"team": team}
        values |= {f"lane{i}": lane for i, (lane, _) in enumerate(wishes)}
        values |= {f"wish{i}": wish for i, (_, wish) in enumerate(wishes)}
        if not self._connection.gathers:
            return nobody, _as_urgent(parcels, await self._connection.rows(sql, **values))
        lanes = {(team, lane) for lane, _ in wishes}
        if lanes & self._put:
            await self._connection.send()  # or the older one would not be seen
        self._put |= lanes
        await self._connection.write_any(sql, **values)
        return tuple(p.wish is not None for p in parcels), parcels

    async def claim(
        self, owner: str, lease: timedelta, limit: int, only: Sequence[str] = ()
    ) -> tuple[Sending, ...]:
        rows = await self._connection.rows(
            _claim(len(only)),
            owner=owner,
            until=self._now + lease,
            now=self._now,
            limit=limit,
            **{f"only{i}": f"%/{end}" for i, end in enumerate(only)},
        )
        in_order = sorted(rows, key=lambda row: (row[9], row[0]))
        return tuple(_sending(owner, row) for row in in_order)

    async def done(self, row: Sending) -> None:
        await self._connection.write_any(_END, state="done", why=None, now=self._now, **_mine(row))

    async def again(self, row: Sending, at: datetime, why: str, is_in_doubt: bool = False) -> None:
        mine = {"is_in_doubt": is_in_doubt, **_mine(row)}
        if not await self._connection.change(_DROP_IF_SUPERSEDED, **mine):
            await self._connection.change(_AGAIN, at=at, why=why, **mine)

    async def bury(self, row: Sending, why: str) -> None:
        await self._connection.write_any(_END, state="dead", why=why, now=self._now, **_mine(row))

    async def all_sendable(self) -> None:
        await self._connection.change(_ALL_SENDABLE, now=self._now)
        await self._connection.change(_LEASES_AHEAD, far=self._now + LONGEST)

    async def next_at(self) -> datetime | None:
        row = await first(self._connection, _NEXT_AT, now=self._now)
        return None if row is None else moment_or_none(row[0])


def _sending(owner: str, row: Row) -> Sending:
    id, team, thing, lane, effect, attempts, is_in_doubt, created_at, epoch, priority = row
    return Sending(
        id=id,
        team=team,
        thing=thing,
        lane=lane,
        effect=_effect(effect),
        key=f"{team}/{thing}/{id}",
        attempts=attempts,
        is_in_doubt=bool(is_in_doubt),
        created_at=moment(created_at),
        owner=owner,
        epoch=epoch,
        priority=priority,
    )


def _effect(text: str) -> Effect | Unreadable:
    try:
        effect: Effect = coding.load(Effect, text)
    except coding.UNREADABLE as error:
        # Kept as a value: the others of this claim go on.
        return Unreadable(f"it cannot be read: {type(error).__name__} {error}")
    return effect


def _newest_wishes(parcels: Sequence[Parcel]) -> list[Parcel]:
    """Without those that give way to a later one of the same call."""
    last = {(p.lane, p.wish): p for p in parcels if p.wish is not None}
    return [p for p in parcels if p.wish is None or last[p.lane, p.wish] is p]


def _as_urgent(parcels: list[Parcel], given_way: Sequence[Row]) -> list[Parcel]:
    """A wish is as urgent as the unsent one it replaces: what that one told is in it, too."""
    if not given_way:
        return parcels
    urgency: dict[tuple[str, str], int] = {}
    for lane, wish, priority in given_way:
        urgency[lane, wish] = min(priority, urgency.get((lane, wish), priority))
    return [
        replace(p, priority=min(p.priority, urgency.get((p.lane, p.wish or ""), p.priority)))
        for p in parcels
    ]


def _lends(parcel: Parcel) -> bool:
    return parcel.needs_card or isinstance(parcel.effect, RefreshCard)


def _lent(parcels: list[Parcel]) -> list[Parcel]:
    """The first of a thing: its card is as urgent as what waits for it."""
    urgency = min((p.priority for p in parcels if p.needs_card), default=_LEAST)
    return [
        replace(p, priority=min(p.priority, urgency)) if isinstance(p.effect, RefreshCard) else p
        for p in parcels
    ]


def _columns(i: int, parcel: Parcel) -> dict[str, Any]:
    return {
        f"lane{i}": parcel.lane,
        f"priority{i}": parcel.priority,
        f"wish{i}": parcel.wish,
        f"needs_card{i}": parcel.needs_card,
        f"is_card{i}": isinstance(parcel.effect, RefreshCard),
        f"effect{i}": coding.dump(parcel.effect),
    }


def _mine(row: Sending) -> dict[str, Any]:
    return {"id": row.id, "owner": row.owner, "epoch": row.epoch}


@lru_cache(maxsize=8)
def _claim(only: int) -> str:
    ends = " OR ".join(f"o.lane LIKE :only{i}" for i in range(only)) or "TRUE"
    return f"""
UPDATE outbox SET
  is_in_doubt = (is_in_doubt OR state = 'sending'), state = 'sending', owner = :owner,
  lease_until = :until, epoch = epoch + 1, attempts = attempts + 1
WHERE id IN (
  SELECT o.id FROM outbox AS o
  WHERE o.done_at IS NULL AND o.next_at <= :now
    AND (o.state = 'ready' OR o.lease_until <= :now)
    AND ({ends}) AND NOT {_WAITS.format("o")} AND NOT {_IS_BLOCKED}
  ORDER BY o.priority, o.id LIMIT :limit
  FOR UPDATE OF o SKIP LOCKED)
RETURNING id, team, thing, lane, effect, attempts, is_in_doubt, created_at, epoch, priority"""


@lru_cache(maxsize=64)
def _insert(inherits: tuple[bool, ...]) -> str:
    rows = ", ".join(
        f"(:team, :thing, :lane{i}, {_INHERITED.format(i=i) if does else f':priority{i}'}, "
        f":wish{i}, :needs_card{i}, :is_card{i}, :effect{i}, 'ready', FALSE, 0, 0, :now, :now)"
        for i, does in enumerate(inherits)
    )
    return f"""
INSERT INTO outbox (
  team, thing, lane, priority, wish, needs_card, is_card, effect, state, is_in_doubt,
  attempts, epoch, next_at, created_at)
VALUES {rows}"""


@lru_cache(maxsize=64)
def _give_way(count: int) -> str:
    pairs = " OR ".join(f"(lane = :lane{i} AND wish = :wish{i})" for i in range(count))
    return f"""
DELETE FROM outbox
WHERE done_at IS NULL AND team = :team AND state = 'ready'
  AND {_MAY_GO.format("is_in_doubt")} AND ({pairs})
RETURNING lane, wish, priority"""
