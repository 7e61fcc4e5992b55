"""Threads: which messages stand for a thing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.ports import Posted
from storage.connection import Connection, first

Things = set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Noted:
    """What this transaction knows of things without asking. A card is never unposted: one that
    was deleted is replaced."""

    carded: Things = field(default_factory=set)
    #: Added a moment ago, and nothing was put into the outbox about them.
    new: Things = field(default_factory=set)


_FIND = """
SELECT channel, ts FROM threads WHERE team = :team AND thing = :thing AND role = :role"""

_REMEMBER = """
INSERT INTO threads (team, thing, role, channel, ts, at, note)
VALUES (:team, :thing, :role, :channel, :ts, :at, :note)
ON CONFLICT (team, thing, role)
DO UPDATE SET
  channel = excluded.channel, ts = excluded.ts, at = excluded.at, note = excluded.note"""

_NOTE = "SELECT note FROM threads WHERE team = :team AND thing = :thing AND role = :role"

# So that whoever loads the thing knows without asking.
_HAS_CARD = "UPDATE deployments SET has_card = TRUE WHERE team = :team AND id = :thing"

_THING_OF = """
SELECT thing FROM threads WHERE team = :team AND channel = :channel AND ts = :ts
ORDER BY at DESC LIMIT 1"""

_PLACES = "SELECT role, channel, ts FROM threads WHERE team = :team AND thing = :thing"


class SqlThreads:
    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def find(self, team: str, thing: str, role: str) -> Posted | None:
        row = await first(self._connection, _FIND, team=team, thing=thing, role=role)
        return None if row is None else Posted(row[0], row[1])

    async def remember(
        self, team: str, thing: str, role: str, posted: Posted, note: str = ""
    ) -> None:
        await self._connection.change(
            _REMEMBER,
            team=team,
            thing=thing,
            role=role,
            channel=posted.channel,
            ts=posted.ts,
            at=self._now,
            note=note,
        )
        if role == "card":
            await self._connection.change(_HAS_CARD, team=team, thing=thing)

    async def note(self, team: str, thing: str, role: str) -> str:
        row = await first(self._connection, _NOTE, team=team, thing=thing, role=role)
        return "" if row is None else row[0]

    async def thing_of(self, team: str, posted: Posted) -> str | None:
        row = await first(
            self._connection, _THING_OF, team=team, channel=posted.channel, ts=posted.ts
        )
        return None if row is None else row[0]

    async def places(self, team: str, thing: str) -> Mapping[str, Posted]:
        rows = await self._connection.rows(_PLACES, team=team, thing=thing)
        return {row[0]: Posted(row[1], row[2]) for row in rows}
