"""Asking for a deployment, or for a rollback after the fact: the rules before anything starts."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.approvals import Approval, Parties, open_roles, seats
from bot.domain.authority import mind_lock, mind_slot, require
from bot.domain.deployment import BUSY, Decision, Deployment, Last, Phase
from bot.domain.effects import RefreshCard
from bot.domain.events import Requested, RollbackRequested
from bot.domain.first import mind_allowed, no_rollback
from bot.domain.line import Bold, Code, Line, Mention, Said
from bot.domain.plan import ApprovalStage, digest
from bot.domain.refusal import Refused, Way
from bot.domain.roles import People
from bot.domain.rollback import begin, choose_target, going_back, mind_reason
from bot.domain.running import enter
from bot.domain.slots import Active, Context


def request(team: str, number: str, wish: Requested, context: Context, now: datetime) -> Decision:
    """Start a deployment called *number*, or raise `Refused`.

    Whether it is the first of its service counts now, not when its plan was compiled: with
    nothing known to serve it walks `Plan.first`, and its digest is the one of that plan.
    """
    require(context.people, wish.by, wish.plan.rights.request, "request a deployment", wish.plan)
    mind_lock(wish.plan, context)
    _mind_busy(wish, context)
    _mind_ledger(wish, context)
    if context.ledger.serving is None:
        plan = wish.plan.first()
        wish = replace(wish, plan=plan, digest=digest(wish.version, plan, wish.policy_digest))
    _mind_signers(wish, context.people)
    note: Line = (": ", Said(wish.note)) if wish.note else ()
    line: Line = ("Requested by ", Mention(wish.by), *note)
    d = Deployment(
        team=team,
        id=number,
        kind=wish.plan.kind,
        version=wish.version,
        plan=wish.plan,
        digest=wish.digest,
        policy_digest=wish.policy_digest,
        requested_by=wish.by,
        requested_at=now,
        phase=Phase.RUNNING,
        phase_since=now,
        stage_since=now,
        step_since=now,
        stable=context.ledger.serving,
        last=Last(line, wish.by, now),
    )
    start = Decision(d).telling("requested", line, wish.by).also(RefreshCard())
    return enter(start, now).answering(
        Bold(f"{wish.plan.service} {wish.version.name}"),
        f" → {wish.plan.environment} is requested as ",
        Code(number),
        ".",
    )


def request_rollback(
    team: str,
    number: str,
    finished: Deployment,
    wish: RollbackRequested,
    context: Context,
    now: datetime,
) -> Decision:
    """Go back after *finished* is over: a deployment of kind rollback, under its old policy."""
    plan = finished.plan
    require(context.people, wish.by, plan.rights.roll_back, f"roll back {finished.id}", plan)
    mind_reason(plan, wish.reason)
    _mind_serving(finished, context)
    mind_slot(plan, context)
    possible = context.ledger.targets(finished.version.name)
    if finished.is_first and not possible:
        raise no_rollback(finished)
    target = choose_target(plan, finished.version, wish.target, possible)
    d = Deployment(
        team=team,
        id=number,
        kind="rollback",
        version=finished.version,
        plan=plan,
        digest=finished.digest,
        policy_digest=finished.policy_digest,
        requested_by=wish.by,
        requested_at=now,
        phase=Phase.RUNNING,
        phase_since=now,
        stage_since=now,
        step_since=now,
        stable=target,
        cursor=len(plan.stages) - 1,
        last=Last((), wish.by, now),
    )
    start = Decision(d).also(RefreshCard())
    return begin(start, wish.by, wish.reason, target, context, now).answering(
        *going_back(plan, target, number)
    )


def _mind_serving(finished: Deployment, context: Context) -> None:
    serving = context.ledger.serving
    if serving is not None and serving.name == finished.version.name:
        return
    raise Refused(
        "replaced",
        (
            Code(finished.id),
            f" does not serve {finished.plan.environment} any more; ",
            Code(serving.name if serving else "nothing known"),
            " does.",
        ),
        (
            "Nothing was changed. To go back from there: ",
            Code(f"/rollback {finished.plan.service} what is wrong"),
        ),
    )


def _mind_busy(wish: Requested, context: Context) -> None:
    busy = [a for a in context.others if a.phase in BUSY and _is_rival(a, wish.plan.kind)]
    if busy:
        other = busy[0]
        raise Refused(
            "already_running",
            (
                Bold(f"{wish.plan.service} already has a deployment on its way"),
                ": ",
                Code(other.id),
                f", {other.version}, {other.phase.replace('_', ' ')}.",
            ),
            (
                "Nothing was started. Look at it with ",
                Code(f"/deploy status {other.id}"),
                *_ending(other, context),
                ".",
            ),
            (Way("Show it", "deploy.status", other.id),),
        )


def _ending(other: Active, context: Context) -> Line:
    """How a person ends *other*; what changes the environment is rolled back, not cancelled."""
    if other.phase == Phase.ROLLING_BACK:
        return ("; it is over when the old version is seen to serve",)
    known = (context.ledger.serving, *context.ledger.proven)
    is_there_a_way_back = any(v is not None and v.name != other.version for v in known)
    is_changing = context.slot.holder == other.id and is_there_a_way_back
    command = f"/rollback {other.id}" if is_changing else f"/deploy cancel {other.id}"
    return (", or end it with ", Code(f"{command} reason"))


def _is_rival(other: Active, kind: str) -> bool:
    return other.kind in (kind, "rollback")


def _mind_ledger(wish: Requested, context: Context) -> None:
    service, environment = wish.plan.service, wish.plan.environment
    serving = context.ledger.serving
    if serving is None:
        mind_allowed(wish.plan)
    elif serving.name == wish.version.name:
        raise Refused(
            "already_serving",
            (Bold(f"{service} {wish.version.name} already serves {environment}"), "."),
            (
                "Nothing was started. Name another version, or see ",
                Code(f"/deploy list {service}"),
                ".",
            ),
        )


def _mind_signers(wish: Requested, people: People) -> None:
    # Asked now, because a request that nobody could ever approve would only expire.
    for stage in wish.plan.stages:
        if not isinstance(stage, ApprovalStage):
            continue
        everybody = tuple(Approval(user, _ANY_TIME, wish.digest) for user in sorted(people.by_id))
        parties = Parties(wish.by, wish.version.authors, stage.is_self_allowed)
        missing = open_roles(seats(stage.slots, everybody, wish.digest, parties, people))
        if missing:
            raise Refused(
                "nobody_can_approve",
                (
                    Bold("Nobody could approve this"),
                    ": no one but the requester and the authors is left as ",
                    Bold(", ".join(people.title(r) for r in missing)),
                    ".",
                ),
                (
                    "Nothing was started. A lead adds people to that role in ",
                    Code("org.yaml"),
                    ".",
                ),
            )


_ANY_TIME = datetime.min.replace(tzinfo=UTC)
