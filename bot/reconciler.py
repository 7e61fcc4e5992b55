"""The lap: every unfinished thing that is due is claimed, looked at, and handed to the engine."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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
    ) -> None:
        self._store = store
        self._engine = engine
        self._observer = observer
        self._owner = owner
        self._guard = guard
        self._lease = lease
        self._at_once = at_once
        self._failures: Counter[tuple[str, str]] = Counter()

    async def lap(self) -> int:
        """Look at everything that is due now; how many things that were."""
        done = 0
        while True:
            claims = await self._store.run(self._claim)
            if claims:
                await self._mind_all(claims)
            done += len(claims)
            if len(claims) < self._at_once:
                return done

    async def _claim(self, tx: Transaction) -> tuple[Claim, ...]:
        return await tx.deployments.claim_due(self._owner, self._lease, self._at_once)

    async def _mind_all(self, claims: Sequence[Claim]) -> None:
        """Read together and put off together; what has something to change does so by itself,
        and at once, without waiting for the others."""

        async def read(tx: Transaction) -> dict[Claim, Found]:
            surveyed = await tx.deployments.survey(claims)
            return {claim: Found(d, around, tx.now) for claim, d, around in surveyed}

        found = await self._store.run(read)
        rests: list[Rest] = []
        await asyncio.gather(*(self._mind(claim, found.get(claim), rests) for claim in claims))
        if rests:
            await self._guard("laps", self._put_off(rests))

    async def _mind(self, claim: Claim, found: Found | None, rests: list[Rest]) -> None:
        thing = (claim.team, claim.thing)
        if await self._guard(claim.thing, self._attend(claim, found, rests)):
            del self._failures[thing]
            return
        self._failures[thing] += 1
        times = self._failures[thing]
        if times >= _ALARMING:
            _log.error("nobody can look at it", thing=claim.thing, times=times)
        await self._guard(claim.thing, self._leave_alone(claim, times))

    async def _leave_alone(self, claim: Claim, times: int) -> None:
        pause = min(_LONGEST, _SHORTEST * 2 ** min(times, 10))
        await self._store.run(lambda tx: tx.deployments.put_off([(claim, tx.now + pause)]))

    async def _put_off(self, rests: Sequence[Rest]) -> None:
        await self._store.run(lambda tx: tx.deployments.put_off(rests))

    async def _attend(self, claim: Claim, found: Found | None, rests: list[Rest]) -> None:
        crashpoint("claimed")
        if found is None:
            # It is gone, or cannot be read: whoever asks for it alone learns why.
            await self._store.run(lambda tx: tx.deployments.get(claim.team, claim.thing))
            return
        seen = await self._observer.look(found.d, found.at)
        crashpoint("observed")
        if self._engine.is_quiet(found.d, seen, found.around, found.at):
            rests.append((claim, self._engine.rests_until(found.d, found.at)))
        else:
            await self._engine.see(claim, seen)


_ALARMING = 3
_SHORTEST = timedelta(seconds=2)
_LONGEST = timedelta(minutes=1)
