"""The interactive parts of blocks: finding them, and what a person's choice looks like."""

from collections.abc import Iterator
from typing import Any

from bot.demo.slack.wire import Json, token

#: What a person picked or typed, in short: an option's value, several, a date, a text.
Choice = Any

_SINGLE = ("static_select", "external_select", "overflow", "radio_buttons")
_SEVERAL = ("checkboxes", "multi_static_select", "multi_external_select")
#: Elements whose state is one plain value, and the field that holds it.
_PLAIN = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
#: Where an element keeps what is chosen before anybody touched it.
_INITIAL = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_channel": "initial_channel",
    "selected_conversation": "initial_conversation",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
    "selected_users": "initial_users",
    "selected_channels": "initial_channels",
    "selected_conversations": "initial_conversations",
}


class UnknownOption(Exception):
    """The element does not offer this choice."""


def with_ids(blocks: list[Json]) -> list[Json]:
    """Give blocks and elements the ids their author left out, as Slack does."""
    for block in blocks:
        block.setdefault("block_id", token(size=3))
        for element in elements_of(block):
            element.setdefault("action_id", token(size=3))
    return blocks


def elements_of(block: Json) -> Iterator[Json]:
    if block.get("type") == "section" and "accessory" in block:
        yield block["accessory"]
    if block.get("type") == "input" and "element" in block:
        yield block["element"]
    if block.get("type") in ("actions", "context_actions"):
        yield from block.get("elements", [])
    for child in block.get("child_blocks", []) or block.get("blocks", []):
        yield from elements_of(child)


def find_element(
    blocks: list[Json], action_id: str, block_id: str | None, value: str | None
) -> tuple[Json, Json] | None:
    """The first block and element that fit everything given."""
    for block in blocks:
        if block_id not in (None, block.get("block_id")):
            continue
        for element in elements_of(block):
            fits = value is None or element.get("value", value) == value
            if element.get("action_id") == action_id and fits:
                return block, element
    return None


def pressed(element: Json, choice: Choice) -> Json:
    """The part of an action that says what was pressed or picked."""
    if element["type"] in ("button", "icon_button", "workflow_button"):
        kept = ("text", "value", "style", "url", "confirm")
        return {key: element[key] for key in kept if key in element}
    return state_of(element, choice)


def untouched(element: Json) -> Json:
    """The element's entry in `view.state.values` as its author filled it in."""
    field = _state_field(element["type"])
    return {"type": element["type"], field: element.get(_INITIAL[field])}


def state_of(element: Json, choice: Choice) -> Json:
    """The element's entry in `view.state.values`; raises `UnknownOption`."""
    kind = element["type"]
    field = _state_field(kind)
    if choice in (None, ""):
        return {"type": kind, field: None}
    if kind in _SINGLE:
        return {"type": kind, field: _option(element, choice)}
    if kind in _SEVERAL:
        return {"type": kind, field: [_option(element, one) for one in choice]}
    return {"type": kind, field: choice}


def _state_field(kind: str) -> str:
    if kind in _SINGLE:
        return "selected_option"
    if kind in _SEVERAL:
        return "selected_options"
    return _PLAIN.get(kind, "value")


def _option(element: Json, choice: Choice) -> Json:
    """External options are taken as given: the bot offered them a moment ago."""
    is_external = "external" in element["type"]
    if isinstance(choice, dict):
        if is_external:
            return choice
        choice = choice.get("value")
    for option in _offered(element):
        if option.get("value") == choice:
            return option
    if is_external:
        text = {"type": "plain_text", "text": str(choice), "emoji": True}
        return {"text": text, "value": str(choice)}
    raise UnknownOption(f"{choice!r} is not among the options of {element['action_id']}")


def _offered(element: Json) -> Iterator[Json]:
    yield from element.get("options", [])
    for group in element.get("option_groups", []):
        yield from group.get("options", [])


def form_state(blocks: list[Json], values: Json) -> Json:
    """`view.state.values` for what was filled in, by block and action."""
    state: Json = {}
    for block in blocks:
        if block.get("type") not in ("input", "actions", "section"):
            continue
        filled = values.get(block["block_id"], {})
        for element in elements_of(block):
            if element["type"] in ("button", "overflow", "workflow_button"):
                continue
            action_id = element["action_id"]
            is_filled = action_id in filled
            entry = state_of(element, filled[action_id]) if is_filled else untouched(element)
            state.setdefault(block["block_id"], {})[action_id] = entry
    return state


def complaints(blocks: list[Json], state: Json) -> dict[str, str]:
    """What Slack itself says under the fields before it asks the bot."""
    found = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        entry = state[block["block_id"]][element["action_id"]]
        chosen = entry[_state_field(element["type"])]
        if chosen in (None, "", []):
            if not block.get("optional", False):
                found[block["block_id"]] = "Please complete this required field."
        elif text := _length_complaint(element, chosen):
            found[block["block_id"]] = text
    return found


def _length_complaint(element: Json, typed: Choice) -> str | None:
    if element["type"] != "plain_text_input":
        return None
    if len(typed) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(typed) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    return None
