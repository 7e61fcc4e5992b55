"""A real Bolt app talks to the emulator over Socket Mode."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import SlackEmulator
from tests.demo.conftest import (
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    Clock,
    Connect,
    button,
    refused,
)


async def test_a_command_is_answered_for_the_typist_alone(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"{command['user_id']} wants {command['text']}")

    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy", "checkout v1.8.3")

    assert seen.is_fine
    assert seen.body["text"] == "U0DANA wants checkout v1.8.3"
    assert seen.message is not None
    assert seen.message.visible_to == "U0DANA"


async def test_a_click_reaches_the_bot_with_the_message_and_edits_it(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.action("approve")
    async def approve(ack: Any, body: dict[str, Any], client: Any) -> None:
        await client.chat_update(
            channel=body["channel"]["id"],
            ts=body["container"]["message_ts"],
            text=f"Approved by {body['user']['id']} for {body['actions'][0]['value']}",
            blocks=[],
        )
        await ack()

    await connect(bolt)
    posted = await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="Waiting", blocks=[button()]
    )

    seen = await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve")

    message = slack.workspace.find("C0DEPLOY", posted["ts"])
    assert seen.is_fine
    assert message is not None
    assert message.text == 'Approved by U0ANA for {"d":"D-142","o":1}'
    assert (message.blocks, message.edits) == ([], 1)


async def test_a_mention_in_a_thread_carries_the_thread(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    heard: list[dict[str, Any]] = []

    @bolt.event("app_mention")
    async def mentioned(event: dict[str, Any], say: Any) -> None:
        heard.append(event)
        await say("Noted", thread_ts=event["thread_ts"])

    await connect(bolt)
    root = await slack.say("U0DANA", "C0DEPLOY", "Shall we?")

    await slack.say("U0ANA", "C0DEPLOY", "@pilot approve", thread_ts=root)

    replies = await slack.wait_for(
        lambda: [m for m in slack.workspace.replies("C0DEPLOY", root) if m.text == "Noted"]
    )
    assert len(replies) == 1
    assert heard[0]["text"] == "<@U0PILOT> approve"
    assert heard[0]["thread_ts"] == root


async def test_each_payload_goes_to_one_of_several_connections(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    another = AsyncApp(client=bolt.client, signing_secret=SIGNING_SECRET)

    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack("one")

    @another.command("/deploy")
    async def deploy_too(ack: Any) -> None:
        await ack("two")

    await connect(bolt)
    await connect(another)

    seen = [await slack.command("U0DANA", "/deploy") for _ in range(4)]

    answers = [one.body["text"] for one in seen]
    assert sorted(answers) == ["one", "one", "two", "two"]
    assert answers[0] != answers[1]


async def test_a_socket_that_was_asked_to_leave_gets_nothing_new(
    slack: SlackEmulator, session: aiohttp.ClientSession, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack("the new one")

    url = await an_address(slack, session)
    async with session.ws_connect(url) as socket:
        await socket.receive_json()
        await slack.socket_mode.ask_to_reconnect("warning")
        frame = await socket.receive_json()

        seen = await slack.command("U0DANA", "/deploy", "x")
        await connect(bolt)
        later = [await slack.command("U0DANA", "/deploy", "x") for _ in range(2)]

    assert [one.body for one in later] == [{"text": "the new one"}] * 2
    assert (frame["type"], frame["reason"]) == ("disconnect", "warning")
    assert seen.error == '/deploy failed with the error "dispatch_failed"'


@pytest.mark.parametrize("pings", [0.5])
async def test_commands_still_work_after_slack_asked_for_a_new_connection(
    slack: SlackEmulator, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack("here")

    await connect(bolt)

    await slack.socket_mode.ask_to_reconnect()

    assert not slack.is_bot_connected
    await slack.wait_for(lambda: slack.is_bot_connected)
    seen = await slack.command("U0DANA", "/deploy", "status")
    assert seen.body == {"text": "here"}


async def an_address(slack: SlackEmulator, session: aiohttp.ClientSession) -> str:
    """Where one more connection may be made, once."""
    client = AsyncWebClient(base_url=slack.api_url, session=session)
    opened = await client.apps_connections_open(app_token=APP_TOKEN)
    return str(opened["url"])


async def test_an_address_for_a_connection_works_once(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    url = await an_address(slack, session)

    async with session.ws_connect(url) as socket:
        hello = await socket.receive_json()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await session.ws_connect(url)

    assert hello["type"] == "hello"
    assert hello["num_connections"] == 1
    assert refusal.value.status == 403


async def test_an_address_for_a_connection_dies_unused(
    slack: SlackEmulator, session: aiohttp.ClientSession, clock: Clock
) -> None:
    url = await an_address(slack, session)

    clock.pass_(31)

    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(url)


async def test_more_than_ten_connections_are_too_many(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    client = AsyncWebClient(base_url=slack.api_url, session=session)
    async with AsyncExitStack() as stack:
        for _ in range(10):
            url = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
            await stack.enter_async_context(session.ws_connect(url))
        await slack.wait_for(lambda: slack.socket_mode.open_connections == 10)

        answer = await refused(client.apps_connections_open(app_token=APP_TOKEN))

    assert answer["error"] == "too_many_websockets"


async def test_a_connection_needs_the_app_level_token(client: AsyncWebClient) -> None:
    answer = await refused(client.apps_connections_open(app_token=BOT_TOKEN))

    assert answer["error"] == "not_allowed_token_type"


async def test_a_socket_that_closes_before_the_acknowledgement_fails_the_command(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    url = await an_address(slack, session)
    async with session.ws_connect(url) as socket:
        await socket.receive_json()
        typed = asyncio.create_task(slack.command("U0DANA", "/deploy", "x"))
        envelope = await socket.receive_json()

    seen = await typed

    assert envelope["type"] == "slash_commands"
    assert envelope["accepts_response_payload"] is True
    assert seen.error == '/deploy failed with the error "dispatch_failed"'


@pytest.mark.parametrize("patience", [0.1])
async def test_an_event_nobody_acknowledges_is_sent_again_with_the_same_id(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    url = await an_address(slack, session)
    async with session.ws_connect(url) as socket:
        await socket.receive_json()
        await slack.say("U0ANA", "C0DEPLOY", "@pilot help")
        first, second = await socket.receive_json(), await socket.receive_json()
        await socket.send_json({"envelope_id": second["envelope_id"]})

    assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
    assert second["retry_reason"] == "http_timeout"
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
