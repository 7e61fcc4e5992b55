"""What the demo page reads and presses, and that no other page can."""

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.demo.slack import SlackEmulator
from tests.demo.conftest import (
    Connect,
    button,
    field_of,
    form,
    option,
)
from tests.demo.page_client import Page


@pytest.fixture
def world(turning: dict[str, Any]) -> dict[str, Any]:
    return turning


async def test_the_state_names_everybody_and_everything(page: Page) -> None:
    state = await page.state()

    assert state["me"] == {"id": "U0DANA", "name": "Dana", "title": "Developer"}
    assert len(state["people"]) == 7
    assert state["bot"] == {"id": "U0PILOT", "name": "pilot"}
    assert [channel["id"] for channel in state["channels"]] == [
        "C0DEPLOY",
        "C0INCIDENT",
        "C0GENERAL",
    ]
    assert state["commands"][0]["command"] == "/deploy"
    assert state["bot_connected"] is False
    assert state["world"] == {"speed": 10}
    assert state["views"] == []


async def test_a_message_and_its_thread_look_as_the_page_expects(
    page: Page, bolt: AsyncApp
) -> None:
    root = (await bolt.client.chat_postMessage(channel="C0DEPLOY", text="Card"))["ts"]
    await bolt.client.chat_postMessage(channel="C0DEPLOY", text="Noted", thread_ts=root)
    await bolt.client.chat_update(channel="C0DEPLOY", ts=root, text="25 %")

    state = await page.state()

    [message] = state["messages"]["C0DEPLOY"]
    [reply] = state["threads"][f"C0DEPLOY:{root}"]
    assert message == {
        "ts": root,
        "channel": "C0DEPLOY",
        "thread_ts": None,
        "user": "U0PILOT",
        "name": "pilot",
        "text": "25 %",
        "blocks": [],
        "edited": True,
        "broadcast": False,
        "ephemeral": False,
        "reply_count": 1,
        "at": "2026-03-02T14:05:00.000+00:00",
    }
    assert reply["text"] == "Noted"
    assert [note["text"] for note in state["notifications"]] == ["Noted", "Card"]


async def test_a_broadcast_reply_stands_in_the_channel_and_in_its_thread(
    page: Page, bolt: AsyncApp
) -> None:
    root = (await bolt.client.chat_postMessage(channel="C0DEPLOY", text="Card"))["ts"]
    await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="Live", thread_ts=root, reply_broadcast=True
    )

    state = await page.state()

    assert [message["text"] for message in state["messages"]["C0DEPLOY"]] == ["Card", "Live"]
    assert state["threads"][f"C0DEPLOY:{root}"][0]["broadcast"] is True


async def test_nobody_sees_what_is_for_somebody_else(page: Page, bolt: AsyncApp) -> None:
    await bolt.client.chat_postEphemeral(channel="C0DEPLOY", user="U0ANA", text="psst")
    await bolt.client.chat_postMessage(channel="U0ANA", text="Waiting for you")

    dana, ana = await page.state("U0DANA"), await page.state("U0ANA")

    assert dana["messages"] == {"C0DEPLOY": [], "C0INCIDENT": [], "C0GENERAL": []}
    assert dana["notifications"] == []
    assert ana["messages"]["C0DEPLOY"][0]["ephemeral"] is True
    assert ana["messages"]["D0ANA"][0]["text"] == "Waiting for you"


async def test_a_reload_drops_what_only_this_person_saw(page: Page, bolt: AsyncApp) -> None:
    await bolt.client.chat_postEphemeral(channel="C0DEPLOY", user="U0DANA", text="psst")

    answer = await page.post("reload")

    assert answer["ok"] is True
    assert (await page.state())["messages"]["C0DEPLOY"] == []


async def test_unread_counts_what_others_said_until_it_is_read(
    page: Page, slack: SlackEmulator
) -> None:
    await slack.say("U0DANA", "C0DEPLOY", "mine")
    await slack.say("U0ANA", "C0DEPLOY", "one")
    await slack.say("U0ANA", "C0DEPLOY", "two")

    before = (await page.state())["channels"][0]["unread"]
    await page.post("read", channel="C0DEPLOY")
    after = (await page.state())["channels"][0]["unread"]

    assert (before, after) == (2, 0)


