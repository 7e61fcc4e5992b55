"""What a card offers to press: the actions that make sense, by id and offer, asked once more."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.blocks.card import card
from bot.domain.approvals import Approval
from bot.domain.deployment import Deployment, Hold, Phase
from bot.domain.offer import offered
from bot.domain.roles import People
from tests.blocks.hostile import every_state
from tests.blocks.shown import buttons, menu, payload
from tests.blocks.test_card import canary
from tests.builders import ANA, DANA, NOW, a_deployment, people

STATES = list(every_state())
IDS = [name for name, _, _ in STATES]


@pytest.mark.parametrize(("state", "d", "everybody"), STATES, ids=IDS)
def test_the_buttons_are_exactly_what_is_offered(
    state: str, d: Deployment, everybody: People
) -> None:
    drawn = card(d, everybody, NOW)
    in_menu = {json.loads(value)["a"] for value in menu(drawn)} - {"timeline"}

    assert {f"dep.{action}" for action in offered(d)} == {
        *buttons(drawn),
        *(f"dep.{action}" for action in in_menu),
    }


@pytest.mark.parametrize(("state", "d", "everybody"), STATES, ids=IDS)
def test_a_button_knows_the_id_and_the_offer_and_nothing_else(
    state: str, d: Deployment, everybody: People
) -> None:
    drawn = card(d, everybody, NOW)

    for pressed in buttons(drawn).values():
        assert pressed["value"] == '{"d":"D-142","o":3}'
    for value in menu(drawn):
        assert len(value) <= 75
        assert json.loads(value) | {"a": ""} == {"a": "", "d": "D-142", "o": 3}


@pytest.mark.parametrize(("state", "d", "everybody"), STATES, ids=IDS)
def test_the_same_state_gives_the_same_bytes_a_moment_later(
    state: str, d: Deployment, everybody: People
) -> None:
    assert card(d, everybody, NOW) == card(d, everybody, NOW + timedelta(seconds=30))


@pytest.mark.parametrize(("state", "d", "everybody"), STATES, ids=IDS)
def test_the_notification_ends_with_the_id_and_the_first_block_repeats_it(
    state: str, d: Deployment, everybody: People
) -> None:
    drawn = card(d, everybody, NOW)
    first = payload(drawn)["blocks"][0]["text"]["text"]

    assert len(drawn.text) <= 150
    assert drawn.text.endswith(" D-142")
    assert first.endswith("`D-142`")
    assert drawn.text[:15] in first.lstrip("*").replace("∗", "*").replace("∼", "~")


@pytest.mark.parametrize("action", ["dep.approve", "dep.promote", "dep.resume"])
def test_what_moves_things_forward_asks_once_more(action: str) -> None:
    hold = Hold(DANA, "", NOW, NOW)
    drawn = [
        card(d, people(), NOW)
        for d in (a_deployment(cursor=2), canary(), canary(phase=Phase.HELD, hold=hold))
    ]
    found = [buttons(each)[action] for each in drawn if action in buttons(each)]

    assert len(found) == 1
    assert found[0]["confirm"]["confirm"]["text"]


def test_approving_says_as_whom_and_what_happens_next() -> None:
    d = a_deployment(cursor=2)
    d = replace(d, approvals=(Approval(ANA, NOW, d.digest, stage=d.cursor),))
    asked = buttons(card(d, people(), NOW))["dep.approve"]["confirm"]

    assert asked["title"]["text"] == "Approve checkout v1.8.3?"
    assert asked["text"]["text"] == (
        "You sign as *QA Lead*. Your name goes on the card and into the journal. "
        "This is the last approval, so Rollout starts at once."
    )


def test_block_ids_carry_the_offer() -> None:
    first = payload(card(canary(), people(), NOW))["blocks"][0]

    assert first["block_id"] == "d142.sum.3"
