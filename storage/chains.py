"""Whether the journal's chains hold: what is new since the last seal, or all of one."""

# ruff: noqa: S608 - only constants of this module are put together

import re
from collections.abc import Sequence
from itertools import groupby

from bot.domain.release import Target
from bot.violation import PREFIX, Violation
from storage.audit import facts_of, hash_of
from storage.connection import Connection, Row

#: Journal rows in memory at once; a busy minute has thousands.
_PAGE = 500

_ROWS = "j.team, j.thing, j.seq, j.at, j.event, j.actor, j.revision, j.body, j.prev, j.hash"

# From the last row that was sealed on: it is the one that the first new row follows.
_CHAINS = f"""
SELECT d.team, d.id, d.service, d.environment, d.journal_seq, d.journal_hash, d.sealed_seq,
  {_ROWS}
FROM deployments AS d
LEFT JOIN journal AS j ON j.team = d.team AND j.thing = d.id AND j.seq >= d.sealed_seq
WHERE {{0}}
UNION ALL
SELECT h.team, h.thing, NULL, NULL, h.seq, h.hash, h.sealed_seq, {_ROWS}
FROM heads AS h
LEFT JOIN journal AS j ON j.team = h.team AND j.thing = h.thing AND j.seq >= h.sealed_seq
WHERE {{1}}
ORDER BY 1, 2, 10"""

_NEW_CHAINS = _CHAINS.format(
    "d.journal_seq <> d.sealed_seq AND (d.team, d.id) > (:team, :thing)",
    "h.seq <> h.sealed_seq AND (h.team, h.thing) > (:team, :thing)",
)
_PAGE_OF_CHAINS = f"{_NEW_CHAINS} LIMIT :most"
_ONE_CHAIN = re.sub(r"\b[dh]\.sealed_seq", "0", _CHAINS).format(
    "d.team = :team AND d.id = :thing", "h.team = :team AND h.thing = :thing"
)


async def new_chains(connection: Connection) -> list[Violation]:
    """What is wrong with what was written since the last seal, read page by page."""
    found: list[Violation] = []
    after, most = ("", ""), _PAGE
    while True:
        team, thing = after
        rows = await connection.rows(_PAGE_OF_CHAINS, team=team, thing=thing, most=most)
        things = _by_thing(rows)
        is_cut = len(rows) == most
        if is_cut and len(things) == 1:
            most *= 2  # a chain is judged whole or not at all
            continue
        if is_cut:
            things.pop()
        found += _chains(things)
        if not is_cut:
            return found
        after = (things[-1][0][0], things[-1][0][1])


async def one_chain(connection: Connection, team: str, thing: str) -> list[Violation]:
    """What is wrong with all that was ever written of *thing*."""
    return _chains(_by_thing(await connection.rows(_ONE_CHAIN, team=team, thing=thing)))


def _by_thing(rows: Sequence[Row]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, key=lambda row: (row[0], row[1]))]


def _chains(things: Sequence[Sequence[Row]]) -> list[Violation]:
    found = []
    for chain in things:
        team, thing, service, environment, *_ = chain[0]
        if what := _broken(chain):
            place = (service, environment) if service else _place(thing)
            target = Target(team, *place) if place else None
            found.append(Violation("journal", team, thing, f"{thing}: {what}", target))
    return found


def _place(thing: str) -> tuple[str, str] | None:
    service, slash, environment = thing.partition("/")
    return (service, environment) if slash and not thing.startswith(PREFIX) else None


def _broken(chain: Sequence[Row]) -> str:
    journal_seq, journal_hash, sealed_seq = chain[0][4:7]
    rows = [row[7:] for row in chain if row[9] is not None]
    number, before = (sealed_seq, None) if sealed_seq else (1, "")
    last: tuple[int, str] = (0, "")
    for row in rows:
        seq, prev, hash = row[2], row[8], row[9]
        if seq != number:
            return f"entry {number} of its journal is missing"
        if (before is not None and prev != before) or hash != hash_of(prev, facts_of(row)):
            return f"entry {seq} of its journal is not what was written"
        number, before, last = seq + 1, hash, (seq, hash)
    if last != (journal_seq, journal_hash):
        return f"its journal ends at entry {last[0]}, not at {journal_seq}"
    return ""
