"""The lap beside things that nobody can look at, and what is sent beside what nobody can read."""

from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.memory import Transaction
from bot.observe import Observer
from bot.reconciler import Reconciler
from storage.transaction import connection_of
from tests.builders import TEAM
from tests.handlers.office import Office
from tests.storage.parcels import said


@pytest.fixture
async def office(database: Path) -> AsyncIterator[Office]:
    async with Office(database, "checkout", "search") as office:
        yield office


async def change(office: Office, sql: str) -> None:
    async def unit(tx: Transaction) -> None:
        await connection_of(tx).change(sql)

    await office.plain_store.run(unit)


async def test_what_cannot_be_read_is_buried_and_its_lane_goes_on(office: Office) -> None:
    id = await office.at_approval()
    parcels = [said("lost", f"{id}/thread"), said("hello", f"{id}/thread")]
    await office.plain_store.run(lambda tx: tx.outbox.put(TEAM, id, parcels))
    await change(office, "UPDATE outbox SET effect = '{}' WHERE effect LIKE '%lost%'")

    await office.replica.drain()

    ((row, why),) = office.replica.dead
    assert (row.thing, row.lane) == (id, f"{id}/thread")
    assert "cannot be read" in why
    assert any("hello" in shown.message.text for shown in office.chat.shown.values())


class Watchdog:
    """A guard that counts what failed, by thing."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    async def guard(self, name: str, work: Awaitable[None]) -> bool:
        try:
            await work
        except (ValueError, TypeError, LookupError):
            self.failed.append(name)
            return False
        return True


async def test_a_thing_nobody_can_read_is_left_alone_for_longer_and_longer(
    office: Office,
) -> None:
    id = await office.at_canary()
    await change(office, f"UPDATE deployments SET state = '{{}}' WHERE id = '{id}'")  # noqa: S608
    watchdog = Watchdog()
    reconciler = Reconciler(
        office.store, office.engine, Observer(office.world.ports()), "two", watchdog.guard
    )

    office.clock.pass_(timedelta(minutes=10))
    tried: list[int] = []
    for second in range(300):
        before = len(watchdog.failed)
        await reconciler.lap()
        if len(watchdog.failed) > before:
            tried.append(second)
        office.clock.pass_(timedelta(seconds=1))

    pauses = [later - at for at, later in pairwise(tried)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (4, 60)
