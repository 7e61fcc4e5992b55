"""Two transactions at once, as a database lets them run that does not queue its writers."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random
from typing import TypeVar

from bot.domain.deployment import Deployment
from bot.memory import Claim, Deployments, Store, Surroundings, Transaction
from tests.simulation.witness import Key, Passing, WitnessedTransaction

T = TypeVar("T")

#: Does something about one deployment, and commits it.
Rival = Callable[[Key], Awaitable[None]]


class _About(Exception):
    """A transaction is about to save: this is the moment for somebody else."""


class RacingStore:
    """Now and then somebody else commits between what a transaction reads and what it saves.

    SQLite has one writer, so the transaction is rolled back before its first save, the other
    one runs, and then it runs again and reads the deployments it had read: that is what it
    would have in its hands where readers do not wait for writers. Rows that are read under a
    lock, as the surroundings are, it reads anew.
    """

    def __init__(self, store: Store, random: Random) -> None:
        self._store = store
        self._random = random
        self._is_racing = False
        self.rival: Rival | None = None
        self.odds = 0.0

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        is_quiet = self._is_racing or self.rival is None or not self.odds
        if is_quiet or self._random.random() >= self.odds:
            return await self._store.run(unit)
        read: dict[Key, Deployment | None] = {}

        async def until_it_saves(tx: Transaction) -> T:
            return await unit(WitnessedTransaction(tx, _Reader(tx.deployments, read, True)))

        async def as_if_nothing_was(tx: Transaction) -> T:
            return await unit(WitnessedTransaction(tx, _Reader(tx.deployments, read, False)))

        try:
            return await self._store.run(until_it_saves)
        except _About as about:
            await self._let_in(about.args[0])
        return await self._store.run(as_if_nothing_was)

    async def now(self) -> datetime:
        return await self._store.now()

    async def _let_in(self, key: Key) -> None:
        assert self.rival is not None
        self._is_racing = True
        try:
            await self.rival(key)
        finally:
            self._is_racing = False


class _Reader(Passing):
    """Remembers what is read and stops before a save, or reads what was remembered."""

    def __init__(
        self, inner: Deployments, read: dict[Key, Deployment | None], is_first: bool
    ) -> None:
        super().__init__(inner)
        self._read = read
        self._is_first = is_first

    async def get(self, team: str, id: str) -> Deployment | None:
        if not self._is_first and (team, id) in self._read:
            return self._read[team, id]
        found = await self._inner.get(team, id)
        return self._read.setdefault((team, id), found)

    async def look(self, team: str, id: str) -> tuple[Deployment, Surroundings] | None:
        found = await self._inner.look(team, id)
        d = await self.get(team, id)
        return None if found is None or d is None else (d, found[1])

    async def save(self, d: Deployment, due_at: datetime | None, claim: Claim | None) -> Deployment:
        if self._is_first:
            raise _About((d.team, d.id))
        return await self._inner.save(d, due_at, claim)
