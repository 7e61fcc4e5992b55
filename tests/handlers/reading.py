"""Reading what Slack was told, the way a person does: every word, and the buttons."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.ports import Message


@dataclass
class Answer:
    """What Slack was told: the status, and the JSON of the acknowledgement."""

    status: int
    body: Any

    @property
    def text(self) -> str:
        return text_of(self.body)


def text_of(shown: object) -> str:
    """Everything a person reads in it."""
    match shown:
        case str():
            return shown.replace("\u00a0", " ")
        case Message():
            return text_of([shown.text, *shown.blocks])
        case Mapping():
            return " ".join(text_of(v) for k, v in shown.items() if k not in _UNREAD)
        case list() | tuple():
            return " ".join(text_of(each) for each in shown)
    return ""


_UNREAD = {"type", "action_id", "block_id", "value", "style", "private_metadata", "callback_id"}


def buttons(shown: object) -> dict[str, str]:
    """Every button in it: its value by its action, and by `action/choice` in a menu."""
    found: dict[str, str] = {}
    match shown:
        case Message():
            return buttons(shown.blocks)
        case Mapping():
            if "action_id" in shown and "value" in shown:
                found[shown["action_id"]] = shown["value"]
            for option in shown.get("options", []) if "action_id" in shown else []:
                act = json.loads(option["value"]).get("a") if "{" in option["value"] else ""
                found[f"{shown['action_id']}/{act}"] = option["value"]
            for each in shown.values():
                found |= buttons(each)
        case list() | tuple():
            for each in shown:
                found |= buttons(each)
    return found
