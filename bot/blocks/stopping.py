"""The forms that ask why something ends: rejected by who was to sign, or cancelled."""

from bot.blocks.pieces import Json, modal, section, typed
from bot.blocks.text import Pieces
from bot.domain.deployment import Deployment
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
        f"\nIt ends here; {d.plan.environment} was not touched. To try again, request it anew."
        if not d.is_touched
        else f"\nIt ends here, and nothing is rolled back, because there is nothing to go back to. "
        f"Whatever traffic {d.version.name} has stays on it until somebody takes it away.",
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


def _about(d: Deployment) -> Json:
    return {"d": d.id, "o": d.offer}
