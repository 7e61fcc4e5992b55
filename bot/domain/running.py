"""Walking the plan: what each stage makes of what was seen, and when the next one begins."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import gates, rollout, watch
from bot.domain.approvals import open_roles
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import Ask, CloseAsk, SetTraffic, ShowOutput, StartJob
from bot.domain.entry import into_environment
from bot.domain.events import Observed
from bot.domain.health import Verdict, spoken
from bot.domain.jobs import JobState
from bot.domain.line import Bold, Line
from bot.domain.plan import (
    ApprovalStage,
    GateStage,
    JobStage,
    RolloutStage,
    WatchStage,
)
from bot.domain.rollback import automatic
from bot.domain.slots import Context
from bot.domain.stopping import fail, finish, hold_and_page


def enter(decision: Decision, now: datetime) -> Decision:
    """Begin the stage under the cursor: what was seen before counts for nothing here."""
    state = replace(
        decision.state,
        stage_since=now,
        step_since=now,
        step=0,
        checks=(),
        job=None,
        live_since=None,
        passing_since=None,
        unsure_since=None,
        is_reminded=False,
        waits_for="",
    )
    decision = replace(decision, state=state)
    if state.needs_entry:
        return decision  # starts when the slot is taken, see `entry.py`
    return start(decision, now)


def start(decision: Decision, now: datetime) -> Decision:
    """Ask the world for what the stage under the cursor needs."""
    d = decision.state
    match d.stage:
        case ApprovalStage():
            asked = replace(decision, state=replace(d, ask_round=d.ask_round + 1))
            return asked.also(Ask(d.ask_round + 1))
        case JobStage(name=name):
            return decision.telling("job_started", (f"{name} started",)).also(
                StartJob(d.cursor, d.job_key)
            )
        case RolloutStage():
            line: Line = (Bold(f"{d.weight} % started"), f" for {d.version.name}")
            return decision.telling("step", line).also(
                SetTraffic(d.wanted_weights, d.traffic_fence)
            )
        case WatchStage():
            return watch.enter(decision, now)
        case GateStage():
            return decision


def advance(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    """One lap of whichever stage is current."""
    d = decision.state
    if d.needs_entry:
        entered = into_environment(decision, seen, context, now)
        is_in = entered.state.fence and entered.state.phase is Phase.RUNNING
        return start(entered, now) if is_in else entered
    match d.stage:
        case GateStage():
            return _gate(decision, seen, context, now)
        case ApprovalStage():
            return sign_off(decision, context, now)
        case JobStage():
            return _job(decision, seen, context, now)
        case RolloutStage():
            onward = rollout.advance(decision, seen, context, now)
            if onward is None:
                return _next(rollout.passed(rollout.look(decision, seen, now)), now)
            return onward
        case WatchStage():  # pragma: no cover - entering the watch leaves RUNNING
            raise AssertionError("a watch is never RUNNING")


def sign_off(decision: Decision, context: Context, now: datetime) -> Decision:
    """Pass the approval stage when every place is signed by someone who may, now; or expire."""
    d = decision.state
    stage = d.stage
    assert isinstance(stage, ApprovalStage)
    missing = open_roles(d.seats(context.people))
    if not missing:
        return _next(decision.also(CloseAsk()), now)
    if now - d.stage_since >= stage.expires_after:
        return _expire(decision, stage, missing, context, now)
    if not d.is_reminded and now - d.stage_since >= stage.remind_after:
        reminded = replace(decision, state=replace(d, is_reminded=True))
        return reminded.also(Ask(d.ask_round, is_reminder=True))
    return decision


def _expire(
    decision: Decision,
    stage: ApprovalStage,
    missing: tuple[str, ...],
    context: Context,
    now: datetime,
) -> Decision:
    d = decision.state
    titles = ", ".join(context.people.title(role) for role in missing)
    without = f"{spoken(stage.expires_after)} without "
    if d.is_touched:
        # The environment stands half-way: ending here would leave it there without an owner.
        return hold_and_page(decision, f"{without}{titles}", now)
    line: Line = (
        f"Expired after {without}",
        Bold(titles),
        f". {d.plan.environment} was not touched.",
    )
    return finish(decision, Phase.EXPIRED, "expired", line, None, now)


def due_in_stage(d: Deployment) -> datetime | None:
    """When the current stage must be looked at though nothing was seen; None: every lap."""
    if not isinstance(d.stage, ApprovalStage):
        return None
    if d.is_reminded:
        return d.stage_since + d.stage.expires_after
    return d.stage_since + min(d.stage.remind_after, d.stage.expires_after)


def _next(decision: Decision, now: datetime) -> Decision:
    d = decision.state
    # What was alarming about the stage behind is over; the next one calls for itself.
    onward = replace(d, cursor=d.cursor + 1, is_alarmed=False)
    return enter(replace(decision, state=onward), now)


def _gate(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    d = decision.state
    stage = d.stage
    assert isinstance(stage, GateStage)
    checks = seen.checks if seen.at >= d.stage_since and seen.checks else d.checks
    outcome = gates.judge(stage.checks, checks, d.stage_since, stage.fresh_for, now)
    facts = "; ".join(f"{r.name}: {r.fact}" for r in outcome.blocking)
    decision = replace(decision, state=replace(d, checks=checks, waits_for=facts))
    if outcome.verdict is Verdict.PASS:
        count = len(stage.checks)
        told = decision.telling("gate_passed", (f"{stage.name}: {count} of {count} pass",))
        return _next(told, now)
    if outcome.verdict is Verdict.FAIL:
        reason = f"{stage.name} failed: {facts}"
        return (
            automatic(decision, reason, True, context, now)
            if d.is_touched
            else fail(decision, reason, now)
        )
    reason = f"{stage.name} could not be checked for {spoken(stage.patience)}: {facts}"
    return _unless_patient(decision, stage.patience, reason, now)


def _job(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    d = decision.state
    stage = d.stage
    assert isinstance(stage, JobStage)
    status = seen.job if seen.job is not None and seen.job.key == d.job_key else None
    if seen.refusal is not None and seen.at >= d.stage_since:
        return _job_failed(decision, f"{stage.name} was refused: {seen.refusal}", context, now)
    if status is None:
        return _unless_overdue(decision, stage, now)
    decision = replace(decision, state=replace(d, job=status, waits_for=""))
    if status.tail and status.state not in (JobState.RUNNING, JobState.ABSENT):
        decision = decision.also(ShowOutput(stage.name, status.tail))
    match status.state:
        case JobState.SUCCEEDED:
            took = spoken(now - d.stage_since)
            return _next(decision.telling("job_passed", (f"{stage.name} done in {took}",)), now)
        case JobState.FAILED:
            return _job_failed(decision, f"{stage.name} failed: {status.fact}", context, now)
        case JobState.LOST:
            return hold_and_page(decision, f"{stage.name}: {status.fact}", now)
        case JobState.RUNNING | JobState.ABSENT:
            return _unless_overdue(decision, stage, now)


def _unless_overdue(decision: Decision, stage: JobStage, now: datetime) -> Decision:
    # The runner enforces the limit; after twice as long nobody believes the runner any more.
    overdue = 2 * stage.time_limit
    if now - decision.state.step_since < overdue:
        return decision
    reason = f"{stage.name} has not ended after {spoken(overdue)}"
    return hold_and_page(decision, reason, now)


def _job_failed(decision: Decision, reason: str, context: Context, now: datetime) -> Decision:
    if decision.state.is_touched:
        return automatic(decision, reason, True, context, now)
    return fail(decision, reason, now)


def _unless_patient(
    decision: Decision, patience: timedelta, reason: str, now: datetime
) -> Decision:
    d = decision.state
    if now - d.stage_since < patience:
        return decision
    if d.is_touched:
        return hold_and_page(decision, reason, now)
    return fail(decision, reason, now)
