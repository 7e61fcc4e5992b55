"""What goes wrong in a story, and what is mended again."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from bot.domain.roles import People, Person
from tests.builders import ANA, QUINN, TESS
from tests.fakes import READINGS, Clock, FakeWorld, Trouble
from tests.simulation.fate import SYSTEMS, Fate
from tests.simulation.oracle import Oracle
from tests.simulation.race import RacingStore
from tests.simulation.road import SlowRoad


@dataclass
class Mishaps:
    """Each method is one thing that may happen at any moment."""

    random: Random
    fate: Fate
    world: FakeWorld
    road: SlowRoad
    racing: RacingStore
    clock: Clock
    oracle: Oracle
    staff: dict[str, Person]
    rosters: list[People] = field(default_factory=list)

    async def trouble(self) -> None:
        system = self.random.choice(SYSTEMS)
        trouble = self.random.choice((Trouble.DOWN, Trouble.LOST, Trouble.LIMITED))
        self.fate.odds[system] = {trouble: self.random.choice((0.3, 0.7, 1.0))}

    async def kindness(self) -> None:
        self.fate.odds.pop(self.random.choice(SYSTEMS), None)
        self.fate.is_database_down = False

    async def mood(self) -> None:
        """The router and the metrics change their ways."""
        router = self.world.router
        router.late = timedelta(seconds=self.random.choice((0, 0, 10, 60)))
        router.is_lying = self.random.random() < 0.1
        router.refuses = "no such environment" if self.random.random() < 0.05 else ""
        for _, name in list(self.world.releases.known)[-4:]:
            is_well = self.random.random() < 0.5
            self.world.metrics.moods[name] = (
                "good" if is_well else self.random.choice(list(READINGS))
            )

    async def crash_soon(self) -> None:
        self.fate.crash_in = self.random.randint(1, 12)

    async def crash_after_a_call(self) -> None:
        self.fate.crash_after = self.random.choice(("chat.post", "chat.post", "runner.start"))

    async def stand_still(self) -> None:
        self.fate.pause_in = self.random.randint(1, 8)

    async def jump(self) -> None:
        self.clock.now += timedelta(minutes=self.random.randint(-3, 3))
        self.oracle.jumped_at = self.clock.now + timedelta(minutes=6)

    async def database(self) -> None:
        self.fate.is_database_down = True

    async def races(self) -> None:
        self.racing.odds = self.random.choice((0.0, 0.05, 0.3))

    async def stand_still_at_the_router(self) -> None:
        self.fate.pause_at = "router.set_weights"

    async def slow_road(self) -> None:
        self.road.delayed = self.random.choice((0.0, 0.5))

    async def doubt(self) -> None:
        self.fate.lost_commits = self.random.choice((0.0, 0.05))

    async def somebody_leaves(self) -> None:
        """Or is back; what they may do follows at once."""
        user = self.random.choice((ANA, QUINN, TESS))
        self.rosters.append(replace(self.oracle.people, by_id=dict(self.staff)))
        gone = self.staff[user]
        self.staff[user] = replace(gone, is_active=not gone.is_active)

    async def a_tag_moves(self) -> None:
        """A name that was signed is given to another build."""
        known = self.world.releases.known
        if known:
            place = self.random.choice(list(known)[-4:])
            known[place] = replace(known[place], commit="f" * 40)
            self.oracle.moved_at[place] = self.clock.passed

    async def end(self) -> None:
        self.world.metrics.moods.clear()
        self.road.late, self.road.is_lying = timedelta(), False
        self.road.refuses, self.road.delayed = "", 0.0
        await self.road.all_arrive()
