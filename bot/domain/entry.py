"""The door to the environment: everything is looked at again before the first change."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import gates
from bot.domain.approvals import open_roles
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import Ask, Supersede, TakeSlot
from bot.domain.events import Observed
from bot.domain.gates import Check
from bot.domain.health import Verdict
from bot.domain.line import Bold, Line
from bot.domain.plan import ApprovalStage, GateStage
from bot.domain.slots import Context
from bot.domain.stopping import fail, hold_and_page


def checks_again(d: Deployment) -> tuple[Check, ...]:
    """The checks of every gate before the door; they must pass once more, now."""
    before = d.plan.stages[: d.cursor]
    return tuple(
        check for stage in before if isinstance(stage, GateStage) for check in stage.checks
    )


def into_environment(
    decision: Decision, seen: Observed, context: Context, now: datetime
) -> Decision:
    """Take the slot if the build, the gates and the signatures still are what they were.

    Otherwise wait, go back to the approval stage, or end; nothing is touched in any of them.
    """
    d = decision.state
    if context.lock is not None:
        return _waiting(decision, f"locked: {context.lock.reason}", now)
    if context.slot.holder not in (None, d.id):
        return _queueing(decision, f"{context.slot.holder} is changing {d.plan.environment}", now)
    if seen.at < d.stage_since or seen.resolved is None:
        return _waiting(decision, "the release catalogue did not answer", now)
    if not seen.resolved.is_same_build(d.version):
        return fail(
            decision,
            f"{d.version.name} is another build than the one approved "
            f"(commit {seen.resolved.commit[:12]}, approved {d.version.commit[:12]}); "
            "request it again",
            now,
        )
    return _after_gates(decision, seen, context, now)


def _after_gates(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    d = decision.state
    outcome = gates.judge(checks_again(d), seen.checks, d.stage_since, timedelta(minutes=5), now)
    facts = "; ".join(f"{r.name}: {r.fact}" for r in outcome.blocking)
    if outcome.verdict is Verdict.FAIL:
        return fail(decision, f"gates no longer pass: {facts}", now)
    if outcome.verdict is Verdict.UNKNOWN:
        return _waiting(decision, f"gates are looked at again: {facts}", now)
    missing = open_roles(d.seats(context.people))
    if d.approval_stage is not None and missing:
        return _ask_again(decision, missing, context, now)
    return _take(decision, context, now)


def _take(decision: Decision, context: Context, now: datetime) -> Decision:
    d = decision.state
    serving = context.ledger.serving
    if serving is None:
        return fail(decision, "nobody knows what serves now, so there is no way back", now)
    if serving.name == d.version.name:
        return fail(decision, f"{serving.name} already serves", now)
    state = replace(
        d,
        fence=context.slot.fence + 1,
        is_touched=True,
        stable=serving,
        stage_since=now,
        step_since=now,
        unsure_since=None,
        waits_for="",
    )
    taken = replace(decision, state=state).recording(TakeSlot(state.fence))
    watched = tuple(a for a in context.others if a.phase == Phase.WATCHING)
    return taken.recording(*(Supersede(other.id) for other in watched))


def _ask_again(
    decision: Decision, missing: tuple[str, ...], context: Context, now: datetime
) -> Decision:
    d = decision.state
    where = max(
        i for i, stage in enumerate(d.plan.stages[: d.cursor]) if isinstance(stage, ApprovalStage)
    )
    titles = ", ".join(context.people.title(role) for role in missing)
    line: Line = ("A signature no longer counts; needed again: ", Bold(titles))
    state = replace(
        d,
        cursor=where,
        stage_since=now,
        checks=(),
        ask_round=d.ask_round + 1,
        is_reminded=False,
        unsure_since=None,
        waits_for="",
    )
    return replace(decision, state=state).telling("reopened", line).also(Ask(state.ask_round))


def _waiting(decision: Decision, why: str, now: datetime) -> Decision:
    """Bear not knowing for the rollout's patience, then hold and call somebody."""
    d = decision.state
    since = d.unsure_since or now
    decision = replace(decision, state=replace(d, unsure_since=since, waits_for=why))
    if now - since < _patience(d):
        return decision
    return hold_and_page(decision, why, now)


def _queueing(decision: Decision, why: str, now: datetime) -> Decision:
    # Waiting for one's turn is no doubt: the other one has clocks of its own.
    return replace(decision, state=replace(decision.state, unsure_since=None, waits_for=why))


def _patience(d: Deployment) -> timedelta:
    health = getattr(d.stage, "health", None)
    return health.patience if health is not None else timedelta(minutes=10)
