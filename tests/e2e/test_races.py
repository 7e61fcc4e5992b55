"""Races through the real engine and store, on both databases: one change, and true answers."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.http_json import HttpJson
from bot.adapters.pace import Pace
from bot.adapters.slack import SlackChat
from bot.app import core_of, hosts_of, slack_route, world_of
from bot.demo.world.catalogue import FIRST
from bot.domain.deployment import Deployment, Phase
from bot.domain.events import Approved, Held, Resumed, RollbackRequested
from bot.domain.line import plain
from bot.domain.offer import renewed
from bot.domain.plan import ApprovalStage
from bot.loops import Core
from bot.memory import InboxKey, Transaction
from bot.numbers import Numbers
from bot.policies.loader import load
from bot.settings import Settings
from bot.writer import Source
from handlers.bolt import Door, bolt_app
from handlers.desk import Desk
from handlers.errors import Answers
from storage.connection import Row
from storage.store import open_store
from storage.transaction import connection_of
from tests.builders import ANA, DANA, QUINN, SAM, TEAM, a_deployment, a_target, a_version
from tests.e2e.policies import write_fast
from tests.e2e.world import RecordingWorld

pytestmark = pytest.mark.timeout(600)

_SECRET = "races-signing-secret"
_MANY = 1000


@pytest.fixture
async def core(database: str, tmp_path: Path) -> AsyncIterator[Core]:
    """The real program over the real database, without ears and without loops."""
    world = RecordingWorld()
    await world.start()
    write_fast(tmp_path / "policies", world.addresses)
    policies = load(tmp_path / "policies")
    store = await open_store(database)
    http = HttpJson(hosts_of(policies))
    settings = a_settings(tmp_path, database)
    core = core_of(store, policies, world_of(http, tmp_path), settings.tick, Numbers())
    await core.engine.adopt(
        a_target(), a_version(FIRST), "host:test", Source(InboxKey(TEAM, "host", "1", "1"))
    )
    yield core
    await http.close()
    await store.close()
    await world.stop()


async def test_two_people_who_sign_at_once_both_count(core: Core) -> None:
    await add(core, asking(core))

    answers = await asyncio.gather(
        core.engine.apply("D-1", Approved(ANA), click("a")),
        core.engine.apply("D-1", Approved(QUINN), click("b")),
    )

    assert [outcome.refusal for outcome in answers] == [None, None]
    counts = [re.findall(r"\d of \d", plain(outcome.answer)) for outcome in answers]
    assert sorted(counts) == [["1 of 2"], ["2 of 2"]]
    assert {approval.by for approval in (await found(core)).approvals} == {ANA, QUINN}


async def test_two_people_who_go_back_at_once_start_one_rollback_and_hear_the_truth(
    core: Core,
) -> None:
    await add(core, replace(canary(core), approvals=()))

    answers = await asyncio.gather(
        core.engine.apply("D-1", RollbackRequested(SAM, "it burns"), click("a")),
        core.engine.apply("D-1", RollbackRequested(ANA, "it burns too"), click("b")),
    )

    (done,) = [outcome for outcome in answers if outcome.refusal is None]
    (late,) = [outcome.refusal for outcome in answers if outcome.refusal is not None]
    d = await found(core)
    assert d.phase is Phase.ROLLING_BACK
    assert d.rollback is not None
    winner = SAM if answers[0] is done else ANA
    assert d.rollback.by == winner
    assert late.rule == "too_late"
    assert winner in str(late.why), "the other one is told who was first"


async def test_a_thousand_double_clicks_have_a_thousand_effects(core: Core) -> None:
    await add(core, canary(core))
    offer = (await found(core)).offer

    for number in range(_MANY):
        wish = Held(DANA, "") if number % 2 == 0 else Resumed(DANA)
        first, second = await asyncio.gather(
            core.engine.apply("D-1", wish, click(f"{number}a"), offer),
            core.engine.apply("D-1", wish, click(f"{number}b"), offer),
        )
        assert [first.refusal is None, second.refusal is None].count(True) == 1
        offer = (await found(core)).offer

    told = await rows(core, "SELECT event, COUNT(*) FROM journal GROUP BY event")
    counts = {row[0]: row[1] for row in told}
    assert counts["Held"] == counts["Resumed"] == _MANY // 2


async def test_two_taps_on_one_preview_start_one_deployment(core: Core) -> None:
    preview = await core.previews.deployment(TEAM, DANA, "checkout", "v1.8.3", None)
    wish = core.previews.request_of(preview.draft)

    answers = await asyncio.gather(*(core.engine.request(wish, click(f"{i}")) for i in range(2)))

    (refused,) = [outcome.refusal for outcome in answers if outcome.refusal is not None]
    assert refused.rule == "already_running"
    assert [way.action for way in refused.ways] == ["deploy.status"]
    assert [row[0] for row in await rows(core, "SELECT id FROM deployments")] == ["D-1"]


async def test_one_delivery_that_comes_often_counts_once(core: Core) -> None:
    await add(core, asking(core))

    answers = await asyncio.gather(
        *(core.engine.apply("D-1", Approved(ANA), click("same")) for _ in range(50))
    )

    assert {outcome.refusal for outcome in answers} == {None}
    assert [approval.by for approval in (await found(core)).approvals] == [ANA]


async def test_one_signed_request_sent_a_thousand_times_has_one_effect(
    core: Core, tmp_path: Path, database: str
) -> None:
    await add(core, canary(core))
    body, headers = signed_press("dep.hold", (await found(core)).offer)

    async with aiohttp.ClientSession() as session:
        url, runner = await listening(core, session, a_settings(tmp_path, database))
        statuses = []
        for _ in range(_MANY // 20):
            statuses += await asyncio.gather(
                *(status_of(session, url, body, headers) for _ in range(20))
            )
        await runner.cleanup()

    assert set(statuses) == {200}
    assert len(statuses) == _MANY
    assert (await found(core)).phase is Phase.HELD
    told = await rows(core, "SELECT COUNT(*) FROM journal WHERE event = 'Held'")
    assert told[0][0] == 1
    answers = await rows(core, "SELECT COUNT(*) FROM outbox WHERE lane LIKE '%/reply'")
    assert answers[0][0] == 1


# --- the pieces ------------------------------------------------------------------------------


def click(key: str) -> Source:
    return Source(InboxKey(TEAM, "action", key, key))


def asking(core: Core) -> Deployment:
    """A deployment that waits for its signatures."""
    (plan,) = core.policies.services["checkout"].plans.values()
    where = plan.position(ApprovalStage)
    assert where is not None
    now = datetime.now(UTC)
    return a_deployment(id="D-1", plan=plan, cursor=where, ask_round=1, stage_since=now)


def canary(core: Core) -> Deployment:
    d = asking(core)
    return replace(d, cursor=d.cursor + 1, is_touched=True, fence=1, stable=a_version(FIRST))


async def add(core: Core, d: Deployment) -> None:
    number, since = renewed(None, d)
    d = replace(d, offer=number, offered_since=since)

    async def unit(tx: Transaction) -> None:
        await tx.deployments.next_number(TEAM)
        await tx.deployments.surroundings(d.target, None)
        if d.fence:
            await tx.environments.take(d.target, d.id, d.fence)
        await tx.deployments.add(d, None)

    await core.store.run(unit)


async def found(core: Core) -> Deployment:
    d = await core.store.run(lambda tx: tx.deployments.get(TEAM, "D-1"))
    assert d is not None
    return d


async def rows(core: Core, sql: str) -> list[Row]:
    async def unit(tx: Transaction) -> list[Row]:
        return list(await connection_of(tx).rows(sql))

    return await core.store.run(unit)


def a_settings(directory: Path, database: str) -> Settings:
    return Settings.load(
        {
            "SLACK_BOT_TOKEN": "xoxb-races",
            "SLACK_SIGNING_SECRET": _SECRET,
            "DATABASE_URL": database,
            "PILOTHOUSE_POLICIES": str(directory / "policies"),
            "PILOTHOUSE_TICK": "1",
        }
    )


def signed_press(action: str, offer: int) -> tuple[bytes, dict[str, str]]:
    """What Slack sends when Dana presses *action* on the card of D-1."""
    payload = {
        "type": "block_actions",
        "user": {"id": DANA, "team_id": TEAM},
        "team": {"id": TEAM, "domain": "demo"},
        "api_app_id": "A0PILOT",
        "trigger_id": "1700000000.1.one",
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0DEPLOY"},
        "channel": {"id": "C0DEPLOY", "name": "deployment"},
        "message": {"ts": "1.1", "metadata": {"event_payload": {"key": f"{TEAM}/D-1/1"}}},
        "response_url": "https://hooks.slack.com/actions/one",
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": "b",
                "value": json.dumps({"d": "D-1", "o": offer}),
                "action_ts": "1.2",
            }
        ],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    at = str(int(time.time()))
    digest = hmac.new(_SECRET.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def listening(
    core: Core, session: aiohttp.ClientSession, settings: Settings
) -> tuple[str, web.AppRunner]:
    """Slack's door over HTTP, as the program opens it."""
    client = AsyncWebClient(token="xoxb-races", session=session, retry_handlers=[])
    chat = SlackChat(client, session, Pace(time.monotonic))
    desk = Desk(core.engine, core.previews, core.questions, core.policies, chat)
    door = Door(desk, Answers(core.policies, core.numbers), chat, None)
    route = slack_route(settings, bolt_app(client, "xoxb-races", door), core.numbers)
    assert route is not None
    app = web.Application()
    app.router.add_post("/slack/events", route)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", runner


async def status_of(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]
) -> int:
    async with session.post(url, data=body, headers=headers) as response:
        return response.status
