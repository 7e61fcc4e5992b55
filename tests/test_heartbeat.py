"""The sign of life for an outside monitor: after a healthy lap, not too often, never in the log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.app import Supervisor, core_of
from bot.heartbeat import Heartbeat
from bot.loops import Core, Loops
from bot.numbers import Numbers
from storage.sqlite import SqliteStore
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld
from tests.handlers.office import policies
from tests.simulation.fate import Fate, FatefulStore

SECRET = "hunter2"
TICK = timedelta(seconds=0.1)


@dataclass
class Monitor:
    """Counts who is alive; answers with `status`."""

    status: int = 200
    asked: list[str] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        self.heard.set()
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, headers=headers)


@pytest.fixture
async def monitor() -> AsyncIterator[Monitor]:
    monitor = Monitor()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", monitor.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monitor.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{SECRET}"
    yield monitor
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_it_beats_at_most_every_half_minute(
    monitor: Monitor, session: aiohttp.ClientSession
) -> None:
    clock = Clock()
    heartbeat = Heartbeat(session, monitor.url, clock.seconds)

    for _ in range(61):
        await heartbeat.beat()
        clock.pass_(timedelta(seconds=1))

    assert monitor.asked == [f"GET /{SECRET}"] * 3


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_monitor_that_is_broken_is_in_the_log_and_its_address_is_not(
    monitor: Monitor, session: aiohttp.ClientSession, status: int
) -> None:
    monitor.status = status

    with capture_logs() as logs:
        await Heartbeat(session, monitor.url).beat()
        await Heartbeat(session, f"http://127.0.0.1:1/{SECRET}").beat()

    assert len(monitor.asked) == 1, "no redirect is followed"
    assert [line["log_level"] for line in logs] == ["warning"] * 2
    assert logs[0]["status"] == status
    assert SECRET not in str(logs)


@pytest.fixture
async def core(database: Path) -> AsyncIterator[tuple[Core, Fate]]:
    fate, plain = Fate(Random(1)), await SqliteStore.open(database)
    known, world = policies("checkout"), FakeWorld(Clock()).ports()
    yield core_of(FatefulStore(plain, fate), known, world, TICK, Numbers()), fate
    await plain.close()


async def test_it_beats_while_laps_end_well_and_not_while_the_database_is_away(
    core: tuple[Core, Fate], monitor: Monitor, session: aiohttp.ClientSession
) -> None:
    (bot, fate), clock = core, Clock()
    heartbeat = Heartbeat(session, monitor.url, clock.seconds)
    laps = Laps(Supervisor(bot.numbers))
    loops = Loops(bot, FakeChat(Clock()), laps.guard, TICK, beat=heartbeat.beat)
    loops.start()
    async with asyncio.timeout(60):
        await monitor.heard.wait()

        fate.is_database_down = True
        await laps.until(lambda: laps.failed > 0 and not laps.under_way)
        lapped_at, failed = loops.lapped_at, laps.failed
        clock.pass_(timedelta(minutes=5))
        monitor.heard.clear()
        await laps.until(lambda: laps.failed > failed + 3)
        assert (monitor.heard.is_set(), loops.lapped_at) == (False, lapped_at)

        fate.is_database_down = False
        await monitor.heard.wait()
    await loops.stop()

    assert len(monitor.asked) == 2


class Laps:
    """A guard that knows how many laps are under way, and how many failed."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._changed = asyncio.Event()
        self.under_way = self.failed = 0

    async def guard(self, name: str, work: Awaitable[None]) -> bool:
        self.under_way += name == "laps"
        is_well = await self._supervisor.guard(name, work)
        self.under_way -= name == "laps"
        self.failed += name == "laps" and not is_well
        self._changed.set()
        return is_well

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()
