"""Lines for a deployment's thread: its timeline, the output of jobs, the journal's anchor."""

from datetime import datetime

from bot.blocks.pieces import Json, context, message, section
from bot.blocks.standing import counted
from bot.blocks.text import Names, Pieces, clean, clock, escaped, notice
from bot.domain.line import Code, Line
from bot.ports import Message

_TAIL = 2800


def announce(line: Line, at: datetime, names: Names) -> Message:
    """`14:04 UTC · …`. People are named, not mentioned: a thread pings only who must act."""
    pieces: Pieces = (f"{clock(at)} · ", *line)
    return message(notice(pieces, names), section(pieces, names=names))


def job_tail(name: str, tail: str, thing: str = "") -> Message:
    """The end of a job's output in a code block, newest last; *tail* is redacted already."""
    rows = [_row(row) for row in tail.replace("\r\n", "\n").split("\n")]
    text = _end("\n".join(rows).strip("\n"), _TAIL)
    top = f"Output of {name[:60]}" + (f" · {thing}" if thing else "")
    block: Json = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"```\n{text or 'no output'}\n```", "verbatim": True},
    }
    return message(notice((top,), {}), context((top,)), block)


def anchor(thing: str, entries: int, newest: str) -> Message:
    """Outside the database, so that a journal that was rewritten can be told from this one."""
    # As `pilothouse audit verify --anchor` takes it.
    proof = f"{thing}:{entries}:{newest}"
    closed = f"Journal of {thing} closed, {counted(entries, 'record')}"
    return message(
        notice((f"{closed}. Anchor {proof}",), {}),
        context((f"{closed}. For the auditor, its anchor: ", Code(proof))),
    )


def _row(row: str) -> str:
    """Indentation counts in output; three ticks would end the code block."""
    indent = len(row) - len(row.lstrip(" "))
    return " " * min(indent, 40) + clean(row).replace("`", "'")


def _end(text: str, most: int) -> str:
    """The last lines that fit: the end says what went wrong."""
    kept: list[str] = []
    room = most
    for row in reversed(text.split("\n")):
        drawn = escaped(row, min(most, 1000))
        room -= len(drawn) + 1
        if room < 0:
            kept.append("…")
            break
        kept.append(drawn)
    return "\n".join(reversed(kept))
