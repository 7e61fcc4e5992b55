"""The ways a deployment stops by itself or by a word: held, failed, cancelled, over."""

from dataclasses import replace
from datetime import datetime

from bot.domain.deployment import Decision, Deployment, Hold, Phase, move
from bot.domain.effects import CloseAsk, FreeSlot, Milestone, Page, StopJob
from bot.domain.jobs import JobState
from bot.domain.line import Bold, Code, Line, Said
from bot.domain.plan import ApprovalStage, JobStage


def hold(decision: Decision, by: str | None, reason: str, line: Line, now: datetime) -> Decision:
    """Stay where we are; the bake's clocks start again when somebody resumes."""
    state = replace(
        move(decision.state, Phase.HELD, now),
        hold=Hold(by, reason, now, now),
        passing_since=None,
        unsure_since=None,
    )
    return replace(decision, state=state).telling("held", line, by)


def hold_by_itself(decision: Decision, reason: str, now: datetime) -> Decision:
    """The bot does not know how to go on, so nothing moves."""
    d = decision.state
    way: Line = (". It ", *way_on(d), ".") if d.is_job_lost else ()
    return hold(decision, None, reason, ("Held by itself: ", Said(reason), *way), now)


def hold_and_page(decision: Decision, reason: str, now: datetime) -> Decision:
    """The same, and somebody is called."""
    d = decision.state
    return hold_by_itself(decision, reason, now).also(
        Page(
            (
                Bold(f"{d.plan.service} {d.version.name} is held"),
                " in ",
                d.plan.environment,
                ": ",
                Said(reason),
                ". Nothing moves by itself; ",
                Code(d.id),
                " ",
                *way_on(d),
                ".",
            ),
            f"{d.id}/held/{d.cursor}/{d.step}/{now.isoformat()}",
            now,
        )
    )


def leave_to_people(decision: Decision, why: str, now: datetime) -> Decision:
    """Hold what runs, and call somebody once until it has been good again in between."""
    d = decision.state
    if d.phase is Phase.RUNNING and d.is_alarmed:
        return hold_by_itself(decision, why, now)
    if d.phase is Phase.RUNNING:
        held = hold_and_page(decision, why, now)
        return replace(held, state=replace(held.state, is_alarmed=True))
    if d.is_alarmed:
        return decision
    paged = replace(decision, state=replace(d, is_alarmed=True))
    paged = paged.telling("alarm", ("Needs a person: ", Said(why)))
    line: Line = (
        Bold(f"{d.plan.service} {d.version.name} needs a person"),
        ": ",
        Said(why),
        ". ",
        *_way_out(d),
        ".",
    )
    return paged.also(Page(line, f"{d.id}/alarm/{d.phase}", now))


def _way_out(d: Deployment) -> Line:
    if not d.is_first:
        return ("Roll back with ", Code(f"/rollback {d.id} reason"))
    if d.phase is Phase.HELD:
        return (Code(d.id), " ", *way_on(d))
    return ("Deploy a version that works: ", Code(f"/deploy {d.plan.service} VERSION"), *by_hand(d))


def way_on(d: Deployment) -> Line:
    """What people can do about a held *d*, said after its name."""
    if d.taken_back:
        waits = "is over when the router is seen to send nobody anything; until then it can be "
        return (waits, "resumed, or given up with ", Code(f"/rollback abandon {d.id} reason"))
    resumed = "cannot be resumed, only " if d.is_job_lost else "can be resumed, or "
    if d.is_touched and not d.is_first:
        return (resumed, "rolled back with ", Code(f"/rollback {d.id} reason"))
    ended: Line = ("ended with ", Code(f"/deploy cancel {d.id} reason"))
    if d.is_touched:
        return (resumed, *ended, *by_hand(d))
    return (resumed, *ended, " and requested again")


def by_hand(d: Deployment) -> Line:
    """What the policy says people can do without the bot; a sentence that has no end yet."""
    words = d.plan.rollback.by_hand
    return (". By hand: ", Said(words.rstrip("."))) if words else ()


def fail(decision: Decision, reason: str, now: datetime) -> Decision:
    """End before anything was touched."""
    line: Line = (
        "Stopped, ",
        decision.state.plan.environment,
        " was not touched: ",
        Said(reason),
    )
    return finish(decision, Phase.FAILED, "failed", line, None, now)


def finish(
    decision: Decision, to: Phase, what: str, line: Line, by: str | None, now: datetime
) -> Decision:
    """Reach a terminal phase: the slot goes back, open questions and jobs are closed."""
    d = decision.state
    ended = replace(decision, state=replace(move(d, to, now), update_due_at=None))
    ended = ended.telling(what, line, by)
    if d.fence:
        ended = replace(ended, state=replace(ended.state, fence=0)).recording(FreeSlot())
    if isinstance(d.stage, ApprovalStage) and d.phase in (Phase.RUNNING, Phase.HELD):
        ended = ended.also(CloseAsk())
    if is_job_open(d):
        ended = ended.also(StopJob(d.cursor, d.job_key))
    if to in (Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED, Phase.FAILED, Phase.EXPIRED):
        ended = ended.also(Milestone(what, now))
    return ended


def is_job_open(d: Deployment) -> bool:
    over = (JobState.SUCCEEDED, JobState.FAILED, JobState.LOST)
    return isinstance(d.stage, JobStage) and not (d.job and d.job.state in over)
