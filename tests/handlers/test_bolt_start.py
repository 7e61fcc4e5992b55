"""What Bolt says while it is put together: nothing that nobody can act on."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.questions import Questions
from handlers.bolt import Door, bolt_app
from handlers.desk import Desk
from handlers.errors import Answers
from tests.handlers.office import PILOT, Office


async def test_a_token_in_the_environment_is_no_warning(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-test")
    desk = Desk(
        office.engine,
        office.replica.previews,
        Questions(office.store, office.policies),
        office.policies,
        None,
    )
    door = Door(desk, Answers(office.policies, office.numbers), office.chat, PILOT)

    bolt_app(AsyncWebClient("xoxb-test"), "xoxb-test", door)

    assert [record.message for record in caplog.records] == []
