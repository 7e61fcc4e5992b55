"""Only our own page may read and press, and it hears of every change."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.demo.slack import SlackEmulator
from bot.demo.slack.changes import Changes
from tests.demo.page_client import OURS, Page


@pytest.fixture
def world(turning: dict[str, Any]) -> dict[str, Any]:
    return turning


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {}},
        {"headers": OURS | {"Origin": "http://evil.example"}},
        {"headers": OURS | {"Origin": "null"}},
        {"headers": OURS | {"Host": "evil.example"}},
        {"json": None, "data": '{"as":"U0DANA"}'},
    ],
    ids=["no header", "other origin", "opaque origin", "rebound name", "no JSON"],
)
async def test_only_our_own_page_may_press_anything(
    page: Page, slack: SlackEmulator, how: dict[str, Any]
) -> None:
    assert await page.knock(**how) == 403
    assert slack.workspace.messages("C0DEPLOY") == []


async def test_our_own_page_may(page: Page, slack: SlackEmulator) -> None:
    assert await page.knock(headers=OURS | {"Origin": slack.url}) == 200


async def test_another_sites_page_reads_nothing_either(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    url = f"{slack.url}/_demo/state?as=U0DANA"

    async with session.get(url, headers={"Host": "evil.example"}) as response:
        assert response.status == 403
    async with session.get(url, headers={"Origin": "http://evil.example"}) as response:
        assert response.status == 403
    async with session.get(f"{slack.url}/_demo/state?as=U0NOBODY") as response:
        assert response.status == 404


async def test_a_request_with_something_missing_says_what(page: Page, slack: SlackEmulator) -> None:
    assert await page.knock(json={"as": "U0DANA"}) == 400
    answer = await page.post("say", channel="C0DEPLOY")
    assert answer == {"ok": False, "error": "missing: text"}
    nobody = await page.post("say", "U0NOBODY", channel="C0DEPLOY", text="x")
    assert nobody["error"] == "user_not_found"


async def test_the_page_hears_of_a_burst_of_changes_once(page: Page, slack: SlackEmulator) -> None:
    changes, stream = slack.workspace.changes, page.changes()
    assert await anext(stream) == f"data: {changes.count}"

    told: list[str] = []
    async with asyncio.timeout(60):
        for _ in range(20):  # a machine that stood still meanwhile tore the burst apart
            told.clear()
            await burst(changes)
            while f"data: {changes.count}" not in told:
                told.append(await anext(stream))
            if len(told) == 1:
                break

    assert told == [f"data: {changes.count}"]
    await stream.aclose()


async def burst(changes: Changes) -> None:
    for _ in range(20):
        changes.touch()
        for _ in range(5):  # let the stream see each change by itself
            await asyncio.sleep(0)
