"""The first deployment of a service: nothing served before it, so there is no way back."""

from datetime import datetime

from bot.domain import ending
from bot.domain.authority import NOTHING, need_words
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import Serves
from bot.domain.events import Cancelled, Observed
from bot.domain.line import Bold, Code, Line, Mention, Said
from bot.domain.plan import Plan, RolloutStage
from bot.domain.refusal import Refused
from bot.domain.release import Version, is_same_split
from bot.domain.slots import Context, Ledger
from bot.domain.stopping import by_hand, finish

#: The reason beside every automatic step that does not come.
NO_WAY_BACK = "nothing was rolled back, because there is nothing to go back to"


def mind_allowed(plan: Plan) -> None:
    """Raise `Refused` unless the policy lets *plan* run where nothing is known to serve.

    The bot cannot tell a new service from one whose version nobody told it yet, or whose
    ledger was lost; taken for new, an old one would get all its traffic moved at once.
    """
    if plan.is_first_allowed:
        return
    raise Refused(
        "nothing_to_return_to",
        (
            Bold(f"Nobody has said what serves {plan.service} in {plan.environment}"),
            ", so there would be nothing to roll back to.",
        ),
        (
            "Nothing was started. If something serves, whoever has the host says it once: ",
            Code(f"pilothouse adopt {plan.service} VERSION"),
            ". If nothing does yet, a lead allows it in the policy: ",
            Code("first_deployment: allowed"),
            ".",
        ),
    )


def misfit(d: Deployment, seen: Observed, ledger: Ledger) -> str:
    """Why *d* no longer fits what serves now; empty when it does.

    People signed for one of two things: a way back, or that there is none.
    """
    serving = ledger.serving
    if serving is not None and serving.name == d.version.name:
        return f"{serving.name} already serves"
    if serving is not None and d.plan.is_first:
        return f"{serving.name} serves now, so this is no first deployment; request it again"
    if serving is None and not d.plan.is_first:
        return "nobody knows what serves now, so there is no way back"
    others = [name for name, share in seen.weights or () if share and name != d.version.name]
    if d.plan.is_first and others:
        return (
            f"the router sends traffic to {', '.join(others)} already, so this is no first "
            f"deployment; say so with pilothouse adopt {d.plan.service} {others[0]}"
        )
    return ""


def no_rollback(d: Deployment) -> Refused:
    """The answer to whoever wants to roll *d* back."""
    plan = d.plan
    if d.phase in (Phase.RUNNING, Phase.HELD):
        way: Line = ("To end it: ", Code(f"/deploy cancel {d.id} reason"))
    else:
        way = ("Deploy a version that works: ", Code(f"/deploy {plan.service} VERSION"))
    return Refused(
        "first_deployment",
        (
            Bold(f"{d.id} is the first deployment of {plan.service} to {plan.environment}"),
            ", so there is nothing to roll back to.",
        ),
        (NOTHING, *way, *by_hand(d), "."),
    )


def is_taken_back(d: Deployment) -> bool:
    """Whether ending *d* takes back what was asked for, instead of leaving what is live."""
    is_seen = d.weights is not None and is_same_split(d.weights, d.wanted_weights)
    return d.is_touched and isinstance(d.stage, RolloutStage) and not is_seen


def end(d: Deployment, wish: Cancelled, context: Context, now: datetime) -> Decision:
    """Give up half-way: what is live stays live, and the ledger says so if it was seen.

    A version that has all traffic serves, good or not: the next deployment then shares traffic
    with it, as any other does. It is not proven, so nothing comes back to it later. Traffic that
    was asked for and not seen is taken back before it is over, see `ending.py`.
    """
    need_words(wish.reason, f"/deploy cancel {d.id} what is wrong")
    if not isinstance(d.stage, RolloutStage):
        return _leave(d, wish, now)
    if d.is_behind:
        why = "the router knew better than the bot what is live"
        return ending.give_up(Decision(d), wish.by, f"{why}; {wish.reason}", now)
    serving = context.ledger.serving
    is_said = serving is not None and serving.name == d.version.name
    if is_said or not is_taken_back(d):
        return _leave(d, wish, now).recording(Serves(d.version.name))
    if serving is not None:
        raise _other_serves(d, serving)
    return ending.begin(d, wish.by, wish.reason, now)


def _leave(d: Deployment, wish: Cancelled, now: datetime) -> Decision:
    stays: Line = (
        ("Nothing was rolled back: ", Bold(d.version.name), " keeps the traffic it has.")
        if d.weight
        else (f"What it changed in {d.plan.environment} stays as it is.",)
    )
    line: Line = ("Ended by ", Mention(wish.by), ": ", Said(wish.reason), ". ", *stays)
    ended = finish(Decision(d), Phase.CANCELLED, "cancelled", line, wish.by, now)
    return ended.answering(Code(d.id), " is ended. ", *stays)


def _other_serves(d: Deployment, serving: Version) -> Refused:
    """Since a person said so, all traffic going to nobody is no way back."""
    return Refused(
        "touched",
        (Bold(f"{serving.name} was said to serve {d.plan.environment}"), " meanwhile."),
        (NOTHING, "Roll it back instead: ", Code(f"/rollback {d.id} reason"), "."),
    )
