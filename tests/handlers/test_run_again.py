"""Whoever never hears of a commit runs the unit again: nothing breaks, and nothing counts twice."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from bot.auditor import Auditor, Limits
from bot.domain.deployment import Phase
from bot.memory import Store, Transaction
from storage import audit
from storage.invariants import Invariants
from tests.builders import PATIENCE, SAM
from tests.handlers.office import Office
from tests.handlers.reading import buttons
from tests.simulation.replica import TICK, guard

T = TypeVar("T")


class Deaf:
    """As on a connection that is lost with the answer to every other commit or so."""

    def __init__(self, store: Store, random: Random) -> None:
        self._store = store
        self._random = random

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        if self._random.random() < 0.5:
            await self._store.run(unit)
        return await self._store.run(unit)

    async def now(self) -> datetime:
        return await self._store.now()


@pytest.mark.parametrize("seed", range(3))
async def test_a_deployment_and_its_rollback_count_once_though_every_unit_runs_twice(
    database: Path, seed: int
) -> None:
    async with Office(database, through=lambda store: Deaf(store, Random(seed))) as office:
        id = await office.watching()
        preview = await office.types(SAM, "/rollback checkout 500s on /pay since 14:21")
        (name, value), *_ = buttons(preview.body).items()
        await office.presses(SAM, name, value)
        assert (await office.over(id)).phase is Phase.ROLLED_BACK
        for _ in range(10):
            await office.beat()
        every = await office.every()
        assert [d.id for d in every] == [id]
        posts = Counter(shown.key for shown in office.chat.shown.values())
        assert max(posts.values()) == 1
        known = (office.policies, Invariants(), office.numbers)
        limits = Limits.of(PATIENCE, TICK)
        auditor = Auditor(office.store, office.engine, *known, "one", guard, limits)
        for _ in range(3):
            await auditor.audit()
        assert office.numbers.alarms == {}
        assert await audit.verify(office.plain_store) == []
