"""Every button: what it does, who is told what, and where the answer appears."""

import json
from datetime import timedelta

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, CHRIS, DANA, DEVO, QUINN, SAM, TESS
from tests.handlers.office import Office
from tests.handlers.reading import buttons


async def test_a_confirmed_preview_becomes_one_deployment(office: Office) -> None:
    preview = await office.types(DANA, "/deploy checkout v1.8.3")
    value = buttons(preview.body)["deploy.request.confirm"]

    said = await office.presses(DANA, "deploy.request.confirm", value)
    again = await office.presses(DANA, "deploy.request.confirm", value)

    assert "is requested as D-1" in said
    assert "already has a deployment on its way" in again
    assert [d.id for d in await office.every()] == ["D-1"]


async def test_somebody_elses_preview_is_not_mine_to_confirm(office: Office) -> None:
    preview = await office.types(DANA, "/deploy checkout v1.8.3")
    value = buttons(preview.body)["deploy.request.confirm"]

    said = await office.presses(DEVO, "deploy.request.confirm", value)

    assert "That preview has expired." in said
    assert await office.every() == ()


async def test_a_preview_is_good_for_a_quarter_of_an_hour(office: Office) -> None:
    preview = await office.types(DANA, "/deploy checkout v1.8.3")
    office.clock.pass_(timedelta(minutes=16))

    said = await office.presses(
        DANA, "deploy.request.confirm", buttons(preview.body)["deploy.request.confirm"]
    )

    assert "That preview has expired." in said
    assert await office.every() == ()


async def test_what_only_the_clicker_saw_is_replaced_by_the_answer(office: Office) -> None:
    preview = await office.types(DANA, "/deploy checkout v1.8.3")
    value = buttons(preview.body)["deploy.request.confirm"]

    await office.presses(DANA, "deploy.request.confirm", value, container={"is_ephemeral": True})

    assert office.chat.answers[-1][0].startswith("replace:https://hooks.slack.com/")


async def test_a_public_message_is_never_replaced(office: Office) -> None:
    id = await office.at_approval()

    await office.presses(ANA, "dep.approve", await office.value(id))

    assert office.chat.answers[-1][0].startswith("https://hooks.slack.com/")


async def test_a_press_in_a_thread_is_answered_there_where_a_phone_shows_it(office: Office) -> None:
    id = await office.at_approval()
    places = await office.places(id)

    said = await office.presses(
        DEVO, "dep.approve", await office.value(id), **office.on(places["ask"])
    )

    assert "Nothing was changed." in said
    to, _ = office.chat.answers[-1]
    assert to.startswith(f"thread:{places['card'].ts}:https://hooks.slack.com/")


async def test_a_press_on_the_card_is_answered_in_the_channel_though_it_has_a_thread(
    office: Office,
) -> None:
    id = await office.at_approval()
    on_card = office.on((await office.places(id))["card"])
    on_card["container"]["thread_ts"] = on_card["container"]["message_ts"]

    await office.presses(DANA, "dep.approve", await office.value(id), **on_card)

    assert office.chat.answers[-1][0].startswith("https://hooks.slack.com/")


async def test_forgetting_a_preview_says_that_nothing_changed(office: Office) -> None:
    preview = await office.types(DANA, "/deploy checkout v1.8.3")

    said = await office.presses(
        DANA, "deploy.request.cancel", buttons(preview.body)["deploy.request.cancel"]
    )

    assert "Nothing was changed." in said
    assert await office.every() == ()


async def test_editing_a_preview_opens_the_form_filled(office: Office) -> None:
    preview = await office.types(DANA, "/deploy checkout v1.8.3")

    await office.presses(DANA, "deploy.request.edit", buttons(preview.body)["deploy.request.edit"])

    assert "v1.8.3" in json.dumps(office.chat.forms[-1][1])


async def test_two_signatures_of_two_people_open_the_door(office: Office) -> None:
    id = await office.at_approval()

    first = await office.presses(ANA, "dep.approve", await office.value(id))
    twice = await office.presses(ANA, "dep.approve", await office.value(id))
    second = await office.presses(QUINN, "dep.approve", await office.value(id))

    assert ("1 of 2" in first, "signed this already" in twice, "2 of 2" in second) == (True,) * 3
    assert (await office.get(id)).stage.name == "Rollout"


@pytest.mark.parametrize(
    ("user", "words"), [(DANA, "You asked for this"), (SAM, "cannot approve"), (DEVO, "wrote part")]
)
async def test_who_may_not_sign_reads_who_can(office: Office, user: str, words: str) -> None:
    id = await office.at_approval()

    said = await office.presses(user, "dep.approve", await office.value(id))

    assert words in said
    assert ANA in said
    assert (await office.get(id)).approvals == ()


