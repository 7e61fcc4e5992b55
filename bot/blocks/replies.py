"""Answers to one person: done, refused with the way on, not understood, too late, our fault."""

from collections.abc import Sequence

from bot.blocks.pieces import Json, actions, button, context, message, section
from bot.blocks.text import Names, Piece, Pieces, label, notice, words
from bot.domain.effects import Reply
from bot.domain.line import Bold, Code, Line, Said, mentions
from bot.domain.refusal import Refusal, Way
from bot.ports import Message

_SIGNS = {
    "role": ":lock:",
    "own": ":lock:",
    "locked": ":lock:",
    "slot": ":large_yellow_circle:",
    "already_running": ":large_yellow_circle:",
    "already_signed": ":white_check_mark:",
    "stale": ":arrows_counterclockwise:",
    "too_late": ":arrows_counterclockwise:",
}
_NO_NAMES: Names = {}
_MOST_WAYS = 4


def answer(line: Line, names: Names = _NO_NAMES) -> Message:
    return message(notice(line, names), section(line))


def refusal(refused: Refusal, typed: str = "", names: Names = _NO_NAMES) -> Message:
    """Sign, what and why, what to do next; *typed* is the line the person wrote, if any."""
    sign = _SIGNS.get(refused.rule, ":x:")
    blocks = [
        section((f"{sign} ", *refused.why)),
        *([section(refused.next_step)] if refused.next_step else []),
        *actions(_ways(refused.ways)),
        *_grey(typed),
    ]
    return message(notice((*refused.why, " ", *refused.next_step), names), *blocks)


def misread(
    what: str,
    why: str,
    next_step: str,
    suggestions: Sequence[str] = (),
    typed: str = "",
) -> Message:
    """Words that make no command; every suggestion is a whole line that its button runs again."""
    blocks = [
        section((":x: ", Bold(what), f" {why}")),
        section((next_step,)),
        *actions(_again(suggestions)),
        *_grey(typed, "Nothing was changed."),
    ]
    return message(notice((what, " ", why, " ", next_step), _NO_NAMES), *blocks)


def fault(code: str, tell: Sequence[str] = (), runbook: str = "", on_call: str = "") -> Message:
    """Our own mistake: *code* is in the log, *runbook* is what works without us."""
    why = Bold("Something broke on our side. Nothing was changed.")
    whom = mentions(list(tell)[:3]) if tell else ("whoever runs the bot",)
    top: Pieces = (
        ":warning: ",
        why,
        "\nTry once more. If it fails again, tell ",
        *whom,
        " the code ",
        Code(code),
        ".",
    )
    text = notice((why, f" Try once more. Reference {code}."), _NO_NAMES)
    grey: list[Piece] = ["If production is in danger now: "]
    grey += ["runbook ", Code(runbook)] if runbook else ["follow your runbook, without the bot"]
    grey += [" · on call ", *mentions([on_call])] if on_call else []
    return message(text, section(top), context(grey))


def _ways(ways: Sequence[Way]) -> list[Json]:
    """The same action twice needs two ids in one message: `deploy.retry`, `deploy.retry.2`."""
    used: list[str] = []
    drawn: list[Json] = []
    for way in ways[:_MOST_WAYS]:
        used.append(way.action)
        count = used.count(way.action)
        action = way.action if count == 1 else f"{way.action}.{count}"
        spoken = f"{way.label} {way.value}"
        # A command to run again is read as typed words, so its brackets say nothing.
        drawn.append(button(way.label, action, label(way.value, 2000), spoken=spoken))
    return drawn


def _again(suggestions: Sequence[str]) -> list[Json]:
    ways = [Way(_short(line), "deploy.retry", line) for line in suggestions[:2]]
    drawn = _ways(ways)
    for first in drawn[:1]:
        first["style"] = "primary"
    return drawn


def _short(line: str) -> str:
    """The command's own name is the least telling part of a narrow button."""
    is_long = len(line) > 24 and line.startswith(("/", "@")) and " " in line
    return label(line.split(" ", 1)[1] if is_long else line, 24)


def _grey(typed: str, more: str = "") -> list[Json]:
    """What was typed; who else sees the answer is said by Slack itself."""
    shown = words((Said(typed),), _NO_NAMES)
    pieces: list[Piece] = ["You typed ", Code(shown[:200]), ". "] if shown else []
    pieces += [more] if more else []
    return [context(pieces)] if pieces else []


def reply(told: Reply, names: Names = _NO_NAMES) -> Message:
    """The answer to a click, for the clicker only."""
    sign = f"{_SIGNS.get(told.rule, ':x:')} " if told.is_refusal else ""
    blocks = [
        section((sign, *told.line)),
        *([section(told.next_step)] if told.next_step else []),
        *actions(_ways(told.ways)),
    ]
    return message(notice((*told.line, " ", *told.next_step), names), *blocks)
