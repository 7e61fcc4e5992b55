"""The scheduled status: a beat on a fixed grid, late but never lost, and never twice."""

from dataclasses import replace
from datetime import datetime

from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import CloseUpdate, PostUpdate
from bot.domain.plan import ApprovalStage

#: What nobody expects is a new message, because an edit calls nobody.
_NEWS = (Phase.HELD, Phase.ROLLING_BACK)


def news(d: Deployment) -> str:
    """What about *d* is worth a message of its own, told apart from the time before; else empty.

    Of the state and not of the wish to tell it: an unsent wish gives way to the next one.
    """
    return f"{d.phase} {d.phase_since.isoformat()}" if d.phase in _NEWS else ""


def is_new_message(d: Deployment, last_beat: int, last_news: str) -> bool:
    """Whether the status of *d* is posted, and not drawn over the one that stands.

    Every beat gets one message, and so does what holds or turns back; what else happens within a
    beat changes its message, or a short deployment would leave as many lines as it has stages.
    """
    return d.beat != last_beat or news(d) not in ("", last_news)


def is_beating(d: Deployment) -> bool:
    """Whether people expect to hear of it regularly: while it works, not while it asks."""
    if d.phase in (Phase.HELD, Phase.ROLLING_BACK):
        return d.started_at is not None
    return d.phase is Phase.RUNNING and not isinstance(d.stage, ApprovalStage)


def beat(before: Deployment, decision: Decision, now: datetime) -> Decision:
    """Add what is due: one status per beat however many were missed, one per change of phase,
    of step or of health.

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
    if _shown(d) != _shown(before):
        return decision.also(PostUpdate(now, None, "progress"))
    return decision


def _shown(d: Deployment) -> tuple[object, ...]:
    """What a status says of how far it is and how well: the card must not say another."""
    seen = (d.health.verdict, bool(d.health.breaches)) if d.health is not None else None
    return d.cursor, d.step, d.needs_entry, d.live_since is None, d.taken_back > 0, seen


def _pause(before: Deployment, decision: Decision, now: datetime) -> Decision:
    d = decision.state
    if d.update_due_at is not None:
        decision = replace(decision, state=replace(d, update_due_at=None))
    is_shown = before.started_at is not None
    if d.is_over or d.phase is Phase.WATCHING:
        # Also one that said what it waits for, until it was rejected.
        is_new = not before.is_over and before.phase is not Phase.WATCHING
        return decision.also(CloseUpdate()) if is_shown and is_new else decision
    if is_beating(before) or (is_shown and d.approvals != before.approvals):
        return decision.also(PostUpdate(now, None, "waiting"))
    return decision
