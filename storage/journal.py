"""The journal: one hash chain per thing, each row in the transaction of what it tells."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain import canon
from bot.domain.deployment import Deployment
from bot.domain.effects import Entry
from bot.memory import StaleRevision
from storage import coding, writing
from storage.connection import Conflict, Connection, first, moment

Head = tuple[int, str]

_APPEND = """
INSERT INTO journal (team, thing, seq, at, event, actor, revision, body, prev, hash)
VALUES (:team, :thing, :seq, :at, :event, :actor, :revision, :body, :prev, :hash)"""

# A deployment keeps its head in its own row, which every transition writes anyway.
_HEAD = """
SELECT journal_seq, journal_hash FROM deployments WHERE team = :team AND id = :thing
UNION ALL
SELECT seq, hash FROM heads WHERE team = :team AND thing = :thing"""

_MEND_HEAD = """
UPDATE deployments SET journal_seq = :seq, journal_hash = :hash
WHERE team = :team AND id = :thing"""

_LOOSE_HEAD = """
INSERT INTO heads (team, thing, seq, hash, sealed_seq) VALUES (:team, :thing, :seq, :hash, 0)
ON CONFLICT (team, thing) DO UPDATE SET seq = excluded.seq, hash = excluded.hash"""

_STORY = "SELECT at, body FROM journal WHERE team = :team AND thing = :thing ORDER BY seq"


def linked(prev: str, facts: dict[str, Any]) -> str:
    """The hash of a row: of the row before it and of everything it says itself."""
    return hashlib.sha256((prev + writing.mapping(facts)).encode()).hexdigest()


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ", "microseconds")


class SqlJournal:
    """Remembers the heads it saw in this transaction, so that a new row is one statement."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._heads: dict[tuple[str, str], Head] = {}
        self._stored: dict[tuple[str, str], Head] = {}
        self._loose: set[tuple[str, str]] = set()
        self._encoded: tuple[Deployment, str] | None = None

    async def append(
        self, d: Deployment, event: str, by: str | None, entries: Sequence[Entry]
    ) -> None:
        if self._connection.gathers and d.revision == 0 and (d.team, d.id) not in self._heads:
            # Most likely its first row; if not, the number is taken and the unit runs again.
            self.head_is_stored(d.team, d.id, (0, ""))
        await self._write(d.team, d.id, event, by, d.revision + 1, entries, self.state_text(d))

    async def note(
        self, team: str, thing: str, event: str, by: str | None, entries: Sequence[Entry]
    ) -> None:
        await self._write(team, thing, event, by, 0, entries, "null")
        self._loose.add((team, thing))

    async def story(self, team: str, thing: str) -> tuple[tuple[datetime, Entry], ...]:
        rows = await self._connection.rows(_STORY, team=team, thing=thing)
        read = canon.decoder(Entry)
        return tuple(
            (moment(at), read(entry)) for at, body in rows for entry in json.loads(body)["entries"]
        )

    async def head(self, team: str, thing: str) -> Head:
        known = self._heads.get((team, thing))
        if known is not None:
            return known
        row = await first(self._connection, _HEAD, team=team, thing=thing)
        head = (0, "") if row is None else (row[0], row[1])
        self.head_is_stored(team, thing, head)
        return head

    def known_head(self, team: str, thing: str) -> Head:
        """What was appended in this transaction, for a thing that has no row yet."""
        return self._heads.get((team, thing), (0, ""))

    def head_is_stored(self, team: str, thing: str, head: Head) -> None:
        """The thing's own row says so; what was appended since then stays the newest."""
        key = (team, thing)
        if self._heads.get(key) == self._stored.get(key):
            self._heads[key] = head
        self._stored[key] = head

    async def settle(self) -> None:
        """Before the commit: heads that no saved deployment took along."""
        for (team, thing), head in self._heads.items():
            if head == self._stored.get((team, thing)):
                continue
            facts = {"team": team, "thing": thing, "seq": head[0], "hash": head[1]}
            if await self._connection.change(_MEND_HEAD, **facts):
                continue
            if (team, thing) not in self._loose:
                raise AssertionError(f"{thing} was journalled and never stored")
            await self._connection.change(_LOOSE_HEAD, **facts)

    async def _write(
        self,
        team: str,
        thing: str,
        event: str,
        by: str | None,
        revision: int,
        entries: Sequence[Entry],
        state: str,
    ) -> None:
        prev_seq, prev = await self.head(team, thing)
        facts: dict[str, Any] = {
            "team": team,
            "thing": thing,
            "seq": prev_seq + 1,
            "at": instant(self._now),
            "event": event,
            "actor": by,
            "revision": revision,
            "body": f'{{"entries":{coding.dump(tuple(entries))},"state":{state}}}',
        }
        hash = linked(prev, facts)
        facts["at"] = self._now
        try:
            await self._connection.write_one(_APPEND, **facts, prev=prev, hash=hash)
        except Conflict as conflict:
            raise StaleRevision(f"somebody else wrote about {thing} first") from conflict
        self._heads[team, thing] = (prev_seq + 1, hash)

    def state_text(self, d: Deployment) -> str:
        """The stored state; the journal and the row of one transition share the work."""
        if self._encoded is None or self._encoded[0] is not d:
            self._encoded = (d, coding.state_text(d))
        return self._encoded[1]
