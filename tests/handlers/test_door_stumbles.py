"""A bug before or beside the handlers: one code in the log and the count, a sentence for people."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.questions import Questions
from handlers.bolt import Door, bolt_app, http_handler
from handlers.desk import Desk
from handlers.errors import Answers
from handlers.gate import Admitted
from handlers.limit import Limit
from tests.builders import ANA, DANA, TEAM
from tests.handlers.allowing import allowing
from tests.handlers.office import PILOT, Office
from tests.handlers.reading import text_of


def stopped() -> float:
    raise ZeroDivisionError("the clock stands")


async def stumbling(what: str) -> Any:
    raise ZeroDivisionError(what)


class Fallen(Door):
    """Raises past its own boundary, as only Bolt or the door itself could."""

    async def route(self, ack: AsyncAck, body: dict[str, Any]) -> bool:
        raise ZeroDivisionError("at the door")


def door_of(office: Office, kind: type[Door] = Door) -> Door:
    desk = Desk(
        office.engine,
        office.replica.previews,
        Questions(office.store, office.policies),
        office.policies,
        office.chat,
    )
    answers = Answers(office.policies, office.numbers)
    limit = Limit(allowing(9, 9, 9), stopped, office.limited.append)
    return kind(desk, answers, office.chat, PILOT, limit)


@pytest.fixture
async def broken(office: Office) -> AsyncIterator[Office]:
    """Whose limits stumble over everything that counts for them."""
    office.app = bolt_app(AsyncWebClient("xoxb-test"), "xoxb-test", door_of(office))
    yield office
    office.numbers.bugs.clear()


async def typed(office: Office) -> str:
    return (await office.types(DANA, "/deploy checkout v1.8.3")).text


async def pressed(office: Office) -> str:
    return await office.presses(ANA, "deploy.request.confirm", json.dumps({"d": "D-1"}))


async def submitted(office: Office) -> str:
    return (await office.submits(ANA, "reject.submit", json.dumps({"d": "D-1"}), reason="no")).text


async def mentioned(office: Office) -> str:
    return await office.mentions(DANA, "status checkout")


@pytest.mark.parametrize("ask", [typed, pressed, submitted, mentioned])
async def test_a_bug_beside_the_handlers_is_told_and_counted_once(broken: Office, ask: Any) -> None:
    with structlog.testing.capture_logs() as logs:
        heard = await ask(broken)

    (logged,) = [line for line in logs if line["log_level"] == "error"]
    assert logged["exc_info"]
    assert heard.count(logged["code"]) >= 1
    assert broken.faults == 1


async def test_a_bug_under_a_field_offers_nothing_and_is_counted_once(office: Office) -> None:
    office.world.releases.fate = stumbling
    question = {
        "type": "block_suggestion",
        "team": {"id": TEAM},
        "user": {"id": DANA},
        "action_id": "deploy.form.version",
        "block_id": "version.checkout",
        "value": "v1",
    }
    with structlog.testing.capture_logs() as logs:
        answer = await office.sends(question)
    faults = office.faults
    office.numbers.bugs.clear()

    assert (answer.status, answer.body) == (200, {"options": []})
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["bug"]
    assert faults == 1


async def test_a_press_that_nobody_can_be_told_of_is_acknowledged(broken: Office) -> None:
    press = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": ANA},
        "trigger_id": "t1",
        "actions": [{"type": "button", "action_id": "deploy.request.confirm", "block_id": "b"}],
    }

    answer = await broken.sends(press)

    assert answer.status == 200
    assert broken.faults == 1
    assert text_of([message for _, message in broken.chat.answers]) == ""


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        (Fallen, {"type": "block_suggestion"}, 500),
        (Door, {"type": "something_new"}, 400),
    ],
)
async def test_only_what_the_sender_did_wrong_is_called_theirs(
    office: Office, kind: type[Door], content: dict[str, object], status: int
) -> None:
    handle = http_handler(bolt_app(AsyncWebClient("x"), "xoxb-test", door_of(office, kind)))

    async def serve(request: web.Request) -> web.StreamResponse:
        return await handle(Admitted(b"", content, ""), request)

    app = web.Application()
    app.router.add_post("/", serve)
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/")).status == status
