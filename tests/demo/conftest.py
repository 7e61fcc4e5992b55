"""A strict Slack and a real Bolt app on loopback, connected over Socket Mode."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.demo.slack import Manifest, SlackEmulator, Timing, Workspace, demo_workspace
from tests.demo.page_client import Page

BOT_TOKEN = "xoxb-demo"
APP_TOKEN = "xapp-demo"
SIGNING_SECRET = "signing-secret-of-the-demo"
MANIFEST = Path(__file__).parents[2] / "manifest.yml"

#: Repeats events soon enough for a test that waits for it.
RETRIES = (0.0, 0.05, 0.05)


@dataclass
class Clock:
    """A clock that stands where the test put it."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 14, 5, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.read(MANIFEST)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock: Clock) -> Workspace:
    return demo_workspace(clock)


@pytest.fixture
def patience() -> float:
    """Seconds for an acknowledgement, on a machine that is busy; less where a test waits for the
    end of them."""
    return 30


@pytest.fixture
def world() -> dict[str, Any]:
    """What stands behind the page's controls; nothing, unless a test's file says so."""
    return {}


@pytest.fixture
async def slack(
    workspace: Workspace, manifest: Manifest, patience: float, world: dict[str, Any]
) -> AsyncIterator[SlackEmulator]:
    emulator = SlackEmulator(
        workspace,
        manifest,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=SIGNING_SECRET,
        timing=Timing(ack=patience, event_retries=RETRIES),
        **world,
    )
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
def turning() -> dict[str, Any]:
    """A world that says what it was asked to do."""

    async def turn(wish: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "error": None, "did": wish["action"]}

    return {"world": turn, "world_state": lambda: {"speed": 10}}


@pytest.fixture
def page(slack: SlackEmulator, session: aiohttp.ClientSession) -> Page:
    return Page(slack, session)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(slack: SlackEmulator, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Without retries, so that a test sees every single answer."""
    return AsyncWebClient(BOT_TOKEN, base_url=slack.api_url, session=session, retry_handlers=[])


@pytest.fixture
def bolt(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=SIGNING_SECRET, logger=_quiet())


Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]


@pytest.fixture
async def opened(slack: SlackEmulator, bolt: AsyncApp, connect: Connect) -> list[str]:
    """`/rollback` opens a form; the triggers it got, oldest first."""
    triggers: list[str] = []

    @bolt.command("/rollback")
    async def rollback(ack: Any, command: dict[str, Any], client: Any) -> None:
        triggers.append(command["trigger_id"])
        await client.views_open(trigger_id=command["trigger_id"], view=form())
        await ack()

    await connect(bolt)
    await slack.command("U0DANA", "/rollback", "checkout")
    return triggers


def top(slack: SlackEmulator, user: str = "U0DANA") -> str:
    """The id of the form that *user* has in front of them."""
    return slack.views.stack(user)[-1].id


@pytest.fixture
def pings() -> float:
    """Seconds between two signs of life of a connection, which is given up after four without:
    more than a busy machine stands still. Less where a test waits for a new connection."""
    return 10


@pytest.fixture
async def connect(slack: SlackEmulator, pings: float) -> AsyncIterator[Connect]:
    """Brings an app to Slack over Socket Mode; returns when Slack counts the connection."""
    async with AsyncExitStack() as stack:

        async def connect(app: AsyncApp) -> AsyncSocketModeHandler:
            before = slack.socket_mode.open_connections
            app_client = AsyncWebClient(APP_TOKEN, base_url=slack.api_url)
            handler = AsyncSocketModeHandler(
                app, APP_TOKEN, web_client=app_client, logger=_quiet(), ping_interval=pings
            )
            stack.push_async_callback(handler.close_async)
            await handler.connect_async()  # type: ignore[no-untyped-call]
            await slack.wait_for(lambda: slack.socket_mode.open_connections > before)
            return handler

        yield connect


@dataclass(frozen=True)
class Ear:
    """What reached an app that acknowledges everything and answers nothing, oldest first:
    `/deploy`, presses on `approve` with all that comes with them, mentions."""

    commands: list[dict[str, Any]] = field(default_factory=list)
    presses: list[dict[str, Any]] = field(default_factory=list)
    mentions: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
async def ear(bolt: AsyncApp, connect: Connect) -> Ear:
    ear = Ear()

    @bolt.command("/deploy")
    async def deploy(ack: Any, command: dict[str, Any]) -> None:
        ear.commands.append(command)
        await ack()

    @bolt.action("approve")
    async def approve(ack: Any, body: dict[str, Any]) -> None:
        ear.presses.append(body)
        await ack()

    @bolt.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:
        ear.mentions.append(event)

    await connect(bolt)
    return ear


async def refused(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """Slack's answer to a call that it must refuse."""
    with pytest.raises(SlackApiError) as caught:
        await call
    answer = caught.value.response.data
    assert isinstance(answer, dict)
    return answer


def button(action_id: str = "approve", **more: Any) -> dict[str, Any]:
    """A row with one button whose value names the deployment and the offer."""
    element = {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": "Approve"},
        "value": '{"d":"D-142","o":1}',
    }
    return {"type": "actions", "block_id": "d142.1", "elements": [element | more]}


def form(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A modal with *blocks*, one reason field when there are none."""
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": "rollback",
        "title": {"type": "plain_text", "text": "Roll back checkout"},
        "submit": {"type": "plain_text", "text": "Roll back now"},
        "private_metadata": "D-142",
        "blocks": list(blocks) or [field_of("plain_text_input", min_length=5)],
    }
    return view | more


def field_of(kind: str, block_id: str = "reason", **more: Any) -> dict[str, Any]:
    """An input block; its element has the action id `v`."""
    optional = more.pop("optional", False)
    return {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": block_id.capitalize()},
        "optional": optional,
        "element": {"type": kind, "action_id": "v"} | more,
    }


def option(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value.upper()}, "value": value}


def _quiet() -> logging.Logger:
    logger = logging.getLogger("tests.bolt")
    logger.setLevel(logging.CRITICAL)
    return logger
