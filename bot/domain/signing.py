"""Signing and refusing to sign: who may, for exactly what, and once each."""

from datetime import datetime

from bot.domain.approvals import Approval, open_roles
from bot.domain.authority import NOTHING, mind_listed, need_words, require, too_late
from bot.domain.copying import replace
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.events import Approved, Rejected
from bot.domain.health import spoken
from bot.domain.line import Bold, Code, Line, Mention, Said, mentions
from bot.domain.plan import ApprovalStage
from bot.domain.refusal import Refused
from bot.domain.running import sign_off
from bot.domain.slots import Context
from bot.domain.stopping import finish


def approve(d: Deployment, wish: Approved, context: Context, now: datetime) -> Decision:
    stage = d.stage
    if d.phase is not Phase.RUNNING or not isinstance(stage, ApprovalStage):
        raise too_late(d, "approve")
    if wish.version is not None and wish.version != d.version.name:
        raise Refused(
            "other_version",
            (Code(d.id), " is about ", Bold(d.version.name), ", not ", Code(wish.version), "."),
            (NOTHING, "To sign it say ", Code(f"@pilot approve {d.id} {d.version.name}"), "."),
        )
    _mind_expiry(d, stage, now)
    _mind_parties(d, stage, wish.by, context)
    _mind_signed(d, wish.by, context)
    signature = Approval(wish.by, now, d.digest, wish.note, d.cursor)
    signed = replace(d, approvals=(*d.approvals, signature))
    places = signed.seats(context.people)
    role = next((seat.role for seat in places if seat.approval == signature), None)
    if role is None:
        raise _no_place(d, wish.by, context)
    done = sum(seat.approval is not None for seat in places)
    title = context.people.title(role)
    note: Line = (": ", Said(wish.note)) if wish.note else ()
    line: Line = (
        "Approved by ",
        Mention(wish.by),
        " as ",
        Bold(title),
        f" ({done} of {len(places)})",
        *note,
    )
    decision = sign_off(Decision(signed).telling("approved", line, wish.by), context, now)
    return decision.answering(
        "You signed ",
        Bold(f"{d.plan.service} {d.version.name}"),
        " as ",
        Bold(title),
        f", {done} of {len(places)}. ",
        _what_next(decision.state, open_roles(places), context),
    )


def _what_next(d: Deployment, missing: tuple[str, ...], context: Context) -> str:
    if missing:
        return f"Still missing: {', '.join(map(context.people.title, missing))}."
    return f"{d.stage.name} comes next, by itself." if d.phase is Phase.RUNNING else ""


def reject(d: Deployment, wish: Rejected, context: Context, now: datetime) -> Decision:
    stage = d.approval_stage
    if d.is_touched or stage is None or d.phase not in (Phase.RUNNING, Phase.HELD):
        raise too_late(d, "reject")
    roles = tuple(dict.fromkeys((*(slot.role for slot in stage.slots), *d.plan.rights.reject)))
    require(context.people, wish.by, roles, f"reject {d.id}", d.plan)
    need_words(wish.reason, f"@pilot reject {d.id} what is wrong")
    line: Line = (
        "Rejected by ",
        Mention(wish.by),
        ": ",
        Said(wish.reason),
        f". {d.plan.environment} was not touched.",
    )
    ended = finish(Decision(d), Phase.REJECTED, "rejected", line, wish.by, now)
    return ended.answering(Code(d.id), " is rejected. ", f"{d.plan.environment} was not touched.")


def _mind_expiry(d: Deployment, stage: ApprovalStage, now: datetime) -> None:
    # The lap that ends it may be late; a signature after the time is late all the same.
    if now - d.stage_since < stage.expires_after:
        return
    raise Refused(
        "expired",
        (
            Bold(f"The time to sign {d.id} is over"),
            f": it was {spoken(stage.expires_after)} from {d.stage_since:%H:%M} UTC.",
        ),
        (NOTHING, "Request it again: ", Code(f"/deploy {d.plan.service} {d.version.name}"), "."),
    )


def _mind_parties(d: Deployment, stage: ApprovalStage, user: str, context: Context) -> None:
    barred = d.parties(stage).bars(user, context.people)
    if barred is None:
        return
    why = "You asked for this one" if barred == "requester" else "You wrote part of this one"
    raise Refused(
        "own",
        (Bold(f"{why}, so someone else signs."), " ", *_able(d, context), " can."),
        (
            NOTHING,
            "They can press Approve, or say ",
            Code(f"@pilot approve {d.id}"),
            " in the thread.",
        ),
    )


def _mind_signed(d: Deployment, user: str, context: Context) -> None:
    for seat in d.seats(context.people):
        signed = seat.approval
        if signed is not None and context.people.is_same_human(signed.by, user):
            raise Refused(
                "already_signed",
                (
                    Bold("You signed this already"),
                    f" as {context.people.title(seat.role)}, "
                    f"{signed.at:%H:%M} UTC. It counts once.",
                ),
                (NOTHING, "Still needed: ", *_able(d, context), "."),
            )


def _no_place(d: Deployment, user: str, context: Context) -> Refused:
    mind_listed(context.people, user, f"approve {d.id}")
    missing = open_roles(d.seats(context.people))
    titles = " and ".join(context.people.title(role) for role in missing)
    mine = ", ".join(context.people.title(r) for r in context.people.roles_of(user)) or "none"
    return Refused(
        "role",
        (
            Bold(f"You cannot approve {d.id}."),
            " It still needs a ",
            Bold(titles),
            ": ",
            *_able(d, context),
            f". Your roles here: {mine}.",
        ),
        (NOTHING, "Ask one of them, or have a lead change ", Code("org.yaml"), "."),
    )


def _able(d: Deployment, context: Context) -> Line:
    stage = d.approval_stage
    assert stage is not None
    parties = d.parties(stage)
    people = [
        user
        for role in open_roles(d.seats(context.people))
        for user in context.people.holders(role)
        if parties.bars(user, context.people) is None
    ]
    return mentions(tuple(dict.fromkeys(people)))
