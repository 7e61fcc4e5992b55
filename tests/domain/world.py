"""A world in memory: routers, jobs, metrics and people that do what the rules of a test say."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.decide import decide, settle
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import SetTraffic, StartJob, Supersede
from bot.domain.events import Event, Observed, Requested, RollbackRequested, Superseded, Taken
from bot.domain.gates import CheckResult
from bot.domain.health import Reading, Verdict
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import Plan, RolloutStage, Step, WatchStage, digest
from bot.domain.refusal import Refused
from bot.domain.release import Version, Weights
from bot.domain.request import request, request_rollback
from bot.domain.roles import People
from bot.domain.slots import Active, Context, Ledger
from tests.builders import NOW, POLICY_DIGEST, TEAM, TESS, a_version, people
from tests.domain.builders import (
    MINUTE,
    OFTEN,
    TICK,
    VERIFY,
    a_context,
    a_migration_job,
    a_post_check,
    around,
    guarded_plan,
    verified_plan,
    with_stage,
)
from tests.domain.watchman import Watchman

CHECKS = ("ci", "smoke", VERIFY.name)

#: What metrics may say: the error rate, how old, on how many requests, of which version.
READINGS: dict[str, tuple[float, timedelta, int, str | None] | None] = {
    "good": (0.5, timedelta(), 1000, None),
    "bad": (90.0, timedelta(), 1000, None),
    "NaN": (math.nan, timedelta(), 1000, None),
    "infinite": (math.inf, timedelta(), 1000, None),
    "negative": (-1.0, timedelta(), 1000, None),
    "stale": (0.5, MINUTE, 1000, None),
    "a little old": (0.5, timedelta(seconds=20), 1000, None),
    "from the future": (0.5, -MINUTE, 1000, None),
    "too few": (0.5, timedelta(), 3, None),
    "another version": (0.5, timedelta(), 1000, "v0"),
    "down": None,
}


def plans(service: str, kind: str) -> Plan:
    """`checkout` migrates and is verified; `search` rolls out plainly, and back when unsure.

    `invoices` is like `checkout`, but nothing serves it yet. A bake is as long as one look counts.
    """
    if service != "search":
        plan = guarded_plan(a_post_check(), before_rollout=(a_migration_job(),))
        plan = replace(plan, rollback=verified_plan().rollback)
    else:
        plan = with_stage(guarded_plan(), RolloutStage, is_unknown_rolled_back=True)
    steps = tuple(Step(weight, OFTEN) for weight in (10, 50, 100))
    plan = with_stage(plan, RolloutStage, steps=steps)
    plan = with_stage(plan, WatchStage, lasts=3 * MINUTE, proven_after=MINUTE)
    return replace(plan, service=service, kind=kind, is_first_allowed=service == "invoices")


def everybody() -> People:
    """The demo team, in which Tess can sign as either role."""
    team = people()
    tess = replace(team.by_id[TESS], roles=frozenset({"tech_lead", "deployment_lead", "qa_lead"}))
    return replace(team, by_id={**team.by_id, TESS: tess})


@dataclass
class Place:
    """One service's environment as it really is."""

    context: Context
    weights: Weights = (("v1.8.2", 100),)
    router_fence: int = 0
    on_its_way: list[SetTraffic] = field(default_factory=list)
    health: str = "good"
    checks: Verdict = Verdict.PASS

    @property
    def newest(self) -> SetTraffic:
        """What was asked for last, of what is on its way."""
        return max(self.on_its_way, key=lambda split: split.fence)

    @property
    def is_told(self) -> bool:
        """Whether the router knows the last word, so that nothing older can move it."""
        return not self.on_its_way or self.newest.fence <= self.router_fence

    def deliver(self, split: SetTraffic) -> None:
        """The router knows fences: an asking older than one it has seen changes nothing."""
        if split.fence >= self.router_fence:
            self.weights, self.router_fence = split.weights, split.fence


