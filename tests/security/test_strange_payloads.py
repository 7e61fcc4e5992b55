"""Signed payloads with strange parts that only Bolt reads: a bad request, and no fault."""

import copy
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from handlers.bolt import http_handler
from handlers.gate import Limits, gated
from tests.handlers.office import Office
from tests.security.slack_requests import (
    CLICK,
    COMMAND,
    JSON,
    MENTION,
    NOW,
    SECRET,
    SUBMISSION,
    SUGGESTION,
    as_json,
    signed,
)
from tests.security.wire import Wire

_BY_A_BOT: dict[str, Any] = MENTION | {
    "event": {"type": "app_mention", "text": "help", "ts": "1.1", "channel": "C0DEPLOY"}
}
#: Each is answered without the database, so that this takes no time.
_PAYLOADS: list[dict[str, Any]] = [
    COMMAND | {"text": "help"},
    CLICK | {"actions": [{"type": "button", "action_id": "nothing", "block_id": "b"}]},
    SUBMISSION | {"view": {"id": "V1", "type": "modal", "callback_id": "nothing"}},
    SUGGESTION,
    _BY_A_BOT,
]
#: What Bolt looks at to find out whose request it is, wherever it may stand.
_READ = (
    "authorizations",
    "enterprise",
    "enterprise_id",
    "is_enterprise_install",
    "is_ext_shared_channel",
    "team",
    "view",
    "item",
    "assistant_thread",
    "previous_message",
    "function_data",
    "response_urls",
    "bot_access_token",
    "function_execution_id",
)
_STRANGE: list[Any] = [5, True, "x", [], [5], [[]], {}, {"0": 1}, {"id": 5}, {"enterprise": 5}]


@pytest.fixture
async def port(office: Office) -> AsyncIterator[int]:
    """Where *office* is reached as Slack reaches it."""
    app = web.Application()
    app.router.add_post(
        "/slack/events", gated(http_handler(office.app), [SECRET], lambda: NOW, Limits())
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def spoiled() -> Iterator[dict[str, Any]]:
    for payload in _PAYLOADS:
        for name in _READ:
            for strange in _STRANGE:
                yield payload | {name: strange}
                if payload is _BY_A_BOT:
                    inner = copy.deepcopy(payload)
                    inner["event"][name] = strange
                    yield inner


async def test_what_bolt_cannot_read_is_a_bad_request_and_no_fault(
    office: Office, port: int
) -> None:
    statuses = Counter[int]()
    async with Wire("127.0.0.1", port) as wire:
        for payload in spoiled():
            body = as_json(payload)
            status, _ = await wire.post("/slack/events", signed(body, JSON), body)
            statuses[status] += 1
            assert status in (200, 400), payload

    assert statuses[200] > statuses[400] > 0
    assert not office.faults
