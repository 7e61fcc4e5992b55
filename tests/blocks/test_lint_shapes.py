"""Surfaces, required properties, unknown names and identifiers of Slack's blocks."""

from typing import Any

import pytest

from bot.blocks.lint import Surface, lint
from tests.blocks.test_lint import (
    Json,
    accessory,
    actions,
    asks,
    button,
    card,
    chart,
    home,
    message,
    modal,
    mrkdwn,
    options,
    plain,
    section,
    surface_of,
    table,
    typed,
)

CARD = message(
    section(
        "*checkout v1.8.3 → production*\n:large_blue_circle: *Canary 25 %* · `D-142`",
        block_id="d142.sum.3",
        accessory={
            "type": "overflow",
            "action_id": "dep.more",
            "options": [{"text": plain("Show gates"), "value": "gates"}],
        },
    ),
    section(fields=[mrkdwn("*Time*\n31 min"), mrkdwn("*If it fails*\nerrors &gt; 5 %")]),
    actions(button(action_id="dep.rollback", style="danger", value='{"d":"D-142"}')),
    {"type": "context", "elements": [mrkdwn("Card edited <!date^1795184400^{time}|14:33>")]},
)
FORM = modal(
    asks({"type": "external_select", "action_id": "service", "min_query_length": 0}),
    asks(
        {
            "type": "static_select",
            "action_id": "v",
            "options": options(2),
            "initial_option": options(2)[0],
        }
    ),
    asks({"type": "plain_text_input", "action_id": "v", "multiline": True, "max_length": 500}),
    callback_id="deploy.request",
    private_metadata='{"channel":"C0DEPLOY"}',
    notify_on_close=False,
)
HOME = home(
    {"type": "header", "text": plain("Waiting for you (2)")},
    section(accessory=button(action_id="home.review")),
    section(accessory=button(action_id="home.review")),
    {"type": "divider"},
    callback_id="home",
)
REPORT = message(section(), table(5, 4), chart())
COLLAPSED = message({"type": "context", "elements": [mrkdwn("14:28 UTC · canary 10 %")]})


@pytest.mark.parametrize("payload", [CARD, FORM, HOME, REPORT, COLLAPSED])
def test_what_slack_takes_is_clean(payload: Json) -> None:
    assert lint(payload, surface_of(payload)) == []


PLAIN_TABLE = table(1, 1)
MARKDOWN = {"type": "markdown", "text": "x"}
CONTAINER = {"type": "container", "child_blocks": [section()]}
CAROUSEL = {"type": "carousel", "elements": [card()]}
ALERT = {"type": "alert", "text": mrkdwn("x")}
EVERYWHERE: set[Surface] = {"message", "modal", "home"}


@pytest.mark.parametrize(
    ("block", "allowed"),
    [
        (section(), EVERYWHERE),
        ({"type": "divider"}, EVERYWHERE),
        ({"type": "header", "text": plain("x")}, EVERYWHERE),
        ({"type": "image", "image_url": "https://example.com/a", "alt_text": "a"}, EVERYWHERE),
        (asks({"type": "plain_text_input"}), EVERYWHERE),
        (card(), EVERYWHERE),
        (asks({"type": "file_input"}), {"modal"}),
        (ALERT, {"modal"}),
        (CAROUSEL, {"message", "home"}),
        (PLAIN_TABLE, {"message"}),
        (MARKDOWN, {"message"}),
        (CONTAINER, {"message"}),
        (chart(), {"message"}),
        ({"type": "plan"}, {"message"}),
        ({"type": "task_card"}, {"message"}),
        (
            {"type": "context_actions", "elements": [button(type="feedback_buttons")]},
            {"message"},
        ),
        ({"type": "data_table"}, set()),
        ({"type": "sectoin"}, set()),
        ({"type": ["section"]}, set()),
        ({}, set()),
    ],
)
def test_a_block_is_taken_only_on_its_surfaces(block: Json, allowed: set[Surface]) -> None:
    clean: set[Surface] = set()
    if not lint(message(block), "message"):
        clean.add("message")
    if not lint(modal(block), "modal"):
        clean.add("modal")
    if not lint(home(block), "home"):
        clean.add("home")

    assert clean == allowed


def without(block: Json, name: str) -> Json:
    return {key: value for key, value in block.items() if key != name}


