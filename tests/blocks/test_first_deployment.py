"""Where nothing serves yet, everybody reads before they agree that there is no way back."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.blocks import ask, card, request, stopping
from bot.blocks.buttons import buttons as offered_buttons
from bot.domain.deployment import Deployment, Hold, Phase
from bot.domain.plan import ApprovalStage, Plan, RolloutStage, WatchStage
from bot.memory import Draft
from tests.blocks.shown import buttons, faults, lines, menu
from tests.builders import DANA, NOW, TEAM, a_deployment, a_plan, a_version, people

SAID = ":warning: *First deployment*: there is nothing to roll back to."
BY_HAND = "switch it off at the edge"


def first_plan() -> Plan:
    plan = a_plan("newthing")
    return replace(plan, rollback=replace(plan.rollback, by_hand=BY_HAND)).first()


def first(stage: type, phase: Phase = Phase.RUNNING, *, is_touched: bool = True) -> Deployment:
    plan = first_plan()
    where = plan.position(stage)
    assert where is not None
    return a_deployment(
        phase,
        plan=plan,
        version=a_version("v1.0.0"),
        stable=None,
        cursor=where,
        is_touched=is_touched,
        hold=Hold(None, "error rate 50 %", NOW, NOW) if phase is Phase.HELD else None,
    )


def test_who_asks_reads_it_before_anything_starts() -> None:
    version = a_version("v1.0.0")
    draft = Draft(TEAM, "R-8", DANA, "newthing", "production", "normal", version, NOW)

    shown = request.preview(draft, first_plan(), None, people())

    assert shown.text.startswith("First deployment, nothing to roll back to: newthing v1.0.0")
    assert SAID in lines(shown)
    assert "Normal, 100 %, at least 15 min" in lines(shown)
    assert faults(shown, is_preview=True) == []


def test_who_signs_reads_it_in_the_asking_on_the_phone_and_before_the_last_tap() -> None:
    asked = ask.ask(first(ApprovalStage, is_touched=False), people())

    assert "(first deployment, no rollback)" in asked.text
    assert SAID in lines(asked)
    assert f"*If it fails:* it is held and people are called. By hand: {BY_HAND}" in lines(asked)
    assert "*First deployment*" in buttons(asked)["dep.approve"]["confirm"]["text"]["text"]


@pytest.mark.parametrize("stage", [ApprovalStage, RolloutStage])
def test_the_card_says_it_for_as_long_as_it_matters(stage: type) -> None:
    assert SAID in lines(card.card(first(stage), people(), NOW))


def test_the_card_of_what_is_done_or_has_a_way_back_says_nothing_of_it() -> None:
    done = first(WatchStage, Phase.SUCCEEDED)

    assert SAID not in lines(card.card(done, people(), NOW))
    assert SAID not in lines(card.card(a_deployment(), people(), NOW))


@pytest.mark.parametrize(
    ("stage", "phase"),
    [
        (RolloutStage, Phase.RUNNING),
        (RolloutStage, Phase.HELD),
        (WatchStage, Phase.WATCHING),
        (WatchStage, Phase.SUCCEEDED),
    ],
)
def test_nothing_offers_a_rollback_that_cannot_work(stage: type, phase: Phase) -> None:
    d = first(stage, phase)

    assert "dep.roll_back" not in {b["action_id"] for b in offered_buttons(d, people())}
    assert any('"cancel"' in value for value in menu(card.card(d, people(), NOW))) is (
        phase in (Phase.RUNNING, Phase.HELD)
    )


def test_the_card_of_a_held_one_says_what_people_can_do() -> None:
    said = lines(card.card(first(RolloutStage, Phase.HELD), people(), NOW))

    assert (
        "`D-142` can be resumed, or ended with `/deploy cancel D-142 reason`. "
        f"By hand: {BY_HAND}." in said
    )


def test_ending_it_half_way_says_what_stays_and_needs_a_reason() -> None:
    live = replace(first(RolloutStage, Phase.HELD), weights=(("v1.0.0", 100),))
    form = stopping.cancel_form(live)
    asked, reason = json.loads(json.dumps(form["blocks"]))

    assert "there is nothing to go back to" in asked["text"]["text"]
    assert "What traffic v1.0.0 has stays" in asked["text"]["text"]
    assert reason["element"]["min_length"] == 1
    assert not reason.get("optional")


def test_ending_it_before_its_traffic_was_seen_says_that_it_is_taken_back() -> None:
    unseen = first(RolloutStage, Phase.RUNNING)
    behind = replace(unseen, is_behind=True)

    said, locked = (json.dumps(stopping.cancel_form(d)["blocks"]) for d in (unseen, behind))

    assert "is over when the router is seen to send nobody anything" in said
    assert "production is locked until somebody has looked what is live" in locked
    assert "stays until" not in said + locked


def test_one_that_is_being_ended_says_what_it_waits_for() -> None:
    ending = replace(first(RolloutStage, Phase.HELD), taken_back=7)

    shown = card.card(ending, people(), NOW)

    assert "being ended, until the router sends nobody anything" in shown.text
    assert not any("Traffic: *100 now* %" in line for line in lines(shown)), "nobody saw that"
    assert "*Ended by*" in lines(shown)
    assert "*Held by*" not in lines(shown)
    assert "someone must resume" not in shown.text
    assert any("given up with `/rollback abandon D-142 reason`" in line for line in lines(shown))
    assert {b["action_id"] for b in offered_buttons(ending, people())} == {"dep.resume"}


def test_one_that_was_taken_back_says_that_nobody_gets_traffic() -> None:
    ended = replace(first(RolloutStage, Phase.CANCELLED), finished_at=NOW, taken_back=7)

    assert "nobody gets traffic in production" in card.card(ended, people(), NOW).text


def test_one_whose_traffic_nobody_could_take_back_says_so_in_its_first_line() -> None:
    given_up = replace(first(RolloutStage, Phase.CANCELLED), finished_at=NOW)

    assert "ended, its traffic may still come" in card.card(given_up, people(), NOW).text


def test_an_ended_one_is_not_called_untouched() -> None:
    live = replace(first(RolloutStage, Phase.CANCELLED), weights=(("v1.0.0", 100),))
    ended = replace(live, finished_at=NOW + timedelta(minutes=1))

    shown = card.card(ended, people(), NOW)

    assert "nothing was rolled back" in shown.text
    assert not any("not touched" in line for line in lines(shown))
    assert "To go on: `/deploy newthing VERSION`" in lines(shown)
