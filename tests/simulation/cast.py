"""Everybody in a story: replicas that crash and stand still, the world, the clock, the watchers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from bot.memory import InboxKey, Store
from bot.writer import Source
from tests.builders import TEAM
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld
from tests.simulation import oracle
from tests.simulation.fate import STEP, Crash, Fate, FatefulStore, Step
from tests.simulation.mishaps import Mishaps
from tests.simulation.race import RacingStore
from tests.simulation.replica import Replica
from tests.simulation.road import SlowRoad
from tests.simulation.team import policies, staff
from tests.simulation.witness import Key, Witness, WitnessedStore


@dataclass
class Stuck:
    """A replica in the middle of something, that has not heard what happened since."""

    replica: Replica
    task: asyncio.Task[None]
    going_on: asyncio.Event


class Cast:
    def __init__(self, seed: int, store: Store) -> None:
        self.random = Random(seed)
        self.clock = Clock()
        self.fate = Fate(self.random, seconds=self.clock.seconds)
        self.witness = Witness()
        self.world = FakeWorld(self.clock, self.fate)
        self.road = SlowRoad(self.clock, self.fate, witness=self.witness, random=self.random)
        self.world.router = self.road
        self.chat = FakeChat(self.clock, self.fate)
        self.chat.is_readable = self.random.random() < 0.8
        people = staff()
        self.policies = policies(people)
        self.oracle = oracle.Oracle(self.world, self.policies.people)
        self.witness.look_at_door = self.oracle.door
        self.plain_store = store
        self.racing = RacingStore(WitnessedStore(store, self.witness), self.random)
        self.racing.odds = self.random.choice((0.0, 0.05))
        self.store = FatefulStore(self.racing, self.fate)
        self.mishaps = Mishaps(
            self.random,
            self.fate,
            self.world,
            self.road,
            self.racing,
            self.clock,
            self.oracle,
            people,
        )
        self.stuck: list[Stuck] = []
        self.dead: list[str] = []
        self.seen = oracle.Picture({}, {})
        self._count = 0
        self.replicas = [self._replica() for _ in range(self.random.choice((1, 2, 2, 3)))]

    async def look(self, promoted: Key | None = None) -> None:
        before, self.seen = self.seen, await oracle.picture(self.plain_store)
        self.oracle.check(before, self.seen, self.clock.now, promoted)

    @property
    def awake(self) -> list[Replica]:
        return [r for r in self.replicas if all(s.replica is not r for s in self.stuck)]

    async def step(self, work: Callable[[Replica], Awaitable[None]]) -> None:
        """One replica works until it is done, dies, or stands still."""
        replica = self.random.choice(self.replicas)
        if replica not in self.awake:
            return
        self.fate.paused.clear()
        self.fate.going_on = asyncio.Event()
        STEP.set(Step())
        task = asyncio.ensure_future(work(replica))
        paused = asyncio.ensure_future(self.fate.paused.wait())
        await asyncio.wait({task, paused}, return_when=asyncio.FIRST_COMPLETED)
        paused.cancel()
        if task.done():
            await self._ended(replica, task)
        else:
            self.stuck.append(Stuck(replica, task, self.fate.going_on))

    async def go_on(self) -> None:
        """One that stood still wakes up, and knows nothing of it."""
        if self.stuck:
            stuck = self.stuck.pop(self.random.randrange(len(self.stuck)))
            self.fate.pause_in = self.fate.pause_at = None
            stuck.going_on.set()
            await self._ended(stuck.replica, stuck.task)

    async def settle(self) -> None:
        """No more faults: everything comes to rest within half an hour of virtual time."""
        self.fate.be_kind()
        self.racing.odds = 0.0
        while self.stuck:
            await self.go_on()
            await self.look()
        await self.mishaps.end()
        end = self.clock.passed + oracle.LONGEST_SETTLING.total_seconds()
        while not all(oracle.is_at_rest(d, self.seen) for d in self.seen.unfinished):
            left = [(d.id, d.phase, d.waits_for) for d in self.seen.unfinished]
            assert self.clock.passed < end, f"still not at rest: {left}"
            await self.beat(timedelta(seconds=10))
        await self.beat(timedelta(seconds=10))

    async def beat(self, time: timedelta) -> None:
        """Time passes, and every replica does its work."""
        STEP.set(Step())
        self.clock.pass_(time)
        for replica in self.replicas:
            await replica.lap()
            await self.look()
            await replica.drain()
            await self.look()

    def replaced(self, replica: Replica) -> None:
        """*replica* is dead; another one starts in its place."""
        self.dead += [why for _, why in replica.dead]
        self.replicas[self.replicas.index(replica)] = self._replica()

    def source(self, team: str | None = None) -> Source:
        self._count += 1
        team = team or (TEAM if self.random.random() < 0.8 else oracle.OTHER_TEAM)
        return Source(InboxKey(team, "test", f"k{self._count}", "body"), f"https://h/{self._count}")

    async def _ended(self, replica: Replica, task: "asyncio.Future[None]") -> None:
        try:
            await task
        except Crash:
            self.replaced(replica)

    def _replica(self) -> Replica:
        self._count += 1
        return Replica(
            f"replica-{self._count}",
            self.store,
            self.policies,
            self.world,
            self.chat,
            self.clock,
            self.random,
        )
