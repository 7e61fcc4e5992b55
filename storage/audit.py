"""Auditing the journal: every edit, removal, swap, insertion and cut tail leaves a finding."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.memory import Store, Transaction
from storage.coding import UNREADABLE
from storage.connection import Row, moment
from storage.journal import Head, instant, linked
from storage.transaction import connection_of

_AT_ONCE = 500
#: What reading a row raises that this program did not write.
_ANCHOR = re.compile(r"(\S+):([0-9]{1,18}):([0-9a-f]{64})")

_JOURNAL = """
SELECT team, thing, seq, at, event, actor, revision, body, prev, hash FROM journal
WHERE (team, thing, seq) > (:team, :thing, :seq)
ORDER BY team, thing, seq LIMIT :limit"""

_SEALS = """
SELECT team, seq, at, heads, prev, hash FROM seals
WHERE (team, seq) > (:team, :seq) ORDER BY team, seq LIMIT :limit"""

_HEADS = """
SELECT team, id AS thing, journal_seq, journal_hash, sealed_seq, revision, state FROM deployments
UNION ALL
SELECT team, thing, seq, hash, sealed_seq, 0, '' FROM heads"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with which chain: a thing's, or `seal`."""

    team: str
    thing: str
    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class _End:
    """The newest row of one chain."""

    revision: int
    state: str


@dataclass(slots=True)
class _Seen:
    """What the walk over the chains leaves behind."""

    hashes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    ends: dict[tuple[str, str], _End] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def follow(self, team: str, thing: str, seq: int, prev: str, hash: str, real: str) -> None:
        chain = self.hashes.setdefault((team, thing), [])
        if seq != len(chain) + 1:
            self.find(team, thing, seq, "rows are missing before this one")
        if prev != (chain[-1] if chain else ""):
            self.find(team, thing, seq, "it does not follow the row before")
        if hash != real:
            self.find(team, thing, seq, "its words are not the ones that were written")
        chain.append(hash)

    def find(self, team: str, thing: str, seq: int, what: str) -> None:
        self.findings.append(Finding(team, thing, seq, what))

    def has(self, team: str, thing: str, head: Head) -> bool:
        chain = self.hashes.get((team, thing), [])
        return 0 < head[0] <= len(chain) and chain[head[0] - 1] == head[1]


class BadAnchor(ValueError):
    """What was given as an anchor is none."""


async def verify(store: Store, anchors: Sequence[str] = ()) -> list[Finding]:
    """Walk every chain; *anchors* are what was posted outside: `D-12:4:HASH`, `seal:7:HASH`.

    A chain that was cut short, and every record of it in the database with it, is found only
    by an anchor. A bot that writes meanwhile may look like a cut tail: verify twice. Raises
    `BadAnchor`.
    """
    posted = [_anchor(text) for text in anchors]
    seen = _Seen()
    async for row in _pages(store, _JOURNAL, ("", "", 0)):
        _walk(seen, row)
    sealed = await _walk_seals(store, seen)
    rows = await store.run(lambda tx: connection_of(tx).rows(_HEADS))
    for row in rows:
        _compare(seen, sealed, row)
    known = {(row[0], row[1]) for row in rows}
    for team, thing in seen.hashes:
        if thing != "seal" and (team, thing) not in known:
            seen.find(team, thing, 0, "nothing in the database has this history")
    for thing, head in posted:
        _mind_anchor(seen, thing, head)
    return seen.findings


async def export(store: Store, since: datetime) -> AsyncIterator[dict[str, Any]]:
    """Every journal row from *since* on, thing by thing, as plain values."""
    async for row in _pages(store, _JOURNAL, ("", "", 0)):
        try:
            if moment(row[3]) < since:
                continue
            body = json.loads(row[7])
        except UNREADABLE:
            body = str(row[7])  # it is what is looked for, whenever it was
        yield {**_as_text(facts_of(row)), "body": body, "prev": str(row[8]), "hash": row[9]}


