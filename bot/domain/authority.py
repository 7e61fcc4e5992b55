"""Rules that several wishes share: who may, and what stands in the way."""

from bot.domain.deployment import Deployment, Phase
from bot.domain.line import Bold, Code, Line, Mention, Part, Said, mentions, unstopped
from bot.domain.plan import Plan
from bot.domain.refusal import Refused
from bot.domain.roles import People
from bot.domain.slots import Context

NOTHING: Part = "Nothing was changed. "


def require(people: People, user: str, roles: tuple[str, ...], act: str, plan: Plan) -> None:
    """Raise `Refused` naming who can, unless *user* holds one of *roles* at this moment."""
    if people.has_any(user, roles):
        return
    mind_listed(people, user, f"{act} for {plan.service}")
    able = tuple(dict.fromkeys(u for role in roles for u in people.holders(role)))
    titles = " or ".join(people.title(role) for role in roles)
    mine = ", ".join(people.title(role) for role in people.roles_of(user)) or "none"
    raise Refused(
        "role",
        (
            Bold(f"You cannot {act} for {plan.service}."),
            " It takes ",
            Bold(titles),
            ": ",
            *mentions(able),
            f". Your roles here: {mine}.",
        ),
        ("Nothing was changed. Ask one of them, or have a lead change ", Code("org.yaml"), "."),
    )


def mind_listed(people: People, user: str, act: str) -> None:
    """Raise `Refused` for somebody the policy does not know: no role of theirs can be named."""
    if people.find(user) is None:
        raise Refused(
            "role",
            (Bold("You are not listed in org.yaml"), f", so you cannot {act}."),
            ("Nothing was changed. Ask a lead to add you.",),
        )


def mind_lock(plan: Plan, context: Context, so: Part = "Nothing was started. ") -> None:
    """Raise `Refused` while the environment is locked; *so* says what did not happen."""
    if context.lock is None:
        return
    who: Line = (" by ", Mention(context.lock.by)) if context.lock.by else ()
    raise Refused(
        "locked",
        (
            Bold(f"{plan.service} is locked in {plan.environment}"),
            *who,
            ": ",
            Said(context.lock.reason),
        ),
        (
            so,
            "When it is safe, ",
            *mentions(tuple(u for r in plan.rights.unlock for u in context.people.holders(r))),
            " can say ",
            Code(f"/deploy unlock {plan.service} reason"),
        ),
    )


def mind_slot(plan: Plan, context: Context) -> None:
    """Raise `Refused` while another deployment is changing the environment."""
    if context.slot.holder is not None:
        raise Refused(
            "slot",
            (Code(context.slot.holder), f" is changing {plan.service} in {plan.environment}."),
            (
                "Nothing was changed here. Roll that one back instead: ",
                Code(f"/rollback {context.slot.holder} what is wrong"),
            ),
        )


def too_late(d: Deployment, act: str, way: Line = ()) -> Refused:
    """The answer to a wish that its phase does not know: what happened, by whom, what now.

    *way* is said where the phase's usual way on would be none.
    """
    what = d.phase.value.replace("_", " ")
    if d.phase is Phase.RUNNING:
        what = f"at “{d.stage.name}”"
    ways: dict[Phase, Line] = {
        Phase.HELD: ("Resume it first: ", Code(f"/deploy resume {d.id}"), "."),
        Phase.ROLLING_BACK: ("Its card shows when the old version serves again.",),
    }
    news: Line = (" ", *unstopped(d.last.line), ", ", _at(d), ".") if d.last.line else ()
    return Refused(
        "too_late",
        (Bold(f"You cannot {act} {d.id} now"), f": it is {what}.", *news),
        (NOTHING, *(way or ways.get(d.phase, ("See ", Code(f"/deploy status {d.id}"), ".")))),
    )


def need_words(reason: str, example: str) -> None:
    if not reason.strip():
        raise Refused(
            "reason",
            (Bold("That needs a reason."), " It goes on the card and into the journal."),
            (NOTHING, "For example: ", Code(example)),
        )


def _at(d: Deployment) -> Part:
    from_moment = d.last.at
    return f"{from_moment:%H:%M} UTC"
