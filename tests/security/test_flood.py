"""A flood of signed requests over HTTP: answered each time, carried out within the limit."""

import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from handlers.bolt import http_handler
from handlers.gate import Limits, gated
from tests.builders import DANA
from tests.handlers.allowing import allowing
from tests.handlers.office import Office
from tests.security.slack_requests import COMMAND, FORM, NOW, SECRET, form, signed
from tests.security.wire import Wire

_ACCEPTED = 10
_SENT = 300


@pytest.fixture
async def limited(database: Path) -> AsyncIterator[Office]:
    office = Office(database)
    office.policies = replace(office.policies, limits=allowing(_ACCEPTED, 30, 120))
    async with office:
        yield office


@pytest.fixture
async def port(limited: Office) -> AsyncIterator[int]:
    """Where *limited* is reached as Slack reaches it."""
    app = web.Application()
    route = gated(http_handler(limited.app), [SECRET], lambda: NOW, Limits())
    app.router.add_post("/slack/events", route)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def test_a_flood_is_carried_out_within_the_limit_and_writes_nothing_above_it(
    limited: Office, port: int, database: Path
) -> None:
    async with Wire("127.0.0.1", port) as wire:
        answers = [await typed(wire, f"cancel D-{n} flood", f"t{n}") for n in range(1, _SENT + 1)]
        going_back = [
            await typed(wire, "checkout 500s on /pay", f"r{n}", "/rollback") for n in range(20)
        ]
        again = await typed(wire, "cancel D-1 flood", "t1")

    done, turned = answers[:_ACCEPTED], answers[_ACCEPTED:]
    assert [text for text in done if "There is no deployment" not in text] == []
    assert [text for text in turned if "10 of the 10 commands" not in text] == []
    assert [text for text in going_back if "brought it" not in text] == [], "none is limited"
    assert again == done[0]
    assert limited.limited == ["command"] * (_SENT - _ACCEPTED)
    with sqlite3.connect(database) as connection:
        taken_in = connection.execute("SELECT COUNT(*) FROM inbox WHERE kind = 'command'")
        assert taken_in.fetchone() == (_ACCEPTED,)
    connection.close()


async def typed(wire: Wire, text: str, trigger: str, command: str = "/deploy") -> str:
    """What Dana reads in the acknowledgement."""
    said = {"command": command, "text": text, "user_id": DANA, "trigger_id": trigger}
    body = form(COMMAND | said)
    status, answer = await wire.post("/slack/events", signed(body, FORM, NOW), body)
    assert status == 200
    text = json.loads(answer)["text"]
    assert isinstance(text, str)
    return text
