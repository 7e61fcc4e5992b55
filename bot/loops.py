"""The loops that never end: send what is ready, look at what is due, seal the journal."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.auditor import Asks, Auditor, Limits
from bot.delivery import Delivery
from bot.engine import Engine
from bot.memory import Sending, Store, Transaction
from bot.numbers import Numbers
from bot.observe import Observer
from bot.outbox import THE_WORLD, Guard, Outbox
from bot.ports import Chat, Policies, World
from bot.previews import Previews
from bot.questions import Questions
from bot.reconciler import Reconciler
from bot.restored import Restored
from bot.schedule import Schedule

_log = structlog.get_logger()

_DRAIN = timedelta(milliseconds=500)
#: Seconds from a wake-up to the look into the outbox: what is committed meanwhile goes with it,
#: and whoever asks next does not wait for the look.
_GATHERING = 0.02
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
#: How long what is under way may take when the process is asked to stop, in seconds.
_LAST_WORDS = 4.0


@dataclass(frozen=True, slots=True)
class Core:
    """The program without its ears: enough to decide, deliver and observe."""

    store: Store
    policies: Policies
    world: World
    engine: Engine
    previews: Previews
    questions: Questions
    numbers: Numbers
    owner: str
    woken: asyncio.Event


class Loops:
    """Drains the outbox and walks the laps until it is stopped."""

    def __init__(
        self,
        core: Core,
        chat: Chat | None,
        guard: Guard,
        tick: timedelta,
        prune: Callable[[], Awaitable[int]] | None = None,
        asks: Asks | None = None,
        beat: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._core = core
        self._guard = guard
        self._heartbeat = beat
        self._outbox = self._outbox_to(chat)
        self._reconciler = Reconciler(
            core.store, core.engine, Observer(core.world), core.owner, self._guard
        )
        self.auditor: Auditor | None = None
        self._restored: Restored | None = None
        if asks is not None:
            self.auditor = Auditor(
                *(core.store, core.engine, core.policies, asks),
                *(core.numbers, core.owner, guard, Limits.of(core.policies.patience, tick)),
            )
            self._restored = Restored(core.store, core.engine, core.world, asks, self.auditor)
        self._schedule = self._scheduled(tick, prune)
        self._busy: set[asyncio.Task[None]] = set()
        self._draining: asyncio.Task[None] | None = None
        self._lag_at = time.monotonic()
        self.lapped_at = time.monotonic()

    def _outbox_to(self, chat: Chat | None) -> Outbox:
        core = self._core
        delivery = Delivery(
            core.store, core.engine, chat, core.world, core.policies, time.monotonic
        )
        return Outbox(
            core.store,
            self._counted(delivery),
            core.owner,
            self._guard,
            random.random,
            self._dead,
            # Without a link to Slack, what is for Slack is left to a process that has one.
            only=THE_WORLD if chat is None else (),
            wake=core.woken.set,
        )

    def _scheduled(self, tick: timedelta, prune: Callable[[], Awaitable[int]] | None) -> Schedule:
        schedule = Schedule()
        schedule.every(tick, self._lap, "laps")
        schedule.every(_DRAIN, self._wake, "outbox")
        schedule.every(timedelta(seconds=1), self._lag, "lag")
        schedule.every(_MINUTE, self._seal, "seals")
        if prune is not None:
            schedule.every(_HOUR, self._pruning(prune), "pruning")
        return schedule

    def start(self) -> None:
        self._spawn(self._begin())

    async def _begin(self) -> None:
        await self._compare()  # before anything is done on the word of an older database
        if not self._outbox.is_closed:
            self._lag_at = time.monotonic()
            self._draining = asyncio.create_task(self._drain())
            self._schedule.start()
            await self._lap()

    async def _compare(self) -> None:
        if self._restored is not None:
            await self._guard("restored", self._restored.look())

    async def stop(self, last_words: float = _LAST_WORDS) -> None:
        """No new work; what is under way gets a little time (*last_words*, in seconds) and then
        its lease runs out."""
        self._schedule.stop()
        self._outbox.close()
        self._core.woken.set()
        under_way = self._busy | ({self._draining} if self._draining is not None else set())
        if not under_way:
            return
        _, late = await asyncio.wait(under_way, timeout=last_words)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def settle(self, is_done: Callable[[], Awaitable[bool]]) -> None:
        """Drive everything from here until *is_done*, for a process without other loops."""
        while not await is_done():
            await self._reconciler.lap()
            await self._outbox.drain()
            await asyncio.sleep(0.2)

    def _counted(self, delivery: Delivery) -> Callable[[Sending], Awaitable[None]]:
        async def deliver(row: Sending) -> None:
            outcome = "failed"
            try:
                await delivery.deliver(row)
                outcome = "done"
            finally:
                self._core.numbers.sent.labels(outcome).inc()

        return deliver

    async def _drain(self) -> None:
        while not self._outbox.is_closed:
            await self._core.woken.wait()
            await asyncio.sleep(_GATHERING)
            self._core.woken.clear()
            await self._guard("outbox", self._fill())
        await self._outbox.drain()

    async def _fill(self) -> None:
        await self._outbox.fill()

    async def _wake(self) -> None:
        self._core.woken.set()

    async def _lap(self) -> None:
        async def lap() -> None:
            self._core.numbers.laps.inc(await self._reconciler.lap(self._looked))
            self._looked()

        async def guarded() -> None:
            await self._guard("laps", lap())

        # A task of our own: the schedule cancels its wake-ups when it stops, and a lap that is
        # cut off would keep its things leased.
        await asyncio.wait([self._spawn(guarded())])

    def _looked(self) -> None:
        """A lap that is long because others are slow is a sign of life all the same."""
        self.lapped_at = time.monotonic()
        if self._heartbeat is not None and self._is_sending:
            self._spawn(self._beat(self._heartbeat))

    @property
    def _is_sending(self) -> bool:
        return self._draining is not None and not self._draining.done()

    async def _beat(self, beat: Callable[[], Awaitable[None]]) -> None:
        await self._guard("heartbeat", beat())

    async def _lag(self) -> None:
        now = time.monotonic()
        lag = max(0.0, now - self._lag_at - 1.0)
        self._lag_at = now
        self._core.numbers.lag.set(lag)
        if lag > 2:
            _log.warning("the loop was blocked", seconds=round(lag, 1))

    def _pruning(self, prune: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[None]]:
        async def once() -> None:
            gone = await prune()
            _log.info("pruned", rows=gone)

        async def wake() -> None:
            await self._guard("pruning", once())

        return wake

    async def _seal(self) -> None:
        await self._compare()
        if self.auditor is not None and await self._guard("audit", self._audit(self.auditor)):
            return
        # A mistake in the audit must not leave the journal unsealed.
        await self._guard("seals", self._seal_once())

    async def _audit(self, auditor: Auditor) -> None:
        self._anchor(await auditor.audit())

    async def _seal_once(self) -> None:
        async def unit(tx: Transaction) -> tuple[str, ...]:
            if await tx.acquire("sealer", self._core.owner, _MINUTE / 2) is None:
                return ()
            return await tx.seal()

        self._anchor(await self._core.store.run(unit))

    def _anchor(self, anchors: tuple[str, ...]) -> None:
        for anchor in anchors:
            # Outside the database on purpose: `audit verify --anchor` compares with it.
            _log.info("journal sealed", anchor=anchor)

    def _dead(self, row: Sending, why: str) -> None:
        self._core.numbers.sent.labels("dead").inc()
        _log.error("gave up on a delivery", thing=row.thing, lane=row.lane, why=why)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return task
