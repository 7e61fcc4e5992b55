"""Ending a first deployment before its traffic was seen: what was asked for is taken back first.

A command that is still under way would otherwise make live what people have given up. So nobody
is to get any traffic, said under a newer number. It is over when the router has taken that, which
makes it refuse whatever is older, and is then seen to send nobody anything.
"""

from dataclasses import replace
from datetime import datetime

from bot.domain.deployment import Decision, Deployment, Hold, Phase, move
from bot.domain.effects import LockEnvironment, Page, SetTraffic
from bot.domain.events import Observed
from bot.domain.health import spoken
from bot.domain.line import Bold, Code, Line, Mention, Said
from bot.domain.slots import Context
from bot.domain.stopping import finish, way_on


def is_under_way(d: Deployment) -> bool:
    return d.phase is Phase.HELD and d.taken_back > 0


def begin(d: Deployment, by: str, reason: str, now: datetime) -> Decision:
    """Keep the slot, and take back what was asked for."""
    still = d if d.phase is Phase.HELD else move(d, Phase.HELD, now)
    state = replace(
        still,
        hold=Hold(by, reason, now, now),
        taken_back=d.traffic_fence,
        is_router_told=False,
        step_since=now,
        live_since=None,
        passing_since=None,
        unsure_since=None,
    )
    line: Line = (
        Bold("Being ended"),
        ", asked by ",
        Mention(by),
        ": ",
        Said(reason),
        ". Traffic was asked for and not seen yet, so that is taken back first.",
    )
    told = Decision(state).telling("ending", line, by)
    return told.also(SetTraffic(state.wanted_weights, state.traffic_fence)).answering(
        Code(d.id),
        " is being ended. ",
        "It is over when the router is seen to send nobody anything.",
    )


def taken(decision: Decision, fence: int, now: datetime) -> Decision:
    """The router has taken a command: what it shows from now on is what came of it."""
    d = decision.state
    if d.phase is not Phase.HELD or not 0 < d.taken_back <= fence or d.is_router_told:
        return decision
    return replace(decision, state=replace(d, is_router_told=True, step_since=now))


def advance(decision: Decision, seen: Observed, context: Context, now: datetime) -> Decision:
    """Take in one look; only what nobody else has is taken away."""
    d = decision.state
    if seen.at < d.step_since:
        return _call_again(decision, "nothing seen of it yet", now)
    if seen.refusal is not None:
        return give_up(decision, None, f"the router refused: {seen.refusal}", now)
    others = [name for name, share in seen.weights or () if share and name != d.version.name]
    if others:
        return give_up(decision, None, f"the router sends traffic to {', '.join(others)}", now)
    if context.ledger.serving is not None:
        return give_up(decision, None, f"{context.ledger.serving.name} was said to serve", now)
    state = replace(d, weights=seen.weights if seen.weights is not None else d.weights)
    decision = replace(decision, state=state)
    is_back = seen.weights is not None and not any(share for _, share in seen.weights)
    if is_back and d.is_router_told:
        return _done(decision, now)
    decision = decision.also(SetTraffic(state.wanted_weights, state.traffic_fence))
    why = "the router has not taken it" if is_back else "the router is not seen to have done it"
    return _call_again(decision, why, now)


def give_up(decision: Decision, by: str | None, reason: str, now: datetime) -> Decision:
    """End without knowing: the environment stays locked until a person has looked."""
    d = decision.state
    service, environment = d.plan.service, d.plan.environment
    what = "its traffic may still come, it could not be taken back"
    line: Line = (Bold("Ended"), f", and {what}: ", Said(reason), f". {service} is locked there.")
    ended = replace(decision, state=replace(d, taken_back=0))
    ended = finish(ended, Phase.CANCELLED, "cancelled", line, by, now)
    ended = ended.recording(LockEnvironment(f"{d.id} was ended, and {what}: {reason}"))
    page: Line = (
        Bold(f"{service} {d.version.name} was ended in {environment}, and {what}"),
        ": ",
        Said(reason),
        ". See what the router sends. What shall stay is said with ",
        Code(f"pilothouse adopt {service} VERSION"),
        "; then ",
        Code(f"/deploy unlock {service} reason"),
        ".",
    )
    called = ended.also(Page(page, f"{d.id}/ended", now))
    return called.answering(Code(d.id), f" is ended. {service} is locked until a lead unlocks it.")


def _done(decision: Decision, now: datetime) -> Decision:
    d = decision.state
    assert d.hold is not None, "who ends it holds it"
    line: Line = (
        Bold("Ended"),
        f": nobody gets traffic in {d.plan.environment}, as before. ",
        Said(d.hold.reason),
    )
    return finish(decision, Phase.CANCELLED, "cancelled", line, d.hold.by, now)


def _call_again(decision: Decision, why: str, now: datetime) -> Decision:
    d = decision.state
    assert d.hold is not None, "who ends it holds it"
    decision = replace(decision, state=replace(d, waits_for=why))
    if now - d.hold.reminded_at < d.plan.rollback.page_every:
        return decision
    line: Line = (
        Bold(f"{d.plan.service} {d.version.name} is not ended"),
        f" after {spoken(now - d.hold.since)}: ",
        Said(why),
        ". ",
        Code(d.id),
        " ",
        *way_on(d),
        ".",
    )
    state = replace(decision.state, hold=replace(d.hold, reminded_at=now))
    called = replace(decision, state=state).telling("ending_slow", ("Not ended yet: ", Said(why)))
    return called.also(Page(line, f"{d.id}/ending/{now.isoformat()}", now))