class World:
    """Keeps every deployment as the engine would, and lets the watchman see each decision."""

    def __init__(self) -> None:
        self.now: datetime = NOW
        self.people = everybody()
        self.places = {name: Place(a_context()) for name in ("checkout", "search")}
        self.places["invoices"] = Place(a_context(ledger=Ledger()), weights=())
        self.deployments: dict[str, Deployment] = {}
        self.jobs: dict[str, JobState] = {}
        self.moved: set[str] = set()
        self.late: list[tuple[str, Observed]] = []
        self.watchman = Watchman()

    def place(self, d: Deployment) -> Place:
        return self.places[d.plan.service]

    def unfinished(self) -> list[Deployment]:
        return [d for d in self.deployments.values() if not d.is_over]

    def context(self, service: str, without: str | None) -> Context:
        others = tuple(
            Active(d.id, d.kind, d.phase.value, d.version.name)
            for d in self.unfinished()
            if d.plan.service == service and d.id != without
        )
        context = self.places[service].context
        return replace(context, people=self.people, others=others, tick=TICK)

    def request(self, service: str, kind: str, by: str) -> None:
        number = f"D-{len(self.deployments) + 1}"
        version = a_version(f"v2.{len(self.deployments)}")
        plan = plans(service, kind)
        wish = Requested(by, version, plan, digest(version, plan, POLICY_DIGEST), POLICY_DIGEST)
        try:
            decision = request(TEAM, number, wish, self.context(service, None), self.now)
        except Refused:
            return
        self._save(None, settle(None, decision, self.now), wish)

    def roll_back_afterwards(self, finished: Deployment, wish: RollbackRequested) -> None:
        number = f"D-{len(self.deployments) + 1}"
        context = self.context(finished.plan.service, finished.id)
        try:
            decision = request_rollback(TEAM, number, finished, wish, context, self.now)
        except Refused:
            return
        self._save(None, settle(None, decision, self.now), wish)

    def tell(self, id: str, event: Event) -> None:
        """Decide about *event* twice, which must come to the same, and save what came of it."""
        d = self.deployments[id]
        context = self.context(d.plan.service, id)
        try:
            decision = decide(d, event, context, self.now)
        except Refused as refused:
            self.watchman.refused(event, refused)
            return
        assert decide(d, event, context, self.now) == decision, "the same must come to the same"
        self.watchman.decided(d, event, context, decision, self.now)
        self._save(d, decision, event)

    def look(self, d: Deployment, at: datetime | None = None) -> Observed:
        """What there is to be seen now; the look began at *at*."""
        at, place = at or self.now, self.place(d)
        resolved = d.version
        if d.id in self.moved:
            resolved = replace(resolved, commit="f" * 40)
        state = self.jobs.get(d.job_key)
        return Observed(
            at,
            resolved,
            tuple(CheckResult(name, place.checks, at, "seen") for name in CHECKS),
            JobStatus(d.job_key, state) if state else None,
            place.weights,
            self._reading(place.health, d.version),
        )

    def good_lap(self, d: Deployment, time: timedelta) -> None:
        """The world does at once whatever was asked of it, and all is well."""
        self.place(d).checks = Verdict.PASS
        for key in self.jobs:
            self.jobs[key] = JobState.SUCCEEDED
        is_baking = isinstance(d.stage, RolloutStage) and d.phase is Phase.RUNNING
        self.lap(d, min(time, OFTEN) if is_baking else time, "good", is_traffic_moving=True)

    def lap(self, d: Deployment, time: timedelta, health: str, is_traffic_moving: bool) -> None:
        self.now += time
        place = self.place(d)
        place.health = health
        if is_traffic_moving:
            for split in tuple(place.on_its_way):
                self.deliver(place, split)
            place.on_its_way.clear()
        self.tell(d.id, self.look(self.deployments[d.id]))

    def deliver(self, place: Place, split: SetTraffic) -> None:
        """Whoever asked hears that the router has taken it."""
        place.deliver(split)
        holder = place.context.slot.holder
        if holder is not None and split.fence >= place.router_fence:
            self.tell(holder, Taken(split.fence))

    def check(self) -> None:
        """What must hold between any two steps."""
        for service, place in self.places.items():
            here = [d for d in self.deployments.values() if d.plan.service == service]
            self.watchman.environment(here, place.context, place.weights, self.now)
            if place.is_told:
                self.watchman.at_the_router(here, place.context, place.weights)

    def _reading(self, health: str, version: Version) -> Reading | None:
        found = READINGS[health]
        if found is None:
            return None
        value, age, requests, name = found
        values = (("error_rate", value),)
        return Reading(name or version.name, self.now - age, requests, values)

    def _save(
        self, before: Deployment | None, decision: Decision, event: Event | Requested
    ) -> None:
        d = replace(decision.state, revision=decision.state.revision + 1)
        place = self.place(d)
        self.watchman.saved(before, d, event, decision.wanted)
        place.context = around(place.context, d, decision.wanted.records)
        self.deployments[d.id] = d
        for effect in decision.wanted.effects:
            if isinstance(effect, SetTraffic):
                place.on_its_way.append(effect)
            if isinstance(effect, StartJob):
                self.jobs.setdefault(effect.key, JobState.RUNNING)
        for record in decision.wanted.records:
            if isinstance(record, Supersede):
                assert self.deployments[record.deployment].phase is Phase.WATCHING
                self.tell(record.deployment, Superseded(d.id))
