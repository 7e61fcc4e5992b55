"""A store with a canary on its way, and an auditor, for what is planted behind its back."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from bot.auditor import Asks, Auditor, Limits
from bot.domain.deployment import Deployment, Phase, RollbackRun
from bot.domain.effects import Entry
from bot.domain.events import Resumed
from bot.domain.slots import Lock
from bot.memory import InboxKey, Transaction
from bot.numbers import Numbers
from bot.outbox import Guard
from bot.writer import Source
from storage.invariants import Invariants
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import CHRIS, NOW, SAM, TEAM, a_deployment, a_plan, a_target, a_version
from tests.fake_chat import FakeChat, Shown
from tests.fakes import Clock, FakeWorld
from tests.handlers.office import policies
from tests.simulation.replica import TICK, Replica, guard

HERE = "team = 'T0DEMO' AND service = 'checkout' AND environment = 'production'"
OLD = a_version("v1.8.2")


@dataclass
class Site:
    """A store with one canary on its way, and whoever looks after it."""

    store: OpenStore
    numbers: Numbers = field(default_factory=Numbers)
    chat: FakeChat = field(default_factory=lambda: FakeChat(Clock()))
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        known, clock = policies("checkout"), self.clock
        world = FakeWorld(clock)
        self.replica = Replica("one", self.store, known, world, self.chat, clock, Random(1))
        self.auditor = self.one_more("one")

    def one_more(self, owner: str, asks: Asks | None = None, under: Guard = guard) -> Auditor:
        engine, known = self.replica.engine, policies("checkout")
        return Auditor(
            *(self.store, engine, known, asks or Invariants(), self.numbers, owner, under),
            Limits.of(known.patience, TICK),
        )

    async def begin(self) -> None:
        """A deployment at its first step, as the engine would have left it."""
        d = canary()

        async def unit(tx: Transaction) -> None:
            await tx.environments.serves(d.target, OLD, tx.now)
            await add(tx, d)
            await tx.environments.take(d.target, d.id, d.fence)

        await self.store.run(unit)

    async def plant(self, *sqls: str) -> None:
        async def unit(tx: Transaction) -> None:
            for sql in sqls:
                past = {"past": tx.now - timedelta(hours=1)} if ":past" in sql else {}
                assert await connection_of(tx).change(sql, **past), sql

        await self.store.run(unit)

    async def row(self, sql: str) -> tuple[object, ...]:
        async def unit(tx: Transaction) -> tuple[object, ...]:
            return tuple((await connection_of(tx).rows(sql))[0])

        return await self.store.run(unit)

    async def canary(self) -> Deployment:
        found = await self.store.run(lambda tx: tx.deployments.get(TEAM, "D-142"))
        assert found is not None
        return found

    async def lock(self) -> Lock | None:
        return (await self.store.run(lambda tx: tx.deployments.surroundings(a_target(), None))).lock

    def counted(self, rule: str) -> float | None:
        return self.numbers.registry.get_sample_value(
            "pilothouse_invariant_violations", {"name": rule}
        )


def is_alarm(shown: Shown) -> bool:
    return "alarm:" in shown.key


def canary(**changes: object) -> Deployment:
    plan = a_plan(kind="standard")
    d = a_deployment(plan=plan, cursor=3, fence=1, is_touched=True, stable=OLD)
    return replace(d, **changes)  # type: ignore[arg-type]


async def add(tx: Transaction, d: Deployment) -> None:
    await tx.journal.append(d, "Requested", d.requested_by, [Entry("requested", ("Please",))])
    await tx.deployments.add(d, None if d.is_over else tx.now + timedelta(seconds=5))


def over(phase: Phase, id: str = "D-140") -> Deployment:
    run = RollbackRun(OLD, SAM, "500s", NOW, NOW)
    return canary(id=id, phase=phase, fence=0, rollback=run, finished_at=NOW)


async def step(tx: Transaction, words: str) -> None:
    d = await tx.deployments.get(TEAM, "D-142")
    assert d is not None
    await tx.journal.append(d, "Observed", None, [Entry("seen", (words,))])
    await tx.deployments.save(replace(d, waits_for=words), tx.now + timedelta(seconds=5), None)


async def unlock(site: Site) -> None:
    source = Source(InboxKey(TEAM, "host", "u", "u"))
    await site.replica.engine.unlock(a_target(), CHRIS, "seen", source)


async def resume(site: Site, key: str) -> None:
    source = Source(InboxKey(TEAM, "click", key, "c"))
    await site.replica.engine.apply("D-142", Resumed(SAM), source)
