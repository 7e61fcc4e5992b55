"""The sockets to Slack: what is said while Slack is away, and that they end."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.links import SocketLinks

#: Nobody listens on the port of `discard`, and no socket of ours can be given it.
AWAY = "http://127.0.0.1:9/api/"


class Said(logging.Handler):
    """Keeps what is logged, and lets one wait for the next of it."""

    def __init__(self) -> None:
        super().__init__()
        self.records: asyncio.Queue[logging.LogRecord] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put_nowait(record)


@pytest.fixture
def said() -> Iterator[Said]:
    said, logger = Said(), logging.getLogger("slack_bolt.socket_mode")
    logger.addHandler(said)
    yield said
    logger.removeHandler(said)


def links(token: SecretStr | None) -> SocketLinks:
    client = AsyncWebClient(token="xoxb-of-a-test", base_url=AWAY)
    return SocketLinks(AsyncApp(client=client), token, client)


async def test_a_slack_that_is_away_takes_one_line_a_try_and_no_traceback(said: Said) -> None:
    sockets = links(SecretStr("xapp-of-a-test"))
    sockets.start()
    try:
        async with asyncio.timeout(30):
            record = await said.records.get()
    finally:
        await sockets.stop()

    assert "Cannot connect to host 127.0.0.1:9" in record.getMessage()
    assert record.exc_info is None
    assert not sockets.is_up


async def test_a_bug_in_the_sockets_keeps_its_traceback(said: Said) -> None:
    await links(SecretStr("xapp-of-a-test")).stop()
    try:
        raise ZeroDivisionError("by hand")
    except ZeroDivisionError:
        logging.getLogger("slack_bolt.socket_mode").exception("bug")

    assert said.records.get_nowait().exc_info is not None


async def test_without_an_app_token_there_is_no_socket_to_wait_for() -> None:
    sockets = links(None)
    sockets.start()
    await sockets.stop()

    assert not sockets.is_up
