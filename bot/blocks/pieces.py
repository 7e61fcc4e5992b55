"""Typed builders for the few blocks that carry meaning here."""

from collections.abc import Iterable, Sequence

from bot.blocks.text import FIELD, Names, Pieces, compact, label, mrkdwn
from bot.ports import Message

Json = dict[str, object]


def plain(text: str, most: int) -> Json:
    return {"type": "plain_text", "text": label(text, most), "emoji": True}


def prose(pieces: Pieces, most: int = 3000, names: Names | None = None) -> Json:
    # Verbatim: a bare address or a name in somebody's words must not become a link.
    text = mrkdwn(pieces, most, names) or "n/a"
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(pieces: Pieces, *, names: Names | None = None, **extra: object) -> Json:
    return {"type": "section", "text": prose(pieces, names=names), **extra}


def fields(*pairs: tuple[str, Pieces], names: Names | None = None) -> Json:
    """*pairs* of a bold title and its value; titles are ours."""
    drawn = [prose((f"*{title}*\n", *value), FIELD, names) for title, value in pairs]
    return {"type": "section", "fields": drawn}


def context(pieces: Pieces, names: Names | None = None) -> Json:
    return {"type": "context", "elements": [prose(pieces, 2000, names)]}


def actions(buttons: Sequence[Json]) -> list[Json]:
    """A block, or none when there is nothing to press: Slack takes no empty one."""
    return [{"type": "actions", "elements": list(buttons)}] if buttons else []


def button(
    text: str,
    action: str,
    value: str,
    *,
    spoken: str,
    style: str | None = None,
    confirm: Json | None = None,
) -> Json:
    """*spoken* is what a screen reader says: the label with the thing it is about."""
    drawn: Json = {
        "type": "button",
        "text": plain(text, 24),
        "action_id": action,
        "value": value,
        "accessibility_label": label(spoken, 75),
    }
    if style is not None:
        drawn["style"] = style
    if confirm is not None:
        drawn["confirm"] = confirm
    return drawn


def confirm(title: str, pieces: Pieces, yes: str, *, style: str = "primary") -> Json:
    return {
        "title": plain(title, 100),
        "text": prose(pieces, 300),
        "confirm": plain(yes, 30),
        "deny": plain("Cancel", 30),
        "style": style,
    }


def offer(thing: str, count: int, **more: object) -> str:
    """All that a button knows: the id and which offer it was drawn for."""
    return compact({"d": thing, "o": count, **more})


def option(text: str, value: str) -> Json:
    return {"text": plain(text, 75), "value": value}


def overflow(action: str, options: Iterable[Json]) -> Json:
    return {"type": "overflow", "action_id": action, "options": list(options)}


def message(text: str, *blocks: Json) -> Message:
    return Message(text, blocks)


def modal(callback: str, title: str, submit: str, metadata: Json, blocks: Sequence[Json]) -> Json:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel", 24),
        "private_metadata": compact(metadata),
        "blocks": list(blocks),
    }


def typed(
    block: str,
    text: str,
    *,
    hint: str = "",
    placeholder: str = "",
    initial: str = "",
    least: int = 0,
    most: int = 300,
    optional: bool = False,
) -> Json:
    """A line to type into; its action id is always `v`."""
    element: Json = {"type": "plain_text_input", "action_id": "v", "max_length": most}
    if least:
        element["min_length"] = least
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    if initial:
        element["initial_value"] = label(initial, most)
    return _input(block, text, element, hint, optional=optional)


def chosen(
    block: str,
    text: str,
    options: Sequence[tuple[str, str]],
    initial: str | None,
    hint: str = "",
    action: str = "v",
) -> Json:
    """A list of (label, value) to choose from; beyond a hundred they come in groups."""
    drawn = [option(each, value) for each, value in options if 0 < len(value) <= 150][:10_000]
    element: Json = {"type": "static_select", "action_id": action}
    if len(drawn) <= 100:
        element["options"] = drawn
    else:
        groups = [drawn[start : start + 100] for start in range(0, len(drawn), 100)]
        element["option_groups"] = [
            {"label": plain(f"{index * 100 + 1} and on", 75), "options": group}
            for index, group in enumerate(groups)
        ]
    preselected = [each for each in drawn if each["value"] == initial]
    if preselected:
        element["initial_option"] = preselected[0]
    return _input(block, text, element, hint)


def _input(block: str, text: str, element: Json, hint: str, *, optional: bool = False) -> Json:
    drawn: Json = {
        "type": "input",
        "block_id": block,
        "label": plain(text, 100),
        "element": element,
    }
    if hint:
        drawn["hint"] = plain(hint, 150)
    if optional:
        drawn["optional"] = True
    return drawn
