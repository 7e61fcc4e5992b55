"""Seals: a chain over the heads of every chain, so that none can be cut short unseen."""

import json
from datetime import datetime

from storage.connection import Connection, first
from storage.journal import instant, linked

# Also by the partial indexes' own words.
_UNSEALED_DEPLOYMENTS = """
SELECT team, id, journal_seq, journal_hash FROM deployments
WHERE journal_seq <> sealed_seq ORDER BY team, id LIMIT 10000 FOR UPDATE"""

_UNSEALED_OTHERS = """
SELECT team, thing, seq, hash FROM heads
WHERE seq <> sealed_seq ORDER BY team, thing LIMIT 10000 FOR UPDATE"""

_SEALED_DEPLOYMENT = """
UPDATE deployments SET sealed_seq = :seq WHERE team = :team AND id = :thing"""

_SEALED_OTHER = "UPDATE heads SET sealed_seq = :seq WHERE team = :team AND thing = :thing"

_KINDS = (
    (_UNSEALED_DEPLOYMENTS, _SEALED_DEPLOYMENT),
    (_UNSEALED_OTHERS, _SEALED_OTHER),
)

_LAST_SEAL = "SELECT seq, hash FROM seals WHERE team = :team ORDER BY seq DESC LIMIT 1"

_SEAL = """
INSERT INTO seals (team, seq, at, heads, prev, hash)
VALUES (:team, :seq, :at, :heads, :prev, :hash)"""

Heads = list[tuple[str, int, str]]


async def seal(connection: Connection, now: datetime) -> tuple[str, ...]:
    """Link every head that changed since the last seal; returns the new anchors.

    One caller at a time: two would want the same number, and one of them fails.
    """
    heads: dict[str, Heads] = {}
    for unsealed, sealed in _KINDS:
        for team, thing, seq, hash in await connection.rows(unsealed):
            heads.setdefault(team, []).append((thing, seq, hash))
            await connection.change(sealed, team=team, thing=thing, seq=seq)
    return tuple([await _seal_team(connection, team, of, now) for team, of in heads.items()])


async def _seal_team(connection: Connection, team: str, heads: Heads, now: datetime) -> str:
    last = await first(connection, _LAST_SEAL, team=team)
    seq, prev = (0, "") if last is None else (last[0], last[1])
    text = json.dumps(heads, separators=(",", ":"))
    facts = {"team": team, "seq": seq + 1, "at": instant(now), "heads": text}
    hash = linked(prev, facts)
    await connection.change(_SEAL, team=team, seq=seq + 1, at=now, heads=text, prev=prev, hash=hash)
    return f"seal:{seq + 1}:{hash}"
