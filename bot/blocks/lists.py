"""Answers about many deployments, or the state and the whole life of one."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.blocks.buttons import buttons
from bot.blocks.measured import health_lines
from bot.blocks.pieces import Json, actions, context, message, section
from bot.blocks.report import seat_lines
from bot.blocks.standing import counted, standing, title, what
from bot.blocks.text import (
    Link,
    Names,
    Piece,
    Pieces,
    clean,
    clock,
    headline,
    names_of,
    notice,
    words,
)
from bot.domain.deployment import Deployment, Phase
from bot.domain.effects import Announce
from bot.domain.line import At, Bold, Code, Mention, Said
from bot.domain.plan import ApprovalStage
from bot.domain.release import Target
from bot.domain.roles import People
from bot.domain.slots import Lock
from bot.ports import Message

_LINES_IN_A_BLOCK = 10
_MOST_LINES = 40
_MOST_ROWS = 40
_CELL = 30
_MINE: Pieces = ("Only you can see this.",)


def status_list(
    running: Sequence[Deployment],
    locks: Sequence[tuple[Target, Lock]],
    people: People,
    now: datetime,
) -> Message:
    """Everything on its way, and what is locked; *running* is shown in the order given."""
    lines = [_running(d, people, now) for d in running] + [_locked(t, lock) for t, lock in locks]
    count = sum(d.phase is not Phase.WATCHING for d in running)
    watched = len(running) - count
    counts = {"running": count, "watched": watched, "locked": len(locks)}
    text = ", ".join(f"{each} {word}" for word, each in counts.items() if each)
    if not lines:
        text = "Nothing is running and nothing is locked"
        lines = [("`/deploy` starts one.",)]
    blocks = _chunks(lines, names_of(people), "/deploy list")
    return message(notice((text + ".",), {}), section((Bold(text),)), *blocks, context(_MINE))


def status_of(
    d: Deployment,
    entries: Sequence[Announce],
    people: People,
    now: datetime,
    link: str | None = None,
) -> Message:
    """Where it stands first, then what happened, oldest first; of a long life its newest part."""
    state = standing(d, people, now)
    names = names_of(people)
    top: list[Piece] = [title(d), f"\n{state.sign} ", *state.line, " · ", Code(d.id)]
    top += [" · ", Link(link, "see its card")] if link else []
    measured = health_lines(d, now)
    asks = d.phase in (Phase.RUNNING, Phase.HELD) and isinstance(d.stage, ApprovalStage)
    signers = seat_lines(d, people) if asks else []
    blocks = [section(pieces, names=names) for pieces in (top, measured, signers) if pieces]
    text = headline(what(d), state.line, d.id, names)
    return message(text, *blocks, *_timeline(entries, names, now), context(_MINE))


def deployment_table(deployments: Sequence[Deployment], people: People, now: datetime) -> Message:
    """Newest first, as the caller gives them; the columns are those one looks for."""
    names = names_of(people)
    if not deployments:
        none: Pieces = (Bold("No deployment yet."), " ", Code("/deploy"), " starts one.")
        return message(notice(none, {}), section(none))
    shown = deployments[:_MOST_ROWS]
    head = ["Id", "Version", "Where", "State", "By", "When"]
    rows = [_cells(head), *(_cells(_row(d, people, names, now)) for d in shown)]
    count = f"{len(shown)} of {len(deployments)}" if len(deployments) > len(shown) else len(shown)
    text = f"Last deployments: {count}, newest {shown[0].id}"
    table: Json = {"type": "table", "rows": rows}
    return message(notice((text,), {}), section((Bold(text),)), table, context(_MINE))


def _running(d: Deployment, people: People, now: datetime) -> Pieces:
    state = standing(d, people, now)
    subject = f" {d.plan.service[:60]} {d.version.name[:40]} → {d.plan.environment[:30]} · "
    said = Said(words(state.line, names_of(people))[:120])
    return (f"{state.sign} ", Code(d.id), subject, said, " · ", Mention(d.requested_by))


def _timeline(entries: Sequence[Announce], names: Names, now: datetime) -> list[Json]:
    shown = list(entries[-_MOST_LINES:])
    lines: list[Pieces] = [(f"{_when(entry.at, now)} · ", *entry.line) for entry in shown]
    left_out = len(entries) - len(shown)
    if left_out:
        earlier = counted(left_out, "earlier entry is", "earlier entries are")
        lines = [(f"{earlier} in the thread",), *lines]
    if not lines:
        lines = [("Nothing has happened yet.",)]
    head: Pieces = (Bold("Timeline"), f", {counted(len(entries), 'entry', 'entries')}")
    return [section(head), *_chunks(lines, names, "/deploy status")]


def _when(at: datetime, now: datetime) -> str:
    """With the day where it was another one: a watch goes on over night."""
    is_today = at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return clock(at) if is_today else f"{at.astimezone(UTC):%d %b} {clock(at)}"


def _locked(target: Target, lock: Lock) -> Pieces:
    who: Pieces = (" by ", Mention(lock.by)) if lock.by else ()
    why = Said(lock.reason[:120])
    place = f" in {target.environment[:30]} · locked"
    return (":lock: ", target.service[:60], place, *who, " since ", At(lock.since), ": ", why)


def _chunks(lines: Sequence[Pieces], names: Names, more: str) -> list[Json]:
    shown = list(lines[: _MOST_LINES + 1])
    if len(lines) > len(shown):
        shown.append((f"and {len(lines) - len(shown)} more: ", Code(more)))
    blocks: list[Json] = []
    for start in range(0, len(shown), _LINES_IN_A_BLOCK):
        pieces: list[Piece] = []
        for line in shown[start : start + _LINES_IN_A_BLOCK]:
            pieces += ["\n", *line] if pieces else [*line]
        blocks.append(section(pieces, names=names))
    return blocks


def _row(d: Deployment, people: People, names: Names, now: datetime) -> list[str]:
    by = names.get(d.requested_by, d.requested_by)
    when = f"{d.requested_at:%d %b %H:%M} UTC"
    place = f"{d.plan.service} {d.plan.environment}"
    return [d.id, d.version.name, place, standing(d, people, now).word, by, when]


def _cells(texts: Sequence[str]) -> list[Json]:
    return [{"type": "raw_text", "text": _cell(text)} for text in texts]


def _cell(text: str) -> str:
    text = clean(text).replace("<", "‹").replace(">", "›")
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def waiting(waits: Sequence[Deployment], people: People) -> Message:
    """What the asker could sign, each with its own button; nothing is signed by looking."""
    if not waits:
        text = "Nothing waits for your signature."
        see: Pieces = (Bold(text), " See what runs with ", Code("/deploy status"), ".")
        return message(notice(see, {}), section(see))
    blocks: list[Json] = []
    for d in waits[:_MOST_WAITING]:
        blocks.append(
            section((title(d), "\nAsked by ", Mention(d.requested_by), " · ", Code(d.id)))
        )
        button = buttons(d, people, frozenset({"approve"}))[0]
        button["action_id"] = f"dep.approve.{len(blocks)}"
        blocks += actions([{key: value for key, value in button.items() if key != "style"}])
    rest = len(waits) - _MOST_WAITING
    more: Pieces = (
        (f"{rest} more: see ", Code("/deploy status"), ". ", *_MINE) if rest > 0 else _MINE
    )
    verb = "waits" if len(waits) == 1 else "wait"
    text = f"{len(waits)} {verb} for your signature: {', '.join(d.id for d in waits[:5])}"
    return message(notice((text,), {}), *blocks, context(more))


_MOST_WAITING = 4
