"""Trouble on demand, and the limits of the real Slack for whoever switches them on."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import Manifest, SlackEmulator, demo_workspace
from tests.demo.conftest import (
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    Clock,
    Connect,
    refused,
)


async def say(client: AsyncWebClient, text: str = "Card") -> str:
    answer = await client.chat_postMessage(channel="C0DEPLOY", text=text)
    return str(answer["ts"])


def texts(slack: SlackEmulator) -> list[str]:
    return [message.text for message in slack.workspace.messages("C0DEPLOY")]


async def test_a_rate_limit_says_how_long_to_wait_and_ends_by_itself(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    slack.faults.rate_limit("chat.postMessage", seconds=7, times=1)

    with pytest.raises(SlackApiError) as caught:
        await say(client)
    await say(client)

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert texts(slack) == ["Card"]
    assert [call.status for call in slack.calls] == [429, 200]


async def test_the_sdks_own_handler_waits_and_gets_through(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    patient = AsyncWebClient(
        BOT_TOKEN,
        base_url=slack.api_url,
        session=session,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)],
    )
    slack.faults.rate_limit("chat.postMessage", seconds=1, times=1)

    await say(patient)

    assert texts(slack) == ["Card"]


async def test_a_failure_strikes_its_method_as_often_as_asked(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    slack.faults.fail("chat.postMessage", "fatal_error", times=2)

    errors = [
        (await refused(client.chat_postMessage(channel="C0DEPLOY", text="x")))["error"]
        for _ in range(2)
    ]
    await client.auth_test()
    await say(client)

    assert errors == ["fatal_error", "fatal_error"]
    assert texts(slack) == ["Card"]


async def test_a_lost_reply_leaves_the_message_and_cuts_the_line(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    slack.faults.lose_reply("chat.postMessage", times=1)

    with pytest.raises(aiohttp.ClientError):
        await say(client)

    assert texts(slack) == ["Card"]
    assert slack.calls[-1].answer["ok"] is True


async def test_a_server_error_does_nothing(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    slack.faults.server_error("chat.postMessage", times=1)
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    body = {"channel": "C0DEPLOY", "text": "x"}

    async with session.post(
        f"{slack.api_url}chat.postMessage", json=body, headers=headers
    ) as response:
        assert response.status == 500

    assert texts(slack) == []


async def test_answers_to_interactions_fail_on_demand_too(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    slack.faults.rate_limit("response_url", seconds=1, times=1)

    async with session.post(f"{slack.url}/response/any", json={"text": "x"}) as response:
        assert response.status == 429


@pytest.mark.parametrize("pings", [0.5])
async def test_while_slack_is_down_nothing_is_reached_and_afterwards_everything(
    slack: SlackEmulator,
    bolt: AsyncApp,
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    connect: Connect,
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack("back")

    await connect(bolt)

    slack.faults.is_down = True

    await slack.wait_for(lambda: slack.socket_mode.open_connections == 0)
    async with session.post(f"{slack.api_url}auth.test") as response:
        assert response.status == 503
    down = await slack.command("U0DANA", "/deploy", "x")
    assert down.error == '/deploy failed with the error "dispatch_failed"'

    slack.faults.is_down = False

    await slack.wait_for(lambda: slack.is_bot_connected)
    assert (await slack.command("U0DANA", "/deploy", "x")).body == {"text": "back"}


async def test_no_socket_opens_while_slack_is_down(
    slack: SlackEmulator, client: AsyncWebClient, session: aiohttp.ClientSession
) -> None:
    url = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
    slack.faults.is_down = True

    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await session.ws_connect(url)

    assert refusal.value.status == 503


@pytest.fixture
async def limited(manifest: Manifest, clock: Clock) -> AsyncIterator[SlackEmulator]:
    emulator = SlackEmulator(
        demo_workspace(clock),
        manifest,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=SIGNING_SECRET,
        limits=True,
    )
    await emulator.start()
    yield emulator
    await emulator.stop()


async def test_posting_faster_than_once_a_second_is_limited_by_channel(
    limited: SlackEmulator, session: aiohttp.ClientSession, clock: Clock
) -> None:
    client = AsyncWebClient(BOT_TOKEN, base_url=limited.api_url, session=session, retry_handlers=[])
    for _ in range(5):
        await say(client)

    too_fast = await refused(client.chat_postMessage(channel="C0DEPLOY", text="6"))
    await client.chat_postMessage(channel="C0GENERAL", text="another channel")
    clock.pass_(1)
    await say(client)

    assert too_fast["error"] == "ratelimited"
    assert limited.calls[5].status == 429


async def test_edits_are_limited_to_fifty_a_minute(
    limited: SlackEmulator, session: aiohttp.ClientSession, clock: Clock
) -> None:
    client = AsyncWebClient(BOT_TOKEN, base_url=limited.api_url, session=session, retry_handlers=[])
    ts = await say(client)
    for number in range(50):
        await client.chat_update(channel="C0DEPLOY", ts=ts, text=str(number))

    edit = client.chat_update(channel="C0DEPLOY", ts=ts, text="one more")
    assert (await refused(edit))["error"] == "ratelimited"
    clock.pass_(1.2)
    await client.chat_update(channel="C0DEPLOY", ts=ts, text="one more")


async def test_faults_can_be_taken_back(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.faults.fail("chat.postMessage", "fatal_error", times=9)

    slack.faults.clear()

    await say(client)
    assert texts(slack) == ["Card"]
