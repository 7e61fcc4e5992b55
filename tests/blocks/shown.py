"""Reads a rendered message the way a person, a phone and Slack do."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.blocks.lint import Surface, house, lint
from bot.blocks.pieces import Json
from bot.ports import Message
from tests.builders import people

#: Carried unseen: ids, and whole commands to run again.
_UNSEEN = frozenset({"value", "private_metadata"})


def payload(message: Message) -> dict[str, Any]:
    blocks: list[Any] = json.loads(json.dumps(message.blocks))
    return {"text": message.text, "blocks": blocks}


def faults(message: Message, *, is_preview: bool = False) -> list[str]:
    drawn = payload(message)
    return lint(drawn) + house(drawn, is_preview=is_preview) + danger(drawn)


def modal_faults(view: Json, surface: Surface = "modal") -> list[str]:
    drawn = json.loads(json.dumps(view))
    return lint(drawn, surface) + house(drawn, surface) + danger(drawn)


def danger(drawn: Mapping[str, Any]) -> list[str]:
    """Mark-up that only a mention, a date or a checked link of ours may make."""
    found: list[str] = []
    for text in strings(drawn):
        for mark in (
            "<!channel",
            "<!here",
            "<!everyone",
            "<!subteam",
            "<@U0EVIL",
            "<#",
            "<https://evil",
        ):
            found += [mark] if mark in text else []
        if any(letter in text for letter in "\u202e\u202c\u2066\u2069\u200b\x00\x07"):
            found.append(f"invisible letters in {text[:40]!r}")
    return found


def strings(node: object, name: str = "") -> Iterator[str]:
    if isinstance(node, str) and name not in _UNSEEN:
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from strings(value, key)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from strings(value, name)


def lines(message: Message) -> list[str]:
    """Everything that is read, block by block; buttons as `[label]`; a blank is a blank."""
    found: list[str] = []
    for block in payload(message)["blocks"]:
        texts = [block["text"]] if "text" in block else []
        for text in texts + block.get("fields", []):
            found += text["text"].replace("\u00a0", " ").split("\n")
        for element in block.get("elements", []):
            is_button = element["type"] == "button"
            read = f"[{element['text']['text']}]" if is_button else element["text"]
            found.append(read.replace("\u00a0", " "))
    return found


def buttons(message: Message) -> dict[str, Any]:
    """Buttons by action id."""
    elements = [e for b in payload(message)["blocks"] for e in b.get("elements", [])]
    return {e["action_id"]: e for e in elements if e["type"] == "button"}


def menu(message: Message) -> list[str]:
    """Values of the overflow options."""
    accessory = payload(message)["blocks"][0].get("accessory", {})
    return [option["value"] for option in accessory.get("options", [])]


def mentioned(blocks: object) -> set[str]:
    """Of the usual people, whom it calls."""
    return {user for user in people().by_id if any(f"<@{user}>" in s for s in strings(blocks))}
