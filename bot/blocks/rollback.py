"""Going back: what would happen, computed and shown before anything is touched."""

from collections.abc import Sequence
from datetime import datetime

from bot.blocks.ask import migration_pieces
from bot.blocks.measured import with_limits
from bot.blocks.pieces import (
    Json,
    actions,
    button,
    chosen,
    context,
    message,
    modal,
    offer,
    section,
    typed,
)
from bot.blocks.standing import counted, is_stale, some
from bot.blocks.text import Piece, Pieces, clean, names_of, notice
from bot.domain.deployment import Deployment, Phase
from bot.domain.health import HealthRules, Verdict
from bot.domain.line import Bold, Code, Line, Said
from bot.domain.release import Version
from bot.domain.roles import People
from bot.ports import Message

SUBMIT = "rollback.submit"
TARGET, REASON = "target", "reason"
REASON_LENGTH = 300
_LEAST_REASON = 5


def form(
    d: Deployment,
    targets: Sequence[Version],
    people: People,
    now: datetime,
    reason: str = "",
    target: str | None = None,
) -> Json:
    """*targets* best first, at least one: without any the wish is refused before a form opens."""
    best = next((each for each in targets if each.name == target), targets[0])
    options = [
        (f"{each.name[:60]} (last good)" if index == 0 else each.name, each.name)
        for index, each in enumerate(targets[:100])
    ]
    blocks = [
        section((Bold(f"{d.plan.service} in {d.plan.environment}"), "\n", *_from_to(d, best))),
        section(_consequences(d, best)),
        section(_database(d, best)),
        section(_health(d, now)),
        chosen(TARGET, "Go back to", options, best.name),
        typed(
            REASON,
            "Why?",
            hint="Required. It goes on the card and into the journal.",
            placeholder="For example: 500s on /pay since 14:21",
            initial=reason,
            least=max(_LEAST_REASON, min(d.plan.rollback.reason_length, REASON_LENGTH)),
            most=REASON_LENGTH,
        ),
    ]
    title = f"Roll back {d.plan.service}"
    return modal(SUBMIT, title, "Roll back now", {"d": d.id, "o": d.offer}, blocks)


def preview(
    d: Deployment, target: Version, draft: str, reason: str, people: People, now: datetime
) -> Message:
    """*draft* is the id under which *reason* is kept: a button carries ids only."""
    service, environment = d.plan.service, d.plan.environment
    text = (
        f"Roll back {service[:40]} in {environment[:20]} from {d.version.name[:20]} "
        f"to {target.name[:20]}? Confirm to start. {d.id[:16]}"
    )
    value = offer(d.id, d.offer, t=target.name, r=draft)
    question = f"Roll back {service} in {environment}, {d.version.name} → {target.name}?"
    buttons = [
        button(
            "Roll back now",
            "rollback.confirm",
            value,
            spoken=f"Roll back {service} to {target.name} now",
            style="danger",
        ),
        button("Change…", "rollback.edit", value, spoken=f"Change the rollback of {service}"),
        button("Cancel", "rollback.cancel", value, spoken=f"Do not roll back {service}"),
    ]
    return message(
        notice((text,), names_of(people)),
        section((Bold(question), "\nReason: ", Said(reason))),
        section(_consequences(d, target)),
        section((*_database(d, target), "\n", *_health(d, now))),
        *actions(buttons),
        context((*_told(d, people), " Only you can see this. Nothing has changed yet.")),
    )


def in_a_line(d: Deployment, target: Version, possible: Sequence[Version], now: datetime) -> Line:
    """What the preview says, for where an answer is one sentence and one button."""
    one_way = [m.name for m in d.version.migrations if not m.is_reversible]
    warning: Line = ()
    if one_way:
        stays = f", it is not migrated back: {target.name} has to run with it. "
        warning = (":warning: ", Bold(f"Migration {one_way[0]} is one-way"), stays)
    others = [version.name for version in possible if version.name != target.name]
    elsewhere = f" ({some(others, 3)})" if others else ""
    share = f"now {d.weight} % on " if d.weight else "now on "
    return (
        f"roll {d.plan.service} back in {d.plan.environment}, ",
        Bold(f"{d.version.name} → {target.name}"),
        f"? All traffic goes there at once, {share}",
        Code(d.version.name),
        ".\n",
        *_health(d, now),
        ".\n",
        *warning,
        Bold("Nothing has changed yet."),
        f" To another version{elsewhere}: ",
        Code(f"/rollback {d.id} to VERSION reason"),
        ".",
    )


def _from_to(d: Deployment, target: Version) -> Pieces:
    is_former = d.stable is not None and target.name == d.stable.name
    which = " (served before this one)" if is_former else " (proven here)"
    return (Code(d.version.name), " → ", Bold(target.name), which)


def _consequences(d: Deployment, target: Version) -> list[Piece]:
    share = f"now {d.weight} % on " if d.weight else "now on "
    count = len(d.plan.rollback.verify)
    checks = f" and {counted(count, 'check passes', 'checks pass')}"
    return [
        Bold("What will happen"),
        "\n1. All traffic goes to ",
        Code(target.name),
        f", all at once ({share}",
        Code(d.version.name),
        f").\n2. It is done when that version is seen to serve{checks if count else ''}.\n3. No "
        f"other deployment can change {d.plan.environment} meanwhile; should it fail, "
        f"{d.plan.service} is locked until a lead unlocks it.\n4. ",
        *_marked(d),
        Code(d.version.name),
        " is no version to go back to until it is proven.",
    ]


def _marked(d: Deployment) -> Pieces:
    if d.phase is Phase.SUCCEEDED:
        return (Code(d.id), " stays as it is, the rollback gets an id of its own; ")
    return (Code(d.id), " is marked rolled back; ")


def _database(d: Deployment, target: Version) -> list[Piece]:
    one_way = any(not migration.is_reversible for migration in d.version.migrations)
    pieces: list[Piece] = [":warning: " if one_way else "", Bold("Database"), ": "]
    pieces += migration_pieces(d)
    if d.version.migrations:
        pieces.append("; nothing is migrated back, so ")
        pieces += [Code(target.name), " has to run with it"]
    if d.stable is None or target.name != d.stable.name:
        pieces.append(". Migrations of versions in between are unknown")
    return [*pieces, "."]


def _health(d: Deployment, now: datetime) -> Line:
    rules = getattr(d.stage, "health", None)
    health = d.health
    if health is None or not isinstance(rules, HealthRules) or is_stale(health, rules, now):
        return (Bold("Health now"), ": unknown")
    verdict = "unknown, " if health.verdict is Verdict.UNKNOWN else ""
    # What is wrong is said with its numbers already.
    is_good = health.verdict is Verdict.PASS and bool(health.findings)
    measured = f": {with_limits(health.findings)}" if is_good else ""
    return (Bold("Health now"), ": ", verdict, Said(health.why + measured))


def _told(d: Deployment, people: People) -> Line:
    """Who hears of it; named, because nobody needs to be called for a preview."""
    names = names_of(people)
    on_call = [names.get(user, user) for user in people.holders(d.plan.on_call)[:2]]
    whom = ", ".join(["the channel", "the requester", *map(clean, on_call)])
    return (f"Will be told: {whom}.",)
