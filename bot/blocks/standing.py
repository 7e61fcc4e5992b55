"""Where a deployment stands, in one sign and one sentence: every message says it the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.approvals import open_roles
from bot.domain.deployment import Deployment, Phase
from bot.domain.first import is_taken_back
from bot.domain.health import Breach, Health, HealthRules, Verdict
from bot.domain.line import At, Bold, Line, Mention, Said
from bot.domain.plan import ApprovalStage, GateStage, JobStage, RolloutStage, WatchStage
from bot.domain.roles import People

GREEN = ":large_green_circle:"
BLUE = ":large_blue_circle:"
YELLOW = ":large_yellow_circle:"
RED = ":red_circle:"
WHITE = ":white_circle:"
HELD = ":double_vertical_bar:"
BACK = ":leftwards_arrow_with_hook:"

#: Said before anybody agrees to it, and for as long as it matters.
NO_WAY_BACK: Line = (Bold("First deployment"), ": there is nothing to roll back to.")


@dataclass(frozen=True, slots=True)
class Standing:
    """The sign, the state word, and the one number or deadline that matters."""

    sign: str
    word: str
    more: Line = ()

    @property
    def line(self) -> Line:
        return (Bold(self.word), *self.more)


def standing(d: Deployment, people: People, now: datetime) -> Standing:
    match d.phase:
        case Phase.RUNNING:
            return _running(d, people, now)
        case Phase.HELD:
            return _held(d)
        case Phase.WATCHING:
            return _healthy(d, "Live", GREEN, now)
        case Phase.ROLLING_BACK:
            return Standing(BLUE, f"Rolling back to {back_to(d)}")
        case Phase.ROLLED_BACK:
            return Standing(BACK, f"Rolled back to {back_to(d)}")
        case Phase.ROLLBACK_FAILED:
            return Standing(RED, f"Rollback to {back_to(d)} failed", (", put it right by hand",))
        case Phase.SUCCEEDED:
            return Standing(GREEN, "Done", (", live and proven",) if d.is_proven else (", live",))
        case Phase.SUPERSEDED:
            return Standing(WHITE, "Superseded", (" by a newer deployment",))
        case Phase.FAILED:
            return Standing(WHITE, "Stopped", (f", {d.plan.environment} was not touched",))
    return _ended(d)


def what(d: Deployment) -> str:
    return f"{d.plan.service} {d.version.name} to {d.plan.environment}"


def title(d: Deployment) -> Bold:
    return Bold(f"{d.plan.service} {d.version.name} → {d.plan.environment}")


def back_to(d: Deployment) -> str:
    if d.rollback is not None:
        return d.rollback.target.name
    return d.stable.name if d.stable is not None else "nothing known"


def signable(d: Deployment, people: People) -> tuple[str, ...]:
    """Everybody whose signature would still fill a place, each once."""
    stage = d.approval_stage
    if stage is None:
        return ()
    parties = d.parties(stage)
    signed = [seat.approval.by for seat in d.seats(people) if seat.approval is not None]
    able = [
        user
        for role in open_roles(d.seats(people))
        for user in people.holders(role)
        if parties.bars(user, people) is None
        and not any(people.is_same_human(user, other) for other in signed)
    ]
    return tuple(dict.fromkeys(able))


def some(names: Sequence[str], most: int = 5) -> str:
    """`Ana, Quinn and 38 more`: a list of people or things that cannot run away."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def counted(count: int, one: str, many: str = "") -> str:
    """`1 commit`, `2 commits`; *many* where an s is not enough."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def is_stale(health: Health, rules: HealthRules, now: datetime) -> bool:
    """Whether the numbers on the card are older than what a decision would rest on."""
    return now - health.at > rules.max_age + timedelta(minutes=1)


def fires_at(health: Health, rules: HealthRules) -> tuple[Breach, datetime] | None:
    """The breach that fires first, and when."""
    lasting = {rule.key: rule.lasting for rule in rules.rules}
    running = [
        (breach, breach.since + lasting[breach.metric, breach.limit])
        for breach in health.breaches
        if (breach.metric, breach.limit) in lasting
    ]
    return min(running, key=lambda pair: pair[1]) if running else None


def _ended(d: Deployment) -> Standing:
    if d.taken_back:
        return Standing(WHITE, "Ended", (f", nobody gets traffic in {d.plan.environment}",))
    if d.is_first and is_taken_back(d):
        return Standing(RED, "Ended", (", its traffic may still come",))
    if d.is_touched:
        return Standing(WHITE, "Ended", (", nothing was rolled back",))
    return Standing(WHITE, d.phase.value.capitalize(), (f", {d.plan.environment} not touched",))


def _held(d: Deployment) -> Standing:
    if d.taken_back:
        return Standing(HELD, "Being ended", (", until the router sends nobody anything",))
    by = d.hold.by if d.hold is not None else None
    who: Line = (" by ", Mention(by)) if by else (" by itself",)
    stays: Line = (f", traffic stays at {d.weight} %",) if d.is_touched else ()
    return Standing(HELD, "Held", (*who, *stays))


def _running(d: Deployment, people: People, now: datetime) -> Standing:
    stage = d.stage
    if d.needs_entry:
        why: Line = (": ", Said(d.waits_for)) if d.waits_for else (", gates are checked again",)
        return Standing(WHITE, f"Waiting to enter {d.plan.environment}", why)
    match stage:
        case GateStage():
            return _gates(d, stage)
        case ApprovalStage():
            return _approvals(d, people)
        case JobStage():
            return Standing(BLUE, f"{stage.name} running", (", since ", At(d.stage_since)))
        case RolloutStage():
            return _healthy(d, f"{stage.name} {d.weight} %", BLUE, now)
        case WatchStage():
            return Standing(BLUE, stage.name)


def _gates(d: Deployment, stage: GateStage) -> Standing:
    newest = {result.name: result.verdict for result in d.checks}
    passed = sum(newest.get(check.name) is Verdict.PASS for check in stage.checks)
    return Standing(BLUE, "Checking gates", (f", {passed} of {len(stage.checks)} pass",))


def _approvals(d: Deployment, people: People) -> Standing:
    seats = d.seats(people)
    missing = [people.title(role) for role in open_roles(seats)]
    signed = sum(seat.approval is not None for seat in seats)
    more = f": {signed} of {len(seats)} signed, {some(missing, 3)} missing"
    return Standing(YELLOW, "Waiting for approval", (more,))


def _healthy(d: Deployment, word: str, sign: str, now: datetime) -> Standing:
    health = d.health
    rules = getattr(d.stage, "health", None)
    is_watch = d.phase is Phase.WATCHING
    if health is None or not isinstance(rules, HealthRules):
        return Standing(sign, word, (", health not looked at yet",))
    if is_stale(health, rules, now):
        return Standing(YELLOW, word, (", health unknown: not looked at since ", At(health.at)))
    if health.verdict is Verdict.FAIL:
        return Standing(RED, word, (", failing: ", Said(health.why)))
    firing = fires_at(health, rules)
    if firing is not None:
        return Standing(RED, word, _countdown(d, firing[1]))
    if not is_watch and d.live_since is None:
        return Standing(sign, word, (" asked for, not seen yet",))
    if health.verdict is Verdict.UNKNOWN:
        return Standing(YELLOW, word, (", health unknown: ", Said(health.why)))
    return Standing(sign, word, (", healthy",))


def _countdown(d: Deployment, at: datetime) -> Line:
    one_way = any(not migration.is_reversible for migration in d.version.migrations)
    is_possible = not one_way and not d.is_first
    is_automatic = getattr(d.stage, "is_rollback_automatic", False) and is_possible
    then = "rolls back by itself" if is_automatic else "somebody is called"
    return (f", over the limit: {then} at ", At(at), " unless it recovers")
