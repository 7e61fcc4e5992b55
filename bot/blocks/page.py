"""Somebody must look now: a message that mentions those on call and admits what it cannot do."""

from bot.blocks.pieces import context, message, section
from bot.blocks.standing import RED
from bot.blocks.text import Link, Piece, names_of, notice, words
from bot.domain.deployment import Deployment
from bot.domain.effects import Alarm
from bot.domain.line import Bold, Line, mentions
from bot.domain.roles import People
from bot.ports import Message

_MOST = 20


def alarm(effect: Alarm, people: People) -> Message:
    """The same for what may be no deployment."""
    on_call = people.holders(effect.on_call)
    whom: Line = mentions(on_call[:_MOST]) if on_call else ("nobody is listed as on call",)
    return message(
        notice(effect.line, names_of(people)),
        section([f"{RED} ", *whom, ": ", *effect.line]),
        context((Bold("Paging is off"), ": nobody was phoned.")),
    )


def page(d: Deployment, reason: Line, people: People, link: str | None = None) -> Message:
    on_call = people.holders(d.plan.on_call)
    whom: Line = mentions(on_call[:_MOST]) if on_call else ("nobody is listed as on call",)
    top: list[Piece] = [f"{RED} ", *whom, ": ", *reason]
    names = names_of(people)
    text = notice(reason, names, 128)
    # Most reasons end with what to do, and so with the id already.
    tail = "" if d.id in words(reason, names)[:120] else f" {d.id[:20]}"
    return message(
        (text + tail).strip(),
        section(top),
        context((Bold("Paging is off"), ": nobody was phoned. · ", Link(link, d.id))),
    )
