"""After each start every router is asked once whether it knows more than the database does."""

import asyncio
from datetime import timedelta

from bot.auditor import Asks, Auditor, Standing
from bot.domain.ahead import HIGHEST, split_in_words
from bot.domain.events import Overtaken
from bot.domain.release import Target, Weights, is_same_split
from bot.domain.slots import slot_count
from bot.engine import Engine
from bot.memory import Store, Transaction
from bot.ports import Unavailable, World
from bot.violation import Violation

_AT_ONCE = 16


class Restored:
    """Looks at environments that nobody is changing; what changes is looked at by its laps.

    A router that does not answer is asked again at the next look. *patience* bounds one look
    at one router.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        world: World,
        asks: Asks,
        auditor: Auditor,
        patience: timedelta = timedelta(seconds=3),
    ) -> None:
        self._store = store
        self._engine = engine
        self._world = world
        self._asks = asks
        self._auditor = auditor
        self._patience = patience.total_seconds()
        self._asked: set[Target] = set()
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def look(self) -> None:
        """Cheap once every router has answered: then nothing is left to ask."""
        every = [s for s in await self._standing() if s.target not in self._asked]
        if not every:
            return
        answers = await asyncio.gather(*(self._ask(standing) for standing in every))
        # What moved while we looked is asked again: what was seen says nothing about it.
        unmoved = set(await self._standing())
        for standing, answer in zip(every, answers, strict=True):
            if answer is not None and standing in unmoved:
                await self._compare(standing, *answer)
                self._asked.add(standing.target)

    async def _standing(self) -> tuple[Standing, ...]:
        return await self._store.run(self._asks.standing)

    async def _ask(self, standing: Standing) -> tuple[Weights | None, int | None] | None:
        """Split and fence; None when it did not answer, no split where nobody can be asked."""
        plan = self._auditor.plan(standing.target)
        if plan is None or plan.router.kind not in self._world.routers:
            return None, None
        router = self._world.routers[plan.router.kind]
        try:
            async with self._few, asyncio.timeout(self._patience):
                weights = await router.weights(plan.router, standing.target)
                return weights, await router.fence(plan.router, standing.target)
        except (Unavailable, TimeoutError):
            return None

    async def _compare(
        self, standing: Standing, weights: Weights | None, fence: int | None
    ) -> None:
        if weights is None:
            return
        if standing.holder is not None:
            if fence is not None:
                await self._engine.report(standing.target.team, standing.holder, Overtaken(fence))
            return
        count = slot_count(fence or 0)
        what = known_better(standing, weights, count)
        if what:
            await self._tell(standing.target, what)
        if standing.fence < count <= HIGHEST:
            # So that the next deployment's commands are newer than all that were seen there.
            await self._store.run(lambda tx: tx.environments.raise_fence(standing.target, count))

    async def _tell(self, target: Target, what: str) -> None:
        async def unit(tx: Transaction) -> tuple[str, ...]:
            around = await tx.deployments.surroundings(target, None)
            return tuple(other.id for other in around.others)

        things = await self._store.run(unit)
        await self._auditor.tell(Violation("ahead", target.team, "router", what, target, things))


def known_better(standing: Standing, weights: Weights, count: int) -> str:
    """What the router knows and we do not; empty when that is nothing."""
    remembered = ((standing.serving, 100),)
    if weights and not standing.is_locked and not is_same_split(weights, remembered):
        return (
            f"the router sends {split_in_words(weights)}, remembered is "
            f"{split_in_words(remembered)}; the database may be an older copy"
        )
    if count > standing.fence:
        return (
            f"the router has seen the environment change {count} times, remembered are "
            f"{standing.fence}; the database may be an older copy"
        )
    return ""
