"""Every command, typed by somebody, and what that person reads."""

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, SAM
from tests.handlers.office import Office
from tests.handlers.reading import buttons


async def test_deploy_with_a_version_previews_and_starts_nothing(office: Office) -> None:
    answer = await office.types(DANA, "/deploy checkout v1.8.3")

    assert "Request checkout v1.8.3 → production?" in answer.text
    assert set(buttons(answer.body)) >= {"deploy.request.confirm", "deploy.request.cancel"}
    assert answer.body["response_type"] == "ephemeral"
    assert await office.every() == ()


async def test_deploy_without_a_version_opens_the_form(office: Office) -> None:
    answer = await office.types(DANA, "/deploy checkout")

    assert (answer.status, answer.text) == (200, "")
    ((_, form),) = office.chat.forms
    assert form["callback_id"] == "deploy.form"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/deploy help", "/deploy"),
        ("/deploy list", "no deployment yet"),
        ("/deploy status", "nothing"),
        ("/deploy status D-9", "no deployment D-9"),
        ("/deploy checkuot v1.8.3", "checkout"),
        ("/deploy checkout v9.9.9", "no version"),
        ("/deploy checkout v1.8.2", "already serves"),
        ("/deploy checkout v1.8.3 --froce", "--froce"),
        ("/deploy hold D-9", "no deployment D-9"),
        ("/deploy resume D-9", "no deployment D-9"),
        ("/deploy cancel D-9 not today", "no deployment D-9"),
        ("/deploy unlock checkout mended", "cannot unlock production for checkout"),
        ("/approve", "nothing waits"),
        ("/approve D-9", "no deployment D-9"),
        ("/approve help", "What would you like to do?"),
        ("/rollback checkout 500s on /pay", "no deployment of this bot brought it"),
        ("/rollback D-9 500s on /pay", "no deployment D-9"),
        ("/rollback abandon D-9 by hand", "no deployment D-9"),
        ("/nonsense", "not one of mine"),
    ],
)
async def test_every_command_is_answered_in_words(office: Office, line: str, words: str) -> None:
    answer = await office.types(DANA, line)

    assert answer.status == 200
    assert words.casefold() in answer.text.casefold()
    assert await office.every() == ()


async def test_an_unknown_version_is_answered_with_the_newest_ones(office: Office) -> None:
    refused = await office.types(DANA, "/deploy checkout v9.9.9")

    assert "checkout has no version* `v9.9.9`. The newest: v1.8.4, v1.8.3, v1.8.2" in refused.text


async def test_status_and_list_show_what_runs(office: Office) -> None:
    id = await office.at_approval()

    shown = [await office.types(SAM, f"/deploy {what}") for what in ("status", "list", id)]
    one = await office.types(SAM, f"/deploy status {id}")

    assert all(id in answer.text for answer in shown[:2])
    assert "Gates: 1 of 1 pass" in one.text
    assert "Waiting for approval" in one.text
    assert "/archives/C0DEPLOY/" in one.text


async def test_what_waits_for_me_is_listed_for_me_only(office: Office) -> None:
    id = await office.at_approval()

    mine, not_mine = [await office.types(user, "/approve") for user in (ANA, SAM)]

    assert id in mine.text
    assert id not in not_mine.text


async def test_a_typed_approval_signs(office: Office) -> None:
    id = await office.at_approval()

    answer = await office.types(ANA, f"/approve {id} looks fine")

    assert "You signed" in answer.text
    assert [a.by for a in (await office.get(id)).approvals] == [ANA]


async def test_a_typed_rejection_ends_it(office: Office) -> None:
    id = await office.at_approval()

    answer = await office.types(ANA, f"/approve {id} reject the migration is missing")

    assert "is rejected" in answer.text
    assert (await office.get(id)).phase is Phase.REJECTED


async def test_hold_resume_and_cancel_steer_the_one_named(office: Office) -> None:
    id = await office.at_approval()

    said = [
        (await office.types(DANA, f"/deploy {line}")).text
        for line in (f"hold {id} lunch", f"resume {id}", f"cancel {id} not today")
    ]

    assert [
        words
        for words, text in zip(("is held", "goes on", "is cancelled"), said, strict=True)
        if words in text
    ] == ["is held", "goes on", "is cancelled"]
    assert (await office.get(id)).phase is Phase.CANCELLED


async def test_a_typed_rollback_is_a_preview_first(office: Office) -> None:
    id = await office.at_canary()

    answer = await office.types(SAM, "/rollback checkout 500s on /pay")

    assert "v1.8.2" in answer.text
    assert "rollback.confirm" in buttons(answer.body)
    assert (await office.get(id)).phase is Phase.RUNNING


async def test_a_rollback_without_a_reason_opens_its_form(office: Office) -> None:
    await office.at_canary()

    await office.types(SAM, "/rollback checkout")

    ((_, form),) = office.chat.forms
    assert form["callback_id"] == "rollback.submit"


async def test_a_lock_is_lifted_by_those_who_may_and_said_in_status(office: Office) -> None:
    id = await office.at_canary()
    await office.types(SAM, f"/rollback {id}")
    value = office.chat.forms[-1][1]["private_metadata"]
    office.world.router.refuses = "no such environment"
    await office.submits(SAM, "rollback.submit", value, reason="500s on /pay", target="v1.8.2")
    await office.replica.drain()

    locked = await office.types(DANA, "/deploy status")
    refused = await office.types(DANA, "/deploy checkout v1.8.4")
    lifted = await office.types("U0TESS", "/deploy unlock checkout put right by hand")

    assert (await office.get(id)).phase is Phase.ROLLBACK_FAILED
    assert "locked" in locked.text
    assert "locked" in refused.text
    assert "unlocked" in lifted.text
