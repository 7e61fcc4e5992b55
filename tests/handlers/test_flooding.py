"""Whoever asks for too much is told so, at the cost of next to nothing; going back always works."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, QUINN, SAM, TEAM
from tests.fakes import Trouble
from tests.handlers.allowing import allowing
from tests.handlers.office import PILOT, Office
from tests.handlers.reading import buttons
from tests.handlers.test_request_form import names, offered

FEW = allowing(3, 4, 1000, lookups=5)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def busy(database: Path) -> AsyncIterator[Office]:
    """An office where three commands and four presses a minute are enough."""
    office = Office(database)
    office.policies = replace(office.policies, limits=FEW)
    async with office:
        yield office
        assert not office.faults, "no test may stumble over a bug unseen"


async def test_a_command_over_the_limit_says_how_many_when_again_and_what_still_works(
    busy: Office,
) -> None:
    for _ in range(3):
        await busy.types(DANA, "/deploy status")
        busy.clock.pass_(timedelta(seconds=10))

    said = (await busy.types(DANA, "/deploy checkout v1.8.3")).text

    assert "3 of the 3 commands" in said
    assert "Nothing was done. Try again in 30 s." in said
    assert "/rollback" in said
    assert busy.limited == ["command"]


async def test_what_is_over_the_limit_is_judged_without_the_database(busy: Office) -> None:
    id = await at_approval(busy)
    value = await busy.value(id)
    await use_up(busy, ANA)
    place = busy.on(await busy.card(id))
    busy.fate.is_database_down = True

    for _ in range(20):
        assert "Nothing was done." in (await busy.types(ANA, "/deploy status")).text
        assert (await busy.sends(press(ANA, "dep.approve", value) | place)).status == 200
        assert (await busy.sends(mention(ANA, f"approve {id}"))).status == 200

    busy.fate.is_database_down = False
    assert busy.numbers.registry.get_sample_value(
        "pilothouse_wishes_total", {"outcome": "busy"}
    ) in (None, 0.0)
    assert (await busy.get(id)).approvals == ()


async def test_a_flood_of_mentions_is_answered_once_a_minute(busy: Office) -> None:
    for _ in range(3):
        await busy.mentions(DANA, "status D-1")
    before = len(busy.chat.answers)

    for _ in range(50):
        await busy.mentions(DANA, "status D-1")
    busy.clock.pass_(MINUTE)
    answered = await busy.mentions(DANA, "status D-1")

    told = [place for place, _ in busy.chat.answers[before:-1]]
    assert told == [f"ephemeral:C0DEPLOY//{DANA}"]
    assert "no deployment D-1" in answered


async def test_the_same_delivery_is_answered_the_same_however_much_was_asked_since(
    busy: Office,
) -> None:
    id = await at_approval(busy)
    body = command(ANA, f"/approve {id} v1.8.3", "same")
    first = await busy.sends(body)
    await use_up(busy, ANA)

    again = [await busy.sends(body) for _ in range(10)]

    assert "You signed" in first.text
    assert {answer.text for answer in again} == {first.text}
    assert [a.by for a in (await busy.get(id)).approvals] == [ANA]


async def test_a_preview_that_was_pressed_too_often_is_still_there_a_minute_later(
    busy: Office,
) -> None:
    value = buttons((await busy.types(DANA, "/deploy checkout v1.8.3")).body)
    await use_up(busy, DANA)

    said = await busy.presses(
        DANA, "deploy.request.confirm", value["deploy.request.confirm"], **OWN
    )
    where = busy.chat.answers[-1][0]
    busy.clock.pass_(MINUTE)
    done = await busy.presses(
        DANA, "deploy.request.confirm", value["deploy.request.confirm"], **OWN
    )

    assert "4 of the 4 buttons" in said
    assert where.startswith("https://"), "the answer must not replace the preview"
    assert "is requested as D-1" in done


async def test_a_form_over_the_limit_keeps_what_was_written(busy: Office) -> None:
    id = await at_approval(busy)
    await use_up(busy, ANA)

    answer = await busy.submits(ANA, "reject.submit", await busy.value(id), reason="too slow")

    assert answer.body["response_action"] == "push"
    assert "Nothing was done." in answer.text
    assert (await busy.get(id)).phase is Phase.RUNNING


async def test_going_back_works_from_every_door_when_all_is_used_up(busy: Office) -> None:
    id = await at_canary(busy)
    await use_up(busy, SAM)

    typed = buttons((await busy.types(SAM, f"/rollback {id} 500s on /pay")).body)
    mentioned = await busy.mentions(SAM, "rollback 500s on /pay", await busy.card(id))
    await busy.presses(SAM, "dep.roll_back", await busy.value(id))
    form = busy.chat.forms[-1][1]
    sent = await busy.submits(SAM, "rollback.submit", form["private_metadata"], reason="no")
    done = await busy.presses(SAM, "rollback.confirm", typed["rollback.confirm"])

    assert "v1.8.2" in mentioned
    assert list(sent.body["errors"]) == ["reason"]
    assert "back to v1.8.2" in done
    assert (await busy.get(id)).phase is Phase.ROLLING_BACK


async def test_going_back_uses_nothing_up(busy: Office) -> None:
    for _ in range(20):
        await busy.types(DANA, "/rollback checkout 500s on /pay")
        await busy.mentions(DANA, "rollback checkout 500s on /pay")

    answers = [(await busy.types(DANA, "/deploy status")).text for _ in range(4)]

    assert ["Nothing was done." in text for text in answers] == [False, False, False, True]


# --- the pieces --------------------------------------------------------------------------------

OWN: dict[str, Any] = {"container": {"is_ephemeral": True}}


async def use_up(office: Office, user: str) -> None:
    """Type and press until nothing more is taken."""
    for _ in range(FEW.commands):
        await office.types(user, "/deploy help")
    for _ in range(FEW.clicks):
        await office.presses(user, "deploy.request.cancel", "{}", **OWN)


async def at_approval(office: Office) -> str:
    id = await office.at_approval()
    office.clock.pass_(MINUTE)
    return id


async def at_canary(office: Office) -> str:
    id = await at_approval(office)
    for user in (ANA, QUINN):
        await office.presses(user, "dep.approve", await office.value(id))
    await office.until(id, "Rollout")
    office.clock.pass_(MINUTE)
    return id


def command(user: str, line: str, trigger: str) -> dict[str, Any]:
    name, _, text = line.partition(" ")
    who = {"team_id": TEAM, "user_id": user, "channel_id": "C0DEPLOY"}
    return who | {
        "command": name,
        "text": text,
        "trigger_id": trigger,
        "response_url": "https://hooks.slack.com/commands/1",
    }


def press(user: str, action: str, value: str) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": user},
        "trigger_id": "p1",
        "response_url": "https://hooks.slack.com/actions/1",
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
    }


def mention(user: str, text: str) -> dict[str, Any]:
    event = {"type": "app_mention", "user": user, "text": f"<@{PILOT}> {text}", "ts": "1.1"}
    outer = {"type": "event_callback", "team_id": TEAM, "event_id": "EvFlood"}
    return outer | {"event": event | {"channel": "C0DEPLOY"}}


async def test_whoever_has_versions_looked_up_too_often_may_still_send_what_they_typed(
    busy: Office,
) -> None:
    asked: list[str] = []

    async def count(what: str) -> Trouble:
        asked.append(what)
        return Trouble.NONE

    busy.world.releases.fate = count
    for _ in range(5):
        await offered(busy, "v1.8")
    so_far = len(asked)

    assert names(await offered(busy, "v1.8")) == ["v1.8"]
    assert names(await offered(busy, "")) == []
    assert (so_far, len(asked)) == (5, 5)
    assert busy.limited == ["lookup"] * 2
