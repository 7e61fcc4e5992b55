"""What people may wish for while a deployment lives, and the sentence when they may not."""

from dataclasses import replace
from datetime import datetime

from bot.domain import ending, first, rollout
from bot.domain.authority import NOTHING, mind_lock, mind_slot, need_words, require, too_late
from bot.domain.deployment import Decision, Deployment, Phase, move
from bot.domain.effects import Ask
from bot.domain.events import (
    Cancelled,
    Held,
    Promoted,
    Resumed,
    RollbackAbandoned,
    RollbackRequested,
)
from bot.domain.line import Bold, Code, Line, Mention, Said
from bot.domain.plan import ApprovalStage, RolloutStage
from bot.domain.refusal import Refused
from bot.domain.rollback import begin, choose_target, give_up, going_back, mind_reason, targets
from bot.domain.running import enter
from bot.domain.slots import Context
from bot.domain.stopping import finish, hold, way_on


def hold_it(d: Deployment, wish: Held, context: Context, now: datetime) -> Decision:
    if d.phase is not Phase.RUNNING:
        raise too_late(d, "hold")
    _require_or_requester(d, wish.by, d.plan.rights.hold, f"hold {d.id}", context)
    why: Line = (": ", Said(wish.reason)) if wish.reason else ()
    where = f", traffic stays at {d.weight} %" if d.is_touched else ""
    line: Line = ("Held by ", Mention(wish.by), *why, where)
    return hold(Decision(d), wish.by, wish.reason, line, now).answering(
        Code(d.id),
        f" is held{where}. Resume it on its card, or with ",
        Code(f"/deploy resume {d.id}"),
        ".",
    )


def resume(d: Deployment, wish: Resumed, context: Context, now: datetime) -> Decision:
    if d.phase is not Phase.HELD:
        raise too_late(d, "resume")
    _require_or_requester(d, wish.by, d.plan.rights.hold, f"resume {d.id}", context)
    if d.is_job_lost:
        raise Refused(
            "job_lost",
            (Bold(f"Nobody can say how {d.stage.name} of {d.id} ended"), "."),
            (NOTHING, Code(d.id), " ", *way_on(d), "."),
        )
    _mind_lock_of_what_moves(d, context)
    state = replace(move(d, Phase.RUNNING, now), hold=None, unsure_since=None, taken_back=0)
    if isinstance(d.stage, ApprovalStage):
        # The time on hold does not count against the people who are asked.
        state = replace(state, stage_since=now)
    line: Line = ("Resumed by ", Mention(wish.by))
    resumed = Decision(state).telling("resumed", line, wish.by)
    if rollout_or_job_running(d):
        resumed = replace(resumed, state=replace(resumed.state, step_since=now))
    elif isinstance(d.stage, ApprovalStage):
        # The buttons of the asking before stand for an older offer.
        resumed = resumed.also(Ask(state.ask_round))
    elif not state.needs_entry:
        resumed = enter(resumed, now)
    return resumed.answering(Code(d.id), " goes on.")


def _mind_lock_of_what_moves(d: Deployment, context: Context) -> None:
    """A lock that came while traffic was moving: whoever moves it on lifts the lock first."""
    if d.is_touched:
        mind_lock(d.plan, context, NOTHING)


def rollout_or_job_running(d: Deployment) -> bool:
    """Whether the stage is one whose work must not be started a second time."""
    return d.job is not None or (d.is_touched and isinstance(d.stage, RolloutStage))


def promote(d: Deployment, wish: Promoted, context: Context, now: datetime) -> Decision:
    following = d.next_weight
    if d.phase is not Phase.RUNNING or following is None or not d.fence:
        raise too_late(d, "promote")
    require(context.people, wish.by, d.plan.rights.promote, f"promote {d.id}", d.plan)
    _mind_lock_of_what_moves(d, context)
    if not rollout.is_promotable(d, now):
        why = d.waits_for or "its health is not known to be good"
        raise Refused(
            "not_healthy",
            (Bold(f"{d.id} is not promoted"), f" past {d.weight} %: ", Said(why), "."),
            (
                NOTHING,
                "It moves by itself when health has passed; to go back: ",
                Code(f"/rollback {d.id} reason"),
                ".",
            ),
        )
    onward = rollout.next_step(Decision(d), f"promoted by {_name(wish.by, context)}", wish.by, now)
    assert onward is not None
    return onward.answering(Code(d.id), " is promoted to ", Bold(f"{following} %"), ".")


