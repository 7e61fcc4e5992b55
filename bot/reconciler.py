"""The lap: every unfinished thing that is due is claimed, looked at, and handed to the engine."""

import asyncio
from datetime import datetime, timedelta

from bot.crashpoint import crashpoint
from bot.domain.deployment import Deployment
from bot.engine import Engine
from bot.memory import Claim, Store, Transaction
from bot.observe import Observer
from bot.outbox import Guard


class Reconciler:
    """Claims due deployments by lease; several of these may run on one database.

    A thing whose lap keeps failing is left alone for longer and longer, so that it cannot
    starve the others; its lease simply runs out.
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

    async def lap(self) -> int:
        """Look at everything that is due now; how many things that were."""
        done = 0
        while True:
            claims = await self._store.run(self._claim)
            await asyncio.gather(
                *(self._guard(claim.thing, self._attend(claim)) for claim in claims)
            )
            done += len(claims)
            if len(claims) < self._at_once:
                return done

    async def _claim(self, tx: Transaction) -> tuple[Claim, ...]:
        return await tx.deployments.claim_due(self._owner, self._lease, self._at_once)

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
