"""The lap beside things that nobody can look at, and what is sent beside what nobody can read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest

from bot.domain.deployment import Deployment, Phase
from bot.domain.events import Elapsed, Observed
from bot.engine import Engine
from bot.memory import Store, Transaction
from bot.observe import Observer
from bot.reconciler import Reconciler
from bot.writer import Writer
from storage.sqlite import SqliteStore
from storage.transaction import connection_of
from tests.builders import NOW, TEAM, a_deployment, a_plan, a_target, a_version
from tests.fakes import Clock, FakeWorld
from tests.handlers.office import Office, policies
from tests.simulation.replica import TICK, guard
from tests.storage.parcels import said

T = TypeVar("T")


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


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - a lap that goes on makes it true
            await asyncio.sleep(0.01)


class Looks(Observer):
    """An observer that notes whom it looked at; those of *hung* get no answer until it is over."""

    def __init__(self, clock: Clock, lasts: timedelta, hung: int = 0, apart: float = 0.001) -> None:
        super().__init__(FakeWorld(clock).ports())
        self._clock = clock
        self._lasts = lasts
        self._hung = {f"D-{number}" for number in range(hung)}
        #: No two services answer in the same moment.
        self._seconds = {f"D-{number}": number % 16 * apart for number in range(100)}
        self.looked: list[str] = []
        self.is_over = asyncio.Event()

    async def look(self, d: Deployment, at: datetime) -> Observed | Elapsed:
        if d.id in self._hung:
            await self.is_over.wait()
        await asyncio.sleep(self._seconds[d.id])
        self._clock.pass_(self._lasts)
        self.looked.append(d.id)
        return Elapsed()


class Counted:
    """A store that counts its transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.units = 0

    async def run(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        self.units += 1
        return await self._store.run(unit)

    async def now(self) -> datetime:
        return await self._store.now()


@dataclass
class Crowd:
    """Many things, each in a place of its own; the first is due the longest."""

    store: Counted
    engine: Engine
    clock: Clock

    async def gather(self, many: int, phase: Phase = Phase.RUNNING, cursor: int = 2) -> None:
        """Unless told otherwise they wait for signatures, and a look changes nothing."""

        async def unit(tx: Transaction) -> None:
            for number in range(many):
                plan = replace(a_plan(kind="standard"), environment=f"production-{number}")
                d = a_deployment(phase, id=f"D-{number}", plan=plan, cursor=cursor)
                await tx.deployments.add(d, tx.now - timedelta(seconds=many - number))

        await self.store.run(unit)
        self.store.units = 0

    def reconciler(self, looks: Looks) -> Reconciler:
        return Reconciler(self.store, self.engine, looks, "one", guard)

    async def resting(self) -> set[str]:
        """Whatever is put off, and free."""
        sql = "SELECT id FROM deployments WHERE lease_owner IS NULL AND next_due_at > :began"

        async def unit(tx: Transaction) -> set[str]:
            return {row[0] for row in await connection_of(tx).rows(sql, began=NOW)}

        return await self.store.run(unit)


@pytest.fixture
async def crowd(database: Path) -> AsyncIterator[Crowd]:
    clock = Clock()
    store, known = await SqliteStore.open(database, clock), policies("checkout")
    engine = Engine(store, known, Writer(known.people, TICK), TICK)
    yield Crowd(Counted(store), engine, clock)
    await store.close()


async def test_where_nobody_can_read_what_serves_is_left_alone_and_the_others_go_on(
    crowd: Crowd,
) -> None:
    async def spoil(tx: Transaction) -> None:
        await tx.environments.serves(a_target(environment="production-2"), a_version(), NOW)
        await connection_of(tx).change("UPDATE environments SET serving = '{}'")

    await crowd.gather(5)
    await crowd.store.run(spoil)
    looks, watchdog = Looks(crowd.clock, lasts=timedelta()), Watchdog()
    reconciler = Reconciler(crowd.store, crowd.engine, looks, "one", watchdog.guard)

    for _ in range(12):
        await reconciler.lap()
        crowd.clock.pass_(timedelta(seconds=5))

    assert watchdog.failed == ["D-2"] * 4, "after 4, 8 and 16 seconds"
    assert sorted(looks.looked) == ["D-0", "D-1", "D-3", "D-4"], "who waits for people rests"


async def test_a_lap_ends_though_everything_is_due_again_before_all_were_looked_at(
    crowd: Crowd,
) -> None:
    await crowd.gather(40, Phase.WATCHING, 4)
    looks = Looks(crowd.clock, lasts=timedelta(seconds=4))

    async with asyncio.timeout(60):
        assert await crowd.reconciler(looks).lap() == 40

    assert sorted(looks.looked) == sorted(f"D-{number}" for number in range(40))


async def test_who_does_not_answer_holds_nobody_else_up(crowd: Crowd) -> None:
    await crowd.gather(55)
    looks = Looks(crowd.clock, lasts=timedelta(), hung=15)
    lap = asyncio.create_task(crowd.reconciler(looks).lap())

    await until(lambda: len(looks.looked) == 40)
    async with asyncio.timeout(60):
        while len(await crowd.resting()) < 40:
            assert not lap.done()
    assert sorted(looks.looked) == sorted(f"D-{number}" for number in range(15, 55))

    looks.is_over.set()
    assert await lap == 55
    assert len(await crowd.resting()) == 55


async def test_who_answers_at_once_is_claimed_read_and_put_off_together(crowd: Crowd) -> None:
    await crowd.gather(40)

    await crowd.reconciler(Looks(crowd.clock, lasts=timedelta())).lap()

    at_best = 3 * len(("claimed", "read", "put off"))
    assert crowd.store.units <= 2 * at_best, "a machine that stumbles may part a few"


async def test_when_nobody_waits_for_a_place_all_are_put_off_together(crowd: Crowd) -> None:
    await crowd.gather(12)

    await crowd.reconciler(Looks(crowd.clock, lasts=timedelta(), apart=0.015)).lap()

    at_best = len(("claimed", "read", "put off"))
    assert crowd.store.units <= 2 * at_best, "a machine that stumbles may part a few"


async def test_a_lap_that_is_long_tells_of_every_look(crowd: Crowd) -> None:
    await crowd.gather(20)
    looks = Looks(crowd.clock, lasts=timedelta(), hung=1)
    told: list[int] = []
    reconciler = crowd.reconciler(looks)
    lap = asyncio.create_task(reconciler.lap(lambda: told.append(len(looks.looked))))

    await until(lambda: len(told) == 19)
    assert not lap.done()

    looks.is_over.set()
    assert await lap == len(told) == 20


async def test_a_lap_that_is_cut_off_leaves_no_look_behind(crowd: Crowd) -> None:
    await crowd.gather(3)
    looks = Looks(crowd.clock, lasts=timedelta(), hung=3)
    before = asyncio.all_tasks()
    lap = asyncio.create_task(crowd.reconciler(looks).lap())
    await until(lambda: len(asyncio.all_tasks() - before) == 1 + 3)

    lap.cancel()
    await asyncio.wait([lap], timeout=10)

    assert asyncio.all_tasks() == before
