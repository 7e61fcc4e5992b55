"""A command that was on its way when people turned round moves nothing any more."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.deployment import Deployment, Phase
from bot.domain.events import Cancelled, RollbackRequested, Wish
from bot.domain.gates import Driver
from bot.domain.health import Verdict
from bot.domain.release import Target, Weights
from bot.memory import InboxKey
from bot.ports import InDoubt
from bot.writer import Source
from tests.builders import ANA, DANA, QUINN, SAM, TEAM, a_target
from tests.fakes import FakeRouter, Split
from tests.handlers.office import Office
from tests.simulation.fate import Crash


@dataclass
class SlowRouter(FakeRouter):
    """Keeps the first command on its way until `the_first_arrives`."""

    first: tuple[Driver, Target, Weights, int] | None = None
    asked: list[Weights] = field(default_factory=list)
    taken: list[Weights] = field(default_factory=list)

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        self.asked.append(weights)
        if self.first is None:
            self.first = (driver, target, weights, fence)
            raise InDoubt("the router is slow")
        await super().set_weights(driver, target, weights, fence)
        self.taken.append(weights)

    async def the_first_arrives(self) -> None:
        assert self.first is not None
        if self.first[3] >= self.split(self.first[1]).fence:
            await super().set_weights(*self.first)


@dataclass
class DeadlyRouter(FakeRouter):
    """Whoever asks it for the first time dies before it is heard."""

    asked: list[Weights] = field(default_factory=list)

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        self.asked.append(weights)
        if len(self.asked) == 1:
            raise Crash
        await super().set_weights(driver, target, weights, fence)


class NewOffice(Office):
    """Nothing serves `checkout` yet, and the policy lets it come."""

    def __init__(self, database: Path) -> None:
        super().__init__(database)
        service = self.policies.services["checkout"]
        plans = {at: replace(p, is_first_allowed=True) for at, p in service.plans.items()}
        services = {"checkout": replace(service, plans=plans)}
        self.policies = replace(self.policies, services=services)

    async def adopt(self, service: str, team: str = TEAM) -> None:
        """Nobody says that anything serves."""


def slow_router(office: Office) -> SlowRouter:
    router = SlowRouter(office.clock, office.fate)
    office.world.router = router
    return router


async def on_its_way(office: Office, router: SlowRouter | DeadlyRouter) -> None:
    """Signed, and asked of the router, which has not heard it."""
    await office.at_approval()
    for user in (ANA, QUINN):
        await office.presses(user, "dep.approve", await office.value("D-1"))
    for _ in range(20):
        if router.asked:
            return
        await office.beat()
    raise AssertionError("the router was never asked")


async def wishes(office: Office, wish: Wish) -> Deployment:
    await office.engine.apply("D-1", wish, Source(InboxKey(TEAM, "test", "k", "")))
    return await office.get("D-1")


async def test_back_is_told_to_the_router_though_it_never_was_away(database: Path) -> None:
    office = Office(database)
    router = slow_router(office)
    async with office:
        await on_its_way(office, router)
        assert dict(router.asked[0])["v1.8.3"] == 10

        await wishes(office, RollbackRequested(SAM, "500s on /pay"))
        office.clock.pass_(timedelta(seconds=6))
        await office.replica.lap()
        assert (await office.get("D-1")).phase is Phase.ROLLED_BACK
        assert not router.taken
        await office.replica.drain()
        await router.the_first_arrives()

    assert router.split(a_target()).live == (("v1.8.2", 100),)


async def test_a_first_deployment_that_was_ended_does_not_become_live_afterwards(
    database: Path,
) -> None:
    office = NewOffice(database)
    router = slow_router(office)
    router.splits[a_target()] = Split((), ())
    async with office:
        await on_its_way(office, router)

        ended = await wishes(office, Cancelled(DANA, "wrong version"))
        office.clock.pass_(timedelta(seconds=6))
        await office.replica.lap()
        assert not ended.is_over, "its command may still be under way"
        assert not (await office.get("D-1")).is_over, "nobody has told the router yet"
        over = await office.over("D-1")
        await router.the_first_arrives()
        await office.beat()

    assert over.phase is Phase.CANCELLED
    assert router.taken == [()]
    assert router.split(a_target()).live == ()


async def test_what_comes_late_while_it_is_being_ended_is_taken_back(database: Path) -> None:
    office = NewOffice(database)
    router = slow_router(office)
    router.splits[a_target()] = Split((), ())
    async with office:
        await on_its_way(office, router)

        await wishes(office, Cancelled(DANA, "wrong version"))
        await router.the_first_arrives()
        assert router.split(a_target()).live == (("v1.8.3", 100),)
        over = await office.over("D-1")

    assert over.phase is Phase.CANCELLED
    assert router.split(a_target()).live == ()


async def test_who_takes_over_does_not_ask_for_a_split_that_nobody_wants_any_more(
    database: Path,
) -> None:
    office = Office(database)
    router = DeadlyRouter(office.clock, office.fate)
    office.world.router = router
    office.world.checks.verdicts["serves"] = Verdict.UNKNOWN  # so that it stays on its way back
    async with office:
        with pytest.raises(Crash):
            await on_its_way(office, router)

        await wishes(office, RollbackRequested(SAM, "500s on /pay"))
        for _ in range(4):
            await office.beat()
        assert (await office.get("D-1")).phase is Phase.ROLLING_BACK

    first, *others = router.asked
    assert dict(first)["v1.8.3"] == 10
    assert set(others) == {(("v1.8.2", 100),)}
