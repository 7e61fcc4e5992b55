"""The auditor in any story at all: nothing a healthy program does alarms it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from bot.auditor import Auditor, Limits
from bot.domain.deployment import Phase
from bot.domain.slots import slot_count
from bot.engine import Engine
from bot.memory import Transaction
from bot.numbers import Numbers
from bot.restored import known_better
from bot.writer import Writer
from storage import audit
from storage.invariants import Invariants
from storage.sqlite import SqliteStore
from storage.transaction import connection_of
from tests.simulation.play import Play
from tests.simulation.replica import TICK, guard

SEEDS = int(os.environ.get("PILOTHOUSE_SEEDS", "15"))
FIRST = int(os.environ.get("PILOTHOUSE_FIRST_SEED", "1"))
STEPS = 250
MINUTE = timedelta(minutes=1)

#: While a story goes on, replicas stand still and the database is away: late is no mistake then.
PATIENT = Limits(*(timedelta(days=1),) * 3)


class AuditedPlay(Play):
    """Looks after every step, and lets the real auditor look every minute."""

    def __init__(self, seed: int, store: SqliteStore) -> None:
        super().__init__(seed, store)
        self.numbers = Numbers()
        self._auditor = self._auditor_with(PATIENT)
        self._audited_at = 0.0

    async def look(self, promoted: tuple[str, str] | None = None) -> None:
        await super().look(promoted)
        found = await self.plain_store.run(
            lambda tx: Invariants().violations(tx, PATIENT, ()),
        )
        assert found == ()
        await self._nothing_is_ahead()
        if self.clock.passed - self._audited_at >= MINUTE.total_seconds():
            self._audited_at = self.clock.passed
            await self._audit(self._auditor)

    async def _nothing_is_ahead(self) -> None:
        """As a bot that starts at this moment would find it."""
        for standing in await self.plain_store.run(Invariants().standing):
            here = self.seen.of(standing.target)
            if any(d.phase is Phase.ROLLBACK_FAILED for d in here):
                continue  # a person took over there, and traffic stands where it stands
            assert not any(d.is_behind for d in here)
            if standing.holder is None:
                split = self.world.router.split(standing.target)
                assert not known_better(standing, split.live, slot_count(split.fence))

    async def audit_the_end(self) -> None:
        """With the limits of every day, which count what is late, too."""
        auditor = self._auditor_with(Limits.of(self.policies.patience, TICK))
        for _ in range(3):
            await self.beat(timedelta(seconds=20))
            await self._audit(auditor)

    async def _audit(self, auditor: Auditor) -> None:
        await auditor.audit()
        assert self.numbers.alarms == {}

    def _auditor_with(self, limits: Limits) -> Auditor:
        engine = Engine(self.plain_store, self.policies, Writer(self.policies.people, TICK), TICK)
        known = (self.policies, Invariants(), self.numbers)
        return Auditor(self.plain_store, engine, *known, "auditor", guard, limits)


async def told(tx: Transaction) -> list[str]:
    sql = "SELECT thing FROM heads WHERE thing LIKE 'alarm:%'"
    return [row[0] for row in await connection_of(tx).rows(sql)]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
async def test_no_story_of_a_healthy_program_alarms_the_auditor(seed: int, database: Path) -> None:
    plays: list[AuditedPlay] = []
    store = await SqliteStore.open(database, lambda: plays[0].clock.now)
    play = AuditedPlay(seed, store)
    plays.append(play)
    try:
        await play.run(STEPS)
        await play.settle()
        await play.audit_the_end()
        assert await store.run(told) == []
        await store.run(Transaction.seal)
        assert not await audit.verify(store)
    except BaseException as error:
        error.add_note(f"PILOTHOUSE_FIRST_SEED={seed} PILOTHOUSE_SEEDS=1 tells this story again")
        raise
    finally:
        for stuck in play.stuck:
            stuck.task.cancel()
        await store.close()
