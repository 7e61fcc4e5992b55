"""The lap: every unfinished thing that is due is claimed, looked at, and handed to the engine."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import structlog

from bot.crashpoint import crashpoint
from bot.domain.deployment import Deployment
from bot.engine import Engine
from bot.memory import Claim, Store, Transaction
from bot.observe import Observer
from bot.outbox import Guard

_log = structlog.get_logger()


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
            await asyncio.gather(*(self._mind(claim) for claim in claims))
            done += len(claims)
            if len(claims) < self._at_once:
                return done

    async def _claim(self, tx: Transaction) -> tuple[Claim, ...]:
        return await tx.deployments.claim_due(self._owner, self._lease, self._at_once)

    async def _mind(self, claim: Claim) -> None:
        thing = (claim.team, claim.thing)
        if await self._guard(claim.thing, self._attend(claim)):
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

    async def _attend(self, claim: Claim) -> None:
        crashpoint("claimed")

        async def load(tx: Transaction) -> tuple[Deployment | None, datetime]:
            return await tx.deployments.get(claim.team, claim.thing), tx.now

        d, at = await self._store.run(load)
        if d is None:
            return
        seen = await self._observer.look(d, at)
        crashpoint("observed")
        await self._engine.see(claim, seen)


_ALARMING = 3
_SHORTEST = timedelta(seconds=2)
_LONGEST = timedelta(minutes=1)
