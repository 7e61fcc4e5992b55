"""When the world is ahead of what is remembered: the database is an older copy of itself.

A restored backup, or a standby that never got the last commits, knows less than routers do.
What they show is then not put back, because nobody here knows what was decided meanwhile: it
is held, and people are asked. Rolling back stays possible: the slot's count is raised above
what the router has seen, so that it takes our commands again.
"""

from dataclasses import replace
from datetime import datetime

from bot.domain import ending
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import LockEnvironment, Page, RaiseFence, SetTraffic
from bot.domain.line import Bold, Code, Line, Said
from bot.domain.release import Weights
from bot.domain.slots import slot_count
from bot.domain.stopping import hold_by_itself

#: A count beyond that was not given by this program, and would not fit where counts are kept.
HIGHEST = 2**30


def is_ahead(d: Deployment, seen: Weights) -> bool:
    """Whether more was moved than *d* remembers to have asked for.

    Only for a split that was seen to be live before: until then, another may still be leaving.
    """
    may = dict(d.wanted_weights)
    if d.stable is not None:
        may[d.stable.name] = 100
    return any(share > may.get(name, 0) for name, share in seen)


def overtaken(decision: Decision, fence: int, now: datetime) -> Decision:
    """The router has taken a command under *fence*, and refuses older ones.

    Every command we ever gave for this slot has a lower number than the next one. A router
    that has seen that number, or a higher one, remembers more than this database does.
    """
    d = decision.state
    if not d.fence or fence < d.traffic_fence:
        return decision
    what = f"the router has taken command {fence}, and the last one remembered is older"
    if d.taken_back:
        return ending.give_up(decision, None, what, now)
    count = slot_count(fence) + 1
    if count > HIGHEST:
        return stop(decision, f"{what}; that number is none of ours", None, now)
    raised = replace(decision, state=replace(d, fence=count)).recording(RaiseFence(count))
    if d.phase is not Phase.ROLLING_BACK:
        return stop(raised, what, None, now)
    line: Line = ("The router knew newer commands: rolling back ", Bold("under a new count"))
    told = raised.telling("overtaken", line)
    return told.also(SetTraffic(told.state.wanted_weights, told.state.traffic_fence))


def stop(decision: Decision, what: str, seen: Weights | None, now: datetime) -> Decision:
    """Hold, lock and ask, once; from then on traffic is left as it is until a person resumes."""
    d = decision.state
    if d.is_behind or d.phase is Phase.ROLLING_BACK:
        return decision
    reason = f"{what}; the database may be an older copy"
    decision = replace(decision, state=replace(d, is_behind=True))
    if d.phase is Phase.RUNNING:
        decision = hold_by_itself(decision, reason, now)
    else:
        decision = decision.telling("ahead", ("Ahead of what is remembered: ", Said(reason)))
    decision = decision.recording(LockEnvironment(f"the world is ahead: {reason}"))
    return decision.also(Page(_question(d, what, seen), f"{d.id}/ahead/{now.isoformat()}", now))


def split_in_words(weights: Weights) -> str:
    return ", ".join(f"{name} {share} %" for name, share in weights if share) or "nothing"


def _question(d: Deployment, what: str, seen: Weights | None) -> Line:
    way: Line = ("Go back with ", Code(f"/rollback {d.id} reason"))
    if d.is_first:
        way = ("End it with ", Code(f"/deploy cancel {d.id} reason"))
    shown: Line = (", seen is ", Said(split_in_words(seen))) if seen is not None else ()
    return (
        Bold(f"{d.plan.service} in {d.plan.environment} is ahead of what the bot remembers"),
        ": ",
        Said(what),
        ". Remembered is ",
        Said(split_in_words(d.wanted_weights)),
        *shown,
        ". Was a backup restored? Nothing moves by itself. ",
        *way,
        ", or put back what is remembered and go on from there: ",
        Code(f"/deploy unlock {d.plan.service} reason"),
        ", then ",
        Code(f"/deploy resume {d.id}"),
        ".",
    )
