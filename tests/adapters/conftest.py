"""For each contract: the fake of the tests and the real adapter, set up alike."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.http_json import HttpJson
from bot.adapters.pace import Pace
from bot.adapters.slack import SlackChat
from bot.demo.slack import Manifest, SlackEmulator, demo_workspace
from bot.ports import Chat, Posted
from tests.adapters.hostile import PATIENT, Hostile, hostile_server
from tests.fake_chat import FakeChat
from tests.fakes import Clock, Trouble

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    async with hostile_server() as hostile:
        yield hostile


@pytest.fixture
def patience() -> float:
    """Seconds until an answer that does not come is none; parametrized down where none comes."""
    return PATIENT


@pytest.fixture
async def http(patience: float) -> AsyncIterator[HttpJson]:
    http = HttpJson(["127.0.0.1"], timeout=patience)
    yield http
    await http.close()


@dataclass(frozen=True)
class Talk:
    """A chat, what stands in it, and how to make its next call go wrong."""

    chat: Chat
    texts: Callable[[], list[str]]
    delete: Callable[[Posted], None]
    trouble: Callable[[Trouble], None]


@pytest.fixture(params=["fake", "slack"])
async def talk(request: pytest.FixtureRequest) -> AsyncIterator[Talk]:
    opened = _fake() if request.param == "fake" else _slack()
    async with opened as talk:
        yield talk


@asynccontextmanager
async def _fake() -> AsyncIterator[Talk]:
    next_one = [Trouble.NONE]

    async def fate(_call: str) -> Trouble:
        found, next_one[0] = next_one[0], Trouble.NONE
        return found

    chat = FakeChat(Clock(datetime.now(UTC)), fate)
    chat.closed.add("C0NOWHERE")

    def trouble(what: Trouble) -> None:
        next_one[0] = what

    yield Talk(chat, lambda: [s.message.text for s in chat.shown.values()], chat.delete, trouble)


@asynccontextmanager
async def _slack() -> AsyncIterator[Talk]:
    slack = SlackEmulator(
        demo_workspace(lambda: datetime.now(UTC)),
        Manifest.read(MANIFEST),
        bot_token="xoxb-demo",
        app_token="xapp-demo",
        signing_secret="signing-secret-of-the-demo",
    )
    await slack.start()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            "xoxb-demo", base_url=slack.api_url, session=session, retry_handlers=[]
        )
        passing = iter(range(0, 10_000, 10))
        chat = SlackChat(client, session, Pace(lambda: float(next(passing))))
        yield Talk(chat, lambda: _texts(slack), lambda at: _delete(slack, at), _troubled(slack))
    await slack.stop()


def _texts(slack: SlackEmulator) -> list[str]:
    return [message.text for message in slack.workspace.messages("C0DEPLOY")]


def _delete(slack: SlackEmulator, at: Posted) -> None:
    (found,) = [m for m in slack.workspace.messages(at.channel) if m.ts == at.ts]
    slack.workspace.delete(found)


def _troubled(slack: SlackEmulator) -> Callable[[Trouble], None]:
    def trouble(what: Trouble) -> None:
        faults: Any = slack.faults
        match what:
            case Trouble.DOWN:
                faults.server_error("chat.postMessage", times=1)
            case Trouble.LOST:
                faults.lose_reply("chat.postMessage", times=1)
            case Trouble.LIMITED:
                faults.rate_limit("chat.postMessage", seconds=7, times=1)

    return trouble
