"""Starting the demo and its bot: what is said when either cannot be."""

import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.demo.run import Demo
from bot.demo.supervisor import BotProcess, tethered
from bot.domain.refusal import Refused
from tests.demo.page_client import Page


async def test_a_taken_port_is_said_with_the_way_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = Demo(tmp_path, port)
        try:
            with pytest.raises(Refused) as refused:
                await demo.start()
        finally:
            await demo.stop()

    assert str(refused.value) == (
        f"Port {port} is taken. Stop the other demo, or use `pilothouse demo --port 0`."
    )


async def test_a_bot_that_does_not_start_again_says_why_on_the_page(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    broken = tethered(sys.executable, "-c", "raise SystemExit('the database is damaged')")
    demo.bot = BotProcess({}, tmp_path / "bot.log", spawn=broken)
    await demo.slack.start()
    try:
        async with aiohttp.ClientSession() as session:
            answer = await Page(demo.slack, session).post("world", action="start_bot")
    finally:
        await demo.stop()

    assert answer["ok"] is False
    assert "the database is damaged" in answer["error"]
