"""The fields of a form: what is typed, picked, suggested and left alone."""

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import NotOnScreen, SlackEmulator
from tests.demo.conftest import field_of, form, option, top


async def test_an_external_select_offers_what_the_bot_suggests(
    slack: SlackEmulator, bolt: AsyncApp, client: AsyncWebClient, opened: list[str]
) -> None:
    heard: list[tuple[str, str]] = []
    states: list[dict[str, Any]] = []

    @bolt.options("v")
    async def suggest(ack: Any, payload: dict[str, Any]) -> None:
        heard.append((payload["block_id"], payload["value"]))
        await ack(options=[option("checkout"), option("cart")])

    @bolt.action("v")
    async def picked(ack: Any, body: dict[str, Any]) -> None:
        states.append(body["view"]["state"]["values"])
        await ack()

    @bolt.view("rollback")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        states.append(view["state"]["values"])
        await ack()

    view_id = top(slack)
    select = field_of("external_select", "service", min_query_length=1)
    await client.views_update(view_id=view_id, view=form(select | {"dispatch_action": True}))

    nothing = await slack.suggest("U0DANA", view_id, "service", "v", "")
    offered = await slack.suggest("U0DANA", view_id, "service", "v", "c")
    await slack.click("U0DANA", "", view_id, "v", selected="cart")
    await slack.submit("U0DANA", view_id, {"service": {"v": "checkout"}})

    assert nothing == []
    assert [one["value"] for one in offered] == ["checkout", "cart"]
    assert heard == [("service", "c")]
    chosen = [state["service"]["v"]["selected_option"] for state in states]
    assert chosen == [option("cart"), option("checkout")]


async def test_what_is_not_touched_is_submitted_as_its_author_filled_it_in(
    slack: SlackEmulator, bolt: AsyncApp, client: AsyncWebClient, opened: list[str]
) -> None:
    states: list[dict[str, Any]] = []

    @bolt.view("rollback")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        states.append(view["state"]["values"])
        await ack()

    options = [option("staging"), option("production")]
    blocks = [
        field_of("static_select", "env", options=options, initial_option=options[1]),
        field_of("plain_text_input", "note", initial_value="as agreed", optional=True),
        field_of("checkboxes", "ticks", options=options, optional=True),
    ]
    view_id = top(slack)
    await client.views_update(view_id=view_id, view=form(*blocks))

    filled = {"note": {"v": None}, "ticks": {"v": ["staging"]}}
    await slack.submit("U0DANA", view_id, filled)

    [state] = states
    assert state["env"]["v"]["selected_option"] == options[1]
    assert state["note"]["v"]["value"] is None
    assert state["ticks"]["v"]["selected_options"] == [options[0]]


async def test_a_choice_that_is_not_offered_cannot_be_submitted(
    slack: SlackEmulator, client: AsyncWebClient, opened: list[str]
) -> None:
    view_id = top(slack)
    select = field_of("static_select", "env", options=[option("staging")])
    await client.views_update(view_id=view_id, view=form(select))

    with pytest.raises(NotOnScreen, match="moon"):
        await slack.submit("U0DANA", view_id, {"env": {"v": "moon"}})


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "Please complete this required field."),
        (None, "Please complete this required field."),
        ("500", "Must be at least 5 characters."),
        ("x" * 3001, "Must be at most 3000 characters."),
    ],
)
async def test_slack_itself_asks_for_fields_before_the_bot_hears_of_it(
    slack: SlackEmulator, opened: list[str], typed: str | None, complaint: str
) -> None:
    seen = await slack.submit("U0DANA", top(slack), {"reason": {"v": typed}})

    assert seen.errors == {"reason": complaint}
    assert not seen.acknowledged
