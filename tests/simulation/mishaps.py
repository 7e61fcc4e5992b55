"""What goes wrong in a story, and what is mended again."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.fakes import READINGS, Clock, FakeWorld, Trouble
from tests.simulation.fate import SYSTEMS, Fate
from tests.simulation.oracle import Oracle


@dataclass
class Mishaps:
    """Each method is one thing that may happen at any moment."""

    random: Random
    fate: Fate
    world: FakeWorld
    clock: Clock
    oracle: Oracle

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

    async def stand_still(self) -> None:
        self.fate.pause_in = self.random.randint(1, 8)

    async def jump(self) -> None:
        self.clock.now += timedelta(minutes=self.random.randint(-3, 3))
        self.oracle.jumped_at = self.clock.now + timedelta(minutes=6)

    async def database(self) -> None:
        self.fate.is_database_down = True

    def end(self) -> None:
        self.world.metrics.moods.clear()
        self.world.router.late, self.world.router.is_lying = timedelta(), False
        self.world.router.refuses = ""