async def test_a_stale_button_changes_nothing_and_says_what_happened(office: Office) -> None:
    id = await office.at_approval()
    old = await office.value(id)
    await office.presses(DANA, "dep.hold", old)

    said = await office.presses(ANA, "dep.approve", old)

    assert "out of date" in said
    assert "Held by" in said
    assert (await office.get(id)).approvals == ()


@pytest.mark.parametrize(
    ("action", "phase"), [("dep.hold", Phase.HELD), ("dep.promote", Phase.RUNNING)]
)
async def test_the_buttons_of_a_canary_steer_it(office: Office, action: str, phase: Phase) -> None:
    id = await office.at_canary()
    before = await office.get(id)

    await office.presses(CHRIS, action, await office.value(id))

    after = await office.get(id)
    assert after.phase is phase
    assert after.step - before.step == (action == "dep.promote")


async def test_resuming_goes_on(office: Office) -> None:
    id = await office.at_canary()
    await office.presses(DANA, "dep.hold", await office.value(id))

    said = await office.presses(DANA, "dep.resume", await office.value(id))

    assert "goes on" in said
    assert (await office.get(id)).phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("action", "callback"),
    [("dep.reject", "reject.submit"), ("dep.more/cancel", "cancel.submit")],
)
async def test_ending_it_asks_for_a_reason_first(
    office: Office, action: str, callback: str
) -> None:
    id = await office.at_approval()
    value = json.loads(await office.value(id)) | {"a": "cancel"}

    await office.presses(ANA, action, json.dumps(value))
    form = office.chat.forms[-1][1]
    empty = await office.submits(ANA, callback, form["private_metadata"], reason=" ")
    answer = await office.submits(ANA, callback, form["private_metadata"], reason="broken")

    assert form["callback_id"] == callback
    assert callback == "cancel.submit" or "needs a reason" in empty.text
    assert answer.status == 200
    assert (await office.get(id)).is_over


async def test_a_form_of_an_older_offer_ends_nothing(office: Office) -> None:
    id = await office.at_approval()
    opened = await office.value(id)
    await office.presses(DANA, "dep.hold", opened)

    answer = await office.submits(ANA, "reject.submit", opened, reason="broken")

    assert "out of date" in answer.text
    assert (await office.get(id)).phase is Phase.HELD


async def test_a_form_that_still_means_the_same_is_good_after_other_things_changed(
    office: Office,
) -> None:
    id = await office.at_approval()
    opened = await office.value(id)
    await office.presses(DANA, "dep.hold", opened)

    await office.submits(ANA, "cancel.submit", opened, reason="broken")

    assert (await office.get(id)).phase is Phase.CANCELLED


async def test_rolling_back_is_one_form(office: Office) -> None:
    id = await office.at_canary()
    await office.presses(SAM, "dep.roll_back", await office.value(id))
    form = office.chat.forms[-1][1]

    short = await office.submits(SAM, "rollback.submit", form["private_metadata"], reason="no")
    done = await office.submits(
        SAM, "rollback.submit", form["private_metadata"], reason="500s on /pay", target="v1.8.2"
    )

    assert list(short.body["errors"]) == ["reason"]
    assert done.body == {}
    assert (await office.get(id)).phase is Phase.ROLLING_BACK


async def test_a_previewed_rollback_is_confirmed_or_edited(office: Office) -> None:
    id = await office.at_canary()
    preview = await office.types(SAM, f"/rollback {id} 500s on /pay")
    values = buttons(preview.body)

    await office.presses(SAM, "rollback.edit", values["rollback.edit"])
    said = await office.presses(SAM, "rollback.confirm", values["rollback.confirm"])

    assert "500s on /pay" in json.dumps(office.chat.forms[-1][1])
    assert "back to v1.8.2" in said
    assert (await office.get(id)).phase is Phase.ROLLING_BACK


async def test_the_timeline_and_the_status_are_for_the_asker_only(office: Office) -> None:
    id = await office.at_approval()
    value = json.loads(await office.value(id)) | {"a": "timeline"}

    told = await office.presses(TESS, "dep.more/timeline", json.dumps(value))
    status = await office.presses(TESS, "deploy.status", id)

    assert "Staging done" in told
    assert "Staging done" in status


async def test_a_suggestion_is_run_as_if_it_had_been_typed(office: Office) -> None:
    said = await office.presses(DANA, "deploy.retry.2", "checkout v1.8.3")

    assert "Request checkout v1.8.3" in said
