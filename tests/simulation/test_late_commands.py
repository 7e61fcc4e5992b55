"""A command that was on its way when people turned round moves nothing any more."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.domain.deployment import Phase
from bot.domain.events import RollbackRequested
from bot.domain.gates import Driver
from bot.domain.release import Target, Weights
from bot.memory import InboxKey
from bot.ports import InDoubt
from bot.writer import Source
from tests.builders import ANA, QUINN, SAM, TEAM, a_target
from tests.fakes import FakeRouter
from tests.handlers.office import Office


@dataclass
class SlowRouter(FakeRouter):
    """Keeps the first command on its way until `the_first_arrives`."""

    first: tuple[Driver, Target, Weights, int] | None = None
    taken: list[Weights] = field(default_factory=list)

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        if self.first is None:
            self.first = (driver, target, weights, fence)
            raise InDoubt("the router is slow")
        await super().set_weights(driver, target, weights, fence)
        self.taken.append(weights)

    async def the_first_arrives(self) -> None:
        assert self.first is not None
        if self.first[3] >= self.split(self.first[1]).fence:
            await super().set_weights(*self.first)


async def test_back_is_told_to_the_router_though_it_never_was_away(database: Path) -> None:
    office = Office(database)
    router = SlowRouter(office.clock, office.fate)
    office.world.router = router
    async with office:
        await office.at_approval()
        for user in (ANA, QUINN):
            await office.presses(user, "dep.approve", await office.value("D-1"))
        while router.first is None:
            await office.beat()
        assert dict(router.first[2])["v1.8.3"] == 10

        wish = RollbackRequested(SAM, "500s on /pay")
        await office.engine.apply("D-1", wish, Source(InboxKey(TEAM, "test", "k", "")))
        office.clock.pass_(timedelta(seconds=6))
        await office.replica.lap()
        assert (await office.get("D-1")).phase is Phase.ROLLED_BACK
        assert not router.taken
        await office.replica.drain()
        await router.the_first_arrives()

    assert router.split(a_target()).live == (("v1.8.2", 100),)
