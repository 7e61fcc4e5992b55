"""A story told by a seed: people, replicas, faults and time, in any order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

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
from bot.domain.offer import still_means
from bot.domain.plan import ApprovalStage
from bot.domain.refusal import Outcome
from bot.domain.release import Target
from bot.memory import InboxKey, Store
from bot.ports import Unavailable
from bot.previews import wish_for
from bot.writer import Source
from tests.builders import ANA, CHRIS, DANA, DEVO, QUINN, SAM, TESS, a_version
from tests.fakes import Split
from tests.simulation import oracle
from tests.simulation.cast import Cast
from tests.simulation.fate import STEP, Crash, Step
from tests.simulation.replica import Replica
from tests.simulation.team import ANA_AT_HOME, NEW, SERVICES
from tests.simulation.witness import Key

PEOPLE = (DANA, DEVO, ANA, ANA_AT_HOME, QUINN, SAM, TESS, CHRIS, "U0STRANGER")
SIGNERS = (ANA, QUINN, QUINN, TESS, ANA_AT_HOME, CHRIS)


Do = Callable[[Replica, Source], Awaitable[Outcome]]


@dataclass
class Sent:
    """One delivery of Slack's, which may come again; `outcome` once it is known."""

    do: Do
    source: Source
    promotes: Key | None = None
    is_stale: bool = False
    outcome: Outcome | None = None


class Play(Cast):
    def __init__(self, seed: int, store: Store) -> None:
        super().__init__(seed, store)
        self.sent: list[Sent] = []
        self.racing.rival = self._rival

    async def run(self, steps: int) -> None:
        await self._begin()
        await self._they_have_come_so_far()
        moves: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (100, self._some_time),
            (20, self._time_passes),
            (20, self._lap),
            (20, self._drain),
            (8, self._request),
            (45, self._sign),
            (8, self._wish),
            (6, self._again),
            (5, self.mishaps.trouble),
            (14, self.mishaps.kindness),
            (4, self.mishaps.crash_soon),
            (3, self.mishaps.crash_after_a_call),
            (3, self.mishaps.stand_still),
            (5, self.go_on),
            (4, self.mishaps.mood),
            (4, self.mishaps.races),
            (3, self.mishaps.stand_still_at_the_router),
            (3, self.mishaps.slow_road),
            (4, self.road.arrives),
            (2, self.mishaps.doubt),
            (1, self.mishaps.somebody_leaves),
            (1, self.mishaps.a_tag_moves),
            (2, self._nobody_works),
            (1, self.mishaps.jump),
            (1, self.mishaps.database),
        ]
        weights = [weight for weight, _ in moves]
        for _ in range(steps):
            ((_, move),) = self.random.choices(moves, weights)
            await move()
            await self.look()

    # --- what happens --------------------------------------------------------------------------

    async def _begin(self) -> None:
        for number, target in enumerate(oracle.TARGETS):
            if target.service == NEW:
                self.world.router.splits[target] = Split((), ())
                continue
            source = Source(InboxKey(target.team, "host", f"adopt{number}", "x"))
            await self.replicas[0].engine.adopt(target, a_version("v1.8.2"), "host:root", source)
        self.seen = await oracle.picture(self.plain_store)

    async def _they_have_come_so_far(self) -> None:
        """Where all is well nothing is learnt, so that part is told quickly."""
        for _ in range(self.random.choice((0, 2, 4, 6))):
            await self._request()
        for _ in range(self.random.randint(0, 16)):
            for d in self.seen.unfinished:
                if isinstance(d.stage, ApprovalStage):
                    await self._tell(d.team, d.id, Approved(self.random.choice((ANA, QUINN))), None)
            await self.beat(timedelta(seconds=20))

    async def _time_passes(self) -> None:
        self.clock.pass_(timedelta(seconds=self.random.choice((1, 5, 5, 15, 30, 60))))

    async def _nobody_works(self) -> None:
        """And whoever comes back presses the first button there is."""
        self.clock.pass_(timedelta(minutes=self.random.choice((6, 21))))
        await self._sign()

    async def _some_time(self) -> None:
        self.clock.pass_(timedelta(seconds=20))
        await self._lap()
        await self.look()
        await self._drain()

    async def _lap(self) -> None:
        await self.step(Replica.lap)

    async def _drain(self) -> None:
        await self.step(Replica.drain)

    async def _request(self) -> None:
        service = self.random.choice(SERVICES)
        if sum(d.plan.service == service for d in self.seen.unfinished) > 1:
            return
        self._count += 1
        version = a_version(f"v2.{self._count}")
        self.world.releases.known[service, version.name] = version
        policy = self.policies.services[service]
        plan = self.random.choice(list(policy.plans.values()))
        wish = wish_for(self.random.choice(PEOPLE), version, plan, policy)
        await self._send(
            Sent(lambda replica, source: replica.engine.request(wish, source), self.source())
        )

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
        by = self.random.choice(SIGNERS)
        do: Do = lambda replica, source: replica.engine.unlock(target, by, "done", source)  # noqa: E731
        await self._send(Sent(do, self.source(target.team)))

    async def _tell(self, team: str, id: str, wish: Wish, offer: int | None) -> None:
        do: Do = lambda replica, source: replica.engine.apply(id, wish, source, offer)  # noqa: E731
        promotes = (team, id) if isinstance(wish, Promoted) else None
        known = self.seen.deployments.get((team, id))
        is_stale = known is not None and offer is not None and not still_means(known, wish, offer)
        await self._send(Sent(do, self.source(team), promotes, is_stale))

    async def _rival(self, key: Key) -> None:
        """Somebody presses a button about the same deployment, and is first."""
        team, id = key
        d = self.seen.deployments.get(key)
        if d is None:
            return
        wishes: list[Wish] = [Held(DANA), Approved(self.random.choice(SIGNERS)), Promoted(TESS)]
        if d.phase is Phase.HELD:
            wishes = [Resumed(SAM)]
        elif d.is_touched:
            wishes = [Held(DANA), RollbackRequested(SAM, "500s on /pay")]
        elif isinstance(d.stage, ApprovalStage):
            wishes = [Approved(self.random.choice(SIGNERS)), Held(DANA)]
        self.fate.pause_in = self.fate.crash_in = None
        await self._tell(team, id, self.random.choice(wishes), None)

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
        if not self.awake:
            return
        replica = self.random.choice(self.awake)
        self.fate.pause_in = None
        STEP.set(Step())
        try:
            sent.outcome = await sent.do(replica, sent.source)
        except Unavailable:
            pass
        except Crash:
            self.replaced(replica)
        await self.look(sent.promotes)
        if sent.outcome is not None:
            await self._answered(sent, sent.outcome)

    async def _answered(self, sent: Sent, outcome: Outcome) -> None:
        stored = await self.plain_store.run(lambda tx: tx.inbox.find(sent.source.key))
        assert stored == outcome, "what is answered is stored (G1)"
        assert not sent.is_stale or outcome.refusal, "an old button does nothing (S20)"
