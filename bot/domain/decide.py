"""The one function that decides: what a deployment becomes, and what must be done about it."""

from datetime import datetime, timedelta
from typing import assert_never

from bot.domain import (
    ahead,
    alarm,
    clocks,
    ending,
    rollback,
    rollout,
    running,
    signing,
    updates,
    watch,
    wishes,
)
from bot.domain.copying import replace
from bot.domain.deployment import OVER, Decision, Deployment, Last, Phase
from bot.domain.effects import Anchor, Announce, Entry, RefreshCard, SetTraffic
from bot.domain.events import (
    Alarmed,
    Approved,
    Cancelled,
    Elapsed,
    Event,
    Held,
    Observed,
    Overtaken,
    Promoted,
    Rejected,
    Resumed,
    RollbackAbandoned,
    RollbackRequested,
    Seen,
    Superseded,
    Taken,
    Wish,
)
from bot.domain.health import spoken
from bot.domain.line import Line
from bot.domain.offer import offered, renewed
from bot.domain.plan import RolloutStage
from bot.domain.slots import Context
from bot.domain.stopping import finish


def decide(d: Deployment, event: Event, context: Context, now: datetime) -> Decision:
    """Return the next state and what it asks for.

    Raises `Refused` for a wish that cannot be granted; never for what the bot sees.
    """
    before, d = d, clocks.put_right(d, now)
    match event:
        case Observed() | Elapsed() | Superseded() | Alarmed() | Overtaken() | Taken():
            decision = _see(d, event, context, now)
        case _:
            decision = _wish(d, event, context, now)
    if d is not before:
        decision = clocks.telling(decision, before, now)
    return settle(before, decision, now)


def settle(before: Deployment | None, decision: Decision, now: datetime) -> Decision:
    """Draw the consequences every decision has: timeline, offer, card, the scheduled status."""
    entries = decision.wanted.entries
    decision = replace(decision, state=_told(before, decision.state, entries, now))
    if entries:
        decision = decision.also(*(Announce(entry.line, now) for entry in entries))
    if decision.state.is_over and not (before and before.is_over):
        decision = decision.also(Anchor(now))  # after the last line of its thread
    decision = updates.beat(before or decision.state, _last_split_only(decision), now)
    if before is not None and decision.state != before:
        is_urgent = bool(entries) or _standing(before) != _standing(decision.state)
        decision = decision.also(RefreshCard(is_urgent))
    return decision


def _told(
    before: Deployment | None, d: Deployment, entries: tuple[Entry, ...], now: datetime
) -> Deployment:
    """*d* with the newest line, and a new offer when it means something else than *before*."""
    last = Last(entries[-1].line, entries[-1].by, now) if entries else d.last
    offer, since = renewed(before, d)
    if last is d.last and offer == d.offer:
        return d
    return replace(d, last=last, offer=offer, offered_since=since)


def _standing(d: Deployment) -> tuple[object, ...]:
    """What a reader of the card must learn at once; numbers may wait for the next edit."""
    verdict = d.health.verdict if d.health is not None else None
    return (d.offer, verdict, d.live_since is not None)


def due_at(d: Deployment, now: datetime, tick: timedelta) -> datetime | None:
    """When *d* must be looked at next; None when it is over."""
    if d.phase in OVER:
        return None
    times = [d.update_due_at] if d.update_due_at else []
    if d.phase is Phase.HELD and not d.is_touched:
        assert d.hold is not None
        rules = d.plan.hold
        times += [d.hold.reminded_at + rules.remind_every, d.hold.since + rules.expires_after]
        return max(min(times), now)
    quiet_until = running.due_in_stage(d) if d.phase is Phase.RUNNING else None
    times.append(quiet_until if quiet_until is not None else now + tick)
    return max(min(times), now)


def _last_split_only(decision: Decision) -> Decision:
    # Splits of one decision share a fence, so a router could not tell which one is newer.
    effects = decision.wanted.effects
    splits = [effect for effect in effects if isinstance(effect, SetTraffic)]
    if len(splits) < 2:
        return decision
    kept = tuple(e for e in effects if not isinstance(e, SetTraffic) or e is splits[-1])
    return replace(decision, wanted=replace(decision.wanted, effects=kept))


def _wish(d: Deployment, wish: Wish, context: Context, now: datetime) -> Decision:
    match wish:
        case Approved():
            return signing.approve(d, wish, context, now)
        case Rejected():
            return signing.reject(d, wish, context, now)
        case Held():
            return wishes.hold_it(d, wish, context, now)
        case Resumed():
            return wishes.resume(d, wish, context, now)
        case Promoted():
            return wishes.promote(d, wish, context, now)
        case Cancelled():
            return wishes.cancel(d, wish, context, now)
        case RollbackRequested():
            return wishes.roll_back(d, wish, context, now)
        case RollbackAbandoned():
            return wishes.abandon(d, wish, context, now)
    assert_never(wish)


def _see(d: Deployment, seen: Seen, context: Context, now: datetime) -> Decision:
    decision = Decision(d)
    match seen:
        case Superseded(by=by):
            is_watching = d.phase is Phase.WATCHING
            return watch.superseded(decision, by, now) if is_watching else decision
        case Alarmed(why):
            return alarm.hold(decision, why, now)
        case Overtaken(fence):
            return ahead.overtaken(decision, fence, now)
        case Taken(fence):
            return ending.taken(decision, fence, now)
        case Elapsed():
            seen = Observed(at=d.requested_at)
    match d.phase:
        case Phase.RUNNING:
            return running.advance(decision, seen, context, now)
        case Phase.HELD:
            return _held(decision, seen, context, now)
        case Phase.WATCHING:
            return watch.advance(decision, seen, context, now)
        case Phase.ROLLING_BACK:
            return rollback.advance(decision, seen, now)
    return decision


def _held(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    d = decision.state
    assert d.hold is not None
    if d.taken_back:
        return ending.advance(decision, seen, context, now)
    if isinstance(d.stage, RolloutStage) and d.is_touched:
        decision = rollout.look(decision, seen, now)
        d = decision.state
        if rollout.is_failing(d):
            return _failing_on_hold(decision, d.stage, context, now)
    rules = d.plan.hold
    assert d.hold is not None
    if not d.is_touched and now - d.hold.since >= rules.expires_after:
        line: Line = (
            f"Expired after {spoken(rules.expires_after)} on hold. "
            f"{d.plan.environment} was not touched.",
        )
        return finish(decision, Phase.EXPIRED, "expired", line, None, now)
    if now - d.hold.reminded_at >= rules.remind_every:
        state = replace(d, hold=replace(d.hold, reminded_at=now))
        ways = " or ".join(offered(d)).replace("_", " ").capitalize()
        waiting: Line = (f"Still held, for {spoken(now - d.hold.since)}. {ways}.",)
        return replace(decision, state=state).telling("held_long", waiting)
    return decision


def _failing_on_hold(
    decision: Decision, stage: object, context: Context, now: datetime
) -> Decision:
    d = decision.state
    assert isinstance(stage, RolloutStage)
    assert d.health is not None
    why = f"{d.health.why} at {d.weight} % of traffic, while held"
    return rollback.automatic(decision, why, stage.is_rollback_automatic, context, now)
