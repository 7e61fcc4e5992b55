"""Goal 6: a lap and every command with a long past, against the same with a short one."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

from bot.bench import copies, history
from bot.bench.measure import median
from bot.bench.plans import ExplainedStore
from bot.bench.table import Figure, Goal
from bot.domain.deployment import Deployment
from bot.domain.events import Held, Resumed
from bot.engine import Engine
from bot.memory import InboxKey, Store, Transaction
from bot.observe import Observer
from bot.ports import Policies, World
from bot.questions import Questions
from bot.reconciler import Reconciler
from bot.writer import Source, Writer
from storage.addresses import is_postgres
from storage.store import OpenStore, prepare

_LEASE = timedelta(seconds=15)
#: The grid's name of the lap; every other piece of work is one command.
TICK = "tick"

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Bot:
    """Everything of the bot that reads or writes one database."""

    store: Store
    engine: Engine
    questions: Questions
    reconciler: Reconciler
    d: Deployment
    numbers: "count[int]"

    def works(self) -> dict[str, Work]:
        run, d = self.store.run, self.d
        return {
            TICK: self.reconciler.lap,
            "hold, resume": self._steer,
            "status": lambda: self.questions.unfinished(d.team),
            "list": lambda: self.questions.recent(d.team, None, 10),
            "list of a service": lambda: self.questions.recent(d.team, "checkout", 10),
            "current": lambda: run(lambda tx: tx.deployments.current(d.target)),
            "surroundings": lambda: run(lambda tx: tx.deployments.surroundings(d.target, d.id)),
            "story": lambda: self.questions.story(d.team, d.id),
            "outbox claim": lambda: run(_claim),
            "outbox next": lambda: run(lambda tx: tx.outbox.next_at()),
        }

    async def _steer(self) -> None:
        number = next(self.numbers)
        thing = f"D-{100_001 + number % (history.ACTIVE - 1)}"
        for key, wish in (("hold", Held("U0ANA")), ("resume", Resumed("U0ANA"))):
            delivery = InboxKey(self.d.team, "command", f"{key}-{number}", key)
            outcome = await self.engine.apply(thing, wish, Source(delivery))
            if outcome.refusal is not None:
                raise AssertionError(f"{thing} was refused: {outcome.refusal}")


async def _claim(tx: Transaction) -> object:
    return await tx.outbox.claim("bench", _LEASE, 16)


def _bot(store: Store, policies: Policies, d: Deployment) -> Bot:
    engine = Engine(store, policies, Writer(policies.people, copies.TICK), copies.TICK)
    nothing = World({}, {}, {}, {}, {})
    lap = Reconciler(store, engine, Observer(nothing), "bench", _unguarded)
    return Bot(store, engine, Questions(store, policies), lap, d, count())


async def _unguarded(_: str, work: Awaitable[None]) -> bool:
    await work
    return True


async def compare(
    directory: Path, name: str, urls: tuple[str, str], past: tuple[int, int], rounds: int
) -> tuple[list[Figure], list[str]]:
    """The figures of one database, and every scan of its plans with the longer past.

    *urls* are two empty databases, *past* how many finished deployments go into each.
    """
    policies = copies.policies_at(directory, 1)
    stores: list[OpenStore] = []
    try:
        bots = []
        for url, size in zip(urls, past, strict=True):
            stores.append(await prepare(url))
            d = await history.load(stores[-1], policies, size, is_postgres(url))
            bots.append(_bot(stores[-1], policies, d))
        taken = [await _measured(bots, work, rounds) for work in bots[0].works()]
        explained = ExplainedStore(stores[1], is_postgres(urls[1]))
        scans = await _scans(_bot(explained, policies, bots[1].d), explained)
    finally:
        for store in stores:
            await store.close()
    return _figures(name, list(bots[0].works()), taken, len(scans)), scans


async def _measured(bots: list[Bot], work: str, rounds: int) -> tuple[float, float]:
    """Medians in seconds with the short past and with the long one, measured in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for bot, series in zip(bots, taken, strict=True):
            if work == TICK:
                await history.make_due(bot.store)
            began = time.perf_counter()
            await bot.works()[work]()
            series.append(time.perf_counter() - began)
    return median(taken[0]), median(taken[1])


async def _scans(bot: Bot, explained: ExplainedStore) -> list[str]:
    await history.make_due(explained)
    explained.found.clear()
    for work in bot.works().values():
        await work()
    return [
        f"{scan}: {' '.join(sql.split())[:160]}"
        for sql, scans in explained.found.items()
        for scan in scans
    ]


def _figures(
    name: str, works: list[str], taken: list[tuple[float, float]], scans: int
) -> list[Figure]:
    figures = [
        Figure(6, f"{work}, {name}", long * 1e3, "ms", short * 1e3, Goal(1.2, unit="×"))
        for work, (short, long) in zip(works, taken, strict=True)
    ]
    each = taken[works.index(TICK)][1] * 1e3 / history.ACTIVE
    return [
        Figure(6, f"tick per due deployment, {name}", each, "ms", goal=Goal(0.5, unit=" ms")),
        *figures,
        Figure(6, f"scans in plans, {name}", scans, "", goal=Goal(0)),
    ]
