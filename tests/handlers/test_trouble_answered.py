"""When something is away or broken: a true sentence, a code for a bug, and nothing half done."""

import asyncio
import json
import sqlite3
from datetime import timedelta
from typing import Any

import structlog

from bot.domain.deployment import Phase
from bot.ports import Message, Rejected
from handlers.errors import Answers
from tests.builders import ANA, DANA
from tests.fakes import Trouble
from tests.handlers.office import Office
from tests.handlers.reading import buttons, text_of


async def test_a_database_that_is_away_is_said_and_nothing_was_done(office: Office) -> None:
    id = await office.at_approval()
    office.fate.is_database_down = True

    said = [
        (await office.types(ANA, f"/approve {id}")).text,
        (await office.submits(ANA, "reject.submit", json.dumps({"d": id}), reason="no")).text,
    ]
    office.fate.is_database_down = False

    assert ["Nothing was done" in text for text in said] == [True] * 2
    assert (await office.get(id)).approvals == ()


async def test_a_press_is_answered_though_the_database_is_away(office: Office) -> None:
    id = await office.at_approval()
    value = await office.value(id)
    office.fate.is_database_down = True

    said = await office.presses(ANA, "dep.approve", value)

    assert "Nothing was done" in said


async def test_what_takes_too_long_is_not_called_undone(office: Office, database: Any) -> None:
    id = await office.at_approval()
    with sqlite3.connect(database, isolation_level=None) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        answer = await office.types(ANA, f"/approve {id}")
        somebody_else.execute("ROLLBACK")
    somebody_else.close()

    assert "not known yet whether it was done" in answer.text


async def test_a_catalogue_that_is_away_starts_nothing(office: Office) -> None:
    office.fate.odds["releases"] = {Trouble.DOWN: 1.0}

    answer = await office.types(DANA, "/deploy checkout v1.8.3")

    assert "Nothing was done" in answer.text
    assert buttons(answer.body).keys() <= {"deploy.retry"}


async def test_a_form_that_slack_does_not_open_is_said(office: Office) -> None:
    id = await office.at_canary()
    office.fate.odds["chat"] = {Trouble.DOWN: 1.0}

    answer = await office.types(DANA, f"/rollback {id}")

    assert "Nothing was done" in answer.text
    assert (await office.get(id)).phase is Phase.RUNNING


async def test_a_form_that_slack_refuses_to_open_is_no_bug(office: Office) -> None:
    async def work() -> Message | None:
        raise Rejected("views.open: expired_trigger_id")

    message = await Answers(office.policies, office.numbers).to(work)

    assert message is not None
    assert "The form could not be opened" in text_of(message)
    assert "Nothing was changed" in text_of(message)


async def test_an_answer_that_gets_lost_loses_nothing_else(office: Office) -> None:
    id = await office.at_approval()
    office.fate.odds["chat"] = {Trouble.DOWN: 1.0}
    await office.presses(ANA, "dep.approve", await office.value(id))
    office.fate.odds.clear()

    before = len(office.chat.answers)
    await office.beat()

    assert any("You signed" in text_of(m) for _, m in office.chat.answers[before:])


async def test_a_bug_is_a_code_for_people_and_a_traceback_for_the_log(office: Office) -> None:
    async def work() -> Message | None:
        raise ZeroDivisionError("of all things")

    with structlog.testing.capture_logs() as logs:
        message = await Answers(office.policies, office.numbers).to(work)

    office.numbers.bugs.clear()
    assert message is not None
    (logged,) = logs
    assert logged["code"] in text_of(message)
    assert logged["exc_info"]
    assert "of all things" not in text_of(message)


async def test_work_that_takes_too_long_is_ended_in_time(office: Office) -> None:
    async def work() -> Message | None:
        await asyncio.Event().wait()
        return None

    answers = Answers(office.policies, office.numbers, timedelta(milliseconds=50))
    message = await answers.to(work)

    assert message is not None
    assert "not known yet" in text_of(message)