async def _pages(store: Store, sql: str, start: tuple[Any, ...]) -> AsyncIterator[Row]:
    names = ("team", "thing", "seq") if len(start) == 3 else ("team", "seq")
    after: tuple[Any, ...] | None = start
    while after is not None:
        values = dict(zip(names, after, strict=True))

        async def page(tx: Transaction, values: dict[str, Any] = values) -> Sequence[Row]:
            return await connection_of(tx).rows(sql, limit=_AT_ONCE, **values)

        rows = await store.run(page)
        for row in rows:
            yield row
        after = tuple(rows[-1][: len(names)]) if len(rows) == _AT_ONCE else None


def facts_of(row: Row) -> dict[str, Any]:
    team, thing, seq, at, event, actor, revision, body = row[:8]
    return {
        "team": team,
        "thing": thing,
        "seq": seq,
        "at": _instant(at),
        "event": event,
        "actor": actor,
        "revision": revision,
        "body": body,
    }


def hash_of(prev: Any, facts: dict[str, Any]) -> str:
    """What the row's hash has to be; empty for one that nobody here wrote."""
    try:
        return linked(prev, facts)
    except UNREADABLE:
        return ""


def _instant(at: Any) -> str:
    try:
        return instant(moment(at))
    except UNREADABLE:
        return str(at)


def _as_text(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: str(v) if isinstance(v, bytes) else v for name, v in facts.items()}


def _walk(seen: _Seen, row: Row) -> None:
    team, thing, seq, _, _, _, revision, body, prev, hash = row
    seen.follow(team, thing, seq, prev, hash, hash_of(prev, facts_of(row)))
    # The state stands last in the body, word for word as it was stored.
    seen.ends[team, thing] = _End(revision, str(body).partition(',"state":')[2][:-1])


async def _walk_seals(store: Store, seen: _Seen) -> set[tuple[str, str, int]]:
    sealed: set[tuple[str, str, int]] = set()
    async for team, seq, at, heads, prev, hash in _pages(store, _SEALS, ("", 0)):
        real = hash_of(prev, {"team": team, "seq": seq, "at": _instant(at), "heads": heads})
        seen.follow(team, "seal", seq, prev, hash, real)
        if hash != real:
            continue
        for thing, thing_seq, thing_hash in json.loads(heads):
            sealed.add((team, thing, thing_seq))
            if not seen.has(team, thing, (thing_seq, thing_hash)):
                seen.find(team, thing, thing_seq, f"seal {seq} saw another row here")
    return sealed


def _compare(seen: _Seen, sealed: set[tuple[str, str, int]], row: Row) -> None:
    team, thing, seq, hash, sealed_seq, revision, state = row
    chain = seen.hashes.get((team, thing), [])
    if (len(chain), chain[-1] if chain else "") != (seq, hash):
        seen.find(team, thing, seq, "the journal does not end where the thing says it does")
    if sealed_seq and (team, thing, sealed_seq) not in sealed:
        seen.find(team, thing, sealed_seq, "the seal of this row is gone")
    end = seen.ends.get((team, thing))
    if end is not None and end.revision == revision and state and end.state != state:
        seen.find(team, thing, seq, "its state is not the one that was journalled")


def _anchor(text: str) -> tuple[str, Head]:
    found = _ANCHOR.fullmatch(text.strip().strip("`"))
    if found is None:
        raise BadAnchor(
            f"{text!r} is no anchor. It reads THING:NUMBER:HASH, e.g. D-1:4: and the 64 letters "
            "and digits of the hash."
        )
    return found[1], (int(found[2]), found[3])


def _mind_anchor(seen: _Seen, thing: str, head: Head) -> None:
    teams = [team for team, known in seen.hashes if known == thing]
    if not any(seen.has(team, thing, head) for team in teams):
        seen.find("", thing, head[0], "the row that was posted outside is not there")
