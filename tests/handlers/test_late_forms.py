"""A form is judged when it is sent: what was true when it was opened may be over."""

import json

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, DEVO, SAM
from tests.handlers.office import Office
from tests.handlers.reading import Answer, buttons

OTHER_TEAM = "T0OTHER"
_REASON = "500s on /pay"


@pytest.mark.parametrize("callback", ["reject.submit", "cancel.submit"])
async def test_what_has_ended_meanwhile_is_not_ended_again(office: Office, callback: str) -> None:
    id = await office.at_approval()
    opened = await office.value(id)
    await office.types(DANA, f"/deploy cancel {id} not today")
    before = await office.get(id)

    answer = await office.submits(ANA, callback, opened, reason="too slow")

    assert "nothing changed" in answer.text
    assert "not today" in answer.text, "what happened meanwhile is said"
    assert await office.get(id) == before


async def test_a_rollback_form_of_what_was_taken_back_meanwhile_starts_no_second_one(
    office: Office,
) -> None:
    id = await office.at_canary()
    form = await rollback_form(office, id)
    await sent(office, SAM, form)
    ended = await office.over(id)

    late = await sent(office, DANA, form)

    assert ended.phase is Phase.ROLLED_BACK
    assert "Nothing was changed" in late.text
    assert await office.every() == (ended,)


async def test_a_rollback_form_sent_during_a_rollback_says_so(office: Office) -> None:
    id = await office.at_canary()
    form = await rollback_form(office, id)
    await sent(office, SAM, form)
    before = await office.get(id)

    late = await sent(office, DANA, form)

    assert before.phase is Phase.ROLLING_BACK
    assert "Nothing was changed" in late.text
    assert await office.get(id) == before


async def test_a_rollback_form_works_whatever_step_was_taken_meanwhile(office: Office) -> None:
    id = await office.at_canary()
    form = await rollback_form(office, id)
    await office.presses(ANA, "dep.promote", await office.value(id))

    answer = await sent(office, SAM, form)

    assert answer.body == {}
    assert (await office.get(id)).phase is Phase.ROLLING_BACK


async def test_a_target_that_never_served_is_refused_in_the_form(office: Office) -> None:
    id = await office.at_canary()
    form = await rollback_form(office, id)

    answer = await sent(office, SAM, form, "v1.8.4")

    assert "v1.8.4" in answer.text
    assert (await office.get(id)).phase is Phase.RUNNING


async def test_a_checked_request_is_refused_when_somebody_was_quicker(office: Office) -> None:
    form = await request_form(office, DEVO)
    id = await office.requested(DANA, "v1.8.4")

    late = await office.submits(DEVO, "deploy.check", form)

    assert "already has a deployment on its way" in late.text
    assert [d.id for d in await office.every()] == [id]


async def test_the_first_form_is_judged_when_it_is_sent(office: Office) -> None:
    id = await office.requested(DANA, "v1.8.4")

    late = await filled(office, DEVO)

    assert "already has a deployment on its way" in late.text
    assert [d.id for d in await office.every()] == [id]


@pytest.mark.parametrize("callback", ["reject.submit", "cancel.submit", "rollback.submit"])
async def test_no_form_reaches_another_teams_deployment(office: Office, callback: str) -> None:
    id = await office.at_canary()
    before = await office.get(id)

    answer = await office.submits(
        SAM, callback, await office.value(id), OTHER_TEAM, reason=_REASON, target="v1.8.2"
    )

    assert f"no deployment {id}" in answer.text
    assert await office.get(id) == before


async def test_no_form_reaches_another_teams_preview(office: Office) -> None:
    form = await request_form(office, DANA)

    answer = await office.submits(DANA, "deploy.check", form, OTHER_TEAM)

    assert "That preview has expired." in answer.text
    assert (await office.every(), await office.every(OTHER_TEAM)) == ((), ())


async def test_no_press_reaches_another_teams_preview(office: Office) -> None:
    preview = buttons((await office.types(DANA, "/deploy checkout v1.8.3")).body)

    said = await office.presses(
        DANA, "deploy.request.confirm", preview["deploy.request.confirm"], OTHER_TEAM
    )

    assert "That preview has expired." in said
    assert (await office.every(), await office.every(OTHER_TEAM)) == ((), ())


# --- the pieces --------------------------------------------------------------------------------


async def rollback_form(office: Office, id: str) -> str:
    """What the form carries that the red button opens."""
    await office.presses(SAM, "dep.roll_back", await office.value(id))
    metadata = office.chat.forms[-1][1]["private_metadata"]
    assert json.loads(metadata)["d"] == id
    return str(metadata)


async def sent(office: Office, user: str, form: str, target: str = "v1.8.2") -> Answer:
    return await office.submits(user, "rollback.submit", form, reason=_REASON, target=target)


async def filled(office: Office, user: str) -> Answer:
    typed = {"service": "checkout", "version": "v1.8.3", "environment": "production"}
    return await office.submits(user, "deploy.form", "", **typed)


async def request_form(office: Office, user: str) -> str:
    """What the second form carries, which shows the preview."""
    metadata = (await filled(office, user)).body["view"]["private_metadata"]
    assert list(json.loads(metadata)) == ["r"]
    return str(metadata)
