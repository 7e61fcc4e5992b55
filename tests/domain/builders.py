"""A deployment told event by event, with the slot and the ledger that its decisions change."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from bot.domain.approvals import RoleSlot
from bot.domain.decide import decide, settle
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import (
    Disproves,
    FreeSlot,
    LockEnvironment,
    Proves,
    RaiseFence,
    Record,
    Serves,
    TakeSlot,
)
from bot.domain.events import Approved, Elapsed, Event, Held, Observed, Requested, RollbackRequested
from bot.domain.gates import Check, CheckResult, Driver
from bot.domain.health import Reading, Verdict
from bot.domain.jobs import JobState, JobStatus
from bot.domain.plan import (
    ApprovalStage,
    GateStage,
    JobStage,
    Plan,
    RollbackRules,
    RolloutStage,
    digest,
)
from bot.domain.refusal import Refusal, Refused
from bot.domain.release import Migration, Version
from bot.domain.request import request
from bot.domain.roles import People
from bot.domain.slots import Context, Ledger, Lock, Slot
from tests.builders import ANA, DANA, NOW, POLICY_DIGEST, QUINN, TEAM, a_plan, a_version, people

T = TypeVar("T")

OLD, NEW, OLDER = a_version("v1.8.2"), a_version("v1.8.3"), a_version("v1.8.1")
TICK = timedelta(seconds=5)
OFTEN = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
VERIFY = Check("serves", Driver("http"), "on_call")


def a_context(**changes: Any) -> Context:
    """Everybody there, slot free, v1.8.2 serving and proven."""
    return replace(Context(people(), ledger=Ledger(OLD, (OLD,)), tick=TICK), **changes)


def without(everybody: People, *users: str) -> People:
    """The same people with these deactivated: revoking counts at once."""
    gone = {user: replace(everybody.by_id[user], is_active=False) for user in users}
    return replace(everybody, by_id={**everybody.by_id, **gone})


def verified_plan(**changes: Any) -> Plan:
    return a_plan(rollback=RollbackRules((VERIFY,), 5 * MINUTE, 3), **changes)


def one_way(version: Version = NEW) -> Version:
    return replace(version, migrations=(Migration("0042_drop_column", is_reversible=False),))


def with_stage(plan: Plan, kind: type[Any], **changes: Any) -> Plan:
    """*plan* with its stage of *kind* changed."""
    return replace(
        plan, stages=tuple(replace(s, **changes) if type(s) is kind else s for s in plan.stages)
    )


def guarded_plan(*after_rollout: Any, before_rollout: tuple[Any, ...] = ()) -> Plan:
    """The usual plan with stages that touch the environment around its rollout."""
    gate, job, approval, rollout, watch = a_plan().stages
    stages = (gate, job, approval, *before_rollout, rollout, *after_rollout, watch)
    return a_plan(stages=stages)


def a_migration_job() -> JobStage:
    return JobStage("Migration", Driver("shell"), ("migrate",), 10 * MINUTE, changes=True)


def a_post_check() -> GateStage:
    return GateStage("Post-check", (Check("smoke", Driver("http")),), 5 * MINUTE, 10 * MINUTE)


def a_late_decision() -> ApprovalStage:
    return ApprovalStage("Go on?", (RoleSlot("cto"),), timedelta(hours=1), 30 * MINUTE)


def passes(at: datetime, *names: str, fact: str = "green") -> tuple[CheckResult, ...]:
    return tuple(CheckResult(name, Verdict.PASS, at, fact) for name in names or ("ci",))


def fails(at: datetime, *names: str, fact: str = "red") -> tuple[CheckResult, ...]:
    return tuple(CheckResult(name, Verdict.FAIL, at, fact) for name in names or ("ci",))


def a_reading(at: datetime, value: float = 0.5, requests: int = 1000, **changes: Any) -> Reading:
    return replace(Reading(NEW.name, at, requests, (("error_rate", value),)), **changes)


def refusal_of(refused: Refused) -> Refusal:
    """The refusal, complete as a person must get it."""
    assert refused.refusal.rule
    assert refused.refusal.why
    assert refused.refusal.next_step
    return refused.refusal


def around(context: Context, d: Deployment, records: tuple[Record, ...]) -> Context:
    """*context* as the store would show it once *records* of *d* are written."""
    for record in records:
        context = _recorded(context, d, record)
    return context


def _recorded(context: Context, d: Deployment, record: Record) -> Context:
    ledger = context.ledger
    match record:
        case TakeSlot(fence):
            assert context.slot.holder is None, "a slot is only taken when it is free"
            assert fence == context.slot.fence + 1
            return replace(context, slot=Slot(d.id, fence))
        case RaiseFence(fence):
            return replace(context, slot=Slot(d.id, fence))
        case FreeSlot():
            return replace(context, slot=Slot(None, context.slot.fence))
        case Serves(name):
            known = (d.version, *((d.rollback.target,) if d.rollback else ()))
            serving = next(version for version in known if version.name == name)
            return replace(context, ledger=replace(ledger, serving=serving))
        case Proves(name):
            assert ledger.serving is not None
            rest = tuple(v for v in ledger.proven if v.name != name)
            return replace(context, ledger=replace(ledger, proven=(ledger.serving, *rest)))
        case Disproves(name):
            rest = tuple(v for v in ledger.proven if v.name != name)
            return replace(context, ledger=replace(ledger, proven=rest))
        case LockEnvironment(reason):
            return replace(context, lock=Lock(reason, None, d.phase_since))
    return context


@dataclass
class Story:
    """`after(...)`: every step decides, saves as the engine does, and keeps the last decision."""

    context: Context
    now: datetime
    decision: Decision

    @property
    def d(self) -> Deployment:
        return self.decision.state

    def after(self, *events: Event) -> Self:
        for event in events:
            self._save(decide(self.d, event, self.context, self.now))
        return self

    def later(self, time: timedelta = TICK) -> Self:
        self.now += time
        return self

    def sees(self, **what: Any) -> Self:
        return self.after(Observed(self.now, **what))

    def elapses(self, time: timedelta = timedelta()) -> Self:
        return self.later(time).after(Elapsed())

    def healthy(self, time: timedelta = TICK, **what: Any) -> Self:
        """After *time*, the wanted split is seen with a good reading; in a rollout until then,
        too, or until the next step begins."""
        is_baking = isinstance(self.d.stage, RolloutStage) and self.d.phase is Phase.RUNNING
        place = (self.d.cursor, self.d.step)
        while is_baking and time > OFTEN and not what:
            time -= OFTEN
            if (self.healthy(OFTEN).d.cursor, self.d.step) != place:
                return self
        self.later(time)
        seen = {"weights": self.d.wanted_weights, "reading": a_reading(self.now), **what}
        return self.sees(**seen)

    def unhealthy(self, time: timedelta = TICK, value: float = 50.0) -> Self:
        return self.healthy(time, reading=a_reading(self.now + time, value))

    def fires(self) -> Self:
        """The trigger's whole duration goes by above its limit."""
        return self.unhealthy().unhealthy(2 * MINUTE)

    def refused(self, event: Event) -> Refusal:
        """The refusal of *event*; an error when it is granted."""
        try:
            decide(self.d, event, self.context, self.now)
        except Refused as refused:
            return refusal_of(refused)
        raise AssertionError(f"{event} was granted")

    def wanted(self, kind: type[T]) -> list[T]:
        """What the newest decision asks for, of one kind of effect or record."""
        wanted = self.decision.wanted
        every: tuple[Any, ...] = (*wanted.effects, *wanted.records)
        return [one for one in every if isinstance(one, kind)]

    def told(self) -> list[str]:
        return [entry.what for entry in self.decision.wanted.entries]

    def with_context(self, **changes: Any) -> Self:
        self.context = replace(self.context, **changes)
        return self

    def _save(self, decision: Decision) -> None:
        self.context = around(self.context, decision.state, decision.wanted.records)
        saved = replace(decision.state, revision=decision.state.revision + 1)
        self.decision = replace(decision, state=saved)


