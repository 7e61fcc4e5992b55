"""The form of `/deploy`: what it offers while it is filled in, and where its errors stand."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders import DANA, TEAM
from tests.fakes import Trouble
from tests.handlers.office import Office
from tests.handlers.reading import Answer

SERVICE, VERSION = "deploy.form.service", "deploy.form.version"
Json = dict[str, Any]


def picked(value: str) -> Json:
    return {"selected_option": {"value": value}}


def a_view(service: str, **values: Mapping[str, Json]) -> Json:
    state = {"service": {SERVICE: picked(service)}, **values}
    return {"id": "V1", "type": "modal", "hash": "h1", "callback_id": "deploy.form"} | {
        "state": {"values": state}
    }


async def offered(office: Office, typed: str, service: str = "checkout", **more: Any) -> Answer:
    question = {
        "type": "block_suggestion",
        "team": {"id": TEAM},
        "user": {"id": DANA},
        "action_id": VERSION,
        "block_id": f"version.{service}",
        "value": typed,
        "view": a_view(service),
    }
    return await office.sends(question | more)


def names(answer: Answer) -> list[str]:
    assert answer.status == 200
    return [option["value"] for option in answer.body["options"]]


@pytest.fixture
def stocked(office: Office) -> Office:
    office.world.releases.known.clear()
    office.world.releases.offer("checkout", "v1.8.3", "v1.8.4", "v1.9.0", "v1.8.30")
    return office


async def test_all_versions_are_offered_and_typing_narrows_them(stocked: Office) -> None:
    assert names(await offered(stocked, "")) == ["v1.8.30", "v1.9.0", "v1.8.4", "v1.8.3"]
    assert names(await offered(stocked, "1.8")) == ["v1.8.30", "v1.8.4", "v1.8.3"]


async def test_what_was_typed_in_full_is_offered_first(stocked: Office) -> None:
    assert names(await offered(stocked, "v1.8.3")) == ["v1.8.3", "v1.8.30"]


async def test_without_the_catalogue_what_was_typed_may_be_sent_and_is_looked_up_then(
    stocked: Office,
) -> None:
    async def away(_: str) -> Trouble:
        return Trouble.DOWN

    stocked.world.releases.fate = away

    assert names(await offered(stocked, "v1.8.3")) == ["v1.8.3"]
    assert names(await offered(stocked, "")) == []


@pytest.mark.parametrize("typed", ["<!channel>", "v9 --now", "x" * 200])
async def test_what_can_be_no_version_is_offered_nothing(stocked: Office, typed: str) -> None:
    assert names(await offered(stocked, typed)) == []


async def test_a_service_nobody_knows_and_a_field_of_another_form_have_no_versions(
    stocked: Office,
) -> None:
    assert names(await offered(stocked, "", "nowhere")) == []
    assert names(await offered(stocked, "", action_id="other")) == []


async def test_the_versions_are_those_of_the_service_that_is_chosen_now(stocked: Office) -> None:
    answer = await offered(stocked, "", block_id="version.search")

    assert "v1.8.3" in names(answer)


async def test_choosing_another_service_renews_the_form_under_its_hash(office: Office) -> None:
    answer = await office.sends(
        {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": DANA},
            "trigger_id": "t1",
            "actions": [
                {
                    "type": "static_select",
                    "action_id": SERVICE,
                    "block_id": "service",
                    "selected_option": {"value": "checkout"},
                }
            ],
            "view": a_view("checkout"),
        }
    )

    assert answer.status == 200
    ((id, view),) = office.chat.forms
    assert id == "V1"
    assert [block["block_id"] for block in view["blocks"] if "block_id" in block] == [
        "service",
        "version.checkout",
        "environment.checkout",
        "note",
    ]


async def test_an_error_stands_under_the_field_that_it_is_about(office: Office) -> None:
    filled = a_view(
        "checkout",
        **{
            "version.checkout": {VERSION: picked("v9")},
            "environment.checkout": {"v": picked("production")},
        },
    )
    answer = await office.sends(
        {
            "type": "view_submission",
            "team": {"id": TEAM},
            "user": {"id": DANA},
            "trigger_id": "t2",
            "view": filled,
        }
    )

    assert answer.body["response_action"] == "errors"
    assert list(answer.body["errors"]) == ["version.checkout"]
    assert "no version v9" in answer.body["errors"]["version.checkout"]
