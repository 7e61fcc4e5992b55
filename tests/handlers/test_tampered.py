"""Values that are not ours any more: nothing is believed but an id, and nothing breaks."""

import json

import pytest

from tests.builders import ANA, DANA, QUINN, SAM
from tests.handlers.office import Office
from tests.handlers.reading import buttons

OTHER_TEAM = "T0OTHER"
NOT_VALUES = [
    "",
    "null",
    "5",
    "[1]",
    "[" * 1900,
    '{"d":' * 300,
    '{"d":5,"o":1}',
    '{"d":"D-1","o":"1"}',
    '{"d":"D-1","o":true}',
    '{"d":"D-1","o":1.0}',
    '{"d":"D-1","o":-5}',
    '{"d":"D-1","o":' + "9" * 1900 + "}",
    '{"d":"D-1","o":1e999}',
    '{"d":"D-1","o":null}',
    '{"d":"D-1 ","o":1}',
    '{"d":"../D-1","o":1}',
    '{"d":"\\ud800","o":1,"r":"\\u0000","a":"\\udfff"}',
    '{"r":"\' OR 1=1 --"}',
    '{"a":"_wish"}',
]
ACTIONS = [
    "dep.approve",
    "dep.hold",
    "dep.resume",
    "dep.promote",
    "dep.reject",
    "dep.cancel",
    "dep.roll_back",
    "dep.timeline",
    "dep.more/x",
    "deploy.request.confirm",
    "deploy.request.edit",
    "deploy.retry",
    "deploy.status",
    "rollback.confirm",
    "rollback.edit",
]
FORMS = ["deploy.check", "rollback.submit", "reject.submit", "cancel.submit"]


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_broken_value_is_answered_and_changes_nothing(office: Office, action: str) -> None:
    id = await office.at_approval()
    before = await office.get(id)

    for value in NOT_VALUES:
        if action == "dep.more/x" and len(value) > 255:
            continue  # an option is not longer
        said = await office.presses(ANA, action, value)
        assert said or office.chat.forms, f"{action} {value[:40]} is answered"
        assert "E-" not in said

    assert await office.get(id) == before


@pytest.mark.parametrize("callback", FORMS)
async def test_broken_metadata_is_answered_and_changes_nothing(
    office: Office, callback: str
) -> None:
    id = await office.at_approval()
    before = await office.get(id)

    for value in NOT_VALUES:
        if '"d":"D-1","o"' in value:
            continue  # a form names its deployment only
        answer = await office.submits(ANA, callback, value, reason="no good", target="v1.8.2")
        assert answer.status == 200
        assert answer.text

    assert await office.get(id) == before


@pytest.mark.parametrize(
    "action", ["dep.nothing", "nothing", "", "dep.", "....", "0", "deploy.retry."]
)
async def test_an_unknown_button_is_answered(office: Office, action: str) -> None:
    said = await office.presses(ANA, action, "{}")

    assert "not known any more" in said or office.chat.forms


async def test_an_unknown_form_is_answered(office: Office) -> None:
    answer = await office.submits(ANA, "nothing.submit", "{}")

    assert "That form is not known any more." in answer.text


async def test_an_offer_of_the_wrong_type_is_stale(office: Office) -> None:
    id = await office.at_approval()
    offer = (await office.get(id)).offer

    said = await office.presses(ANA, "dep.approve", json.dumps({"d": id, "o": str(offer)}))

    assert "out of date" in said
    assert (await office.get(id)).approvals == ()


async def test_another_teams_deployment_does_not_exist_for_me(office: Office) -> None:
    id = await office.at_approval()
    before = await office.get(id)

    said = [
        await office.presses(ANA, "dep.approve", await office.value(id), team=OTHER_TEAM),
        await office.presses(
            ANA, "dep.more/cancel", json.dumps({"d": id, "a": "cancel"}), OTHER_TEAM
        ),
        (await office.types(ANA, f"/approve {id}", team=OTHER_TEAM)).text,
        (await office.types(ANA, f"/deploy status {id}", team=OTHER_TEAM)).text,
        (
            await office.submits(
                ANA, "reject.submit", json.dumps({"d": id}), OTHER_TEAM, reason="no"
            )
        ).text,
    ]

    assert [f"no deployment {id}" in text for text in said] == [True] * 5
    assert await office.get(id) == before


async def test_a_draft_of_a_rollback_is_no_request_and_the_other_way_round(office: Office) -> None:
    id = await office.at_canary()
    rollback = buttons((await office.types(SAM, f"/rollback {id} 500s on /pay")).body)
    before = await office.every()

    said = await office.presses(SAM, "deploy.request.confirm", rollback["rollback.confirm"])
    edited = await office.presses(SAM, "deploy.request.edit", rollback["rollback.confirm"])

    assert "That preview has expired." in said
    assert "That preview has expired." in edited
    assert await office.every() == before


async def test_a_draft_of_a_request_is_no_rollback(office: Office) -> None:
    request = buttons((await office.types(DANA, "/deploy checkout v1.8.3")).body)
    value = request["deploy.request.confirm"]

    said = [await office.presses(DANA, f"rollback.{what}", value) for what in ("confirm", "edit")]

    assert ["That preview has expired." in text for text in said] == [True, True]


async def test_the_same_delivery_with_other_words_is_refused(office: Office) -> None:
    id = await office.at_approval()
    value = await office.value(id)
    first = await office.presses(ANA, "dep.approve", value, trigger_id="same")

    said = await office.presses(QUINN, "dep.approve", value, trigger_id="same")

    assert "You signed" in first
    assert "taken in already" in said
    assert [a.by for a in (await office.get(id)).approvals] == [ANA]


@pytest.mark.parametrize("line", ["/x/y z", "/ ", "//", "/rollback checkout 500s", "/deploy"])
async def test_a_suggestion_of_another_command_is_not_run(office: Office, line: str) -> None:
    said = await office.presses(ANA, "deploy.retry", line)

    assert said or office.chat.forms
    assert await office.every() == ()
