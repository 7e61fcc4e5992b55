"""Seals: a chain over the heads of every chain, so that none can be cut short unseen."""

import json
from datetime import datetime

from bot.memory import Heads
from storage.connection import Connection, first
from storage.journal import instant, linked

# Also by the partial indexes' own words.
_UNSEALED = (
    """
SELECT team, id, journal_seq, journal_hash FROM deployments
WHERE journal_seq <> sealed_seq ORDER BY team, id LIMIT 10000""",
    """
SELECT team, thing, seq, hash FROM heads
WHERE seq <> sealed_seq ORDER BY team, thing LIMIT 10000""",
)

_SEALED_DEPLOYMENT = """
UPDATE deployments SET sealed_seq = :seq WHERE team = :team AND id = :thing"""

_SEALED_OTHER = "UPDATE heads SET sealed_seq = :seq WHERE team = :team AND thing = :thing"

_LAST_SEAL = "SELECT seq, hash FROM seals WHERE team = :team ORDER BY seq DESC LIMIT 1"

_SEAL = """
INSERT INTO seals (team, seq, at, heads, prev, hash)
VALUES (:team, :seq, :at, :heads, :prev, :hash)"""


async def unsealed(connection: Connection) -> Heads:
    """The newest row of every chain that changed since it was sealed last."""
    return [tuple(row) for sql in _UNSEALED for row in await connection.rows(sql)]


async def seal(connection: Connection, heads: Heads, now: datetime) -> tuple[str, ...]:
    """Link *heads*, whatever was written after them; returns the new anchors.

    One caller at a time: two would want the same number, and one of them fails.
    """
    by_team: dict[str, list[tuple[str, int, str]]] = {}
    for team, thing, seq, hash in heads:
        by_team.setdefault(team, []).append((thing, seq, hash))
        where = {"team": team, "thing": thing, "seq": seq}
        if not await connection.change(_SEALED_DEPLOYMENT, **where):
            await connection.change(_SEALED_OTHER, **where)
    return tuple([await _seal_team(connection, team, of, now) for team, of in by_team.items()])


async def _seal_team(
    connection: Connection, team: str, heads: list[tuple[str, int, str]], now: datetime
) -> str:
    last = await first(connection, _LAST_SEAL, team=team)
    seq, prev = (0, "") if last is None else (last[0], last[1])
    text = json.dumps(heads, separators=(",", ":"))
    facts = {"team": team, "seq": seq + 1, "at": instant(now), "heads": text}
    hash = linked(prev, facts)
    await connection.change(_SEAL, team=team, seq=seq + 1, at=now, heads=text, prev=prev, hash=hash)
    return f"seal:{seq + 1}:{hash}"