async def test_nobody_is_notified_of_what_they_said_themselves(
    page: Page, slack: SlackEmulator
) -> None:
    await slack.say("U0DANA", "C0DEPLOY", "mine")

    assert (await page.state("U0DANA"))["notifications"] == []
    assert (await page.state("U0ANA"))["notifications"][0]["text"] == "mine"


async def test_what_starts_with_a_slash_is_a_command(
    page: Page, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"{command['text']}?")

    await connect(bolt)

    answer = await page.post("say", channel="C0DEPLOY", text="/deploy checkout")
    refusal = await page.post("say", channel="C0DEPLOY", text="/deploy x", thread_ts="1.1")
    said = await page.post("say", channel="C0DEPLOY", thread_ts=None, text="a/b")

    texts = [message["text"] for message in (await page.state())["messages"]["C0DEPLOY"]]
    assert answer == {"ok": True, "error": None}
    assert refusal["error"] == "/deploy is not supported in threads. Sorry!"
    assert said["ok"] is True
    assert texts == ["checkout?", "a/b"]


async def test_a_click_is_told_apart_from_one_that_cannot_be(
    page: Page, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.action("approve")
    async def approve(ack: Any) -> None:
        await ack()

    await connect(bolt)
    posted = await bolt.client.chat_postMessage(channel="C0DEPLOY", text="x", blocks=[button()])
    click = {"channel": "C0DEPLOY", "ts": posted["ts"], "block_id": "d142.1"}

    done = await page.post("click", **click, action_id="approve", value=None, selected=None)
    gone = await page.post("click", **click, action_id="reject")

    assert done == {"ok": True, "error": None}
    assert gone["ok"] is False
    assert "reject is not on message" in gone["error"]


@pytest.fixture
async def states(bolt: AsyncApp, connect: Connect) -> list[dict[str, Any]]:
    """A bot whose form asks for a service; what the form held at each pick."""
    states: list[dict[str, Any]] = []
    select = field_of("external_select", "service", min_query_length=0)
    asking = form(select | {"dispatch_action": True}, field_of("plain_text_input"))

    @bolt.command("/rollback")
    async def rollback(ack: Any, command: dict[str, Any], client: Any) -> None:
        await client.views_open(trigger_id=command["trigger_id"], view=asking)
        await ack()

    @bolt.options("v")
    async def suggest(ack: Any) -> None:
        await ack(options=[option("checkout")])

    @bolt.action("v")
    async def picked(ack: Any, body: dict[str, Any]) -> None:
        states.append(body["view"]["state"]["values"])
        await ack()

    @bolt.view("rollback")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"reason": "Say more."})

    await connect(bolt)
    return states


async def test_a_form_is_filled_in_asked_about_sent_and_closed(
    page: Page, states: list[dict[str, Any]]
) -> None:
    await page.post("say", channel="C0DEPLOY", text="/rollback")
    [shown] = (await page.state())["views"]
    place = {"view_id": shown["id"], "block_id": "service", "action_id": "v"}
    filled = {"service": {"v": None}, "reason": {"v": "500s"}}

    offered = await page.post("suggest", **place, typed="", values=filled)
    pick = {"channel": "C0DEPLOY", "ts": None, "selected": offered["options"][0]}
    picked_answer = await page.post("click", **place, **pick, values=filled)
    values = {"service": {"v": offered["options"][0]}, "reason": {"v": "500s"}}
    sent = await page.post("submit", view_id=shown["id"], values=values)
    closed = await page.post("close", view_id=shown["id"])
    again = await page.post("close", view_id=shown["id"])

    assert shown["view"]["title"]["text"] == "Roll back checkout"
    assert offered["options"] == [option("checkout")]
    assert picked_answer["ok"] is True
    assert states[0]["reason"]["v"]["value"] == "500s"
    assert sent == {"ok": False, "error": None, "errors": {"reason": "Say more."}}
    assert (closed["ok"], again["ok"]) == (True, False)


async def test_the_world_takes_what_the_page_asks(page: Page) -> None:
    answer = await page.post("world", action="break checkout")

    assert answer == {"ok": True, "error": None, "did": "break checkout"}
