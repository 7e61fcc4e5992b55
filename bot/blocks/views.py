"""Modals made of what a message would say: a preview to confirm, or a sentence to read."""

from bot.blocks import request
from bot.blocks.pieces import Json, modal
from bot.domain.past import Past
from bot.domain.plan import Plan
from bot.domain.release import Version
from bot.domain.roles import People
from bot.memory import Draft
from bot.ports import Message

CHECK = "deploy.check"


def check(draft: Draft, plan: Plan, stable: Version | None, people: People, past: Past) -> Json:
    """The preview inside the form: sending it is the request."""
    said = request.preview(draft, plan, stable, people, past)
    blocks = [dict(block) for block in said.blocks if block["type"] not in ("actions", "context")]
    return modal(CHECK, "Check the request", "Request deployment", {"r": draft.id}, blocks)


def notice(message: Message) -> Json:
    """What the form became: nothing to fill in any more, only to read and close."""
    blocks = [dict(block) for block in message.blocks if block["type"] != "actions"]
    return {
        "type": "modal",
        "callback_id": "notice",
        "title": {"type": "plain_text", "text": "Nothing was changed", "emoji": True},
        "close": {"type": "plain_text", "text": "Close", "emoji": True},
        "blocks": blocks
        or [{"type": "section", "text": {"type": "plain_text", "text": message.text}}],
    }
