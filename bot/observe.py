"""Looking at the world: one bounded look per lap, and only at what the stage needs."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.deployment import Deployment, Phase
from bot.domain.entry import checks_again
from bot.domain.events import Elapsed, Observed
from bot.domain.gates import Check, CheckResult
from bot.domain.health import Verdict
from bot.domain.plan import ApprovalStage, GateStage, JobStage, RolloutStage, WatchStage
from bot.domain.release import Version, Weights
from bot.ports import Unavailable, World

T = TypeVar("T")


class Observer:
    """Reads what a deployment's present stage needs; never raises for what did not answer.

    *patience* bounds one look as a whole, and stays below half of the lap's lease.
    """

    def __init__(self, world: World, patience: timedelta = timedelta(seconds=4)) -> None:
        self._world = world
        self._patience = patience.total_seconds()

    async def look(self, d: Deployment, at: datetime) -> Observed | Elapsed:
        """What is there to be seen for *d*; *at* is the database's time just before the look."""
        match d.phase:
            case Phase.ROLLING_BACK:
                assert d.rollback is not None  # noqa: S101 - the phase means it
                return await self._rollback(d, d.rollback.target, at)
            case Phase.RUNNING if d.needs_entry:
                return await self._entry(d, at)
            case Phase.RUNNING | Phase.HELD | Phase.WATCHING:
                return await self._stage(d, at)
        return Elapsed()

    async def _stage(self, d: Deployment, at: datetime) -> Observed | Elapsed:
        match d.stage:
            case ApprovalStage():
                return Elapsed()
            case GateStage(checks=checks):
                return Observed(at, checks=await self._checks(checks, d, d.version, at))
            case JobStage(runner=driver) as job:
                status = self._world.runners[driver.kind].status(d.job_key, job)
                return Observed(at, job=await self._bounded(status))
            case RolloutStage() | WatchStage():
                return await self._traffic(d, at)

    async def _traffic(self, d: Deployment, at: datetime) -> Observed:
        metrics = self._world.metrics[d.plan.metrics.kind]
        weights, reading = await asyncio.gather(
            self._split(d),
            self._bounded(metrics.reading(d.plan.metrics, d.target, d.version.name)),
        )
        return Observed(at, weights=weights, reading=reading)

    async def _entry(self, d: Deployment, at: datetime) -> Observed:
        releases = self._world.releases[d.plan.releases.kind]
        resolved, checks, weights = await asyncio.gather(
            self._bounded(releases.resolve(d.plan.releases, d.plan.service, d.version.name)),
            self._checks(checks_again(d), d, d.version, at),
            self._split_before_first(d),
        )
        return Observed(at, resolved=resolved, checks=checks, weights=weights)

    async def _rollback(self, d: Deployment, target: Version, at: datetime) -> Observed:
        weights, checks = await asyncio.gather(
            self._split(d),
            self._checks(d.plan.rollback.verify, d, target, at),
        )
        return Observed(at, weights=weights, checks=checks)

    async def _split(self, d: Deployment) -> Weights | None:
        router = self._world.routers[d.plan.router.kind]
        return await self._bounded(router.weights(d.plan.router, d.target))

    async def _split_before_first(self, d: Deployment) -> Weights | None:
        """Only who brings all traffic at once must know that nothing has it."""
        return await self._split(d) if d.plan.is_first else None

    async def _checks(
        self, checks: tuple[Check, ...], d: Deployment, version: Version, at: datetime
    ) -> tuple[CheckResult, ...]:
        return tuple(
            await asyncio.gather(*(self._check(check, d, version, at) for check in checks))
        )

    async def _check(
        self, check: Check, d: Deployment, version: Version, at: datetime
    ) -> CheckResult:
        verdict = self._world.checks[check.driver.kind].verdict(check, d.target, version)
        result = await self._bounded(verdict)
        if result is None:
            return CheckResult(check.name, Verdict.UNKNOWN, at, "did not answer")
        return replace(result, name=check.name, at=at)

    async def _bounded(self, call: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(self._patience):
                return await call
        except (Unavailable, TimeoutError):
            return None
