"""Deployments in bulk: one goes through the engine as far as its approval, the rest are copies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bot.demo.policies import DemoWorld, write_policies
from bot.domain.deployment import Deployment
from bot.domain.events import Observed, Requested
from bot.domain.gates import CheckResult
from bot.domain.health import Verdict
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import ApprovalStage, GateStage, digest
from bot.domain.release import Target, Version
from bot.engine import Engine
from bot.memory import InboxKey, Store, Transaction
from bot.policies.loader import load
from bot.ports import Policies, Posted
from bot.writer import Source, Writer
from storage.transaction import connection_of

TEAM = "T0DEMO"
TICK = timedelta(seconds=5)


def a_version(name: str, number: int) -> Version:
    artefact = f"sha256:{number:064x}"
    return Version(name, f"{number:040x}", artefact, ("U0DEVO",), "Faster baskets", 3)


OLD, NEW = a_version("v1.8.2", 2), a_version("v1.8.3", 1)


def policies_at(directory: Path, outside: int) -> Policies:
    """The demo's policies, written into *directory*, about a world at port *outside*."""
    base = f"http://127.0.0.1:{outside}"
    world = DemoWorld(
        releases=f"{base}/releases",
        router=f"{base}/router",
        metrics=f"{base}/metrics",
        production_health=f"{base}/health",
        staging_health=f"{base}/staging",
        staging=("true", "{version}"),
    )
    write_policies(directory / "policies", world)
    return load(directory / "policies")


async def at_approval(store: Store, policies: Policies) -> Deployment:
    """One deployment that waits for its two signatures, with nothing left in the outbox."""
    engine = Engine(store, policies, Writer(policies.people, TICK), TICK)
    policy = policies.services["checkout"]
    plan = policy.plans["production", "standard"]
    await engine.adopt(Target(TEAM, "checkout", "production"), OLD, "bench", _source("adopt"))
    named = digest(NEW, plan, policy.digest)
    wish = Requested("U0DANA", NEW, plan, named, policy.digest)
    outcome = await engine.request(wish, _source("request"))
    if outcome.thing is None:
        raise AssertionError(f"the request was refused: {outcome.refusal}")
    d = await _load(store, outcome.thing)
    while not isinstance(d.stage, ApprovalStage):
        await engine.report(TEAM, d.id, _all_well(d, await store.now()))
        d = await _load(store, d.id)
    await store.run(_forget_outbox)
    return d


async def copy(store: Store, d: Deployment, teams: Sequence[str]) -> None:
    """*d* once more in each of *teams*, each with an environment of its own."""

    async def unit(tx: Transaction) -> None:
        for team in teams:
            own = replace(d, team=team)
            await _add(tx, own)

    await store.run(unit)


async def spread(store: Store, d: Deployment, count: int) -> None:
    """*d* once more for each of *count* other services of its team, as `D-100001` and so on."""

    async def unit(tx: Transaction) -> None:
        for number in range(1, count + 1):
            plan = replace(d.plan, service=f"service-{number:04}")
            own = replace(d, id=f"D-{100_000 + number}", plan=plan)
            await _add(tx, own)

    await store.run(unit)


async def _add(tx: Transaction, d: Deployment) -> None:
    """Its card is posted, as it always is before anybody signs."""
    await tx.environments.serves(d.target, OLD, tx.now)
    await tx.deployments.add(d, tx.now + timedelta(hours=1))
    await tx.threads.remember(d.team, d.id, "card", Posted("C0DEPLOY", "1772000000.000001"))


def _all_well(d: Deployment, at: datetime) -> Observed:
    stage = d.stage
    if isinstance(stage, GateStage):
        passed = (CheckResult(check.name, Verdict.PASS, at, "ok") for check in stage.checks)
        return Observed(at, checks=tuple(passed))
    return Observed(at, job=JobStatus(d.job_key, JobState.SUCCEEDED))


async def _load(store: Store, id: str) -> Deployment:
    d = await store.run(lambda tx: tx.deployments.get(TEAM, id))
    if d is None:
        raise AssertionError(f"{id} is gone")
    return d


async def _forget_outbox(tx: Transaction) -> None:
    await connection_of(tx).change("DELETE FROM outbox")


def _source(key: str) -> Source:
    return Source(InboxKey(TEAM, "bench", key, key))
