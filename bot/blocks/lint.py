"""Says what Slack would refuse in a payload, and what our own rules would."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from bot.blocks.elements import ID
from bot.blocks.grammar import BLOCK, SURFACES
from bot.blocks.rules import Rule, anything, flag, listing, plain, record, string

Surface = Literal["message", "modal", "home"]
Node = Mapping[str, object]

_MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
_VIEW_BYTES = 250_000
_MARKDOWN_CHARACTERS = 12_000
_CELL_CHARACTERS = 10_000
_VIEW: dict[str, Rule] = {
    "callback_id": ID,
    "external_id": ID,
    "private_metadata": string(3000, least=0),
}
#: `blocks` is judged apart; `hash` and `id` never belong in a view that is sent.
_VIEWS: dict[Surface, Rule] = {
    "modal": record(
        {"title": plain(24), "blocks": anything},
        {
            **_VIEW,
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": flag,
            "notify_on_close": flag,
            "submit_disabled": flag,
        },
    ),
    "home": record({"blocks": anything}, _VIEW),
}


def lint(payload: Node, surface: Surface = "message") -> list[str]:
    """What Slack refuses; empty when clean. Never raises, whatever JSON it is given."""
    if not isinstance(payload, Mapping):
        return ["The payload must be an object"]
    found = list(_envelope(payload, surface))
    blocks = payload.get("blocks", [])
    found += listing(BLOCK, _MOST_BLOCKS[surface], least=0)(blocks, "blocks")
    mappings = _blocks(payload)
    found += _surfaces(mappings, surface)
    found += _unique_ids(mappings, surface)
    found += _counts(mappings)
    return found


def _envelope(payload: Node, surface: Surface) -> Iterator[str]:
    if surface == "message":
        if "text" in payload:
            yield from string(40_000)(payload["text"], "text")
        elif not payload.get("blocks"):
            yield "A message needs text or blocks"
        return
    if payload.get("type") != surface:
        yield f"type must be {surface}"
    yield from _VIEWS[surface](payload, "view")
    inputs = any(block.get("type") == "input" for block in _blocks(payload))
    if surface == "modal" and inputs and "submit" not in payload:
        yield "A modal with an input needs submit"
    size = _encoded(payload)
    if size > _VIEW_BYTES:
        yield f"view is {size} bytes, at most {_VIEW_BYTES} are allowed"


def _encoded(payload: Node) -> int:
    """Bytes of the payload as JSON; what cannot be encoded counts as too large."""
    try:
        text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    except (RecursionError, ValueError):  # too deep, or a number too long to write
        return _VIEW_BYTES + 1
    return len(text.encode(errors="surrogatepass"))


def _surfaces(blocks: list[Node], surface: Surface) -> Iterator[str]:
    for index, block in enumerate(blocks):
        kind = block.get("type")
        if isinstance(kind, str) and surface not in SURFACES.get(kind, {surface}):
            yield f"blocks[{index}] is a {kind}, which is not allowed in a {surface}"
        element = block.get("element")
        is_file = isinstance(element, Mapping) and element.get("type") == "file_input"
        if is_file and surface != "modal":
            yield f"blocks[{index}] asks for a file, which only a modal can"


def _unique_ids(blocks: list[Node], surface: Surface) -> Iterator[str]:
    """In views an action id counts within its block, in messages over the whole message."""
    block_ids = Counter(_texts(blocks, "block_id"))
    yield from (f"block_id {name!r} is there twice" for name in _repeated(block_ids))
    scopes = [blocks] if surface == "message" else [[block] for block in blocks]
    for scope in scopes:
        action_ids = Counter(name for node in _nodes(scope) for name in _texts([node], "action_id"))
        yield from (f"action_id {name!r} is there twice" for name in _repeated(action_ids))


def _repeated(names: Counter[str]) -> list[str]:
    return [name for name, count in names.items() if count > 1]


def _counts(blocks: list[Node]) -> Iterator[str]:
    kinds = Counter(_texts(blocks, "type"))
    for kind, most in (("table", 1), ("data_visualization", 2)):
        if kinds[kind] > most:
            yield f"There are {kinds[kind]} blocks of type {kind}, at most {most} are allowed"
    markdown = [block for block in blocks if block.get("type") == "markdown"]
    length = sum(map(len, _texts(markdown, "text")))
    if length > _MARKDOWN_CHARACTERS:
        yield f"markdown is {length} characters in all, at most {_MARKDOWN_CHARACTERS}"
    tables = [block for block in blocks if block.get("type") == "table"]
    length = sum(len(text) for node in _nodes(tables) for text in _texts([node], "text"))
    if length > _CELL_CHARACTERS:
        yield f"The table is {length} characters in all, at most {_CELL_CHARACTERS}"


def house(payload: Node, surface: Surface = "message", *, is_preview: bool = False) -> list[str]:
    """What our own rules refuse. A preview is the surface on which the danger is confirmed."""
    if not isinstance(payload, Mapping):
        return ["The payload must be an object"]
    blocks = _blocks(payload)
    found = [f"{mark} reaches too many people" for mark in _BROADCASTS if _says(payload, mark)]
    confirmed = is_preview or surface == "modal" or payload.get("response_type") == "ephemeral"
    if surface == "message":
        found += _message(payload, blocks, is_preview=is_preview)
    buttons = [node for node in _nodes(blocks) if node.get("type") == "button"]
    if surface != "home" and len(buttons) > 4:
        found.append(f"There are {len(buttons)} buttons, at most 4 are allowed")
    if sum(button.get("style") == "primary" for button in buttons) > 1:
        found.append("Only one button may be primary")
    for button in buttons:
        found += _button(button, surface, confirmed=confirmed)
    return found


_BROADCASTS = ("<!channel", "<!here", "<!everyone")


def _says(payload: Node, mark: str) -> bool:
    values = _values([payload])
    return any(mark in value.lower() for value in values if isinstance(value, str))


def _message(payload: Node, blocks: list[Node], *, is_preview: bool) -> Iterator[str]:
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        yield "A message needs text, which phones and screen readers take"
    elif len(text) > 150:
        yield f"text is {len(text)} characters, at most 150 fit a notification"
    first = _label(blocks[0]) if blocks and blocks[0].get("type") == "header" else ""
    if ":" in first or any(ord(letter) > 0x2100 for letter in first):
        yield "The first block is a header with an emoji, which becomes the notification"
    fields = [block["fields"] for block in blocks if isinstance(block.get("fields"), list)]
    count = sum(len(each) for each in fields if isinstance(each, list))
    most = 10 if is_preview else 4
    if count > most:
        yield f"There are {count} fields, at most {most} are allowed"


def _button(button: Node, surface: Surface, *, confirmed: bool) -> Iterator[str]:
    label = _label(button)
    if len(label) > 24:
        yield f"The label {label!r} is {len(label)} characters, at most 24 fit a phone"
    if "action_id" not in button:
        yield f"The button {label!r} has no action_id, so nobody answers its click"
    opens_preview = label.endswith("…")
    is_asked = "confirm" in button or confirmed or opens_preview
    if button.get("style") == "danger" and not is_asked:
        yield f"The button {label!r} is dangerous and neither confirms nor opens a preview"
    spoken = button.get("accessibility_label")
    if surface == "message" and (not isinstance(spoken, str) or not 0 < len(spoken) <= 75):
        yield f"The button {label!r} needs an accessibility_label of at most 75 characters"


def _label(node: Node) -> str:
    text = node.get("text")
    words = text.get("text") if isinstance(text, Mapping) else None
    return words if isinstance(words, str) else ""


def _blocks(payload: Node) -> list[Node]:
    blocks = payload.get("blocks")
    entries = blocks if isinstance(blocks, list) else []
    return [block for block in entries if isinstance(block, Mapping)]


def _texts(nodes: list[Node], name: str) -> list[str]:
    return [value for node in nodes if isinstance(value := node.get(name), str)]


def _nodes(roots: list[Node]) -> Iterator[Node]:
    return (value for value in _values(roots) if isinstance(value, Mapping))


def _values(roots: list[Node]) -> Iterator[object]:
    """Every value in the tree, without recursion: depth is not ours to choose."""
    waiting: list[object] = list(roots)
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
