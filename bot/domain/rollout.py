"""Moving traffic: a step is left only when it was seen, and healthy for its whole bake."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.ahead import is_ahead, split_in_words, stop
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import Serves, SetTraffic
from bot.domain.events import Observed
from bot.domain.health import Health, HealthRules, Verdict, about, assess, spoken
from bot.domain.line import Bold, Line
from bot.domain.plan import RolloutStage
from bot.domain.release import is_same_split
from bot.domain.rollback import automatic
from bot.domain.slots import Context
from bot.domain.stopping import hold_and_page


def look(decision: Decision, seen: Observed, now: datetime) -> Decision:
    """Take in weights and health; changes no phase and no step."""
    d = decision.state
    stage = d.stage
    assert isinstance(stage, RolloutStage)
    if seen.at < d.step_since:
        # The look began before this step was asked for: it says nothing about it.
        return decision
    if d.live_since and not d.is_behind and seen.weights and is_ahead(d, seen.weights):
        decision = replace(decision, state=replace(d, weights=seen.weights, live_since=None))
        return stop(decision, f"the router sends {split_in_words(seen.weights)}", seen.weights, now)
    is_live = seen.weights is not None and is_same_split(seen.weights, d.wanted_weights)
    reading = about(d.version.name, seen.reading)
    health = assess(stage.health, reading, d.health, d.step_since, now)
    is_good = is_live and health.verdict is Verdict.PASS and d.phase is Phase.RUNNING
    state = replace(
        d,
        weights=seen.weights if seen.weights is not None else d.weights,
        live_since=(d.live_since or now) if is_live else None,
        health=health,
        passing_since=_passing_since(d, stage.health, now) if is_good else None,
        unsure_since=None if is_good else (d.unsure_since or now),
        is_behind=d.is_behind and not is_live,
        is_alarmed=d.is_alarmed and health.verdict is not Verdict.PASS,
        waits_for="" if is_good else _lack(d, is_live, seen, health),
    )
    decision = replace(decision, state=state)
    is_left_alone = d.is_behind and d.phase is Phase.HELD
    if is_live or is_left_alone or seen.refusal is not None:
        # Who was refused just now does not ask again at once; the next lap does.
        return decision
    return decision.also(SetTraffic(state.wanted_weights, state.traffic_fence))


def advance(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision | None:
    """One lap of the rollout; None when the last step has baked and the stage is passed."""
    is_current = seen.at >= decision.state.step_since
    if is_current and seen.refusal is not None:
        return hold_and_page(decision, f"the router refused: {seen.refusal}", now)
    decision = look(decision, seen, now)
    d = decision.state
    stage = d.stage
    assert isinstance(stage, RolloutStage)
    if d.phase is not Phase.RUNNING:
        return decision
    if is_current and is_failing(d):
        return automatic(decision, _why(d), stage.is_rollback_automatic, context, now)
    bake = stage.steps[d.step].bake
    # Time alone promotes nothing: the look that ends a bake must itself have been good.
    if is_current and d.passing_since is not None and now - d.passing_since >= bake:
        if context.lock is not None and d.next_weight is not None:
            waiting = replace(d, waits_for=f"locked: {context.lock.reason}")
            return replace(decision, state=waiting)
        return next_step(decision, f"{spoken(bake)} healthy, by policy", None, now)
    if d.unsure_since is not None and now - d.unsure_since >= stage.health.patience:
        return _lose_patience(decision, stage, context, now)
    return decision


def next_step(decision: Decision, why: str, by: str | None, now: datetime) -> Decision | None:
    """Ask for the next weight; None when there is none left."""
    d = decision.state
    following = d.next_weight
    if following is None:
        return None
    state = replace(
        d,
        step=d.step + 1,
        step_since=now,
        live_since=None,
        passing_since=None,
        unsure_since=None,
        waits_for="",
    )
    line: Line = (f"{d.weight} % done ({why}). ", Bold(f"{following} % started"))
    stepped = replace(decision, state=state).telling("step", line, by)
    return stepped.also(SetTraffic(state.wanted_weights, state.traffic_fence))


def passed(decision: Decision) -> Decision:
    """All traffic was seen on the new version, for its whole bake."""
    return decision.recording(Serves(decision.state.version.name))


def is_failing(d: Deployment) -> bool:
    return d.health is not None and d.health.verdict is Verdict.FAIL


def is_promotable(d: Deployment, now: datetime) -> bool:
    """Whether an early promotion is safe: the weight is seen and health is a fresh PASS."""
    stage = d.stage
    if not isinstance(stage, RolloutStage) or d.health is None or d.passing_since is None:
        return False
    is_fresh: bool = now - d.health.at <= max(stage.health.max_age, timedelta(seconds=1))
    return is_fresh and d.health.verdict is Verdict.PASS


def _passing_since(d: Deployment, rules: HealthRules, now: datetime) -> datetime:
    """Since when it would be good, had nobody looked away: time that no look vouches for, of a
    process that stood still or a clock that jumped, is no part of a bake."""
    if d.passing_since is None or d.health is None:
        return now
    return d.passing_since + max(now - d.health.at - rules.max_age, timedelta())


def _why(d: Deployment) -> str:
    assert d.health is not None
    return f"{d.health.why} at {d.weight} % of traffic"


def _lack(d: Deployment, is_live: bool, seen: Observed, health: Health) -> str:
    if seen.weights is None:
        return "the router did not answer"
    if not is_live:
        return f"{d.weight} % of traffic asked for, not seen yet"
    return "" if health.verdict is Verdict.PASS else health.why


def _lose_patience(
    decision: Decision, stage: RolloutStage, context: Context, now: datetime
) -> Decision:
    d = decision.state
    why = f"not known to be healthy for {spoken(stage.health.patience)}: {d.waits_for}"
    if stage.is_unknown_rolled_back:
        return automatic(decision, why, True, context, now)
    return hold_and_page(decision, why, now)
