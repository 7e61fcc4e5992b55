"""Sending: what hangs holds back nobody, and what cannot be read stops nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.pace import Pace, Rate
from bot.domain.effects import Announce, RefreshCard, Reply, SetTraffic, StartJob, StopJob
from bot.memory import Parcel, Sending
from bot.outbox import THE_WORLD, Outbox, route
from bot.ports import Unavailable
from storage.sqlite import SqliteStore
from tests.fakes import Clock
from tests.simulation.replica import guard
from tests.storage.parcels import put, said, traffic


@pytest.fixture
async def store(database: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(database)
    yield store
    await store.close()


class Addressee:
    """Takes what is delivered; a reply hangs until `answers` is set."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.dead: list[tuple[Sending, str]] = []
        self.answers = asyncio.Event()
        self.came = asyncio.Event()

    async def deliver(self, row: Sending) -> None:
        if isinstance(row.effect, Reply):
            await self.answers.wait()
        self.got.append(row.effect)
        self.came.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():
                self.came.clear()
                await self.came.wait()


def outbox(store: SqliteStore, to: Addressee, at_once: int = 16, only: str = "") -> Outbox:
    return Outbox(
        store,
        to.deliver,
        "one",
        guard,
        lambda: 0.0,
        lambda row, why: to.dead.append((row, why)),
        at_once=at_once,
        only=THE_WORLD if only == "world" else (),
    )


def reply(number: int) -> Parcel:
    return route(f"click{number}", Reply(f"reply:{number}", ("Done.",)))


async def test_an_answer_that_hangs_holds_back_no_other_lane(store: SqliteStore) -> None:
    start, stop = StartJob(0, "k0"), StopJob(0, "k0")
    await put(store, reply(1), route("D-1", start), route("D-1", stop))
    to = Addressee()

    draining = asyncio.create_task(outbox(store, to).drain())
    await to.until(lambda: to.got == [start, stop])
    to.answers.set()

    assert await draining == 3


async def test_answers_that_fill_every_place_hold_back_no_traffic(store: SqliteStore) -> None:
    to = Addressee()
    out = outbox(store, to, at_once=4)
    await put(store, *(reply(number) for number in range(8)))
    assert await out.fill() == 4

    await put(store, traffic(0))
    assert await out.fill() == 1
    await to.until(lambda: to.got == [traffic(0).effect])

    to.answers.set()
    await out.drain()
    assert len(to.got) == 9


async def test_one_that_serves_the_world_only_leaves_the_rest_to_others(
    store: SqliteStore,
) -> None:
    to = Addressee()
    to.answers.set()
    job = route("D-1", StartJob(0, "k0"))
    await put(store, reply(1), said("hello"), traffic(0), job)

    assert await outbox(store, to, only="world").drain() == 2
    assert {type(effect) for effect in to.got} == {SetTraffic, StartJob}
    assert await outbox(store, to).drain() == 2
    assert {type(effect) for effect in to.got[2:]} == {Announce, Reply}


async def test_traffic_is_tried_again_within_seconds_however_often_it_failed(
    database: Path,
) -> None:
    clock = Clock()
    store = await SqliteStore.open(database, clock)
    tries = 0

    async def deliver(row: Sending) -> None:
        nonlocal tries
        tries += 1
        raise Unavailable("the router does not answer", is_in_doubt=True)

    out = Outbox(store, deliver, "one", guard, lambda: 1.0, lambda *_: None)
    await put(store, traffic(0))
    for number in range(1, 20):
        await out.drain()
        assert tries == number
        clock.pass_(timedelta(seconds=5))
    await store.close()


@pytest.mark.parametrize(
    ("parcel", "most"),
    [(reply(1), 20), (route("D-1", RefreshCard()), 5)],
    ids=["an answer comes back when it was told", "a card comes back ever later"],
)
async def test_what_a_limit_turns_away_does_not_all_come_back_at_once(
    database: Path, parcel: Parcel, most: int
) -> None:
    clock = Clock()
    store = await SqliteStore.open(database, clock)
    tries = 0

    async def deliver(row: Sending) -> None:
        nonlocal tries
        tries += 1
        raise Unavailable("at its limit", timedelta(seconds=1))

    out = Outbox(store, deliver, "one", guard, lambda: 0.0, lambda *_: None)
    await put(store, parcel)
    for _ in range(20):
        await out.drain()
        clock.pass_(timedelta(seconds=1))
    await store.close()

    assert tries == most


async def test_a_crowd_at_a_limit_is_tried_about_twice_each(database: Path) -> None:
    clock = Clock()
    store = await SqliteStore.open(database, clock)
    pace = Pace(lambda: clock().timestamp(), {"post": Rate(60, 1)})
    tries, sent = 0, 0

    async def deliver(row: Sending) -> None:
        nonlocal tries, sent
        tries += 1
        pace.take("post", "C0DEPLOY")
        sent += 1

    out = Outbox(store, deliver, "one", guard, lambda: 0.0, lambda *_: None)
    for number in range(20):
        await put(store, route(f"D-{number}", RefreshCard()))
    for _ in range(25):
        await out.drain()
        clock.pass_(timedelta(seconds=1))
    await store.close()

    assert sent == 20
    assert tries <= 2 * 20
