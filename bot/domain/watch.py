"""After the last step: the version is looked after until it is proven and the watch is over."""

from dataclasses import replace
from datetime import datetime

from bot.domain.deployment import Decision, Phase, move
from bot.domain.effects import FreeSlot, Milestone, Page, Proves
from bot.domain.events import Observed
from bot.domain.health import Verdict, about, assess, spoken
from bot.domain.line import Bold, Code, Line, Said
from bot.domain.plan import WatchStage
from bot.domain.release import is_same_split
from bot.domain.rollback import automatic
from bot.domain.slots import Context
from bot.domain.stopping import finish


def enter(decision: Decision, now: datetime) -> Decision:
    """All traffic has moved: give the slot back and start watching."""
    d = decision.state
    stage = d.stage
    assert isinstance(stage, WatchStage)
    state = replace(
        move(d, Phase.WATCHING, now),
        fence=0,
        live_at=now,
        unsure_since=None,
        passing_since=None,
    )
    line: Line = (Bold(f"{d.version.name} is live"), f", watched for {spoken(stage.lasts)}.")
    live = replace(decision, state=state).recording(FreeSlot()).telling("live", line)
    return live.also(Milestone("complete", now))


def advance(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    """One lap of the watch: only PASS lets time count, FAIL turns round, doubt stops the clock."""
    d = decision.state
    stage = d.stage
    assert isinstance(stage, WatchStage)
    if seen.at < d.phase_since:
        return decision
    reading = about(d.version.name, seen.reading)
    health = assess(stage.health, reading, d.health, d.phase_since, now)
    is_live = seen.weights is not None and is_same_split(seen.weights, d.wanted_weights)
    is_good = is_live and health.verdict is Verdict.PASS
    gained = min(now - d.counted_at, stage.health.max_age) if is_good and d.counted_at else None
    state = replace(
        d,
        health=health,
        weights=seen.weights if seen.weights is not None else d.weights,
        watched=d.watched + gained if gained is not None else d.watched,
        counted_at=now if is_good else None,
        unsure_since=None if is_good else (d.unsure_since or now),
        is_paged=d.is_paged and not is_good,
        is_alarmed=d.is_alarmed and not is_good,
        waits_for="" if is_good else (health.why if is_live else "traffic is not seen at 100 %"),
    )
    decision = replace(decision, state=state)
    if health.verdict is Verdict.FAIL and context.slot.holder is None:
        return automatic(decision, health.why, stage.is_rollback_automatic, context, now)
    return _conclude(_worry(decision, stage, now), stage, now)


def superseded(decision: Decision, by: str, now: datetime) -> Decision:
    """A newer deployment changes the environment: this watch has nothing left to look after."""
    line: Line = ("Watch ended: ", Code(by), " took over.")
    return finish(decision, Phase.SUPERSEDED, "superseded", line, None, now)


def _worry(decision: Decision, stage: WatchStage, now: datetime) -> Decision:
    d = decision.state
    if d.unsure_since is None or d.is_paged or now - d.unsure_since < stage.health.patience:
        return decision
    page: Line = (
        Bold(f"{d.plan.service} {d.version.name}: health is unknown"),
        f" for {spoken(now - d.unsure_since)}: ",
        Said(d.waits_for),
        ". The watch's clock stands still. ",
        Code(d.id),
    )
    paged = replace(decision, state=replace(d, is_paged=True))
    paged = paged.telling("unknown", ("Health unknown: ", Said(d.waits_for)))
    return paged.also(Page(page, f"{d.id}/unknown/{now.isoformat()}", now))


def _conclude(decision: Decision, stage: WatchStage, now: datetime) -> Decision:
    d = decision.state
    if not d.is_proven and d.watched >= stage.proven_after:
        line: Line = (Bold(f"{d.version.name} is proven"), ", it can be rolled back to.")
        decision = replace(decision, state=replace(d, is_proven=True))
        decision = decision.telling("proven", line).recording(Proves(d.version.name))
    if d.watched < stage.lasts:
        return decision
    over: Line = (Bold("All clear"), f": {spoken(stage.lasts)} without a trigger.")
    return finish(decision, Phase.SUCCEEDED, "succeeded", over, None, now)
