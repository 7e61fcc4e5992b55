"""Asking for a deployment: the form, and the preview that nothing happens without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks.pieces import (
    Json,
    actions,
    button,
    chosen,
    context,
    fields,
    message,
    modal,
    option,
    plain,
    section,
    typed,
)
from bot.blocks.standing import NO_WAY_BACK, counted, some
from bot.blocks.text import (
    Link,
    Piece,
    Pieces,
    age,
    compact,
    label,
    minutes,
    names_of,
    notice,
)
from bot.domain.health import spoken
from bot.domain.line import Bold, Code, Said
from bot.domain.past import Past
from bot.domain.plan import ApprovalStage, GateStage, Plan, RolloutStage
from bot.domain.release import Migration, Version
from bot.domain.roles import People
from bot.memory import Draft
from bot.ports import Message

FORM = "deploy.form"
#: The blocks of the form; an error is shown under the one it is named for.
SERVICE, VERSION, ENVIRONMENT, NOTE = "service", "version", "environment", "note"
NOTE_LENGTH = 300
_UNKNOWN = Past()
CHOOSE_SERVICE, CHOOSE_VERSION = "deploy.form.service", "deploy.form.version"


@dataclass(frozen=True, slots=True)
class Filled:
    """What the form begins with; empty where nothing is known."""

    service: str = ""
    version: str = ""
    environment: str = ""
    note: str = ""


def preview(
    draft: Draft, plan: Plan, stable: Version | None, people: People, past: Past = _UNKNOWN
) -> Message:
    """*draft* as it would be requested; its id is all that the buttons know."""
    version = draft.version
    subject = f"{draft.service} {version.name} → {draft.environment}"
    gates = [check.name for s in plan.stages if isinstance(s, GateStage) for check in s.checks]
    approvals = _approvals(plan, people)
    ready = "First deployment, nothing to roll back to" if plan.is_first else "Ready to request"
    text = (
        f"{ready}: {draft.service[:40]} {version.name[:30]} to {draft.environment[:20]}. "
        f"{counted(len(gates), 'gate')} to pass, approvals: {approvals}"
    )
    asked: list[Piece] = [Bold(f"Request {subject}?"), "\n", *_changes(version, stable)]
    command = f"/deploy {draft.service} {version.name}"
    return message(
        notice((text,), names_of(people)),
        section(asked),
        *([section((":warning: ", *NO_WAY_BACK))] if plan.is_first else []),
        fields(
            ("Kind", (_kind(plan),)),
            ("Gates to pass", (Said(some(gates, 6) or "none"),)),
            ("Approvals needed", (Said(approvals),)),
            ("Rollback target", _target(stable, past, draft.created_at)),
            ("Migrations", _migrations(version.migrations)),
            *_expected(past),
        ),
        *actions(_buttons(draft)),
        context(
            ("Only you can see this. Nothing has started. ", Code(command), " brings it back.")
        ),
    )


def form(
    services: Sequence[str],
    environments: Sequence[str],
    filled: Filled,
    channel: str = "",
) -> Json:
    """*channel* is where it was opened, for the answer; the card goes where the policy says.

    What belongs to the service stands in blocks that are named for it: with another service
    Slack begins them anew, and keeps the rest as it was filled in.
    """
    if not services or not environments:
        return _nothing_to_deploy()
    first = filled.service or (services[0] if len(services) == 1 else None)
    where = filled.environment or (environments[0] if len(environments) == 1 else None)
    blocks = [
        _service([(each, each) for each in services], first),
        _version(_named(VERSION, first), filled.version, is_known=bool(first)),
        chosen(
            _named(ENVIRONMENT, first),
            "Environment",
            [(each, each) for each in environments],
            where,
        ),
        typed(
            NOTE,
            "Note",
            hint="It goes into the timeline.",
            initial=filled.note,
            most=NOTE_LENGTH,
            optional=True,
        ),
        context(("Nothing starts yet: a preview comes first.",)),
    ]
    return modal(FORM, "New deployment", "Show preview", {"c": channel}, blocks)


def version_options(
    found: Sequence[Version] | None, typed: str, names: Mapping[str, str]
) -> list[Json]:
    """At most a hundred to choose from; *found* is None when the catalogue is away."""
    if found is None:
        # No dead end: what is sent is looked up once more.
        return [option(f"{typed} (not looked up yet)", typed)] if typed else []
    fitting = [version for version in found if 0 < len(version.name) <= 128][:100]
    return [_option(version, names) for version in fitting]


def _option(version: Version, names: Mapping[str, str]) -> Json:
    authors = [names[user] for user in version.authors if user in names]
    changes = [counted(version.changes, "commit")] if version.changes is not None else []
    words = " · ".join([version.name, *([some(authors, 2)] if authors else []), *changes])
    drawn = option(words, version.name)
    if version.summary:
        drawn["description"] = plain(version.summary, 75)
    return drawn


def _service(options: Sequence[tuple[str, str]], first: str | None) -> Json:
    drawn = chosen(SERVICE, "Service", options, first, action=CHOOSE_SERVICE)
    return {**drawn, "dispatch_action": True}


def _version(block: str, initial: str, *, is_known: bool) -> Json:
    words = "Choose, or type a part of it" if is_known else "Choose a service first"
    element: Json = {
        "type": "external_select",
        "action_id": CHOOSE_VERSION,
        "min_query_length": 0,
        "placeholder": plain(words, 150),
    }
    if initial:
        element["initial_option"] = option(initial, label(initial, 128))
    return {
        "type": "input",
        "block_id": block,
        "label": plain("Version", 100),
        "element": element,
        "hint": plain("Newest first, as CI has built them.", 150),
    }


def _named(field: str, service: str | None) -> str:
    return label(f"{field}.{service}", 255) if service else field


def _buttons(draft: Draft) -> list[Json]:
    value = compact({"r": draft.id})
    about = f"{draft.service} {draft.version.name} to {draft.environment}"
    return [
        button(
            "Request deployment",
            "deploy.request.confirm",
            value,
            spoken=f"Request deployment of {about}",
            style="primary",
        ),
        button("Edit", "deploy.request.edit", value, spoken=f"Edit the request of {about}"),
        button("Cancel", "deploy.request.cancel", value, spoken=f"Cancel the request of {about}"),
    ]


def _changes(version: Version, stable: Version | None) -> list[Piece]:
    pieces: list[Piece] = [Said(version.summary), "\n"] if version.summary else []
    if version.changes is not None:
        since = f" since {stable.name}" if stable is not None else ""
        pieces.append(f"{counted(version.changes, 'commit')}{since}")
    else:
        pieces.append("Number of changes unknown")
    if version.compare_url:
        pieces += [" · ", Link(version.compare_url, "see changes")]
    return pieces


def _kind(plan: Plan) -> str:
    stages = [stage for stage in plan.stages if isinstance(stage, RolloutStage)]
    kind = plan.kind[:1].upper() + plan.kind[1:]
    if not stages:
        return kind
    steps = stages[0].steps
    weights = " → ".join(str(step.weight) for step in steps[:10])
    total = spoken(sum((step.bake for step in steps[1:]), start=steps[0].bake))
    return f"{kind}, {weights} %, at least {total}"


def _target(stable: Version | None, past: Past, now: datetime) -> Pieces:
    if stable is None:
        return ("none",)
    since = past.serving_since
    return (Code(stable.name), f", live {age(now - since)}" if since is not None else "")


def _expected(past: Past) -> list[tuple[str, Pieces]]:
    if past.expected is None:
        return []
    of = f"to full traffic, median of the last {len(past.took)}"
    return [("Expected time", (f"about {minutes(past.expected)} {of}",))]


def _approvals(plan: Plan, people: People) -> str:
    wanted = [
        people.title(slot.role) + (f" ×{slot.needed}" if slot.needed > 1 else "")
        for stage in plan.stages
        if isinstance(stage, ApprovalStage)
        for slot in stage.slots
    ]
    return some(wanted, 6) or "none"


def _migrations(found: Sequence[Migration]) -> list[Piece]:
    if not found:
        return ["none"]
    pieces: list[Piece] = []
    for migration in found[:5]:
        pieces += [", "] if pieces else []
        pieces += [Code(migration.name), " reversible" if migration.is_reversible else " one-way"]
    rest = len(found) - 5
    return [*pieces, f" and {rest} more"] if rest > 0 else pieces


def _nothing_to_deploy() -> Json:
    said: Pieces = (
        Bold("No service can be deployed yet."),
        " Whoever has the host adds a policy; ",
        Code("pilothouse init"),
        " writes the first one.",
    )
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": {"type": "plain_text", "text": "New deployment", "emoji": True},
        "close": {"type": "plain_text", "text": "Close", "emoji": True},
        "blocks": [section(said)],
    }