IMAGE = {"type": "image", "image_url": "https://example.com/a", "alt_text": "a"}
CONFIRM = {
    "title": plain("a"),
    "text": mrkdwn("b"),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (message({"type": "section"}), "needs text or fields"),
        (message(section(fields=[])), "at least 1"),
        (message(section("")), "is empty"),
        (message({"type": "actions", "elements": []}), "at least 1"),
        (message({"type": "actions"}), "lacks elements"),
        (message({"type": "context"}), "lacks elements"),
        (message({"type": "header"}), "lacks text"),
        (message({"type": "header", "text": mrkdwn("x")}), "plain text"),
        (message({"type": "header", "text": plain("<!date^1^{time}|x>")}), "no dates"),
        (message(without(IMAGE, "alt_text")), "lacks alt_text"),
        (message(without(IMAGE, "image_url")), "exactly one of"),
        (modal(without(asks({"type": "datepicker"}), "label")), "lacks label"),
        (modal({"type": "input", "label": plain("x")}), "lacks element"),
        (modal(asks(button())), "no input"),
        (message(actions({"type": "plain_text_input"})), "no element of actions"),
        (message(actions(without(button(), "text"))), "lacks text"),
        (message(actions(button(style="red"))), "one of primary, danger"),
        (message(actions(button(text=mrkdwn("x")))), "plain text"),
        (message(actions(button(acessibility_label="x"))), "unknown property"),
        (message(actions(button(confirm=without(CONFIRM, "deny")))), "lacks deny"),
        (message(table(0, 1)), "at least 1"),
        (message({"type": "table"}), "lacks rows"),
        (accessory(type="overflow"), "lacks options"),
        (accessory(type="overflow", options=[{"text": plain("a")}]), "lacks value"),
        (accessory(type="static_select"), "exactly one of"),
        (accessory(type="checkboxes", options=[]), "at least 1"),
        (
            accessory(
                type="static_select",
                options=options(1),
                initial_option={"text": plain("z"), "value": "z"},
            ),
            "does not offer",
        ),
        (typed(min_length=9, max_length=8), "at least 9"),
        (modal(section(), title=mrkdwn("x")), "plain text"),
        (without(modal(section()), "title"), "lacks title"),
        (without(modal(asks({"type": "datepicker"})), "submit"), "needs submit"),
        (without(modal(section()), "blocks"), "lacks blocks"),
        (without(home(section()), "blocks"), "lacks blocks"),
        (message(section("x", expand=1)), "true or false"),
        (typed(max_length=0), "between 1 and 3000"),
        (typed(max_length=True), "whole number"),
        (message(section(fields={})), "must be a list"),
        (message(section(accessory=[])), "must be an object"),
        (home(section(), submit=plain("Go")), "unknown property"),
        ({"channel": "C0DEPLOY"}, "text or blocks"),
        (message() | {"blocks": {}}, "must be a list"),
        (message(section(fields=[plain("x") | {"verbatim": True}])), "unknown property"),
    ],
)
def test_what_slack_refuses_is_named(payload: Any, says: str) -> None:
    found = lint(payload, surface_of(payload))

    assert any(says in sentence for sentence in found), found


def test_a_modal_sent_as_home_is_refused() -> None:
    assert "type must be home" in lint(modal(section()), "home")


def test_what_may_be_empty_is_taken_empty() -> None:
    assert lint(modal(section(), private_metadata=""), "modal") == []
    assert lint(typed(initial_value="", min_length=0, max_length=1), "modal") == []
    assert lint(typed(min_length=5, max_length=5), "modal") == []
    assert lint(message(table(1, 1, ""))) == []


def test_block_ids_are_unique_on_every_surface() -> None:
    twice = [section(block_id="a"), section(block_id="a")]

    assert lint(message(*twice)) == ["block_id 'a' is there twice"]
    assert lint(home(*twice), "home") == ["block_id 'a' is there twice"]


def test_action_ids_are_unique_in_a_message_and_in_each_block_of_a_view() -> None:
    apart = [section(accessory=button()), section(accessory=button())]
    together = actions(button(), button())

    assert lint(message(*apart)) == ["action_id 'hold' is there twice"]
    assert lint(modal(*apart), "modal") == []
    assert lint(home(together), "home") == ["action_id 'hold' is there twice"]
