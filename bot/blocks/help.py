"""What can be typed here, for the one who asks: only what exists, marked by what they may do."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks.pieces import Json, actions, button, context, message, section
from bot.blocks.text import Piece, notice
from bot.domain.line import Bold, Code
from bot.domain.plan import ApprovalStage, Plan
from bot.domain.roles import People
from bot.ports import Message


@dataclass(frozen=True, slots=True)
class _Entry:
    command: str
    does: str
    right: str = ""  #: a field of `Rights`, `approve`, or empty for what everybody may


#: Stands for a service of the team, which is named in its place.
_EXAMPLE = "checkout"

_ENTRIES = (
    _Entry("/deploy checkout v1.8.3", "ask for a deployment; a preview comes first", "request"),
    _Entry("/deploy status [D-142 | service]", "what runs, or the life of one"),
    _Entry("/deploy list [service]", "the last ten"),
    _Entry("/deploy hold D-142 reason", "stop where it is", "hold"),
    _Entry("/deploy resume D-142", "go on from a hold", "hold"),
    _Entry(
        "/deploy cancel D-142 reason",
        "give up before anything was touched; a first deployment at any time",
        "cancel",
    ),
    _Entry("/approve D-142", "sign; also the button, or `@pilot approve` in its thread", "approve"),
    _Entry("@pilot reject D-142 reason", "say no", "reject"),
    _Entry("/rollback checkout reason", "go back; a preview comes first", "roll_back"),
    _Entry(
        "/rollback abandon D-142 reason",
        "give up what cannot be rolled back or ended, which locks the service",
        "abandon",
    ),
    _Entry("/deploy unlock checkout reason", "lift a lock", "unlock"),
)


def help_for(user: str, people: People, plans: Sequence[Plan]) -> Message:
    """*plans* of every service: what one of them allows is shown."""
    shown = [entry for entry in _ENTRIES if _may(user, entry.right, people, plans)]
    hidden = [entry for entry in _ENTRIES if entry not in shown]
    service = plans[0].service if plans else _EXAMPLE
    lines: list[Piece] = []
    for entry in shown:
        lines += [Code(entry.command.replace(_EXAMPLE, service)), f"  {entry.does}\n"]
    asked = Bold("What would you like to do?")
    first: list[Piece] = [asked, "\n"]
    first += [Code("/deploy"), " opens a form."] if _asks(shown) else ["All that you may, below."]
    return message(
        notice(first, {}),
        section(first),
        section(lines),
        *actions(_ways(shown)),
        context(_roles(user, people, hidden)),
    )


def _asks(shown: Sequence[_Entry]) -> bool:
    return any(entry.right == "request" for entry in shown)


def _ways(shown: Sequence[_Entry]) -> list[Json]:
    """Lines that are run as if they had been typed."""
    what_runs = button("What runs", "deploy.retry.2", "/deploy status", spoken="See what runs")
    if not _asks(shown):
        return [what_runs]
    spoken = "New deployment, opens a form"
    form = button("New deployment…", "deploy.retry", "/deploy", spoken=spoken, style="primary")
    return [form, what_runs]


def _may(user: str, right: str, people: People, plans: Sequence[Plan]) -> bool:
    if not right:
        return True
    if right == "approve":
        roles = tuple(
            slot.role
            for plan in plans
            for stage in plan.stages
            if isinstance(stage, ApprovalStage)
            for slot in stage.slots
        )
        return people.has_any(user, roles)
    return any(people.has_any(user, getattr(plan.rights, right)) for plan in plans)


def _roles(user: str, people: People, hidden: Sequence[_Entry]) -> list[Piece]:
    mine = [people.title(role) for role in people.roles_of(user)]
    pieces: list[Piece] = ["You are ", Bold(", ".join(mine)), " here."] if mine else []
    if not mine:
        pieces = ["You have no role here; a lead adds you in ", Code("org.yaml"), "."]
    if hidden:
        verbs = ", ".join(dict.fromkeys(_verb(entry) for entry in hidden))
        pieces.append(f" Not with your roles: {verbs}.")
    return [*pieces, " Slash commands do not work inside threads; ", Code("@pilot"), " does."]


def _verb(entry: _Entry) -> str:
    return entry.right.replace("_", " ")
