"""When the clock was ahead and comes back: nothing in a deployment may be later than now."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.deployment import Decision, Deployment, Hold, RollbackRun
from bot.domain.effects import Entry, Wanted
from bot.domain.health import Health, Verdict, spoken

#: Less is how clocks are corrected, and how answers overtake each other.
NO_JUMP = timedelta(minutes=1)


def put_right(d: Deployment, now: datetime) -> Deployment:
    """*d* without a future: what began there begins now, and what was seen there is forgotten,
    because nobody can tell how old it is. *d* itself when there is nothing to put right."""
    if d.is_over or latest(d) <= now + NO_JUMP:
        return d
    started = _started(d, now)
    return replace(
        d,
        phase_since=min(d.phase_since, now),
        stage_since=min(d.stage_since, now),
        step_since=min(d.step_since, now),
        live_since=_by(now, d.live_since),
        unsure_since=_by(now, d.unsure_since),
        started_at=started,
        live_at=d.live_at if d.live_at is not None and d.live_at <= now else None,
        passing_since=None,
        counted_at=None,
        checks=(),
        health=_forgotten(d.health, now),
        hold=_held(d.hold, now),
        rollback=_turned(d.rollback, now),
        update_due_at=_next_beat(d, started, now),
    )


def telling(decision: Decision, before: Deployment, now: datetime) -> Decision:
    """Say in its timeline that *before* was put right, and what that means; what came of it
    stays the newest line, for whoever presses a button too late."""
    ahead = spoken(latest(before) - now)
    line = f"The clock was put back by {ahead} or more. What was being waited for begins again."
    told = Wanted(entries=(Entry("clock_back", (line,), None),))
    return replace(decision, wanted=told + decision.wanted)


def latest(d: Deployment) -> datetime:
    """The newest moment that something in *d* is known to have begun or been seen."""
    times = [d.phase_since, d.stage_since, d.step_since, *(check.at for check in d.checks)]
    maybe = (d.live_since, d.passing_since, d.unsure_since, d.counted_at, d.started_at)
    times += [at for at in maybe if at is not None]
    if d.health is not None:
        times.append(d.health.at)
    if d.hold is not None:
        times += [d.hold.since, d.hold.reminded_at]
    if d.rollback is not None:
        times += [d.rollback.since, d.rollback.paged_at]
    return max(times)


def _by(now: datetime, since: datetime | None) -> datetime | None:
    return None if since is None else min(since, now)


def _forgotten(health: Health | None, now: datetime) -> Health | None:
    if health is None:
        return None
    # A limit that was exceeded before is so since then: a trigger does not begin anew.
    breaches = tuple(replace(breach, since=min(breach.since, now)) for breach in health.breaches)
    return Health(Verdict.UNKNOWN, now, "the clock was put back", breaches=breaches)


def _held(hold: Hold | None, now: datetime) -> Hold | None:
    if hold is None:
        return None
    return replace(hold, since=min(hold.since, now), reminded_at=min(hold.reminded_at, now))


def _turned(run: RollbackRun | None, now: datetime) -> RollbackRun | None:
    if run is None:
        return None
    return replace(run, since=min(run.since, now), paged_at=min(run.paged_at, now))


def _started(d: Deployment, now: datetime) -> datetime | None:
    """Early enough for the beats that were told: the next one has a number of its own."""
    if d.started_at is None:
        return None
    started, every = min(d.started_at, now), d.plan.updates.every
    return started - max(d.beat - int((now - started) / every), 0) * every


def _next_beat(d: Deployment, started: datetime | None, now: datetime) -> datetime | None:
    if d.update_due_at is None or started is None:
        return d.update_due_at
    every = d.plan.updates.every
    return started + (int((now - started) / every) + 1) * every
