"""The race itself: what was read is what was there before somebody else came in between."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from bot.domain.deployment import Deployment
from bot.domain.events import Held
from bot.memory import InboxKey, StaleRevision, Transaction
from bot.writer import Source
from tests.builders import DANA, TEAM
from tests.handlers.office import Office
from tests.simulation.race import RacingStore
from tests.simulation.witness import Key

Read = Callable[[Transaction, str], Awaitable[Deployment | None]]


async def alone(tx: Transaction, id: str) -> Deployment | None:
    return await tx.deployments.get(TEAM, id)


async def with_surroundings(tx: Transaction, id: str) -> Deployment | None:
    found = await tx.deployments.look(TEAM, id)
    return None if found is None else found[0]


@pytest.mark.parametrize("read", [alone, with_surroundings])
async def test_whoever_reads_before_a_rival_saves_has_lost(read: Read, database: Path) -> None:
    seen: list[int] = []

    async with Office(database) as office:
        id = await office.at_approval()

        async def rival(key: Key) -> None:
            await office.engine.apply(id, Held(DANA), Source(InboxKey(TEAM, "test", "k", "")))

        async def unit(tx: Transaction) -> None:
            d = await read(tx, id)
            assert d is not None
            seen.append(d.revision)
            await tx.deployments.save(d, None, None)

        racing = RacingStore(office.plain_store, Random(1))
        racing.rival, racing.odds = rival, 1.0
        with pytest.raises(StaleRevision):
            await racing.run(unit)

    assert seen[0] == seen[1]
