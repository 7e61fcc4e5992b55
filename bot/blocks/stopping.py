"""The forms that ask why something ends: rejected by who was to sign, or cancelled."""

from bot.blocks.pieces import Json, modal, section, typed
from bot.blocks.text import Pieces
from bot.domain.deployment import Deployment
from bot.domain.first import is_taken_back
from bot.domain.line import Bold


def reject_form(d: Deployment) -> Json:
    asked: Pieces = (
        Bold(f"Reject {d.plan.service} {d.version.name}?"),
        f"\nIt ends here; {d.plan.environment} was not touched. Everybody in the thread reads the "
        "reason.",
    )
    reason = typed(
        "reason",
        "Why?",
        hint="Required. It goes on the card and into the journal.",
        placeholder="For example: the tax fix is not tested with split orders",
        least=1,
    )
    return modal("reject.submit", f"Reject {d.id}", "Reject", _about(d), [section(asked), reason])


def cancel_form(d: Deployment) -> Json:
    asked: Pieces = (
        Bold(f"Cancel {d.plan.service} {d.version.name}?"),
        f"\n{_what_becomes_of_it(d)}",
    )
    reason = typed(
        "reason",
        "Why?",
        hint="It goes on the card.",
        least=1 if d.is_touched else 0,
        optional=not d.is_touched,
    )
    blocks = [section(asked), reason]
    # Both words mean something here, so neither button may be called just Cancel.
    drawn = modal("cancel.submit", f"Cancel {d.id}", "Cancel deployment", _about(d), blocks)
    drawn["close"] = {"type": "plain_text", "text": "Keep it", "emoji": True}
    return drawn


def _what_becomes_of_it(d: Deployment) -> str:
    version, environment = d.version.name, d.plan.environment
    if not d.is_touched:
        return f"It ends here; {environment} was not touched. To try again, request it anew."
    way_back = "Nothing is rolled back, because there is nothing to go back to. "
    if d.is_behind:
        return f"{way_back}{environment} is locked until somebody has looked what is live."
    if is_taken_back(d):
        return (
            f"{way_back}{version} was not seen to have its traffic yet, so that is taken back: it "
            "is over when the router is seen to send nobody anything."
        )
    return f"It ends here. {way_back}What traffic {version} has stays until somebody takes it away."


def _about(d: Deployment) -> Json:
    return {"d": d.id, "o": d.offer}
