"""The door to the environment: everything is looked at again before the first change."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import gates
from bot.domain.approvals import open_roles
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import Ask, Supersede, TakeSlot
from bot.domain.events import Observed
from bot.domain.first import misfit
from bot.domain.gates import Check
from bot.domain.health import Verdict
from bot.domain.line import Bold, Line
from bot.domain.plan import GateStage, RolloutStage
from bot.domain.slots import Context
from bot.domain.stopping import fail, hold_and_page


def gates_behind(d: Deployment) -> tuple[GateStage, ...]:
    """The gates before the door; each must pass once more, now."""
    return tuple(stage for stage in d.plan.stages[: d.cursor] if isinstance(stage, GateStage))


def checks_again(d: Deployment) -> tuple[Check, ...]:
    return tuple(check for gate in gates_behind(d) for check in gate.checks)


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
    outcomes = [
        gates.judge(gate.checks, seen.checks, d.stage_since, gate.fresh_for, now)
        for gate in gates_behind(d)
    ]
    blocking = [result for outcome in outcomes for result in outcome.blocking]
    facts = "; ".join(f"{result.name}: {result.fact}" for result in blocking)
    if any(outcome.verdict is Verdict.FAIL for outcome in outcomes):
        return fail(decision, f"gates no longer pass: {facts}", now)
    if blocking:
        return _waiting(decision, f"gates are looked at again: {facts}", now)
    for where in d.approvals_reached:
        missing = open_roles(d.seats(context.people, where))
        if missing:
            return _ask_again(decision, where, missing, context, now)
    return _take(decision, seen, context, now)


def _take(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    d = decision.state
    wrong = misfit(d, seen, context.ledger)
    if wrong:
        return fail(decision, wrong, now)
    if d.plan.is_first and seen.weights is None:
        # What is about to get all traffic at once must not take it from anything.
        return _waiting(decision, "the router did not say whether anything serves yet", now)
    state = replace(
        d,
        fence=context.slot.fence + 1,
        is_touched=True,
        stable=context.ledger.serving,
        weights=seen.weights,
        stage_since=now,
        step_since=now,
        unsure_since=None,
        waits_for="",
    )
    taken = replace(decision, state=state).recording(TakeSlot(state.fence))
    watched = tuple(a for a in context.others if a.phase == Phase.WATCHING)
    return taken.recording(*(Supersede(other.id) for other in watched))


def _ask_again(
    decision: Decision, where: int, missing: tuple[str, ...], context: Context, now: datetime
) -> Decision:
    d = decision.state
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
    """How long not knowing is borne: what the policy bears of the rollout behind this door."""
    rollouts = (stage for stage in d.plan.stages if isinstance(stage, RolloutStage))
    return next((stage.health.patience for stage in rollouts), timedelta())
