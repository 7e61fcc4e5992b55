"""The asking for signatures in the thread: a new message, because an edit notifies nobody."""

from bot.blocks.buttons import buttons
from bot.blocks.pieces import Json, actions, context, message, section
from bot.blocks.report import gates_passed
from bot.blocks.standing import NO_WAY_BACK, back_to, counted, signable, some, what
from bot.blocks.text import Day, Link, Piece, headline, names_of
from bot.domain.approvals import open_roles
from bot.domain.deployment import Deployment, Phase
from bot.domain.line import At, Bold, Code, Line, Mention, Part, Said, mentions
from bot.domain.plan import ApprovalStage, JobStage
from bot.domain.roles import People
from bot.domain.stopping import by_hand
from bot.ports import Message

_SIGN_HERE = frozenset({"approve", "reject"})
_MOST_MENTIONED = 100
_MOST_MIGRATIONS = 5


def ask(d: Deployment, people: People, is_reminder: bool = False) -> Message:
    """Mentions exactly the people whose signature would still fill a place."""
    able = signable(d, people)
    names = names_of(people)
    titles = some([people.title(role) for role in open_roles(d.seats(people))], 3)
    request = "please approve or reject"
    request = f"Still waiting: {request}" if is_reminder else request
    warning = " (first deployment, no rollback)" if d.is_first else ""
    who = some([names.get(user, user) for user in able], 2)
    told = f"{request}{warning}: {who}" if able else f"nobody can sign it now{warning}"
    asked: list[Piece] = [*_people(able), " ", Bold(request), " "]
    top: list[Piece] = asked if able else [Bold("Nobody can sign"), " "]
    top += [what(d), " (", Code(d.id), ")"]
    top += [] if able else [" now. A lead names somebody in ", Code("org.yaml"), "."]
    top += [f"\nNeeded: {titles}"] if titles else []
    return message(
        headline(what(d), (told,), d.id, names),
        section(top),
        section(risk(d)),
        *_evidence(d),
        *actions(buttons(d, people, _SIGN_HERE)),
        context(_rule(d, is_reminder)),
    )


def ask_closed(d: Deployment, people: People) -> Message:
    """One line in place of the buttons: what became of the asking."""
    names = names_of(people)
    sign, line = _became(d, people)
    return message(
        headline(what(d), line, d.id, names),
        section((f"{sign} ", *line, " · ", Code(d.id)), names=names),
    )


def risk(d: Deployment) -> list[Piece]:
    """Changes, and migrations with whether they can be undone."""
    version = d.version
    count = version.changes
    changes = "unknown number of commits" if count is None else counted(count, "commit")
    pieces: list[Piece] = [Bold("Changes:"), f" {changes}, ", *migration_pieces(d), "\n"]
    pieces += [Said(version.summary), "\n"] if version.summary else []
    pieces += [Link(version.compare_url, "see changes"), "\n"] if version.compare_url else []
    if d.is_first:
        return [":warning: ", *NO_WAY_BACK, "\n", *pieces, *_if_it_fails(d)]
    return [*pieces, Bold("If it fails:"), " back to ", Code(back_to(d))]


def _if_it_fails(d: Deployment) -> Line:
    return (Bold("If it fails:"), " it is held and people are called", *by_hand(d))


def migration_pieces(d: Deployment) -> list[Piece]:
    found = d.version.migrations
    if not found:
        return ["no migration"]
    pieces: list[Piece] = []
    for migration in found[:_MOST_MIGRATIONS]:
        kind = "reversible" if migration.is_reversible else "one-way"
        pieces += [", "] if pieces else []
        pieces += ["migration ", Code(migration.name), f" ({kind})"]
    rest = len(found) - _MOST_MIGRATIONS
    if rest > 0:
        one_way = sum(not m.is_reversible for m in found[_MOST_MIGRATIONS:])
        pieces.append(f" and {rest} more, {one_way} of them one-way")
    return pieces


def _people(able: tuple[str, ...]) -> Line:
    shown = mentions(able[:_MOST_MENTIONED], "and")
    rest = len(able) - _MOST_MENTIONED
    return (*shown, f" and {rest} more") if rest > 0 else shown


def _evidence(d: Deployment) -> list[Json]:
    pieces: list[Piece] = [Bold("Gates:"), f" {gates_passed(d)}"]
    for stage in d.plan.stages[: d.cursor]:
        if isinstance(stage, JobStage):
            pieces += ["\n", Bold(f"{stage.name}:"), " done"]
    return [section(pieces)]


def _rule(d: Deployment, is_reminder: bool) -> list[Piece]:
    pieces: list[Piece] = [
        "Slack does not run slash commands inside threads. Use the buttons, or write ",
        Code(f"@pilot approve {d.id}"),
        " here.",
    ]
    stage = d.stage
    if not isinstance(stage, ApprovalStage):
        return pieces
    if not is_reminder and stage.remind_after < stage.expires_after:
        pieces += [" A reminder goes out at ", At(d.stage_since + stage.remind_after), ", once."]
    return [*pieces, " Expires ", Day(d.stage_since + stage.expires_after), "."]


def _became(d: Deployment, people: People) -> tuple[str, Line]:
    if d.phase in (Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED, Phase.FAILED):
        return ":white_circle:", d.last.line
    signed = [(s.approval, s.role) for s in d.seats(people) if s.approval is not None]
    if not signed:
        # A role that was taken away later does not unsay who signed.
        kept = [approval for approval in d.approvals if approval.digest == d.digest]
        signed = [(approval, "") for approval in kept]
    line: list[Part] = []
    for approval, role in signed[:8]:
        title = (" as ", Bold(people.title(role))) if role else ()
        line += [", "] if line else ["Approved by "]
        line += [Mention(approval.by), *title, ", ", At(approval.at)]
    if not line:
        return ":white_circle:", ("No longer asked for",)
    return ":white_check_mark:", tuple(line)
