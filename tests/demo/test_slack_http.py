"""The same Slack over signed requests, against the real Bolt behind a real server."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

from bot.demo.slack import Manifest, SlackEmulator, Timing, demo_workspace
from tests.demo.conftest import (
    APP_TOKEN,
    BOT_TOKEN,
    RETRIES,
    SIGNING_SECRET,
    Connect,
    button,
    form,
)


class Listener:
    """The bot's address: hands requests to Bolt, or does what the test says instead."""

    def __init__(self, bolt: AsyncApp) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self._bolt = bolt

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), headers=self.headers)
        bolt_request = await to_bolt_request(request)
        return await to_aiohttp_response(await self._bolt.async_dispatch(bolt_request))


@pytest.fixture
async def slack(
    manifest: Manifest, patience: float, request: pytest.FixtureRequest
) -> AsyncIterator[SlackEmulator]:
    """On the real clock: Bolt refuses signatures that are five minutes old."""
    emulator = SlackEmulator(
        demo_workspace(),
        manifest,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=SIGNING_SECRET,
        timing=Timing(ack=patience, trigger=patience, event_retries=RETRIES),
        transport=getattr(request, "param", "auto"),
    )
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
async def listener(slack: SlackEmulator, bolt: AsyncApp) -> AsyncIterator[Listener]:
    listener = Listener(bolt)
    app = web.Application()
    app.router.add_post("/slack/events", listener.take)
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        yield listener


async def test_a_command_arrives_as_a_signed_form(
    slack: SlackEmulator, bolt: AsyncApp, listener: Listener
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"You said: {command['text']}")

    seen = await slack.command("U0DANA", "/deploy", "checkout v1.8.3")

    headers, body = listener.requests[0]
    stamp = headers["X-Slack-Request-Timestamp"]
    base = f"v0:{stamp}:".encode() + body
    digest = hmac.new(SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
    assert seen.body == {"text": "You said: checkout v1.8.3"}
    assert headers["X-Slack-Signature"] == f"v0={digest}"
    assert abs(time.time() - int(stamp)) < 60
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_an_old_signature_is_refused_by_the_bot_and_seen_as_failure(
    slack: SlackEmulator, listener: Listener
) -> None:
    slack.dispatcher.clock = lambda: datetime.now(UTC) - timedelta(minutes=6)

    seen = await slack.command("U0DANA", "/deploy", "checkout")

    assert seen.error == '/deploy failed with the error "dispatch_failed"'


async def test_a_click_and_a_form_go_the_same_way(
    slack: SlackEmulator, bolt: AsyncApp, listener: Listener
) -> None:
    @bolt.action("approve")
    async def approve(ack: Any, body: dict[str, Any], client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=form())
        await ack()

    @bolt.view("rollback")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"reason": "Say more."})

    posted = await bolt.client.chat_postMessage(
        channel="C0DEPLOY", text="Waiting", blocks=[button()]
    )

    clicked = await slack.click("U0ANA", "C0DEPLOY", posted["ts"], "approve")
    [view] = slack.views.stack("U0ANA")
    seen = await slack.submit("U0ANA", view.id, {"reason": {"v": "because"}})

    assert clicked.is_fine
    assert seen.errors == {"reason": "Say more."}


async def test_an_event_that_fails_is_sent_again_and_says_so(
    slack: SlackEmulator, bolt: AsyncApp, listener: Listener
) -> None:
    heard: list[str] = []

    @bolt.event("app_mention")
    async def mentioned(body: dict[str, Any]) -> None:
        heard.append(body["event_id"])

    listener.statuses = [500, 503]

    await slack.say("U0ANA", "C0DEPLOY", "@pilot help")

    await slack.wait_for(lambda: heard)
    numbers = [headers.get("X-Slack-Retry-Num") for headers, _ in listener.requests]
    assert numbers == [None, "1", "2"]
    assert listener.requests[1][0]["X-Slack-Retry-Reason"] == "http_error"
    assert len(heard) == 1


async def test_an_event_that_was_acknowledged_is_not_sent_again(
    slack: SlackEmulator, bolt: AsyncApp, listener: Listener
) -> None:
    @bolt.event("app_mention")
    async def mentioned() -> None:
        """Bolt acknowledges by itself."""

    await slack.say("U0ANA", "C0DEPLOY", "@pilot help")

    await slack.wait_for(lambda: listener.requests)
    await slack.wait_for(lambda: not slack.dispatcher.is_busy)
    assert len(listener.requests) == 1


async def test_a_slack_that_is_down_sends_nothing(slack: SlackEmulator, listener: Listener) -> None:
    slack.faults.is_down = True

    seen = await slack.command("U0DANA", "/deploy", "checkout")

    assert seen.error == '/deploy failed with the error "dispatch_failed"'
    assert listener.requests == []


async def test_slack_gives_an_event_up_after_three_repetitions(
    slack: SlackEmulator, listener: Listener
) -> None:
    listener.statuses = [500] * 9

    await slack.say("U0ANA", "C0DEPLOY", "@pilot help")

    await slack.wait_for(lambda: len(listener.requests) == 4)
    await slack.wait_for(lambda: not slack.dispatcher.is_busy)
    assert len(listener.requests) == 4


async def test_the_bot_can_say_that_once_is_enough(
    slack: SlackEmulator, listener: Listener
) -> None:
    listener.statuses, listener.headers = [500] * 9, {"X-Slack-No-Retry": "1"}

    await slack.say("U0ANA", "C0DEPLOY", "@pilot help")

    await slack.wait_for(lambda: not slack.dispatcher.is_busy)
    assert len(listener.requests) == 1


async def test_an_unknown_command_fails_at_once_and_a_slow_one_times_out(
    slack: SlackEmulator, bolt: AsyncApp, listener: Listener
) -> None:
    @bolt.command("/rollback")
    async def rollback() -> None:
        """Never acknowledges."""

    unknown = await slack.command("U0DANA", "/deploy", "checkout")
    slack.dispatcher.timing = Timing(ack=0.1)
    slow = await slack.command("U0DANA", "/rollback", "checkout")

    assert unknown.error == '/deploy failed with the error "dispatch_failed"'
    assert slow.error == '/rollback failed with the error "operation_timeout"'


@pytest.mark.parametrize(
    ("slack", "requests"), [("auto", 0), ("socket", 0), ("http", 1)], indirect=["slack"]
)
async def test_an_open_socket_comes_before_the_address_unless_told_otherwise(
    slack: SlackEmulator,
    bolt: AsyncApp,
    listener: Listener,
    connect: Connect,
    requests: int,
) -> None:
    @bolt.command("/deploy")
    async def deploy(ack: Any) -> None:
        await ack("heard")

    await connect(bolt)

    seen = await slack.command("U0DANA", "/deploy", "checkout")

    assert seen.body == {"text": "heard"}
    assert len(listener.requests) == requests


@pytest.mark.parametrize("slack", ["socket"], indirect=True)
async def test_where_only_sockets_count_the_address_is_not_used(
    slack: SlackEmulator, listener: Listener
) -> None:
    seen = await slack.command("U0DANA", "/deploy", "checkout")

    assert not slack.is_bot_connected
    assert seen.error == '/deploy failed with the error "dispatch_failed"'
    assert listener.requests == []
