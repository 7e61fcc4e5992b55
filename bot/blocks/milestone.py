"""Top-level messages that everybody cares about: live, rolled back, stopped."""

from collections.abc import Callable

from bot.blocks.measured import with_limits
from bot.blocks.pieces import message, section
from bot.blocks.report import by_hand, try_again
from bot.blocks.standing import BACK, RED, WHITE, back_to, what
from bot.blocks.text import NOTICE, Link, Piece, Pieces, minutes, names_of, notice
from bot.domain.deployment import Deployment
from bot.domain.health import spoken
from bot.domain.line import Bold, Mention, Said
from bot.domain.plan import WatchStage
from bot.domain.roles import People
from bot.ports import Message


def milestone(
    d: Deployment, what_happened: str, people: People, link: str | None = None
) -> Message:
    """*what_happened* is `Milestone.what`; *link* leads to the card."""
    body: list[Piece]
    sign, word, state, body = _KINDS.get(what_happened, _stopped)(d, people)
    head: Pieces = (
        f"{sign} ",
        Bold(word),
        f" · {what(d)} · " if word != "DEPLOYMENT COMPLETE" else _short(d),
        Link(link, d.id),
    )
    tail = f". {d.id[:30]}"
    first = notice((f"{word}: {what(d)}",), {}, 90)
    said = notice((", ", *state), names_of(people), NOTICE - len(first) - len(tail))
    return message(f"{first}{said}{tail}", section(head), section(body))


_Kind = tuple[str, str, Pieces, list[Piece]]


def _short(d: Deployment) -> str:
    return f" · {d.plan.service} {d.version.name} · "


def _complete(d: Deployment, people: People) -> _Kind:
    took = minutes(d.live_at - d.started_at) if d.live_at and d.started_at else "n/a"
    metrics = with_limits(d.health.findings) if d.health is not None else "n/a"
    watch = next((s.lasts for s in d.plan.stages if isinstance(s, WatchStage)), None)
    then = f"Monitoring continues for {spoken(watch)}" if watch is not None else "n/a"
    body: list[Piece] = [
        "Deployment: SUCCESS\n",
        f"Duration: {took}\n",
        "Checks: All passing ✓\n",
        f"Status: Live in {d.plan.environment}\n",
        "Metrics: ",
        Said(metrics),
        f"\nNext: {then}\nThanks to: ",
        *_thanks(d),
    ]
    return ":tada:", "DEPLOYMENT COMPLETE", (f"live after {took}, all checks passing",), body


def _rolled_back(d: Deployment, people: People) -> _Kind:
    run = d.rollback
    took = spoken(d.finished_at - run.since) if run and d.finished_at else "n/a"
    who: Pieces = ("asked by ", Mention(run.by)) if run and run.by else ("automatic",)
    why = run.reason if run is not None else "n/a"
    body: list[Piece] = [
        f"Serving again: {back_to(d)}, seen to serve after {took}\n",
        "Why: ",
        *who,
        ", ",
        Said(why),
        "\n",
        *try_again(d),
    ]
    return BACK, f"ROLLED BACK to {back_to(d)[:40]}", (f"after {took}: ", Said(why)), body


def _rollback_failed(d: Deployment, people: People) -> _Kind:
    body: list[Piece] = [*d.last.line, "\n", *by_hand(d, people)]
    return RED, "ROLLBACK FAILED", (f"put traffic on {back_to(d)} by hand",), body


def _stopped(d: Deployment, people: People) -> _Kind:
    word = "EXPIRED" if d.phase.value == "expired" else "STOPPED"
    body: list[Piece] = [*d.last.line, "\n", *try_again(d)]
    return WHITE, word, (f"{d.plan.environment} was not touched",), body


def _thanks(d: Deployment) -> list[Piece]:
    signed = [a.by for a in d.approvals if a.digest == d.digest]
    users = list(dict.fromkeys((d.requested_by, *signed, *d.version.authors)))[:6]
    pieces: list[Piece] = []
    for user in users:
        pieces += [", "] if pieces else []
        pieces.append(Mention(user))
    return pieces


_KINDS: dict[str, Callable[[Deployment, People], _Kind]] = {
    "complete": _complete,
    "rolled_back": _rolled_back,
    "rollback_failed": _rollback_failed,
    "failed": _stopped,
    "expired": _stopped,
}
