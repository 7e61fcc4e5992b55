"""The live card of one deployment, edited in place: the same state gives the same bytes."""

from datetime import datetime

from bot.blocks.buttons import buttons, more
from bot.blocks.measured import health_lines, steps
from bot.blocks.pieces import Json, actions, context, fields, message, section
from bot.blocks.report import facts, story
from bot.blocks.standing import NO_WAY_BACK, counted, signable, standing, title, what
from bot.blocks.text import Link, Piece, headline, names_of
from bot.domain.deployment import Deployment, Phase
from bot.domain.line import At, Bold, Code, Line, Mention, Said
from bot.domain.plan import ApprovalStage
from bot.domain.roles import People
from bot.ports import Message

_MOVING = (Phase.RUNNING, Phase.HELD, Phase.ROLLING_BACK, Phase.WATCHING)


def card(d: Deployment, people: People, now: datetime) -> Message:
    """*now* matters only for numbers that have become too old to be believed."""
    state = standing(d, people, now)
    names = names_of(people)
    top: list[Piece] = [title(d), f"\n{state.sign} ", *state.line, " · ", Code(d.id)]
    blocks = [
        section(top, names=names, accessory=more(d), block_id=block_id(d, "sum")),
        *_first(d),
        *_changes(d),
        *_steps(d),
        *_health(d, now),
        *_told(d, people),
        *actions(buttons(d, people)),
        context(_grey(d, people)),
    ]
    return message(headline(what(d), (*state.line, *_who(d, people)), d.id, names), *blocks)


def block_id(d: Deployment, part: str) -> str:
    """Carries the offer, so that an edit that changes no meaning renders the same bytes."""
    return f"{d.id.replace('-', '').lower()}.{part}.{d.offer}"


def change_pieces(d: Deployment) -> list[Piece]:
    """The summary, how much it is, and where to look at it."""
    version = d.version
    pieces: list[Piece] = [Said(version.summary.rstrip(".")), ". "] if version.summary else []
    if version.changes is not None:
        since = f" since {d.stable.name}" if d.stable is not None else ""
        pieces.append(f"{counted(version.changes, 'commit')}{since}")
    if version.compare_url:
        pieces += [" · ", Link(version.compare_url, "see changes")]
    return pieces


def _first(d: Deployment) -> list[Json]:
    is_news = d.is_first and d.phase in _MOVING
    return [section((":warning: ", *NO_WAY_BACK))] if is_news else []


def _changes(d: Deployment) -> list[Json]:
    pieces = change_pieces(d) if d.phase in (Phase.RUNNING, Phase.HELD) else []
    return [section(pieces)] if pieces else []


def _steps(d: Deployment) -> list[Json]:
    return [section(steps(d))] if d.phase in (Phase.RUNNING, Phase.HELD) else []


def _health(d: Deployment, now: datetime) -> list[Json]:
    lines = health_lines(d, now)
    return [section(lines)] if lines else []


def _story(d: Deployment, people: People) -> list[Json]:
    pieces = story(d, people)
    return [section(pieces)] if pieces else []


def _told(d: Deployment, people: People) -> list[Json]:
    """What happened before what to do, once it is over."""
    story, facts = _story(d, people), _fields(d, people)
    return [*facts, *story] if d.phase is Phase.ROLLED_BACK else [*story, *facts]


def _fields(d: Deployment, people: People) -> list[Json]:
    pairs = facts(d, people)[:4]
    return [fields(*pairs)] if pairs else []


def _who(d: Deployment, people: People) -> Line:
    """Who must act, where the state does not say it already."""
    names = names_of(people)
    if d.phase is Phase.HELD and not d.taken_back:
        return (", someone must resume or end it",)
    if d.phase is Phase.RUNNING and isinstance(d.stage, ApprovalStage):
        able = [names.get(user, user) for user in signable(d, people)]
        return (f" ({', '.join(able[:2])})",) if 0 < len(able) <= 2 else ()
    return ()


def _grey(d: Deployment, people: People) -> list[Piece]:
    pieces: list[Piece] = []
    on_call = people.holders(d.plan.on_call)
    if d.phase in _MOVING and d.is_touched and on_call:
        pieces += ["On call ", Mention(on_call[0]), " · "]
    if d.update_due_at is not None and d.phase in _MOVING:
        pieces += ["Next update ", At(d.update_due_at), " · "]
    pieces.append("The timeline is in the thread")
    if d.phase is Phase.ROLLING_BACK:
        pieces.append(" · No buttons while traffic goes back; to give up: ")
        pieces.append(Code(f"/rollback abandon {d.id} reason"))
    if not d.is_over:
        pieces += [" · ", Bold("Paging is off"), ": nobody is phoned"]
    return pieces
