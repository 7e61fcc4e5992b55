"""Going back: to which version, and done only when that version is seen to serve."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import gates
from bot.domain.deployment import Decision, Deployment, Phase, RollbackRun, move
from bot.domain.effects import (
    CloseAsk,
    Disproves,
    LockEnvironment,
    Page,
    Serves,
    SetTraffic,
    StopJob,
    TakeSlot,
)
from bot.domain.events import Observed
from bot.domain.first import NO_WAY_BACK
from bot.domain.gates import CheckResult
from bot.domain.health import Verdict, spoken
from bot.domain.line import Bold, Code, Line, Mention, Part, Said
from bot.domain.plan import ApprovalStage, Plan
from bot.domain.refusal import Refused
from bot.domain.release import Version, is_same_split
from bot.domain.slots import Context
from bot.domain.stopping import finish, is_job_open, leave_to_people


def begin(
    decision: Decision,
    by: str | None,
    reason: str,
    target: Version,
    context: Context,
    now: datetime,
) -> Decision:
    """Turn round: from here on only *target* is wanted, whatever else is on its way."""
    d = decision.state
    fence = d.fence or context.slot.fence + 1
    run = RollbackRun(target, by, reason, now, now, evidence=d.health)
    state = replace(
        move(d, Phase.ROLLING_BACK, now),
        rollback=run,
        taken_back=0,
        fence=fence,
        is_touched=True,
        hold=None,
        checks=(),
        stage_since=now,
        unsure_since=None,
        started_at=d.started_at or now,
    )
    who: tuple[Part, ...] = ("Asked by ", Mention(by)) if by else ("Automatic",)
    line: Line = (Bold(f"Rolling back to {target.name}"), ". ", *who, ": ", Said(reason))
    turned = replace(decision, state=state).telling("rollback_started", line, by)
    if not d.fence:
        turned = turned.recording(TakeSlot(fence))
    if isinstance(d.stage, ApprovalStage):
        turned = turned.also(CloseAsk())
    if is_job_open(d) and d.phase in (Phase.RUNNING, Phase.HELD):
        turned = turned.also(StopJob(d.cursor, d.job_key))
    if by is None:
        turned = turned.also(Page(_news(d, target, reason), f"{d.id}/rollback", now))
    return turned.also(SetTraffic(state.wanted_weights, state.traffic_fence))


def _news(d: Deployment, target: Version, reason: str) -> Line:
    return (
        Bold(f"{d.plan.service} {d.version.name} is being rolled back"),
        " to ",
        Code(target.name),
        f" in {d.plan.environment}, automatically: ",
        Said(reason),
        ". ",
        Code(d.id),
    )


def automatic(
    decision: Decision, reason: str, is_allowed: bool, context: Context, now: datetime
) -> Decision:
    """What a fired trigger leads to: back, unless policy or a one-way migration forbids it."""
    d = decision.state
    possible = targets(d, context)
    if d.is_first and not possible:
        return leave_to_people(decision, f"{reason}; {NO_WAY_BACK}", now)
    one_way = [m.name for m in d.version.migrations if not m.is_reversible]
    if one_way:
        why = f"{reason}; not rolled back by itself, because migration {one_way[0]} is one-way"
        return leave_to_people(decision, why, now)
    if not is_allowed:
        return leave_to_people(decision, f"{reason}; the policy leaves the rollback to people", now)
    if not possible:
        return leave_to_people(decision, f"{reason}; nothing proven to roll back to", now)
    return begin(decision, None, reason, possible[0], context, now)


def advance(decision: Decision, seen: Observed, now: datetime) -> Decision:
    """Take in one look while rolling back; it ends only when the old version is seen to serve."""
    d = decision.state
    run = d.rollback
    assert run is not None, "a rollback that was begun has a run"
    if seen.at < run.since:
        # The look began before the turn: it says nothing of it, a refusal least of all.
        return _page_again(decision, "nothing seen of it yet", now)
    if seen.refusal is not None:
        return give_up(decision, None, f"the router refused: {seen.refusal}", now)
    is_back = seen.weights is not None and is_same_split(seen.weights, d.wanted_weights)
    # What was checked before the traffic was back is no proof of how it serves now.
    checks = _newest((*d.checks, *seen.checks)) if is_back else ()
    state = replace(
        d,
        rollback=replace(run, is_traffic_back=is_back),
        weights=seen.weights if seen.weights is not None else d.weights,
        checks=checks,
    )
    decision = replace(decision, state=state)
    if not is_back:
        decision = decision.also(SetTraffic(state.wanted_weights, state.traffic_fence))
        return _page_again(decision, "traffic is not seen to be back", now)
    outcome = _verified(state, checks, now)
    if outcome.verdict is not Verdict.PASS:
        missing = ", ".join(f"{r.name}: {r.fact}" for r in outcome.blocking)
        return _page_again(decision, f"traffic is back, not verified: {missing}", now)
    return _done(decision, now)


def give_up(decision: Decision, by: str | None, reason: str, now: datetime) -> Decision:
    """Say that it failed: the environment stays locked until a person lifts it."""
    d = decision.state
    line: Line = (
        Bold("Rollback failed"),
        ": ",
        Said(reason),
        f". {d.plan.service} is locked in {d.plan.environment}.",
    )
    ended = finish(decision, Phase.ROLLBACK_FAILED, "rollback_failed", line, by, now)
    ended = ended.recording(LockEnvironment(f"rollback {d.id} failed: {reason}"))
    page: Line = (
        Bold(f"{d.plan.service}: the rollback failed"),
        ". ",
        Said(reason),
        ". Traffic must be put right by hand; then ",
        Code(f"/deploy unlock {d.plan.service} reason"),
        ".",
    )
    return ended.also(Page(page, f"{d.id}/rollback_failed", now))


def choose_target(
    plan: Plan, current: Version, wished: str | None, possible: tuple[Version, ...]
) -> Version:
    """The version to go back to, or `Refused` with the ones that are possible."""
    if not possible:
        raise Refused(
            "no_target",
            (
                Bold(f"There is no proven version of {plan.service} to go back to"),
                f" but {current.name} itself.",
            ),
            (
                "Nothing was changed. If you know one that works: ",
                Code(f"pilothouse adopt {plan.service} VERSION"),
                ", or deploy it.",
            ),
        )
    if wished is None:
        return possible[0]
    for version in possible:
        if version.name == wished:
            return version
    raise Refused(
        "unproven_target",
        (
            Bold(f"{plan.service} {wished} is not proven here"),
            ", so nobody knows that it works.",
        ),
        (
            "Nothing was changed. Proven are: ",
            Code(", ".join(v.name for v in possible)),
            ". To go elsewhere, deploy it.",
        ),
    )


def mind_reason(plan: Plan, reason: str) -> None:
    needed = plan.rollback.reason_length
    if len(reason.strip()) < needed:
        raise Refused(
            "reason",
            (Bold("A rollback needs a reason"), f" of at least {needed} characters."),
            (
                "Nothing was changed. For example: ",
                Code(f"/rollback {plan.service} 500s on /pay since 14:21"),
            ),
        )


def targets(d: Deployment, context: Context) -> tuple[Version, ...]:
    """Where *d* could be rolled back to, best first; empty when there is nothing to go back to.

    While traffic moves, what served until a moment ago comes first, proven or not: it did
    serve. Once all traffic has moved, the newest proven one does.
    """
    before = (d.stable,) if d.stable and d.stable.name != d.version.name else ()
    proven = context.ledger.targets(d.version.name)
    every = (*proven, *before) if d.phase is Phase.WATCHING else (*before, *proven)
    by_name: dict[str, Version] = {}
    for version in every:
        by_name.setdefault(version.name, version)
    return tuple(by_name.values())


def going_back(plan: Plan, target: Version, number: str) -> Line:
    """The answer to whoever asked for it."""
    return (
        "Rolling ",
        Bold(plan.service),
        " back to ",
        Bold(target.name),
        ". It is done when that version is seen to serve; ",
        Code(number),
        " tells.",
    )


def _verified(d: Deployment, checks: tuple[CheckResult, ...], now: datetime) -> gates.GateOutcome:
    assert d.rollback is not None
    fresh = timedelta(days=1)  # any answer since the rollback began is about this rollback
    return gates.judge(d.plan.rollback.verify, checks, d.rollback.since, fresh, now)


def _newest(results: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    return tuple({result.name: result for result in results}.values())


def _page_again(decision: Decision, reason: str, now: datetime) -> Decision:
    d = decision.state
    run = d.rollback
    assert run is not None
    decision = replace(decision, state=replace(d, waits_for=reason))
    if now - run.paged_at < d.plan.rollback.page_every:
        return decision
    run = replace(run, paged_at=now)
    line: Line = (
        Bold(f"{d.plan.service}: the rollback to {run.target.name} is not done"),
        f" after {spoken(now - run.since)}: ",
        Said(reason),
        ". It goes on trying. ",
        Code(d.id),
    )
    paged = replace(decision, state=replace(decision.state, rollback=run))
    paged = paged.telling("rollback_slow", ("Still rolling back: ", Said(reason)))
    return paged.also(Page(line, f"{d.id}/rollback/{now.isoformat()}", now))


def _done(decision: Decision, now: datetime) -> Decision:
    d = decision.state
    assert d.rollback is not None
    target = d.rollback.target.name
    took = spoken(now - d.rollback.since)
    line: Line = (Bold(f"Rolled back to {target}"), f", seen to serve after {took}.")
    done = finish(decision, Phase.ROLLED_BACK, "rolled_back", line, d.rollback.by, now)
    return done.recording(Serves(target), Disproves(d.version.name))
