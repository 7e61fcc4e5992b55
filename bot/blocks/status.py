"""The scheduled status, in the words people are used to; the one before shrinks to a line."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.blocks.pieces import context, message, section
from bot.blocks.standing import counted, is_stale, standing
from bot.blocks.text import (
    NOTICE,
    Link,
    Names,
    Piece,
    Pieces,
    clock,
    compact,
    names_of,
    notice,
    words,
)
from bot.domain.deployment import Deployment, Phase
from bot.domain.health import HealthRules, Verdict, spoken
from bot.domain.line import Bold, Line, Said
from bot.domain.plan import GateStage, RolloutStage
from bot.domain.roles import People
from bot.ports import Message, Posted

#: No beat has this number, so a new status is posted rather than this one drawn over.
_UNKNOWN = -1

_STATES = {
    Phase.RUNNING: "IN PROGRESS",
    Phase.WATCHING: "LIVE, WATCHING",
    Phase.SUCCEEDED: "COMPLETE",
    Phase.ROLLING_BACK: "ROLLING BACK",
}


def status(
    d: Deployment, people: People, due_at: datetime, now: datetime, link: str | None = None
) -> Message:
    """*due_at* is the beat's own moment: a status that is later than the policy bears says so."""
    names = names_of(people)
    state = standing(d, people, now)
    issues = _issues(d, now)
    late = " (late)" if now - due_at > d.plan.updates.late_after else ""
    following = f"Next update: {_next(d)}"
    head: Pieces = (
        Bold(f"[Deployment Status - {clock(now)}]{late}"),
        f" {d.plan.service} {d.version.name} · ",
        Link(link, d.id),
    )
    body: list[Piece] = [
        f":bar_chart: Status: {_word(d)}\n",
        f":stopwatch: Elapsed: {_elapsed(d, now)} / at least {_minutes(_least(d))} in all\n",
        f"{_checks(d)}\n",
        f"{state.sign} Deployment: {_word(d)} (",
        *_named(state.line, names),
        ")\n",
        f":hourglass_flowing_sand: Post-deployment tests: {_tests(d)}\n",
        ":busts_in_silhouette: Team: ",
        *_team(d, people, names),
        "\n:rotating_light: Issues: ",
        *issues,
        f"\n{following}",
    ]
    what = f"Status{late} {clock(now)}: {d.plan.service[:40]} {d.version.name[:20]}"
    tail = f". {following[:40]}. {d.id[:16]}"
    text = notice((f"{what}, ", *state.line), names, NOTICE - len(tail))
    tail = tail.removeprefix(".") if text.endswith("…") else tail
    return message(text + tail, section(head, names=names), section(body, names=names))


@dataclass(frozen=True, slots=True)
class Told:
    """What a status said when it was drawn last: kept with it, for when it is drawn over."""

    beat: int
    news: str
    at: datetime
    summary: str

    @property
    def note(self) -> str:
        at = self.at.timestamp()
        return compact({"beat": self.beat, "news": self.news, "at": at, "said": self.summary})

    @classmethod
    def read(cls, note: str, where: Posted | None) -> "Told":
        """Of a note that is not from here nothing is known but when its message was posted."""
        try:
            kept = json.loads(note)
            at = datetime.fromtimestamp(float(kept["at"]), UTC)
            return cls(int(kept["beat"]), str(kept["news"]), at, str(kept["said"]))
        except (ValueError, TypeError, KeyError, OverflowError):
            at = datetime.fromtimestamp(float(where.ts) if where else 0, UTC)
            return cls(_UNKNOWN, "", at, note)


def summary(d: Deployment, people: People, now: datetime) -> str:
    """What a status says, in a few plain words; keep it to shrink that status later."""
    state = standing(d, people, now)
    names = names_of(people)
    said, issues = words(state.line, names), words(_issues(d, now), names)
    if issues == "None":
        return said if d.is_over else f"{said}, no issues"
    # What the state says already is not said twice.
    return said if issues in said or issues == "held" else f"{said}, {issues}"


def collapsed(d: Deployment, at: datetime, was: str, link: str | None = None) -> Message:
    """The status of *at* once a newer one stands: *was* is what `summary` said then."""
    said: Pieces = (" · ", Said(was)) if was else ()
    line: Pieces = (f"{clock(at)} · {d.plan.service} {d.version.name}", *said)
    text = notice((f"{clock(at)}: {d.plan.service} {d.version.name}, ", was or "status"), {}, 130)
    return message(f"{text}. {d.id[:16]}", context((*line, " · ", Link(link, d.id))))


def _word(d: Deployment) -> str:
    return _STATES.get(d.phase, d.phase.value.replace("_", " ").upper())


def _named(line: Line, names: Names) -> Line:
    """Without emphasis, and in UTC like the rest of this format."""
    return (Said(words(line, names)),)


def _elapsed(d: Deployment, now: datetime) -> str:
    return _minutes(now - (d.started_at or d.requested_at))


def _minutes(duration: timedelta) -> str:
    """In the words of this format; seconds where a minute would say too little."""
    if duration < timedelta(minutes=2):
        return spoken(max(duration, timedelta()))
    return counted(int(duration / timedelta(minutes=1)), "minute")


def _least(d: Deployment) -> timedelta:
    """What the plan's own waits add up to; people and jobs take what they take."""
    steps = [step.bake for s in d.plan.stages if isinstance(s, RolloutStage) for step in s.steps]
    return sum(steps, start=timedelta())


def _checks(d: Deployment) -> str:
    first = next((i for i, s in enumerate(d.plan.stages) if isinstance(s, GateStage)), None)
    if first is None:
        return ":white_circle: Pre-flight checks: n/a"
    if d.cursor > first:
        return ":large_green_circle: Pre-flight checks: COMPLETE"
    return ":large_blue_circle: Pre-flight checks: IN PROGRESS"


def _tests(d: Deployment) -> str:
    if d.phase is Phase.SUCCEEDED:
        return "COMPLETE"
    if d.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED):
        return "n/a"
    return "IN PROGRESS" if d.phase is Phase.WATCHING else "PENDING"


def _team(d: Deployment, people: People, names: Names) -> list[Piece]:
    """Who it is about; whether they are at their desks nobody can know."""
    on_call = people.holders(d.plan.on_call)
    pieces: list[Piece] = [Said(names.get(d.requested_by, d.requested_by)), " (requested)"]
    if on_call:
        pieces += [", ", Said(names.get(on_call[0], on_call[0])), " (on call)"]
    return pieces


def _issues(d: Deployment, now: datetime) -> Line:
    health, rules = d.health, getattr(d.stage, "health", None)
    if d.phase is Phase.HELD and d.hold is not None:
        return ("held: ", Said(d.hold.reason)) if d.hold.reason else ("held",)
    if d.rollback is not None:
        return (Said(d.rollback.reason),)
    if health is not None and isinstance(rules, HealthRules) and is_stale(health, rules, now):
        return ("health not looked at since ", clock(health.at))
    if health is not None and health.verdict is not Verdict.PASS:
        return (Said(health.why),)
    if d.waits_for and (d.needs_entry or isinstance(d.stage, GateStage | RolloutStage)):
        return ("waiting: ", Said(d.waits_for))
    return ("None",)


def _next(d: Deployment) -> str:
    if d.update_due_at is not None:
        return clock(d.update_due_at)
    return "after a decision" if not d.is_over else "none"
