"""The blocks that Slack takes, with their limits and surfaces, as tables."""

from collections.abc import Iterator, Mapping

from bot.blocks.elements import (
    AGENT,
    CHOOSERS,
    ID,
    IMAGE,
    IMAGE_ELEMENT,
    MANY,
    PRESSED,
    TYPED_INTO,
)
from bot.blocks.rules import (
    Rule,
    any_of,
    anything,
    flag,
    listing,
    number,
    one_of,
    plain,
    prose,
    record,
    string,
    variant,
)

MESSAGE = frozenset({"message"})
_CELL = variant(
    {"raw_text": record({"text": string(MANY, least=0)}), "rich_text": anything}, "table cell"
)


def _block(required: dict[str, Rule], **optional: Rule) -> Rule:
    return record(required, {**optional, "block_id": ID})


def _header_is_bare(value: Mapping[str, object], where: str) -> Iterator[str]:
    text = value.get("text")
    words = text.get("text") if isinstance(text, Mapping) else None
    if isinstance(words, str) and any(mark in words for mark in ("<!", "<@", "<#")):
        yield f"{where} is a header, which shows no dates and no mentions"


_SECTION = record(
    {},
    {
        "text": prose(3000),
        "fields": listing(prose(2000), 10),
        "accessory": variant({**PRESSED, "image": IMAGE_ELEMENT}, "accessory"),
        "expand": flag,
        "block_id": ID,
    },
    [any_of("text", "fields")],
)
_CONTEXT_ELEMENT = variant(
    {
        "image": IMAGE_ELEMENT,
        "plain_text": record({"text": string(3000)}, {"emoji": flag}),
        "mrkdwn": record({"text": string(3000)}, {"verbatim": flag}),
    },
    "context element",
)
_SERIES = record({"name": string(MANY), "data": listing(anything, 20)}, {"color": anything})
_CHART = record(
    {"type": string(255)},
    {
        "series": listing(_SERIES, 6),
        "axis_config": record(
            {},
            {
                "categories": listing(string(20), 20),
                "x_label": string(255),
                "y_label": string(255),
            },
        ),
        "segments": listing(anything, 20),
    },
)
_BASE: dict[str, Rule] = {
    "section": _SECTION,
    "divider": _block({}),
    "image": record(
        {"alt_text": string(2000)},
        {**IMAGE, "title": plain(2000), "block_id": ID},
        [one_of(*IMAGE)],
    ),
    "actions": _block({"elements": listing(variant(PRESSED, "element of actions"), 25)}),
    "context": _block({"elements": listing(_CONTEXT_ELEMENT, 10)}),
    "input": _block(
        {"label": plain(2000), "element": variant({**CHOOSERS, **TYPED_INTO}, "input")},
        hint=plain(2000),
        optional=flag,
        dispatch_action=flag,
    ),
    "header": record(
        {"text": plain(150)}, {"block_id": ID, "level": number(1, 4)}, [_header_is_bare]
    ),
    "table": _block(
        {"rows": listing(listing(_CELL, 20), 100)}, column_settings=listing(anything, 20)
    ),
}
_CARD = _block(
    {},
    title=prose(150),
    subtitle=prose(150),
    body=prose(200),
    icon=anything,
    hero_image=anything,
    actions=listing(variant(PRESSED, "card action"), 5),
)
_RICH: dict[str, Rule] = {
    "context_actions": _block({"elements": listing(variant(AGENT, "agent element"), 5)}),
    "markdown": _block({"text": string(12_000)}),
    "card": _CARD,
    "carousel": _block({"elements": listing(variant({"card": _CARD}, "card"), 10)}),
    "container": record(
        {"child_blocks": listing(variant(_BASE, "block of a container"), 10)},
        {
            "title": prose(150),
            "rich_text_title": anything,
            "subtitle": prose(150),
            "block_id": ID,
            "icon": anything,
            "width": anything,
            "is_collapsible": flag,
            "default_collapsed": flag,
            "has_header_divider": flag,
        },
    ),
    "data_visualization": _block({"title": string(50), "chart": _CHART}),
}
#: Known to Slack and never drawn by us: their inside is not looked at.
_OPAQUE = ("file", "call", "video", "rich_text", "task_card", "plan", "alert", "auth_provider")

BLOCK = variant({**_BASE, **_RICH, **dict.fromkeys(_OPAQUE, anything)}, "known block")

#: Blocks that are not taken everywhere.
SURFACES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        [
            "table",
            "plan",
            "task_card",
            "markdown",
            "context_actions",
            "container",
            "file",
            "call",
            "auth_provider",
            "data_visualization",
        ],
        MESSAGE,
    ),
    "carousel": frozenset({"message", "home"}),
    "alert": frozenset({"modal"}),
}
