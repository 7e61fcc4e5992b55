"""The lap: every unfinished thing that is due is claimed, looked at, and handed to the engine."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.crashpoint import crashpoint
from bot.domain.deployment import Deployment
from bot.engine import Engine
from bot.memory import Claim, Store, Surroundings, Transaction
from bot.observe import Observer
from bot.outbox import Guard

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """A due thing as it was when its lap began."""

    d: Deployment
    around: Surroundings
    at: datetime


Rest = tuple[Claim, datetime | None]


@dataclass(slots=True)
class Lap:
    """One lap while it goes on. What was not due when it began, by the store's clock, is for the
    next one, so that it ends however long each look takes."""

    looked: Callable[[], None]
    began_at: datetime | None = None
    things: int = 0
    rests: list[Rest] = field(default_factory=list)
    looking: set[asyncio.Task[None]] = field(default_factory=set)

    async def some_ended(self, moment: float) -> None:
        """Wait for a look, and at most *moment* seconds for others: they are put off, and
        followed, together."""
        ended, others = await asyncio.wait(self.looking, return_when=asyncio.FIRST_COMPLETED)
        if others:
            more, _ = await asyncio.wait(others, timeout=moment)
            ended |= more
        self.looking -= ended
        for task in ended:
            task.result()

    async def give_up(self) -> None:
        """Their leases run out."""
        for task in self.looking:
            task.cancel()
        await asyncio.gather(*self.looking, return_exceptions=True)


class Reconciler:
    """Claims due deployments by lease; several of these may run on one database.

    A thing whose lap keeps failing is left alone for longer and longer, up to a minute, so
    that it cannot starve the others; after a few times that is an error of its own in the log.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        observer: Observer,
        owner: str,
        guard: Guard,
        lease: timedelta = timedelta(seconds=15),
        at_once: int = 16,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._engine = engine
        self._observer = observer
        self._owner = owner
        self._guard = guard
        self._lease = lease
        self._at_once = at_once
        #: The latest the last lap saw on the store's clock: what it put off is due after that.
        self._seen_at: datetime | None = None
        #: The store's clock at the last claim, and our own, which never jumps.
        self._clocks: tuple[datetime, float] | None = None
        self._failures: Counter[tuple[str, str]] = Counter()

    async def lap(self, looked: Callable[[], None] = lambda: None) -> int:
        """Look at everything that is due now; how many things that were.

        A place that becomes free is filled again without waiting for the slowest; *looked* is
        called after each look that went well.
        """
        lap = Lap(looked)
        try:
            is_more = True
            while is_more or lap.looking:
                if is_more:
                    is_more = await self._fill(lap)
                if lap.looking:
                    await lap.some_ended(_GATHERING if is_more else _AT_LEISURE)
                await self._put_off(lap)
            return lap.things
        finally:
            await lap.give_up()

    async def _fill(self, lap: Lap) -> bool:
        """Begin to look at as much as there is room for; whether there may be more."""
        room = self._at_once - len(lap.looking)
        claims = await self._claim(lap, room)
        found = await self._read(claims) if claims else {}
        for claim in claims:
            lap.looking.add(asyncio.create_task(self._mind(claim, found.get(claim), lap)))
        lap.things += len(claims)
        return len(claims) == room

    async def _claim(self, lap: Lap, room: int) -> tuple[Claim, ...]:
        # Only between two laps: what is being looked at would be put off by the clock before.
        seen_at = self._seen_at if lap.began_at is None else None

        async def unit(tx: Transaction) -> tuple[datetime, tuple[Claim, ...]]:
            if _went_back(seen_at, tx.now):
                await tx.deployments.all_due()
                await tx.outbox.all_sendable()
            by = min(lap.began_at or tx.now, tx.now)
            return tx.now, await tx.deployments.claim_due(self._owner, self._lease, room, by)

        now, claims = await self._store.run(unit)
        if _went_back(seen_at, now):
            _log.warning("the database's clock went back", was=str(seen_at), now=str(now))
        if lap.began_at is None:
            lap.began_at = self._seen_at = now
        self._mind_clock(now)
        lap.began_at = min(lap.began_at, now)
        self._saw(now)
        return claims

    def _mind_clock(self, now: datetime) -> None:
        """Say when more time passed there than here: whatever ends at a time ended early."""
        was, self._clocks = self._clocks, (now, self._clock())
        if was is None:
            return
        ahead = now - was[0] - timedelta(seconds=self._clocks[1] - was[1])
        if ahead > _NO_JUMP:
            _log.warning("the database's clock went ahead", was=str(was[0]), now=str(now))

    async def _read(self, claims: Sequence[Claim]) -> dict[Claim, Found]:
        async def unit(tx: Transaction) -> dict[Claim, Found]:
            surveyed = await tx.deployments.survey(claims)
            return {claim: Found(d, around, tx.now) for claim, d, around in surveyed}

        found = await self._store.run(unit)
        for each in found.values():
            self._saw(each.at)
        return found

    def _saw(self, now: datetime) -> None:
        self._seen_at = max(self._seen_at or now, now)

    async def _put_off(self, lap: Lap) -> None:
        """Together; what has something to change does so by itself, and at once."""
        rests, lap.rests = lap.rests, []
        if rests:
            work = self._store.run(lambda tx: tx.deployments.put_off(rests))
            await self._guard("laps", work)

    async def _mind(self, claim: Claim, found: Found | None, lap: Lap) -> None:
        thing = (claim.team, claim.thing)
        if await self._guard(claim.thing, self._attend(claim, found, lap)):
            del self._failures[thing]
            lap.looked()
            return
        self._failures[thing] += 1
        times = self._failures[thing]
        if times >= _ALARMING:
            _log.error("nobody can look at it", thing=claim.thing, times=times)
        await self._guard(claim.thing, self._leave_alone(claim, times))

    async def _leave_alone(self, claim: Claim, times: int) -> None:
        pause = min(_LONGEST, _SHORTEST * 2 ** min(times, 10))
        await self._store.run(lambda tx: tx.deployments.put_off([(claim, tx.now + pause)]))

    async def _attend(self, claim: Claim, found: Found | None, lap: Lap) -> None:
        crashpoint("claimed")
        if found is None:
            # It is gone, or it or its environment cannot be read: who asks for it alone learns why.
            await self._store.run(lambda tx: tx.deployments.look(claim.team, claim.thing))
            return
        seen = await self._observer.look(found.d, found.at)
        crashpoint("observed")
        if self._engine.is_quiet(found.d, seen, found.around, found.at):
            lap.rests.append((claim, self._engine.rests_until(found.d, found.at)))
        else:
            await self._engine.see(claim, seen)


def _went_back(seen_at: datetime | None, now: datetime) -> bool:
    return seen_at is not None and now < seen_at - _NO_JUMP


#: Less is how clocks are corrected, and how answers overtake each other.
_NO_JUMP = timedelta(minutes=1)
#: Seconds that a free place waits for others; and that a put off does, when nobody needs a place.
_GATHERING = 0.02
_AT_LEISURE = 0.25
_ALARMING = 3
_SHORTEST = timedelta(seconds=2)
_LONGEST = timedelta(minutes=1)
