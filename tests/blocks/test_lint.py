"""Each limit of Slack's blocks: what just fits passes, one more is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.lint import Surface, lint

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "checkout", **more: object) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: object) -> Json:
    return {"type": "button", "text": plain("Hold"), "action_id": "hold", **more}


def options(count: int) -> list[Json]:
    return [{"text": plain(f"o{n}"), "value": str(n)} for n in range(count)]


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def asks(element: Json, **more: object) -> Json:
    return {"type": "input", "label": plain("Why?"), "element": element, **more}


def message(*blocks: Json) -> Json:
    return {"channel": "C0DEPLOY", "text": "checkout", "blocks": list(blocks)}


def modal(*blocks: Json, **more: object) -> Json:
    words = {"title": plain("Roll back"), "submit": plain("Roll back now")}
    return {"type": "modal", **words, "blocks": list(blocks), **more}


def home(*blocks: Json, **more: object) -> Json:
    return {"type": "home", "blocks": list(blocks), **more}


def accessory(**element: object) -> Json:
    return message(section(accessory=element))


def confirm(**more: object) -> Json:
    words = {"title": plain("Sure?"), "text": mrkdwn("Really"), "confirm": plain("Yes")}
    return message(actions(button(confirm={**words, "deny": plain("No"), **more})))


def overflow(**option: object) -> Json:
    return accessory(
        type="overflow", options=[{"text": plain("Gates"), "value": "gates", **option}]
    )


def select(**option: object) -> Json:
    return accessory(type="static_select", options=[{"text": plain("a"), "value": "a", **option}])


def groups(count: int, label: str = "g") -> Json:
    group = {"label": plain(label), "options": options(1)}
    return accessory(type="static_select", option_groups=[group] * count)


def table(rows: int, columns: int, cell: str = "x") -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": cell}] * columns] * rows}


def chart(title: str = "t", series: int = 1, categories: int = 1, label: str = "W1") -> Json:
    lines = [{"name": "r", "data": [{"label": "W1", "value": 1}]}] * series
    axis = {"categories": [label] * categories}
    drawn = {"type": "line", "series": lines, "axis_config": axis}
    return {"type": "data_visualization", "title": title, "chart": drawn}


def card(**more: object) -> Json:
    return {"type": "card", "title": plain("t"), **more}


def typed(**more: object) -> Json:
    return modal(asks({"type": "plain_text_input", **more}))


def chosen(kind: str, count: int) -> Json:
    return modal(asks({"type": kind, "action_id": "v", "options": options(count)}))


def ticked(**more: object) -> Json:
    option = {"text": mrkdwn("a"), "value": "a", **more}
    return modal(asks({"type": "checkboxes", "options": [option]}))


def picture(words: str) -> Json:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": words}


def view_of(size: int) -> Json:
    blocks = [section("x" * 3000)] * 81
    rest = size - len(json.dumps(home(*blocks, section("")), separators=(",", ":")))
    return home(*blocks, section("x" * rest))


def icons(count: int) -> Json:
    icon = {"type": "icon_button", "icon": "trash", "text": plain("Drop")}
    return {"type": "context_actions", "elements": [icon] * count}


LIMITS: dict[str, tuple[int, Callable[[int], Json]]] = {
    "message blocks": (50, lambda n: message(*[section()] * n)),
    "modal blocks": (100, lambda n: modal(*[section()] * n)),
    "home blocks": (100, lambda n: home(*[section()] * n)),
    "message text": (40_000, lambda n: {"text": "x" * n}),
    "section text": (3000, lambda n: message(section("x" * n))),
    "section fields": (10, lambda n: message(section(fields=[mrkdwn("x")] * n))),
    "field text": (2000, lambda n: message(section(fields=[mrkdwn("x" * n)]))),
    "header text": (150, lambda n: message({"type": "header", "text": plain("x" * n)})),
    "actions elements": (
        25,
        lambda n: message(actions(*[button(action_id=str(i)) for i in range(n)])),
    ),
    "context elements": (
        10,
        lambda n: message({"type": "context", "elements": [mrkdwn("x")] * n}),
    ),
    "context actions": (5, lambda n: message(icons(n))),
    "button text": (75, lambda n: message(actions(button(text=plain("x" * n))))),
    "button value": (2000, lambda n: message(actions(button(value="x" * n)))),
    "button url": (3000, lambda n: message(actions(button(url="x" * n)))),
    "accessibility label": (
        75,
        lambda n: message(actions(button(accessibility_label="x" * n))),
    ),
    "confirm title": (100, lambda n: confirm(title=plain("x" * n))),
    "confirm text": (300, lambda n: confirm(text=mrkdwn("x" * n))),
    "confirm yes": (30, lambda n: confirm(confirm=plain("x" * n))),
    "confirm no": (30, lambda n: confirm(deny=plain("x" * n))),
    "overflow option text": (75, lambda n: overflow(text=plain("x" * n))),
    "overflow option value": (150, lambda n: overflow(value="x" * n)),
    "overflow option description": (75, lambda n: overflow(description=plain("x" * n))),
    "overflow options": (5, lambda n: accessory(type="overflow", options=options(n))),
    "option text": (75, lambda n: select(text=plain("x" * n))),
    "option value": (150, lambda n: select(value="x" * n)),
    "option description": (75, lambda n: select(description=plain("x" * n))),
    "select options": (100, lambda n: accessory(type="static_select", options=options(n))),
    "select groups": (100, groups),
    "group label": (75, lambda n: groups(1, "x" * n)),
    "placeholder": (
        150,
        lambda n: accessory(type="external_select", placeholder=plain("x" * n)),
    ),
    "checkboxes": (10, lambda n: chosen("checkboxes", n)),
    "radio buttons": (10, lambda n: chosen("radio_buttons", n)),
    "checkbox text": (75, lambda n: ticked(text=mrkdwn("x" * n))),
    "checkbox value": (150, lambda n: ticked(value="x" * n)),
    "checkbox description": (75, lambda n: ticked(description=mrkdwn("x" * n))),
    "options in a group": (
        100,
        lambda n: accessory(
            type="static_select", option_groups=[{"label": plain("g"), "options": options(n)}]
        ),
    ),
    "input label": (2000, lambda n: modal(asks({"type": "datepicker"}, label=plain("x" * n)))),
    "input hint": (2000, lambda n: modal(asks({"type": "datepicker"}, hint=plain("x" * n)))),
    "input placeholder": (150, lambda n: typed(placeholder=plain("x" * n))),
    "image text": (2000, lambda n: message(section(accessory=picture("x" * n)))),
    "initial value": (3000, lambda n: typed(initial_value="x" * n)),
    "max length": (3000, lambda n: typed(max_length=n)),
    "block id": (255, lambda n: message(section(block_id="x" * n))),
    "action id": (255, lambda n: message(actions(button(action_id="x" * n)))),
    "callback id": (255, lambda n: modal(section(), callback_id="x" * n)),
    "modal title": (24, lambda n: modal(section(), title=plain("x" * n))),
    "modal submit": (24, lambda n: modal(section(), submit=plain("x" * n))),
    "modal close": (24, lambda n: modal(section(), close=plain("x" * n))),
    "private metadata": (3000, lambda n: modal(section(), private_metadata="x" * n)),
    "home metadata": (3000, lambda n: home(section(), private_metadata="x" * n)),
    "view bytes": (250_000, view_of),
    "markdown": (12_000, lambda n: message({"type": "markdown", "text": "x" * n})),
    "markdown in all": (
        12_000,
        lambda n: message(*[{"type": "markdown", "text": "x" * h} for h in (n // 2, n - n // 2)]),
    ),
    "table rows": (100, lambda n: message(table(n, 2))),
    "table columns": (20, lambda n: message(table(2, n))),
    "table characters": (10_000, lambda n: message(table(1, 1, "x" * n))),
    "table characters in all": (
        10_000,
        lambda n: message(
            {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * h}] for h in (4, n - 4)]}
        ),
    ),
    "tables": (1, lambda n: message(*[table(1, 1)] * n)),
    "card title": (150, lambda n: message(card(title=plain("x" * n)))),
    "card subtitle": (150, lambda n: message(card(subtitle=plain("x" * n)))),
    "card body": (200, lambda n: message(card(body=mrkdwn("x" * n)))),
    "container children": (
        10,
        lambda n: message({"type": "container", "child_blocks": [section()] * n}),
    ),
    "carousel cards": (
        10,
        lambda n: message({"type": "carousel", "elements": [card()] * n}),
    ),
    "chart title": (50, lambda n: message(chart(title="x" * n))),
    "chart series": (6, lambda n: message(chart(series=n))),
    "chart categories": (20, lambda n: message(chart(categories=n))),
    "chart labels": (20, lambda n: message(chart(label="x" * n))),
    "charts": (2, lambda n: message(*[chart()] * n)),
}


def surface_of(payload: Json) -> Surface:
    match payload.get("type"):
        case "modal":
            return "modal"
        case "home":
            return "home"
    return "message"


@pytest.mark.parametrize("limit", LIMITS)
def test_what_just_fits_passes_and_one_more_is_refused(limit: str) -> None:
    most, build = LIMITS[limit]
    fits, too_much = build(most), build(most + 1)

    assert lint(fits, surface_of(fits)) == []
    assert lint(too_much, surface_of(too_much)) != []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "blocks", "elements", "fields", "options", "value"])
            | st.text(max_size=4),
            inner
            | st.sampled_from(["section", "actions", "button", "table", "modal", "static_select"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(deadline=None)
@given(json_values, st.sampled_from(["message", "modal", "home"]))
def test_no_value_makes_lint_raise(value: Any, surface: Surface) -> None:
    assert isinstance(lint(value, surface), list)
    assert isinstance(lint({"type": surface, "blocks": [value]}, surface), list)


def test_depth_and_size_do_not_make_lint_raise() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = [deep]
    for payload in (
        message({"type": deep}),
        message(section(accessory={"type": "overflow", "options": deep})),
        chosen("radio_buttons", 1) | {"private_metadata": deep},
        typed(max_length=10**5000),
    ):
        assert lint(payload, surface_of(payload)) != []
