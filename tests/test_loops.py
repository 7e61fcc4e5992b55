"""Stopping: nothing new is begun, and what is being sent is not cut off."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import Supervisor, core_of
from bot.domain.deployment import Phase
from bot.domain.effects import Entry, Reply
from bot.loops import Core, Loops
from bot.memory import Transaction
from bot.numbers import Numbers
from bot.outbox import route
from storage.sqlite import SqliteStore
from storage.transaction import connection_of
from tests.builders import TEAM, a_deployment, a_plan
from tests.fake_chat import FakeChat
from tests.fakes import Clock, FakeWorld, Trouble
from tests.handlers.office import policies

TICK = timedelta(seconds=1)


class Slow:
    """A Slack that answers, but late."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.called = asyncio.Event()

    async def __call__(self, _call: str) -> Trouble:
        self.called.set()
        await asyncio.sleep(self._seconds)
        return Trouble.NONE


class Silent:
    """A world that leaves the first call without an answer, and gives one to all others."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, _call: str) -> Trouble:
        self.calls += 1
        if self.calls == 1:
            await asyncio.Event().wait()
        return Trouble.NONE


@pytest.fixture
async def core(database: Path) -> AsyncIterator[Core]:
    store = await SqliteStore.open(database)
    yield core_of(store, policies("checkout"), FakeWorld(Clock()).ports(), TICK, Numbers())
    await store.close()


async def put(core: Core, count: int) -> None:
    for number in range(count):
        click = f"click{number}"
        parcel = route(click, Reply(f"https://hooks.slack.com/{number}", ("Done.",)))
        await core.store.run(lambda tx, c=click, p=parcel: tx.outbox.put(TEAM, c, [p]))  # type: ignore[misc]


async def states(core: Core) -> list[str]:
    rows = await core.store.run(
        lambda tx: connection_of(tx).rows("SELECT state FROM outbox ORDER BY id")
    )
    return [row[0] for row in rows]


async def stopped(core: Core, slow: Slow, last_words: float) -> FakeChat:
    """The chat, after the loops were stopped while they were sending."""
    chat = FakeChat(Clock(), slow)
    loops = Loops(core, chat, Supervisor(core.numbers).guard, TICK)
    loops.start()
    async with asyncio.timeout(30):
        await slow.called.wait()
    async with asyncio.timeout(30):
        await loops.stop(last_words)
    return chat


async def test_what_is_being_sent_is_sent_to_its_end(core: Core) -> None:
    await put(core, 3)

    chat = await stopped(core, Slow(0.5), last_words=600)

    assert len(chat.answers) == 3
    assert await states(core) == ["done"] * 3


async def test_nothing_new_is_begun_by_loops_that_stop(core: Core) -> None:
    await put(core, 40)

    await stopped(core, Slow(0.5), last_words=600)

    left = await states(core)
    assert set(left) == {"done", "ready"}


async def test_an_answer_that_never_comes_holds_no_stop_back(core: Core) -> None:
    await put(core, 1)

    chat = await stopped(core, Slow(600), last_words=0.2)

    assert chat.answers == []
    assert await states(core) == ["sending"]


async def test_a_look_that_hangs_does_not_make_the_others_seem_dead(database: Path) -> None:
    store, silent, alive = await SqliteStore.open(database), Silent(), asyncio.Event()
    world = FakeWorld(Clock(), silent).ports()
    core = core_of(store, policies("checkout"), world, TICK, Numbers())
    await watch(core, 3)

    async def beat() -> None:
        alive.set()

    loops = Loops(core, FakeChat(Clock()), Supervisor(core.numbers).guard, TICK, beat=beat)
    made_at = loops.lapped_at
    loops.start()
    async with asyncio.timeout(60):
        await alive.wait()

    assert core.numbers.registry.get_sample_value("pilothouse_laps_total") == 0, "it goes on"
    assert loops.lapped_at > made_at
    await loops.stop(last_words=0.2)
    await store.close()


async def watch(core: Core, many: int) -> None:
    """As many deployments in their watch, due now."""

    async def unit(tx: Transaction) -> None:
        for number in range(many):
            plan = replace(a_plan(kind="standard"), environment=f"production-{number}")
            d = a_deployment(Phase.WATCHING, id=f"D-{number}", plan=plan, cursor=4)
            d = replace(d, phase_since=tx.now, stage_since=tx.now, live_at=tx.now)
            await tx.journal.append(d, "Requested", "U0DANA", [Entry("requested", ("Please",))])
            await tx.deployments.add(d, tx.now)

    await core.store.run(unit)
