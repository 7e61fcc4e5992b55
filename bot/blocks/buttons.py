"""What a card or an asking offers to press: exactly the actions that make sense now."""

from bot.blocks.pieces import Json, button, confirm, offer, option, overflow
from bot.blocks.standing import NO_WAY_BACK
from bot.blocks.text import compact
from bot.domain.approvals import open_roles
from bot.domain.deployment import Deployment
from bot.domain.health import Verdict
from bot.domain.line import Bold, Line, Said
from bot.domain.offer import offered
from bot.domain.plan import ApprovalStage, Stage
from bot.domain.roles import People

#: Everything else that is offered is a button; a rare and final one hides in the menu.
IN_MENU = frozenset({"cancel"})


def buttons(d: Deployment, people: People, only: frozenset[str] | None = None) -> list[Json]:
    shown = [a for a in offered(d) if a not in IN_MENU and (only is None or a in only)]
    return [_button(d, action, people) for action in shown]


def more(d: Deployment) -> Json:
    """The menu; its options carry their own id and offer, for it has no value itself."""
    options = [option("Show timeline", _entry("timeline", d))]
    if "cancel" in offered(d):
        options.append(option("Cancel deployment…", _entry("cancel", d)))
    return overflow("dep.more", options)


def _entry(action: str, d: Deployment) -> str:
    return compact({"a": action, "d": d.id, "o": d.offer})


def _button(d: Deployment, action: str, people: People) -> Json:
    value = offer(d.id, d.offer)
    match action:
        case "approve":
            return button(
                "Approve",
                "dep.approve",
                value,
                spoken=f"Approve deployment {d.id}",
                style="primary",
                confirm=_approving(d, people),
            )
        case "reject":
            spoken = f"Reject deployment {d.id}, opens a form for the reason"
            return button("Reject…", "dep.reject", value, spoken=spoken)
        case "promote":
            return _promote(d, value)
        case "resume":
            return _resume(d, value)
        case "hold":
            at = f" at {d.weight} percent" if d.is_touched else ""
            return button("Hold", "dep.hold", value, spoken=f"Hold deployment {d.id}{at}")
        case "roll_back":
            return button(
                "Roll back…",
                "dep.roll_back",
                value,
                spoken=f"Roll back deployment {d.id}, opens a preview",
                style="danger",
            )
    raise AssertionError(f"no button for {action}")


def _approving(d: Deployment, people: People) -> Json:
    seats = d.seats(people)
    roles = open_roles(seats)
    left = sum(seat.approval is None for seat in seats)
    titles = " or ".join(people.title(role) for role in roles) or "an approver"
    following = _following(d)
    last: Line = (
        (f"This is the last approval, so {following} starts at once.",)
        if left == 1
        else (f"When this is the last approval, {following} starts at once.",)
    )
    return confirm(
        f"Approve {d.plan.service} {d.version.name}?",
        (
            "You sign as ",
            Bold(titles),
            ". Your name goes on the card and into the journal. ",
            *((*NO_WAY_BACK, " ") if d.is_first else ()),
            *last,
        ),
        "Approve",
    )


def _promote(d: Deployment, value: str) -> Json:
    following = d.next_weight  # never None: promotion is only offered when a step follows
    # Green is the expected next step, and on anything but good health that is not to go on.
    is_good = d.health is not None and d.health.verdict is Verdict.PASS and not d.health.breaches
    return button(
        f"Promote to {following} %",
        "dep.promote",
        value,
        spoken=f"Promote deployment {d.id} to {following} percent",
        style="primary" if is_good else None,
        confirm=confirm(
            f"Promote to {following} % now?",
            (
                f"It does not wait for the rest of this step: {following} % of "
                f"{d.plan.environment} traffic moves to ",
                Bold(d.version.name),
                " at once. Refused unless its health has just been seen to be good.",
            ),
            "Promote",
        ),
    )


def _resume(d: Deployment, value: str) -> Json:
    reason = d.hold.reason if d.hold is not None else ""
    why: Line = ("Held because: ", Said(reason[:120])) if reason else ()
    where = (
        f"It goes on at {d.weight} %, and the wait of this step starts again. "
        if d.is_touched
        else ""
    )
    return button(
        "Resume",
        "dep.resume",
        value,
        spoken=f"Resume deployment {d.id}",
        style="primary",
        confirm=confirm(
            f"Resume {d.plan.service} {d.version.name}?",
            (where or f"It goes on at {_name(d.stage)}. ", *why),
            "Resume",
        ),
    )


def _following(d: Deployment) -> str:
    after = d.plan.stages[d.cursor + 1 :]
    return _name(after[0]) if after and isinstance(d.stage, ApprovalStage) else "the next stage"


def _name(stage: Stage) -> str:
    return stage.name
