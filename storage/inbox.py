"""The inbox: what was taken in, and what came of it."""

from datetime import datetime

from bot.domain.refusal import Outcome
from bot.memory import Duplicate, InboxKey
from storage import coding
from storage.connection import Connection, NotAsHoped, first

_FIND = """
SELECT body_hash, outcome FROM inbox WHERE team = :team AND kind = :kind AND key = :key"""

# A second transaction with the same key waits here until the first has committed.
_ADD = """
INSERT INTO inbox (team, kind, key, body_hash, outcome, at)
VALUES (:team, :kind, :key, :body_hash, :outcome, :at)
ON CONFLICT (team, kind, key) DO NOTHING"""


class SqlInbox:
    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        #: Taken for new without a question, because `add` will find out.
        self.hopes: set[InboxKey] = set()
        self._added: set[InboxKey] = set()

    async def find(self, key: InboxKey) -> Outcome | None:
        if self._connection.gathers and key not in self._added:
            self.hopes.add(key)
            return None
        row = await first(self._connection, _FIND, team=key.team, kind=key.kind, key=key.key)
        if row is None:
            return None
        if row[0] != key.body_hash:
            raise Duplicate(f"{key.kind} {key.key} came before with another body")
        outcome: Outcome = coding.load(Outcome, row[1])
        return outcome

    async def add(self, key: InboxKey, outcome: Outcome) -> None:
        self.hopes.discard(key)
        self._added.add(key)
        added = await self._connection.write_one(
            _ADD,
            team=key.team,
            kind=key.kind,
            key=key.key,
            body_hash=key.body_hash,
            outcome=coding.dump(outcome),
            at=self._now,
        )
        if not added:
            raise Duplicate(f"{key.kind} {key.key} was taken in before")

    def settle(self) -> None:
        """Before the commit. Raises `NotAsHoped` when somebody only wanted to know."""
        if self.hopes:
            raise NotAsHoped("the inbox was not asked")
