"""A story told by a seed: people, replicas, faults and time, in any order."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from bot.domain.deployment import Phase
from bot.domain.events import (
    Approved,
    Cancelled,
    Held,
    Promoted,
    Rejected,
    Resumed,
    RollbackAbandoned,
    RollbackRequested,
    Wish,
)
from bot.domain.plan import ApprovalStage
from bot.domain.refusal import Outcome
from bot.domain.release import Target
from bot.memory import InboxKey, Store
from bot.ports import Unavailable
from bot.previews import wish_for
from bot.writer import Source
from tests.builders import ANA, CHRIS, DANA, DEVO, QUINN, SAM, TEAM, TESS, a_version
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld
from tests.simulation import oracle
from tests.simulation.fate import Crash, Fate, FatefulStore
from tests.simulation.mishaps import Mishaps
from tests.simulation.replica import Replica
from tests.simulation.team import SERVICES, policies

PEOPLE = (DANA, DEVO, ANA, QUINN, SAM, TESS, CHRIS, "U0STRANGER")
SIGNERS = (ANA, QUINN, TESS, CHRIS)


@dataclass
class Sent:
    """One delivery of Slack's, which may come again; `outcome` once it is known."""

    do: Callable[[Replica], Awaitable[Outcome]]
    promotes: oracle.Key | None
    outcome: Outcome | None = None


@dataclass
class Stuck:
    """A replica in the middle of something, that has not heard what happened since."""

    replica: Replica
    task: asyncio.Task[None]
    going_on: asyncio.Event


