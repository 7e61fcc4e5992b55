"""The scheduled status: a beat on a fixed grid, late but never lost, and never twice."""

from dataclasses import replace
from datetime import datetime

from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import CloseUpdate, PostUpdate
from bot.domain.plan import ApprovalStage


def is_beating(d: Deployment) -> bool:
    """Whether people expect to hear of it regularly: while it works, not while it asks."""
    if d.phase in (Phase.HELD, Phase.ROLLING_BACK):
        return d.started_at is not None
    return d.phase is Phase.RUNNING and not isinstance(d.stage, ApprovalStage)


def beat(before: Deployment, decision: Decision, now: datetime) -> Decision:
    """Add what is due: one status per beat however many were missed, one per change of phase.

    While it waits for people there is no beat; the last status then says what it waits for.
    """
    d = decision.state
    if not is_beating(d):
        return _pause(before, decision, now)
    every = d.plan.updates.every
    if d.started_at is None or d.update_due_at is None:
        started = d.started_at or now
        number = int((now - started) / every)
        state = replace(
            d, started_at=started, beat=number, update_due_at=started + (number + 1) * every
        )
        return replace(decision, state=state).also(PostUpdate(now, None, "start"))
    if now >= d.update_due_at:
        number = int((now - d.started_at) / every)
        state = replace(d, beat=number, update_due_at=d.started_at + (number + 1) * every)
        # The beat's own moment goes with it, so that the message can say that it is late.
        return replace(decision, state=state).also(PostUpdate(d.update_due_at, number))
    if d.phase is not before.phase:
        return decision.also(PostUpdate(now, None, d.phase.value))
    return decision


def _pause(before: Deployment, decision: Decision, now: datetime) -> Decision:
    d = decision.state
    if d.update_due_at is not None:
        decision = replace(decision, state=replace(d, update_due_at=None))
    if not is_beating(before):
        return decision
    if d.is_over or d.phase is Phase.WATCHING:
        return decision.also(CloseUpdate())
    return decision.also(PostUpdate(now, None, "waiting"))