def requested(
    plan: Plan | None = None, version: Version = NEW, context: Context | None = None
) -> Story:
    """Dana asked, nothing was looked at yet."""
    plan, context = plan or a_plan(), context or a_context()
    wish = Requested(DANA, version, plan, digest(version, plan, POLICY_DIGEST), POLICY_DIGEST)
    decision = settle(None, request(TEAM, "D-142", wish, context, NOW), NOW)
    return Story(context, NOW, decision)


def at_job(plan: Plan | None = None, version: Version = NEW) -> Story:
    story = requested(plan, version).later()
    return story.sees(checks=passes(story.now))


def job(story: Story, state: JobState = JobState.SUCCEEDED, fact: str = "") -> JobStatus:
    return JobStatus(story.d.job_key, state, fact=fact)


def at_approval(plan: Plan | None = None, version: Version = NEW) -> Story:
    story = at_job(plan, version).later()
    return story.sees(job=job(story))


def at_door(plan: Plan | None = None, version: Version = NEW) -> Story:
    """Signed by Ana and Quinn, the slot not taken yet."""
    return at_approval(plan, version).later().after(Approved(ANA), Approved(QUINN))


def enters(story: Story, **changes: Any) -> Story:
    """One look at the door, at which everything still is as it was."""
    story.later()
    seen = {"resolved": story.d.version, "checks": passes(story.now), **changes}
    return story.sees(**seen)


def at_step(step: int = 0, plan: Plan | None = None, version: Version = NEW) -> Story:
    """Asked for the weight of *step*, which is not seen yet."""
    story = enters(at_door(plan, version))
    for _ in range(step):
        story.healthy().healthy(5 * MINUTE)
    assert story.d.step == step
    return story


def watching(plan: Plan | None = None, version: Version = NEW) -> Story:
    return at_step(2, plan, version).healthy().healthy(5 * MINUTE)


def held(story: Story) -> Story:
    return story.later().after(Held(DANA, "lunch"))


def rolling_back(plan: Plan | None = None) -> Story:
    """Asked by Sam at the first step; the old version is not seen yet."""
    return at_step(0, plan).healthy().after(RollbackRequested("U0SAM", "500s on /pay"))
