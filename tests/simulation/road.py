"""The way to the router: commands that arrive late, and a record of what each one did."""

from dataclasses import dataclass, field
from random import Random

from bot.domain.gates import Driver
from bot.domain.release import Target, Weights, is_same_split
from bot.ports import InDoubt
from tests.fakes import FakeRouter, calm
from tests.simulation.fate import STEP
from tests.simulation.witness import Witness

Order = tuple[Driver, Target, Weights, int]


@dataclass
class SlowRoad(FakeRouter):
    """A router behind a slow road; raises `AssertionError` when the past overtakes the present.

    `delayed`: how likely a command is given up by its sender, and arrives some time later.
    """

    witness: Witness = field(default_factory=Witness)
    random: Random = field(default_factory=Random)
    delayed: float = 0.0
    _on_the_road: list[Order] = field(default_factory=list)
    _taken: dict[Target, int] = field(default_factory=dict)

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        step = STEP.get()
        if step is None or not step.was_still:
            newest = self.witness.wanted[target][-1]
            assert is_same_split(weights, newest), f"asked for {weights}, wanted is {newest} (I22)"
        if self.random.random() < self.delayed:
            self._on_the_road.append((driver, target, weights, fence))
            raise InDoubt("the router is slow")
        await self._arrive(driver, target, weights, fence)

    async def arrives(self) -> None:
        """One of the commands that nobody waits for any more."""
        if self._on_the_road:
            place = self.random.randrange(len(self._on_the_road))
            driver, target, weights, fence = self._on_the_road.pop(place)
            if fence >= self.split(target).fence and not self.refuses:
                fate, self.fate = self.fate, calm  # nothing more happens to it on its way
                await self._arrive(driver, target, weights, fence)
                self.fate = fate

    async def all_arrive(self) -> None:
        while self._on_the_road:
            await self.arrives()

    async def _arrive(self, driver: Driver, target: Target, weights: Weights, fence: int) -> None:
        try:
            await super().set_weights(driver, target, weights, fence)
        finally:
            split = self.split(target)
            if (split.wanted, split.fence) == (weights, fence):
                self._mind_order(target, weights)

    def _mind_order(self, target: Target, weights: Weights) -> None:
        age = self.witness.age(target, weights)
        newest = self._taken.get(target, -1)
        assert age >= newest, f"{weights} came after something newer, and was taken (I16)"
        self._taken[target] = age