def cancel(d: Deployment, wish: Cancelled, context: Context, now: datetime) -> Decision:
    if d.phase not in (Phase.RUNNING, Phase.HELD):
        raise too_late(d, "cancel")
    if d.taken_back:
        raise too_late(d, "cancel", (Code(d.id), " ", *way_on(d), "."))
    if d.is_touched and not d.is_first:
        raise Refused(
            "touched",
            (
                Bold(f"{d.id} has already changed {d.plan.environment}"),
                f", {d.weight} % of traffic is on {d.version.name}.",
            ),
            (NOTHING, "Roll it back instead: ", Code(f"/rollback {d.id} reason"), "."),
        )
    _require_or_requester(d, wish.by, d.plan.rights.cancel, f"cancel {d.id}", context)
    if d.is_touched:
        return first.end(d, wish, context, now)
    why: Line = (": ", Said(wish.reason)) if wish.reason else ()
    line: Line = (
        "Cancelled by ",
        Mention(wish.by),
        *why,
        f". {d.plan.environment} was not touched.",
    )
    ended = finish(Decision(d), Phase.CANCELLED, "cancelled", line, wish.by, now)
    return ended.answering(Code(d.id), " is cancelled. ", f"{d.plan.environment} was not touched.")


def roll_back(d: Deployment, wish: RollbackRequested, context: Context, now: datetime) -> Decision:
    mind_rollback(d, wish, context)
    target = choose_target(d.plan, d.version, wish.target, targets(d, context))
    return begin(Decision(d), wish.by, wish.reason, target, context, now).answering(
        *going_back(d.plan, target, d.id)
    )


def mind_rollback(d: Deployment, wish: RollbackRequested, context: Context) -> None:
    """Raise `Refused` unless *d* can be rolled back by this person now."""
    require(context.people, wish.by, d.plan.rights.roll_back, f"roll back {d.id}", d.plan)
    if d.phase in (Phase.RUNNING, Phase.HELD) and not d.is_touched:
        raise Refused(
            "untouched",
            (
                Bold(f"{d.id} has not touched {d.plan.environment}"),
                ", there is nothing to roll back.",
            ),
            (NOTHING, "To end it: ", Code(f"/deploy cancel {d.id} reason"), "."),
        )
    if d.phase not in (Phase.RUNNING, Phase.HELD, Phase.WATCHING):
        raise too_late(d, "roll back")
    if d.is_first and not targets(d, context):
        raise first.no_rollback(d)
    if d.phase is Phase.WATCHING:
        mind_slot(d.plan, context)
    mind_reason(d.plan, wish.reason)


def abandon(d: Deployment, wish: RollbackAbandoned, context: Context, now: datetime) -> Decision:
    if d.phase is not Phase.ROLLING_BACK and not ending.is_under_way(d):
        way: Line = ("No rollback is on its way; see ", Code(f"/deploy status {d.id}"), ".")
        raise too_late(d, "abandon the rollback of", way)
    require(
        context.people,
        wish.by,
        d.plan.rights.abandon,
        f"abandon the rollback of {d.id}",
        d.plan,
    )
    need_words(wish.reason, f"/rollback abandon {d.id} what is wrong")
    if d.taken_back:
        return ending.give_up(Decision(d), wish.by, wish.reason, now)
    return give_up(Decision(d), wish.by, wish.reason, now).answering(
        Code(d.id), f" is marked as failed. {d.plan.service} is locked until a lead unlocks it."
    )


def _require_or_requester(
    d: Deployment, user: str, roles: tuple[str, ...], act: str, context: Context
) -> None:
    person = context.people.find(user)
    is_requester = (
        person is not None
        and person.is_active
        and context.people.is_same_human(user, d.requested_by)
    )
    if not is_requester:
        require(context.people, user, roles, act, d.plan)


def _name(user: str, context: Context) -> str:
    person = context.people.find(user)
    return person.name if person else user
