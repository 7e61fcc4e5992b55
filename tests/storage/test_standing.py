"""What routers know better is found after a start, and nothing that they know as well."""

from dataclasses import dataclass
from random import Random

import pytest

from bot.auditor import Auditor, Limits
from bot.domain.deployment import Phase
from bot.domain.release import Weights
from bot.memory import Transaction
from bot.numbers import Numbers
from bot.restored import Restored
from storage.invariants import Invariants
from storage.store import OpenStore
from tests.builders import NOW, PATIENCE, a_deployment, a_plan, a_target, a_version
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld, Trouble
from tests.handlers.office import policies
from tests.simulation.fate import Fate
from tests.simulation.replica import TICK, Replica, guard
from tests.storage.alarms import add, canary

HERE = a_target()
OLD: Weights = (("v1.8.2", 100),)
NEW: Weights = (("v1.8.3", 100),)


@dataclass
class Start:
    """A bot that has just started, and the router it asks."""

    store: OpenStore

    def __post_init__(self) -> None:
        self.fate = Fate(Random(1))
        self.world = FakeWorld(Clock(), self.fate)
        known, clock, self.numbers = policies("checkout"), Clock(), Numbers()
        replica = Replica("one", self.store, known, self.world, FakeChat(clock), clock, Random(1))
        self.auditor = Auditor(
            *(self.store, replica.engine, known, Invariants(), self.numbers, "one", guard),
            Limits.of(PATIENCE, TICK),
        )
        ports = self.world.ports()
        self.restored = Restored(self.store, replica.engine, ports, Invariants(), self.auditor)

    def router(self, weights: Weights, fence: int) -> None:
        split = self.world.router.split(HERE)
        split.live = split.wanted = weights
        split.fence = fence

    async def alarms(self) -> dict[str, int]:
        await self.restored.look()
        await self.auditor.audit()
        return dict(self.numbers.alarms)

    async def fence(self) -> int:
        around = await self.store.run(lambda tx: tx.deployments.surroundings(HERE, None))
        return around.slot.fence


@pytest.fixture
async def start(store: OpenStore) -> Start:
    async def unit(tx: Transaction) -> None:
        await tx.environments.serves(HERE, a_version("v1.8.2"), NOW)
        await tx.environments.take(HERE, "D-1", 1)
        await tx.environments.free(HERE, "D-1")

    await store.run(unit)
    return Start(store)


@pytest.mark.parametrize(
    ("weights", "fence"), [(OLD, 0), (OLD, (1 << 24) + 40), ((*OLD, ("v1.8.3", 0)), 0), ((), 0)]
)
async def test_a_router_that_knows_the_same_alarms_nobody(
    start: Start, weights: Weights, fence: int
) -> None:
    start.router(weights, fence)

    assert await start.alarms() == {}
    assert await start.fence() == 1


@pytest.mark.parametrize(
    ("weights", "fence"),
    [(NEW, 0), (NEW, 7 << 24), (OLD, 7 << 24), ((("v1.8.2", 90), ("v1.8.3", 10)), 0)],
)
async def test_what_the_router_knows_better_stops_everything_there(
    start: Start, weights: Weights, fence: int
) -> None:
    waiting = a_deployment(plan=a_plan(kind="standard"), cursor=2)
    await start.store.run(lambda tx: add(tx, waiting))
    start.router(weights, fence)

    assert await start.alarms() == {"ahead": 1}
    assert await start.alarms() == {"ahead": 1}, "told once"
    held = await start.store.run(lambda tx: tx.deployments.get(waiting.team, waiting.id))
    assert held is not None
    assert held.phase is Phase.HELD
    assert await start.fence() == max(1, fence >> 24)

    serving = a_version(weights[-1][0])

    async def adopt(tx: Transaction) -> None:
        await tx.environments.serves(HERE, serving, tx.now)

    await start.store.run(adopt)
    assert await start.alarms() == {}, "a person has said what serves"


async def test_a_canary_whose_router_knows_newer_commands_is_held(start: Start) -> None:
    d = canary(fence=2)

    async def unit(tx: Transaction) -> None:
        await add(tx, d)
        await tx.environments.take(HERE, d.id, 2)

    await start.store.run(unit)
    start.router((("v1.8.3", 50), ("v1.8.2", 50)), (2 << 24) + 900)

    await start.restored.look()

    held = await start.store.run(lambda tx: tx.deployments.get(d.team, d.id))
    assert held is not None
    assert (held.phase, held.is_behind, held.fence) == (Phase.HELD, True, 3)
    assert await start.fence() == 3


async def test_a_router_that_is_away_is_asked_again(start: Start) -> None:
    start.router(NEW, 0)
    start.fate.odds["router"] = {Trouble.DOWN: 1.0}
    assert await start.alarms() == {}

    start.fate.odds.clear()
    assert await start.alarms() == {"ahead": 1}


async def test_a_router_that_answered_is_not_asked_again(start: Start) -> None:
    assert await start.alarms() == {}
    start.router(NEW, 0)

    assert await start.alarms() == {}, "whoever moves traffic by hand later is left alone"