class Play:
    def __init__(self, seed: int, store: Store) -> None:
        self.random = Random(seed)
        self.clock = Clock()
        self.fate = Fate(self.random)
        self.world = FakeWorld(self.clock, self.fate)
        self.chat = FakeChat(self.clock, self.fate)
        self.chat.is_readable = self.random.random() < 0.8
        self.policies = policies()
        self.oracle = oracle.Oracle(self.world)
        self.plain_store = store
        self.store = FatefulStore(store, self.fate)
        self.mishaps = Mishaps(self.random, self.fate, self.world, self.clock, self.oracle)
        self.sent: list[Sent] = []
        self.stuck: list[Stuck] = []
        self.dead: list[str] = []
        self.seen = oracle.Picture({}, {})
        self._count = 0
        self.replicas = [self._replica() for _ in range(self.random.randint(1, 3))]

    async def run(self, steps: int) -> None:
        await self._begin()
        moves: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (60, self._some_time),
            (20, self._time_passes),
            (20, self._lap),
            (20, self._drain),
            (8, self._request),
            (20, self._sign),
            (8, self._wish),
            (6, self._again),
            (5, self.mishaps.trouble),
            (8, self.mishaps.kindness),
            (4, self.mishaps.crash_soon),
            (3, self.mishaps.stand_still),
            (5, self._go_on),
            (4, self.mishaps.mood),
            (1, self.mishaps.jump),
            (1, self.mishaps.database),
        ]
        weights = [weight for weight, _ in moves]
        for _ in range(steps):
            ((_, move),) = self.random.choices(moves, weights)
            await move()
            await self.look()

    async def look(self, promoted: oracle.Key | None = None) -> None:
        before, self.seen = self.seen, await oracle.picture(self.plain_store)
        self.oracle.check(before, self.seen, self.clock.now, promoted)

    # --- what happens --------------------------------------------------------------------------

    async def _begin(self) -> None:
        for number, target in enumerate(oracle.TARGETS):
            source = Source(InboxKey(target.team, "host", f"adopt{number}", "x"))
            await self.replicas[0].engine.adopt(target, a_version("v1.8.2"), "host:root", source)
        self.seen = await oracle.picture(self.plain_store)

    async def _time_passes(self) -> None:
        self.clock.pass_(timedelta(seconds=self.random.choice((1, 5, 5, 15, 30, 60))))

    async def _some_time(self) -> None:
        self.clock.pass_(timedelta(seconds=20))
        await self._lap()
        await self.look()
        await self._drain()

    async def _lap(self) -> None:
        await self._step(Replica.lap)

    async def _drain(self) -> None:
        await self._step(Replica.drain)

    async def _step(self, work: Callable[[Replica], Awaitable[None]]) -> None:
        place = self.random.randrange(len(self.replicas))
        replica = self.replicas[place]
        if any(stuck.replica is replica for stuck in self.stuck):
            return
        self.fate.paused.clear()
        self.fate.going_on = asyncio.Event()
        task = asyncio.ensure_future(work(replica))
        paused = asyncio.ensure_future(self.fate.paused.wait())
        await asyncio.wait({task, paused}, return_when=asyncio.FIRST_COMPLETED)
        paused.cancel()
        if task.done():
            await self._ended(replica, task)
        else:
            self.stuck.append(Stuck(replica, task, self.fate.going_on))

    async def _ended(self, replica: Replica, task: "asyncio.Future[None]") -> None:
        try:
            await task
        except Crash:
            self._replace(replica)

    async def _request(self) -> None:
        service = self.random.choice(SERVICES)
        if sum(d.plan.service == service for d in self.seen.unfinished) > 1:
            return
        self._count += 1
        version = a_version(f"v2.{self._count}")
        self.world.releases.known[service, version.name] = version
        policy = self.policies.services[service]
        plan = next(iter(policy.plans.values()))
        wish = wish_for(self.random.choice(PEOPLE), version, plan, policy)
        source = self._source()
        await self._send(Sent(lambda replica: replica.engine.request(wish, source), None))

    async def _sign(self) -> None:
        waiting = [d for d in self.seen.unfinished if isinstance(d.stage, ApprovalStage)]
        if waiting:
            d = self.random.choice(waiting)
            wish = Approved(self.random.choice(SIGNERS))
            await self._tell(d.team, d.id, wish, None)

    async def _wish(self) -> None:
        if not self.seen.deployments:
            return
        d = self.random.choice(self.seen.unfinished or list(self.seen.deployments.values()))
        by = self.random.choice(PEOPLE)
        wishes: list[Wish] = [
            Approved(by),
            Held(by),
            Resumed(by),
            Promoted(by),
            Rejected(by, "no"),
            Cancelled(by, "no"),
            RollbackRequested(by, "500s on /pay"),
            RollbackAbandoned(by, "by hand"),
        ]
        is_held = d.phase is Phase.HELD
        (wish,) = self.random.choices(wishes, (4, 3, 60 if is_held else 3, 8, 1, 1, 4, 2))
        team = d.team if self.random.random() < 0.9 else self.random.choice(oracle.TEAMS)
        offer = self.random.choice((None, d.offer, d.offer - 1))
        await self._tell(team, d.id, wish, offer)
        if self.random.random() < 0.3:
            await self._unlock(d.target)

    async def _unlock(self, target: Target) -> None:
        by, source = self.random.choice(SIGNERS), self._source(target.team)
        sent = Sent(lambda replica: replica.engine.unlock(target, by, "done", source), None)
        await self._send(sent)

    async def _tell(self, team: str, id: str, wish: Wish, offer: int | None) -> None:
        source = self._source(team)
        promotes = (team, id) if isinstance(wish, Promoted) else None
        do: Callable[[Replica], Awaitable[Outcome]] = lambda replica: replica.engine.apply(  # noqa: E731
            id, wish, source, offer
        )
        await self._send(Sent(do, promotes))

    async def _again(self) -> None:
        """An old delivery comes once more: it must answer the same and change nothing."""
        if not self.sent:
            return
        sent = self.random.choice(self.sent)
        if sent.outcome is None:
            await self._send(sent)
            return
        known = sent.outcome
        await self._send(sent)
        assert sent.outcome == known, "a delivery counts once (G2)"
        after = await oracle.picture(self.plain_store)
        assert after.deployments == self.seen.deployments, "a delivery counts once (G2)"

    async def _send(self, sent: Sent) -> None:
        if sent not in self.sent:
            self.sent.append(sent)
        awake = [r for r in self.replicas if all(s.replica is not r for s in self.stuck)]
        if not awake:
            return
        replica = self.random.choice(awake)
        self.fate.pause_in = None
        try:
            sent.outcome = await sent.do(replica)
        except Unavailable:
            pass
        except Crash:
            self._replace(replica)
        await self.look(sent.promotes)

    # --- what goes wrong -----------------------------------------------------------------------

    async def _go_on(self) -> None:
        if self.stuck:
            stuck = self.stuck.pop(self.random.randrange(len(self.stuck)))
            self.fate.pause_in = None
            stuck.going_on.set()
            await self._ended(stuck.replica, stuck.task)

    # --- its end -------------------------------------------------------------------------------

    async def settle(self) -> None:
        """No more faults: everything comes to rest within half an hour of virtual time."""
        self.fate.be_kind()
        while self.stuck:
            await self._go_on()
            await self.look()
        self.mishaps.end()
        end = self.clock.passed + oracle.LONGEST_SETTLING.total_seconds()
        while not all(oracle.is_at_rest(d, self.seen) for d in self.seen.unfinished):
            left = [(d.id, d.phase, d.waits_for) for d in self.seen.unfinished]
            assert self.clock.passed < end, f"still not at rest: {left}"
            await self.beat(timedelta(seconds=10))
        await self.beat(timedelta(seconds=10))

    async def beat(self, time: timedelta) -> None:
        """Time passes, and every replica does its work."""
        self.clock.pass_(time)
        for replica in self.replicas:
            await replica.lap()
            await self.look()
            await replica.drain()
            await self.look()

    # --- the replicas --------------------------------------------------------------------------

    def _replace(self, replica: Replica) -> None:
        self.dead += [why for _, why in replica.dead]
        self.replicas[self.replicas.index(replica)] = self._replica()

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

    def _source(self, team: str | None = None) -> Source:
        self._count += 1
        team = team or (TEAM if self.random.random() < 0.8 else oracle.OTHER_TEAM)
        return Source(InboxKey(team, "test", f"k{self._count}", "body"), f"https://h/{self._count}")
